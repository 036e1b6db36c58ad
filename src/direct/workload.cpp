// SPDX-License-Identifier: Apache-2.0
#include "faultwave/workload.h"

#include <torch/types.h>

#include <algorithm>
#include <numeric>
#include <string>
#include <string_view>
#include <utility>

#include "faultwave/error.h"

#include "src/common/shape.h"
#include "src/common/torch_names.h"
#include "src/data/sha256.h"
#include "src/direct/golden_failure.h"
#include "src/direct/golden_runs.h"

namespace faultwave {
namespace {

/// The network's refusal of its first input, with the input's name where it has one.
[[noreturn]] void refuse_first(const std::string& network, const InputSet& inputs, const UserError& error) {
  if (error.code() != ErrorCode::bad_network) throw error;
  std::string shapes;
  for (const at::Tensor& tensor : inputs.get(0))
    shapes += (shapes.empty() ? "" : ", ") + shape_text(tensor.sizes());
  throw UserError(ErrorCode::bad_network, network + " cannot run on input " + inputs.name(0) + ", of shape " +
                                              shapes + " without the batch: " + error.what());
}

void add_tensors(Sha256& hash, std::string_view what, const std::vector<NamedTensor>& tensors) {
  hash.add(std::string(what) + " " + std::to_string(tensors.size()) + "\n");
  for (const NamedTensor& named : tensors) {
    const at::Tensor& tensor = named.tensor;
    if (!tensor.defined()) continue;
    hash.add(named.name + " " + dtype_name(tensor.scalar_type()) + " " + shape_text(tensor.sizes()) + "\n");
    const at::Tensor values =
        (tensor.is_quantized() ? tensor.int_repr() : tensor.to_dense()).cpu().contiguous();
    hash.add(values.const_data_ptr(), values.nbytes());
  }
}

}  // namespace

Workload::Workload(std::shared_ptr<Network> network, std::shared_ptr<const InputSet> inputs,
                   const WorkloadOptions& options)
    : network_(std::move(network)), inputs_(std::move(inputs)), options_(options) {
  if (!network_) throw UserError(ErrorCode::usage, "a workload needs a network: there is none");
  if (!inputs_ || inputs_->size() < 1)
    throw UserError(ErrorCode::usage, "a workload needs at least one input: there is none");
  runs_ = std::make_unique<detail::GoldenRuns>(network_, inputs_, options_);
  try {
    injector_ = std::make_unique<Injector>(network_, runs_->batch({0}), inputs_->batch_axes());
  } catch (const UserError& error) {
    refuse_first(options_.name, *inputs_, error);
  }
  runs_->look(injector_->batch_is_free());
}

Workload::~Workload() = default;

void Workload::calibrate(int64_t count) {
  std::vector<std::vector<c10::IValue>> batches;
  count = std::min(count, inputs_->size());
  for (int64_t i = 0; i < count; ++i)
    batches.push_back(runs_->batch({i}));
  try {
    injector_->calibrate(batches);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception&) {
    for (int64_t i = 0; i < count; ++i)
      golden(i);  // names the first that fails alone
    throw;
  }
}

std::vector<at::Tensor> Workload::golden(int64_t input) {
  return runs_->element(runs_->golden({input}, runs_->batch({input})).outputs, 0);
}

std::vector<std::vector<at::Tensor>> Workload::look_at_first(int64_t count) {
  count = std::min(count, inputs_->size());
  std::vector<std::vector<at::Tensor>> outputs;
  if (runs_->most_at_once(count) < count) {
    for (int64_t i = 0; i < count; ++i)
      outputs.push_back(golden(i));
    return outputs;
  }
  std::vector<int64_t> first(static_cast<size_t>(count));
  std::iota(first.begin(), first.end(), int64_t{0});
  const std::vector<at::Tensor> together = runs_->golden(first, runs_->batch(first)).outputs;
  for (int64_t i = 0; i < count; ++i)
    outputs.push_back(runs_->element(together, i));
  return outputs;
}

bool Workload::is_unsteady() const {
  return runs_->is_unsteady();
}

std::string Workload::fingerprint() const {
  Sha256 hash;
  add_tensors(hash, "parameters", network_->parameters());
  add_tensors(hash, "buffers", network_->buffers());
  for (const Site& site : injector_->sites()) {
    hash.add(std::string(to_string(site.kind)) + " " + site.name + " " + site.op + " " +
             dtype_name(site.dtype) + " " + shape_text(site.shape) + "\n");
  }
  return to_hex(hash.finish());
}

}  // namespace faultwave
