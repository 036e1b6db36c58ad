// SPDX-License-Identifier: Apache-2.0
// Networks that are drawn: a list of steps over numbered values, which can be printed.
#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::test {

/// One operator or a few, from values to values.
struct Step {
  using Function = std::function<std::vector<at::Tensor>(const std::vector<at::Tensor>& read)>;

  std::string text;        ///< "conv2d weight c0.weight [8, 3, 3, 3], stride [1, 1]"
  std::vector<int> reads;  ///< numbers of the values that `run` is given
  std::vector<int> makes;  ///< numbers of those that it returns; one written in place gets a new number too
  Function run;
};

/// Takes one FP32 tensor with the batch on axis 0, any batch size. A value is let go of after its last
/// reader, as in a network that people write.
class DrawnNetwork : public Network {
 public:
  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override;
  std::vector<std::string> input_names() const override { return {"x"}; }
  std::vector<NamedTensor> parameters() const override { return parameters_; }
  std::vector<NamedTensor> buffers() const override { return buffers_; }

  /// One line a step.
  std::string text() const;
  const std::vector<int64_t>& input_shape() const { return input_shape_; }

  /// Hands out these values too, so that a difference can be followed to the step where it begins. They are
  /// not let go of then, which may change how writes in place are followed. Throws std::out_of_range.
  void give_out(const std::vector<int>& values);

  /// From now on each value that a step makes is moved up or down by one spacing of FP32 numbers, by a key:
  /// what a network makes of that says how far apart two right answers of it may lie. No operator is called
  /// for it.
  void set_rounding_noise(std::optional<uint64_t> key);
  /// The largest finite magnitude that a step has made since the noise was set.
  double largest_made() const { return largest_; }

 private:
  friend class NetworkBuilder;
  static constexpr int kInput = 0;  // the number of the network's input among the values

  void add_rounding_noise(at::Tensor& value, size_t step);
  bool is_own_memory(const at::Tensor& tensor) const;
  std::vector<std::vector<int>> values_read_last() const;

  std::vector<int64_t> input_shape_;  // batch of one
  std::vector<Step> steps_;
  std::vector<int> outputs_;
  int values_ = 1;
  std::vector<NamedTensor> parameters_;
  std::vector<NamedTensor> buffers_;
  std::optional<uint64_t> noise_;
  double largest_ = 0;
};

/// The network of a key; the same on any machine but for the rounding of its weights.
std::shared_ptr<DrawnNetwork> draw_network(uint64_t key);

}  // namespace faultwave::test
