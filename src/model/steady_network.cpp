// SPDX-License-Identifier: Apache-2.0
#include "src/model/steady_network.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <exception>
#include <utility>

namespace faultwave::detail {

SteadyNetwork::SteadyNetwork(std::shared_ptr<Network> network, std::optional<uint64_t> random_key)
    : network_(std::move(network)),
      state_(network_->keep_state()),
      random_(devices_of(network_->parameters())),
      random_key_(random_key) {}

SteadyNetwork::Forward::Forward(SteadyNetwork& network, const std::vector<c10::IValue>& inputs)
    : network_(network) {
  for (const c10::IValue& input : inputs)
    inputs_.push_back(input.isTensor() ? c10::IValue(input.toTensor().clone()) : input);
  network_.state_->put_back();
  network_.random_.keep();
  if (network_.random_key_) network_.random_.seed(*network_.random_key_);
  leave_eval_ = network_.network_->enter_eval();
}

void SteadyNetwork::Forward::end() {
  if (const auto leave_eval = std::exchange(leave_eval_, nullptr)) leave_eval();
  network_.state_->put_back();
  network_.random_.put_back();
}

SteadyNetwork::Forward::~Forward() {
  try {
    end();
  } catch (const std::exception&) {  // no memory
  }
}

std::vector<at::Tensor> SteadyNetwork::Forward::run() {
  torch::NoGradGuard no_grad;
  return network_.network_->forward(inputs_);
}

std::vector<at::Tensor> SteadyNetwork::Forward::keep(std::vector<at::Tensor> outputs) const {
  for (at::Tensor& output : outputs) {
    const bool must_copy = output.is_cpu() && !network_.state_->is_empty();
    output = must_copy ? output.clone() : output.cpu();
  }
  return outputs;
}

std::vector<at::Tensor> SteadyNetwork::run(const std::vector<c10::IValue>& inputs) {
  Forward forward(*this, inputs);
  return forward.keep(forward.run());
}

}  // namespace faultwave::detail
