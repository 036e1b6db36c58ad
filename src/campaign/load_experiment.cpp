// SPDX-License-Identifier: Apache-2.0
// From the files that a specification names to an experiment in memory.
#include <torch/types.h>

#include <future>
#include <memory>
#include <string>
#include <vector>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"

#include "src/common/torch_names.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

std::vector<int64_t> read_labels(const at::Tensor& tensor, const std::string& path) {
  if (tensor.dim() != 1 || !at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false)) {
    throw UserError(ErrorCode::bad_input, "'" + path + "' must hold one integer an input, in one dimension");
  }
  const at::Tensor labels = tensor.to(at::kLong).contiguous();
  return {labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel()};
}

/// The inputs of a network that takes several stand in one file of safetensors, each under its name.
std::shared_ptr<InputSet> read_inputs(const Specification& spec, const NetworkFile& network) {
  const std::string path = spec.resolve(spec.input);
  const std::vector<InputSpec> declared = network.inputs();
  const std::optional<TensorFile> file = parse_tensor_path(path);
  const bool holds_all = declared.size() > 1 && file && file->format == TensorFile::Format::safetensors &&
                         !file->tensor.has_value();
  if (!holds_all) return open_inputs(path, spec.preprocess);
  std::vector<at::Tensor> tensors;
  for (const InputSpec& input : declared)
    tensors.push_back(load_tensor(path + ":" + input.name));
  return inputs_from_tensors(std::move(tensors));
}

}  // namespace

Experiment load_experiment(const Specification& spec) {
  if (spec.model.empty() || spec.input.empty()) {
    const std::string what = spec.model.empty() ? "network" : "inputs";
    throw UserError(ErrorCode::usage,
                    "the " + what +
                        " of this campaign were in the memory of the program that began it: "
                        "go on, and replay its trials, there (in Python by "
                        "`Campaign.resume` and `Campaign.replay`)");
  }
  OpenOptions options{.device = parse_device(spec.device), .dtype = {}};
  check_device_present(options.device);
  if (!spec.dtype.empty()) options.dtype = parse_dtype(spec.dtype);
  Experiment experiment;
  // A second reader of the file, which takes as long as the first.
  std::future<std::string> fingerprint =
      std::async(std::launch::async, [path = spec.resolve(spec.model)] { return file_fingerprint(path); });
  const std::shared_ptr<NetworkFile> network = Network::open(spec.resolve(spec.model), options);
  experiment.network = network;
  experiment.inputs = read_inputs(spec, *network);
  if (!spec.labels.empty())
    experiment.labels = read_labels(load_tensor(spec.resolve(spec.labels)), spec.labels);
  experiment.network_fingerprint = fingerprint.get();
  return experiment;
}

Campaign open_campaign(const Specification& specification, const Store* recorded) {
  return open_campaign(load_experiment(specification), specification, recorded);
}

}  // namespace faultwave
