// SPDX-License-Identifier: Apache-2.0
// From the files that a specification names to an experiment in memory.
#include <torch/types.h>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"

#include "src/common/torch_names.h"

namespace faultwave {
namespace {

std::vector<int64_t> read_labels(const at::Tensor& tensor, const std::string& path) {
  if (tensor.dim() != 1 || !at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false)) {
    throw UserError(ErrorCode::bad_input, "'" + path + "' must hold one integer an input, in one dimension");
  }
  const at::Tensor labels = tensor.to(at::kLong).contiguous();
  return {labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel()};
}

}  // namespace

Experiment load_experiment(const Specification& spec) {
  OpenOptions options{.device = parse_device(spec.device), .dtype = {}};
  check_device_present(options.device);
  if (!spec.dtype.empty()) options.dtype = parse_dtype(spec.dtype);
  Experiment experiment;
  experiment.network = Network::open(spec.resolve(spec.model), options);
  experiment.network_fingerprint = file_fingerprint(spec.resolve(spec.model));
  experiment.inputs = open_inputs(spec.resolve(spec.input), spec.preprocess);
  if (!spec.labels.empty())
    experiment.labels = read_labels(load_tensor(spec.resolve(spec.labels)), spec.labels);
  return experiment;
}

Campaign open_campaign(const Specification& specification, const Store* recorded) {
  return open_campaign(load_experiment(specification), specification, recorded);
}

}  // namespace faultwave
