// SPDX-License-Identifier: Apache-2.0
#include "src/model/memory_network.h"

#include <string>
#include <utility>

#include "faultwave/error.h"

#include "src/intercept/intercept.h"

namespace faultwave {
namespace detail {
namespace {

template <typename Items>
std::vector<NamedTensor> named_tensors(const Items& items) {
  std::vector<NamedTensor> tensors;
  for (const auto& item : items)
    tensors.push_back({item.key(), item.value()});
  return tensors;
}

std::vector<at::Tensor> tensors_of(const std::vector<NamedTensor>& named) {
  std::vector<at::Tensor> tensors;
  for (const NamedTensor& item : named)
    tensors.push_back(item.tensor);
  return tensors;
}

}  // namespace

MemoryNetwork::MemoryNetwork(Run run, std::vector<NamedTensor> parameters, std::vector<NamedTensor> buffers)
    : run_(std::move(run)),
      parameters_(std::move(parameters)),
      buffers_(std::move(buffers)),
      state_(tensors_of(buffers_)) {}

ModuleNetwork::ModuleNetwork(torch::nn::Module& module, Run run)
    : MemoryNetwork(std::move(run), parameters_of(module), buffers_of(module)), module_(module) {}

std::function<void()> ModuleNetwork::enter_eval() {
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> children;
  bool any_trains = module_.is_training();
  for (const auto& child : module_.modules(/*include_self=*/false)) {
    children.emplace_back(child, child->is_training());
    any_trains = any_trains || child->is_training();
  }
  if (!any_trains) return {};
  const bool was_training = module_.is_training();
  module_.eval();
  // Modules switch their children when they switch, so parents go back first.
  return [this, was_training, children] {
    module_.train(was_training);
    for (const auto& [child, training] : children)
      child->train(training);
  };
}

std::vector<NamedTensor> parameters_of(const torch::nn::Module& module) {
  return named_tensors(module.named_parameters());
}

std::vector<NamedTensor> buffers_of(const torch::nn::Module& module) {
  return named_tensors(module.named_buffers());
}

}  // namespace detail

namespace {

detail::MemoryNetwork::Run flattened(NetworkCall forward) {
  if (!forward) throw UserError(ErrorCode::usage, "the forward of a network in memory is empty");
  return [forward = std::move(forward)](const std::vector<c10::IValue>& inputs) {
    try {
      const c10::IValue result = forward(inputs);
      const intercept::Unseen unseen;
      return flatten(result);
    } catch (...) {
      intercept::rethrow_handler_error();  // of which the user's code may have made another exception
      throw;
    }
  };
}

}  // namespace

std::shared_ptr<Network> network_of(std::shared_ptr<torch::nn::Module> module, NetworkCall forward) {
  if (!module) throw UserError(ErrorCode::usage, "the module of a network in memory is null");
  const auto network = std::make_shared<detail::ModuleNetwork>(*module, flattened(std::move(forward)));
  // Both live as long as whoever holds the network.
  using Owner = std::pair<std::shared_ptr<torch::nn::Module>, std::shared_ptr<detail::ModuleNetwork>>;
  const auto owner = std::make_shared<Owner>(std::move(module), network);
  return {owner, network.get()};
}

std::shared_ptr<Network> network_of(NetworkCall forward, std::vector<NamedTensor> parameters,
                                    std::vector<NamedTensor> buffers) {
  return std::make_shared<detail::MemoryNetwork>(flattened(std::move(forward)), std::move(parameters),
                                                 std::move(buffers));
}

}  // namespace faultwave
