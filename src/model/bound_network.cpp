// SPDX-License-Identifier: Apache-2.0
#include "src/model/bound_network.h"

#include <utility>

namespace faultwave {
namespace {

class BoundNetwork final : public Network {
 public:
  BoundNetwork(std::shared_ptr<Network> network, std::vector<c10::IValue> others)
      : network_(std::move(network)), others_(std::move(others)) {}

  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    std::vector<c10::IValue> all = inputs;
    all.insert(all.end(), others_.begin(), others_.end());
    return network_->forward(all);
  }

  std::vector<InputSpec> inputs() const override {
    std::vector<InputSpec> specs = network_->inputs();
    if (specs.size() > 1) specs.resize(1);
    return specs;
  }
  std::vector<NamedTensor> parameters() const override { return network_->parameters(); }
  std::vector<NamedTensor> buffers() const override { return network_->buffers(); }
  std::shared_ptr<KeptState> keep_state() const override { return network_->keep_state(); }
  bool takes(const std::vector<std::vector<int64_t>>& shapes) const override {
    std::vector<std::vector<int64_t>> all = shapes;
    for (const c10::IValue& other : others_)
      all.push_back(other.isTensor() ? other.toTensor().sizes().vec() : std::vector<int64_t>{});
    return network_->takes(all);
  }
  std::string current_scope() const override { return network_->current_scope(); }
  void save(const std::string& path) const override { network_->save(path); }
  std::string format() const override { return network_->format(); }

 private:
  std::shared_ptr<Network> network_;
  std::vector<c10::IValue> others_;
};

}  // namespace

std::shared_ptr<Network> bind_inputs(std::shared_ptr<Network> network, std::vector<c10::IValue> others) {
  return std::make_shared<BoundNetwork>(std::move(network), std::move(others));
}

}  // namespace faultwave
