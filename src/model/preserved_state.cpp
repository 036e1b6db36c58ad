// SPDX-License-Identifier: Apache-2.0
#include "src/model/preserved_state.h"

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/Context.h>
#include <torch/utils.h>

#include <algorithm>
#include <mutex>

namespace faultwave::detail {
namespace {

std::vector<at::Generator> generators_in_use(const std::vector<NamedTensor>& parameters) {
  std::vector<at::Generator> generators{at::detail::getDefaultCPUGenerator()};
  std::vector<c10::Device> seen;
  for (const NamedTensor& named : parameters) {
    const c10::Device device = named.tensor.device();
    if (device.is_cpu() || std::find(seen.begin(), seen.end(), device) != seen.end()) continue;
    seen.push_back(device);
    generators.push_back(at::globalContext().defaultGenerator(device));
  }
  return generators;
}

}  // namespace

PreservedState::PreservedState(const std::vector<NamedTensor>& parameters,
                               const std::vector<NamedTensor>& buffers,
                               const std::function<std::function<void()>()>& enter_eval) {
  torch::NoGradGuard no_grad;
  for (at::Generator& generator : generators_in_use(parameters)) {
    std::lock_guard<std::mutex> lock(generator.mutex());
    generators_.emplace_back(generator, generator.get_state());
  }
  for (const NamedTensor& named : buffers)
    buffers_.push_back({named.tensor, named.tensor.clone()});
  if (enter_eval) leave_eval_ = enter_eval();
}

PreservedState::~PreservedState() {
  torch::NoGradGuard no_grad;
  for (Buffer& buffer : buffers_) {
    // Written back only where it changed, so that version counters stay as they were too.
    if (!buffer.tensor.equal(buffer.value)) buffer.tensor.copy_(buffer.value);
  }
  for (auto& [generator, state] : generators_) {
    std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
  }
  if (leave_eval_) leave_eval_();
}

}  // namespace faultwave::detail
