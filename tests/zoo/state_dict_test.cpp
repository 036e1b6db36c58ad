// SPDX-License-Identifier: Apache-2.0
#include <cstdint>
#include <cstdlib>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"
#include "zoo/zoo.h"

namespace {

using faultwave::contains;
using faultwave::TempFolder;
using faultwave::write_file;

void save_dictionary(const std::string& path,
                     const std::vector<std::pair<std::string, torch::Tensor>>& entries) {
  c10::impl::GenericDict dictionary(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : entries)
    dictionary.insert(name, tensor);
  const std::vector<char> bytes = torch::pickle_save(dictionary);
  write_file(path, std::string(bytes.begin(), bytes.end()));
}

/// A safetensors file with FP32 tensors: `header` is its JSON.
void save_safetensors(const std::string& path, const std::string& header, const std::vector<float>& values) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  write_file(path, bytes);
}

std::string message_of(torch::nn::Module& module, const std::string& path) {
  return faultwave::error_of(faultwave::ErrorCode::bad_input,
                             [&] { faultwave::zoo::load_state_dict(module, path); });
}

}  // namespace

TEST_CASE("a pickled dictionary fills parameters and buffers by name") {
  TempFolder folder;
  const std::string file = folder / "weights.pt";
  save_dictionary(file, {{"weight", torch::tensor({2.0f, 3.0f})},
                         {"bias", torch::tensor({4.0f, 5.0f})},
                         {"running_mean", torch::tensor({6.0f, 7.0f})},
                         {"running_var", torch::tensor({8.0f, 9.0f})},
                         {"num_batches_tracked", torch::tensor(11)},
                         {"unknown", torch::tensor(1)}});
  torch::nn::BatchNorm2d norm(2);
  faultwave::zoo::load_state_dict(*norm, file);
  CHECK(norm->weight.equal(torch::tensor({2.0f, 3.0f})));
  CHECK(norm->bias.equal(torch::tensor({4.0f, 5.0f})));
  CHECK(norm->running_mean.equal(torch::tensor({6.0f, 7.0f})));
  CHECK(norm->running_var.equal(torch::tensor({8.0f, 9.0f})));
  CHECK(norm->num_batches_tracked.item<int64_t>() == 11);
  CHECK(norm->weight.requires_grad());
}

TEST_CASE("a safetensors file fills parameters by name") {
  TempFolder folder;
  const std::string file = folder / "weights.safetensors";
  save_safetensors(file,
                   R"({"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                   R"("bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                   {1.5f, -2.5f, 0.25f});
  torch::nn::Linear linear(2, 1);
  faultwave::zoo::load_state_dict(*linear, file);
  CHECK(linear->weight.equal(torch::tensor({{1.5f, -2.5f}})));
  CHECK(linear->bias.equal(torch::tensor({0.25f})));
}

TEST_CASE("a dictionary that does not fit leaves the module as it was") {
  TempFolder folder;
  const std::string file = folder / "weights.pt";
  torch::nn::Linear linear(2, 1);
  const torch::Tensor weight = linear->weight.detach().clone();

  save_dictionary(file, {{"weight", torch::ones({1, 2})}});
  CHECK(contains(message_of(*linear, file), "lacks the tensor 'bias'"));
  save_dictionary(file, {{"weight", torch::ones({1, 2})}, {"bias", torch::ones({3})}});
  CHECK(contains(message_of(*linear, file), "holds 'bias' of shape [3]; expected [1]"));
  CHECK(linear->weight.equal(weight));
}

TEST_CASE("files that are no dictionaries are refused") {
  TempFolder folder;
  const std::string file = folder / "weights.pt";
  torch::nn::Linear linear(2, 1);
  CHECK(contains(message_of(*linear, file), "cannot be opened"));
  write_file(file, "PK and then nothing that makes sense");
  CHECK(contains(message_of(*linear, file), "is damaged"));
  const std::vector<char> bytes = torch::pickle_save(torch::ones({2}));
  write_file(file, std::string(bytes.begin(), bytes.end()));
  CHECK(contains(message_of(*linear, file), "holds no dictionary"));
  const char* made = std::getenv("FAULTWAVE_TEST_DATA");
  REQUIRE(made != nullptr);
  // An OrderedDict, as torch.save(network.state_dict()) writes it.
  CHECK(contains(message_of(*linear, std::string(made) + "/state_dict.pt"), "torch.save(dict("));
}
