// SPDX-License-Identifier: Apache-2.0
// The networks of tools/make_test_data.py, and what Python made of their inputs.
#pragma once

#include <ATen/Parallel.h>
#include <torch/script.h>
#include <torch/torch.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "faultwave/network.h"

#include "tests/support/temp_folder.h"

namespace faultwave {

inline std::string test_file(const std::string& name) {
  const char* folder = std::getenv("FAULTWAVE_TEST_DATA");
  if (folder == nullptr)
    throw std::runtime_error("FAULTWAVE_TEST_DATA does not name the folder of test data");
  return std::string(folder) + "/" + name;
}

inline std::shared_ptr<NetworkFile> open_test_network(const std::string& file,
                                                      const OpenOptions& options = {}) {
  return Network::open(test_file(file), options);
}

struct RecordedNetworkCall {
  std::vector<c10::IValue> inputs;
  std::vector<at::Tensor> outputs;
};

/// The calls of NAME.calls.pt, in order. Python ran them on two threads, so this thread pool is set to two.
inline std::vector<RecordedNetworkCall> recorded_calls(const std::string& name) {
  at::set_num_threads(2);
  const std::string bytes = read_file(test_file(name + ".calls.pt"));
  const c10::IValue calls = torch::pickle_load(std::vector<char>(bytes.begin(), bytes.end()));
  std::vector<RecordedNetworkCall> result;
  for (const c10::IValue& call : calls.toTupleRef().elements()) {
    const auto& parts = call.toTupleRef().elements();
    RecordedNetworkCall recorded;
    for (const c10::IValue& input : parts[0].toTupleRef().elements())
      recorded.inputs.push_back(input);
    for (const c10::IValue& output : parts[1].toTupleRef().elements())
      recorded.outputs.push_back(output.toTensor());
    result.push_back(std::move(recorded));
  }
  return result;
}

inline bool same_bits(const at::Tensor& a, const at::Tensor& b) {
  if (a.scalar_type() != b.scalar_type() || a.sizes() != b.sizes()) return false;
  const at::Tensor left = a.contiguous(), right = b.contiguous();
  return std::memcmp(left.data_ptr(), right.data_ptr(), left.nbytes()) == 0;
}

inline at::Tensor find_tensor(const std::vector<NamedTensor>& tensors, const std::string& name) {
  for (const NamedTensor& named : tensors) {
    if (named.name == name) return named.tensor;
  }
  return {};
}

inline std::vector<std::string> names_of(const std::vector<NamedTensor>& tensors) {
  std::vector<std::string> names;
  for (const NamedTensor& named : tensors)
    names.push_back(named.name);
  return names;
}

}  // namespace faultwave
