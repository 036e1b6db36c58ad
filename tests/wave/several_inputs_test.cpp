// SPDX-License-Identifier: Apache-2.0
// Networks that take several inputs, integers, states whose batch is not on axis 0, or no batch at all.
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/inputs.h"
#include "faultwave/network.h"

#include "tests/wave/agreement.h"

namespace faultwave::test {
namespace {

namespace nn = torch::nn;

at::Tensor tensor(const std::vector<c10::IValue>& inputs, size_t position) {
  return inputs.at(position).toTensor();
}

/// Token ids [N, tokens] and a mask [N, tokens] of what counts: embedding, attention, mean over what counts.
struct TokensImpl : nn::Module {
  TokensImpl() {
    embedding = register_module("embedding", nn::Embedding(20, 8));
    query = register_module("query", nn::Linear(8, 8));
    value = register_module("value", nn::Linear(8, 8));
    head = register_module("head", nn::Linear(8, 5));
  }
  c10::IValue run(const at::Tensor& ids, const at::Tensor& mask) {
    const at::Tensor x = embedding(ids);
    const at::Tensor closed = mask.eq(0).unsqueeze(1);
    const at::Tensor weights =
        torch::softmax(at::matmul(query(x), x.transpose(1, 2)).masked_fill(closed, -1e4), -1);
    const at::Tensor counted = at::matmul(weights, value(x)) * mask.unsqueeze(-1).to(at::kFloat);
    c10::impl::GenericDict outputs(c10::StringType::get(), c10::TensorType::get());
    outputs.insert("scores", head(counted.sum(1) / mask.sum(1, true)));
    outputs.insert("hidden", counted);
    return outputs;
  }
  nn::Embedding embedding{nullptr};
  nn::Linear query{nullptr}, value{nullptr}, head{nullptr};
};

std::shared_ptr<InputSet> drawn_tokens(int64_t inputs) {
  at::Tensor mask = torch::ones({inputs, 6}, at::kLong);
  mask.narrow(0, 1, 1).narrow(1, 4, 2).zero_();
  return inputs_from_tensors({torch::randint(20, {inputs, 6}, at::kLong), mask});
}

void check_agreement_of(const std::shared_ptr<Network>& network, const std::shared_ptr<InputSet>& inputs,
                        const WaveOptions& options) {
  Engines engines(std::make_shared<Workload>(network, inputs), options);
  check_agreement(engines, drawn_trials(engines, 150, 3), options.inputs > 1 ? Bits::rounded : Bits::same);
}

}  // namespace

TEST_CASE("token ids and a mask, outputs in a dictionary: both engines agree") {
  torch::NoGradGuard no_grad;
  torch::manual_seed(1);
  auto module = std::make_shared<TokensImpl>();
  const auto network = network_of(module, [module](const std::vector<c10::IValue>& inputs) {
    return module->run(tensor(inputs, 0), tensor(inputs, 1));
  });
  check_agreement_of(network, drawn_tokens(3), {.fewest = 1, .inputs = 1});
  check_agreement_of(network, drawn_tokens(3), {.fewest = 1, .inputs = 3, .own_wave = 1000});
}

TEST_CASE("a cell with its state, whose batch is on axis 1") {
  torch::NoGradGuard no_grad;
  torch::manual_seed(2);
  auto cell = std::make_shared<nn::GRUCellImpl>(4, 6);
  const auto network = network_of(cell, [cell](const std::vector<c10::IValue>& inputs) {
    const at::Tensor state = tensor(inputs, 1);  // [layers, N, hidden]
    const at::Tensor next = cell->forward(tensor(inputs, 0), state.select(0, 0));
    return c10::IValue(std::vector<at::Tensor>{next.tanh(), next.unsqueeze(0)});
  });
  const auto inputs = inputs_from_tensors({torch::randn({3, 4}), torch::randn({1, 3, 6})}, {0, 1});
  const auto workload = std::make_shared<Workload>(network, inputs);
  CHECK(workload->injector().batch_is_free());
  CHECK(workload->golden(2)[0].sizes() == c10::IntArrayRef{6});
  CHECK(workload->golden(2)[1].sizes() == c10::IntArrayRef({1, 6}));
  check_agreement_of(network, inputs, {.fewest = 1, .inputs = 1});
  check_agreement_of(network, inputs, {.fewest = 1, .inputs = 3, .own_wave = 1000});
}

TEST_CASE("a network without a batch runs one input at a time, and its outputs stay whole") {
  torch::NoGradGuard no_grad;
  torch::manual_seed(3);
  auto layer = std::make_shared<nn::LinearImpl>(4, 3);
  const auto network = network_of(layer, [layer](const std::vector<c10::IValue>& inputs) {
    return c10::IValue(torch::relu(layer->forward(tensor(inputs, 0) * tensor(inputs, 1))));
  });
  std::vector<Input> list;
  for (int i = 0; i < 3; ++i)
    list.push_back({torch::randn({1, 4}), torch::randn({4})});
  const auto inputs = inputs_from_list(list);
  const auto workload = std::make_shared<Workload>(network, inputs);
  CHECK_FALSE(workload->injector().batch_is_free());
  CHECK(workload->golden(0)[0].sizes() == c10::IntArrayRef({1, 3}));
  check_agreement_of(network, inputs, {.fewest = 1, .inputs = 3, .own_wave = 1000});
}

}  // namespace faultwave::test
