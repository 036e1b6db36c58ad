// SPDX-License-Identifier: Apache-2.0
#include "tests/property/network_builder.h"

#include <c10/util/Exception.h>

#include <stdexcept>

namespace faultwave::test {
namespace {

// Small networks give more trials a second; no operator is chosen by size alone.
constexpr int64_t kMostValues = 6000;

}  // namespace

NetworkBuilder::NetworkBuilder(uint64_t key)
    : structure_(key, 0), numbers_(key, 1), network_(std::make_shared<DrawnNetwork>()) {}

int64_t NetworkBuilder::between(int64_t low, int64_t high) {
  return high <= low ? low
                     : low + static_cast<int64_t>(structure_.below(static_cast<uint64_t>(high - low + 1)));
}

bool NetworkBuilder::chance(int percent) {
  return between(1, 100) <= percent;
}

int64_t NetworkBuilder::divisor(int64_t number) {
  std::vector<int64_t> divisors;
  for (int64_t d = 1; d <= number; ++d) {
    if (number % d == 0) divisors.push_back(d);
  }
  return pick(divisors);
}

int NetworkBuilder::input(std::vector<int64_t> shape) {
  network_->input_shape_ = shape;
  values_.push_back(filled(std::move(shape), [this] { return numbers_.normal(); }));
  return DrawnNetwork::kInput;
}

std::string NetworkBuilder::layer(const std::string& kind) {
  return kind + std::to_string(layers_++);
}

at::Tensor NetworkBuilder::filled(std::vector<int64_t> shape, const std::function<double()>& value) const {
  at::Tensor tensor = at::empty(shape);
  float* data = tensor.mutable_data_ptr<float>();
  for (int64_t i = 0; i < tensor.numel(); ++i)
    data[i] = static_cast<float>(value());
  return tensor;
}

at::Tensor NetworkBuilder::weight(const std::string& name, std::vector<int64_t> shape, double sigma) {
  network_->parameters_.push_back(
      {name, filled(std::move(shape), [&] { return sigma * numbers_.normal(); })});
  return network_->parameters_.back().tensor;
}

at::Tensor NetworkBuilder::uniform(const std::string& name, std::vector<int64_t> shape, double low,
                                   double high) {
  network_->parameters_.push_back(
      {name, filled(std::move(shape), [&] { return low + (high - low) * numbers_.uniform(); })});
  return network_->parameters_.back().tensor;
}

at::Tensor NetworkBuilder::buffer(const std::string& name, std::vector<int64_t> shape, double low,
                                  double high) {
  network_->buffers_.push_back(
      {name, filled(std::move(shape), [&] { return low + (high - low) * numbers_.uniform(); })});
  return network_->buffers_.back().tensor;
}

std::vector<int> NetworkBuilder::add(std::string text, std::vector<int> reads, Step::Function run) {
  std::vector<at::Tensor> read;
  for (const int value : reads)
    read.push_back(values_[static_cast<size_t>(value)]);
  std::vector<at::Tensor> made;
  try {
    made = run(read);
  } catch (const c10::Error&) {
    throw NotPossible();
  }
  std::vector<int> numbers;
  for (const at::Tensor& tensor : made) {
    const bool is_fine = tensor.numel() > 0 && tensor.numel() <= kMostValues &&
                         (!tensor.is_floating_point() || tensor.isfinite().all().item<bool>());
    if (!is_fine) throw NotPossible();
    numbers.push_back(static_cast<int>(values_.size()));
    values_.push_back(tensor);
  }
  network_->steps_.push_back({std::move(text), std::move(reads), numbers, std::move(run)});
  return numbers;
}

int NetworkBuilder::add(std::string text, int x, Unary run) {
  return add(std::move(text), {x}, [run = std::move(run)](const std::vector<at::Tensor>& read) {
    return std::vector<at::Tensor>{run(read[0])};
  })[0];
}

int NetworkBuilder::add(std::string text, int x, int y, Binary run) {
  return add(std::move(text), {x, y}, [run = std::move(run)](const std::vector<at::Tensor>& read) {
    return std::vector<at::Tensor>{run(read[0], read[1])};
  })[0];
}

bool NetworkBuilder::try_block(const std::function<void()>& block) {
  const size_t steps = network_->steps_.size();
  const size_t values = values_.size();
  const size_t parameters = network_->parameters_.size();
  const size_t buffers = network_->buffers_.size();
  try {
    block();
    return true;
  } catch (const NotPossible&) {
    network_->steps_.resize(steps);
    values_.resize(values);
    network_->parameters_.resize(parameters);
    network_->buffers_.resize(buffers);
    return false;
  }
}

std::shared_ptr<DrawnNetwork> NetworkBuilder::finish(std::vector<int> outputs) {
  network_->outputs_ = std::move(outputs);
  network_->values_ = static_cast<int>(values_.size());
  const at::Tensor two = at::cat({values_[0], values_[0]});
  for (const at::Tensor& output : network_->forward({two})) {
    if (output.size(0) % 2 != 0)
      throw std::logic_error("a drawn network mixes batch elements:\n" + network_->text());
  }
  return network_;
}

}  // namespace faultwave::test
