// SPDX-License-Identifier: Apache-2.0
#include "tests/property/drawn_network.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <sstream>
#include <stdexcept>
#include <utility>

#include "faultwave/random.h"

namespace faultwave::test {
namespace {

std::string numbered(const std::vector<int>& values) {
  std::string text;
  for (const int value : values)
    text += (text.empty() ? "v" : ", v") + std::to_string(value);
  return text;
}

/// The largest finite magnitude of a tensor in any order of its values, without a call of an operator.
double largest_in(const at::Tensor& tensor) {
  const float* data = tensor.const_data_ptr<float>();
  double largest = 0;
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    int64_t offset = 0;
    int64_t rest = i;
    for (int64_t axis = tensor.dim() - 1; axis >= 0; --axis) {
      offset += rest % tensor.size(axis) * tensor.stride(axis);
      rest /= tensor.size(axis);
    }
    if (std::isfinite(data[offset])) largest = std::max(largest, std::abs(static_cast<double>(data[offset])));
  }
  return largest;
}

}  // namespace

std::vector<std::vector<int>> DrawnNetwork::values_read_last() const {
  std::vector<int> last(static_cast<size_t>(values_), -1);
  for (size_t step = 0; step < steps_.size(); ++step) {
    for (const int value : steps_[step].makes)
      last[static_cast<size_t>(value)] = static_cast<int>(step);
    for (const int value : steps_[step].reads)
      last[static_cast<size_t>(value)] = static_cast<int>(step);
  }
  for (const int value : outputs_)
    last[static_cast<size_t>(value)] = -1;  // stays
  std::vector<std::vector<int>> by_step(steps_.size());
  for (int value = 0; value < values_; ++value) {
    if (last[static_cast<size_t>(value)] >= 0)
      by_step[static_cast<size_t>(last[static_cast<size_t>(value)])].push_back(value);
  }
  return by_step;
}

std::vector<at::Tensor> DrawnNetwork::forward(const std::vector<c10::IValue>& inputs) {
  const std::vector<std::vector<int>> read_last = values_read_last();
  std::vector<at::Tensor> values(static_cast<size_t>(values_));
  values[kInput] = inputs.at(0).toTensor();
  for (size_t i = 0; i < steps_.size(); ++i) {
    const Step& step = steps_[i];
    std::vector<at::Tensor> read;
    for (const int value : step.reads)
      read.push_back(values[static_cast<size_t>(value)]);
    std::vector<at::Tensor> made = step.run(read);
    for (size_t k = 0; k < made.size(); ++k) {
      const bool is_input = made[k].is_alias_of(inputs[0].toTensor());
      if (noise_ && !is_input) add_rounding_noise(made[k], i);
      values[static_cast<size_t>(step.makes[k])] = std::move(made[k]);
    }
    for (const int value : read_last[i])
      values[static_cast<size_t>(value)].reset();
  }
  std::vector<at::Tensor> outputs;
  for (const int value : outputs_)
    outputs.push_back(values[static_cast<size_t>(value)]);
  return outputs;
}

bool DrawnNetwork::is_own_memory(const at::Tensor& tensor) const {
  for (const std::vector<NamedTensor>* list : {&parameters_, &buffers_}) {
    for (const NamedTensor& stored : *list) {
      if (stored.tensor.is_alias_of(tensor)) return false;
    }
  }
  return true;
}

void DrawnNetwork::give_out(const std::vector<int>& values) {
  for (const int value : values) {
    if (value <= kInput || value >= values_)
      throw std::out_of_range("a network has no value " + std::to_string(value));
    outputs_.push_back(value);
  }
}

void DrawnNetwork::set_rounding_noise(std::optional<uint64_t> key) {
  noise_ = key;
  largest_ = 0;
}

void DrawnNetwork::add_rounding_noise(at::Tensor& value, size_t step) {
  if (value.scalar_type() != at::kFloat) return;
  largest_ = std::max(largest_, largest_in(value));
  if (!value.is_contiguous() || !is_own_memory(value)) return;
  Draw draw(*noise_, step);
  float* data = value.mutable_data_ptr<float>();
  for (int64_t i = 0; i < value.numel(); ++i) {
    const float limit = std::numeric_limits<float>::infinity();
    const bool up = (draw.bits32() & 1) != 0;
    if (!std::isfinite(data[i])) continue;
    if (data[i] != 0) data[i] = std::nextafter(data[i], up ? limit : -limit);
  }
}

std::string DrawnNetwork::text() const {
  std::ostringstream text;
  text << "v0 = input " << c10::IntArrayRef(input_shape_) << "\n";
  for (const Step& step : steps_)
    text << numbered(step.makes) << " = " << step.text << " of " << numbered(step.reads) << "\n";
  text << "outputs " << numbered(outputs_) << "\n";
  return text.str();
}

}  // namespace faultwave::test
