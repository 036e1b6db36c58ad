// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/random.h"

#include "tests/property/drawn_network.h"

namespace faultwave::test {

/// A step that cannot follow the values that there are.
struct NotPossible {};

/// Builds a drawn network step by step. Each step is run on an example at once, so that the next one knows
/// the shapes that it gets. Throws NotPossible for a step that an operator refuses, that makes a value which
/// is empty, not finite or needlessly large; try_block() then takes back what the block has added.
class NetworkBuilder {
 public:
  using Unary = std::function<at::Tensor(const at::Tensor&)>;
  using Binary = std::function<at::Tensor(const at::Tensor&, const at::Tensor&)>;

  explicit NetworkBuilder(uint64_t key);

  // What is drawn.
  int64_t between(int64_t low, int64_t high);  ///< both included
  bool chance(int percent);
  template <typename Item>
  Item pick(const std::vector<Item>& items) {
    return items[static_cast<size_t>(between(0, static_cast<int64_t>(items.size()) - 1))];
  }
  /// A divisor of `number`.
  int64_t divisor(int64_t number);

  /// The number of the network's input.
  int input(std::vector<int64_t> shape);
  /// A value as the example has it, with a batch of one.
  const at::Tensor& operator[](int value) const { return values_[static_cast<size_t>(value)]; }

  // Stored tensors. The name of a layer counts up: "conv3.weight".
  std::string layer(const std::string& kind);
  at::Tensor weight(const std::string& name, std::vector<int64_t> shape, double sigma);
  at::Tensor uniform(const std::string& name, std::vector<int64_t> shape, double low, double high);
  at::Tensor buffer(const std::string& name, std::vector<int64_t> shape, double low, double high);

  // Steps; they return numbers of values.
  std::vector<int> add(std::string text, std::vector<int> reads, Step::Function run);
  int add(std::string text, int x, Unary run);
  int add(std::string text, int x, int y, Binary run);

  /// Whether `block` could be added; nothing of it stays otherwise.
  bool try_block(const std::function<void()>& block);

  /// Throws std::logic_error if the network does not run on a batch of two.
  std::shared_ptr<DrawnNetwork> finish(std::vector<int> outputs);

 private:
  at::Tensor filled(std::vector<int64_t> shape, const std::function<double()>& value) const;

  Draw structure_;
  Draw numbers_;
  std::shared_ptr<DrawnNetwork> network_;
  std::vector<at::Tensor> values_;
  int layers_ = 0;
};

}  // namespace faultwave::test
