// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/CPUGeneratorImpl.h>
#include <ATen/core/Generator.h>
#include <ATen/core/MT19937RNGEngine.h>
#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <utility>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::detail {

/// Where torch's random generators stand: the CPU's and those of the devices that tensors lie on.
///
/// Process-wide: torch has one generator a device. Whoever draws on another thread meanwhile moves it too.
class KeptRandom {
 public:
  explicit KeptRandom(std::vector<c10::Device> devices);
  /// Notes where they stand now.
  void keep();
  void seed(uint64_t key);
  /// Whether anything was drawn since keep(), or since seed() if that came later.
  bool has_moved() const;
  void put_back();

 private:
  struct Position {
    at::mt19937_data_pod engine;
    std::optional<float> next_float;
    std::optional<double> next_double;
  };
  using Others = std::vector<std::pair<at::Generator, at::Tensor>>;
  static Position position();
  Others others() const;

  std::vector<c10::Device> devices_;  // but for the CPU
  Position kept_;
  Others kept_others_;
  Position start_;
  Others start_others_;
};

/// The devices, other than the CPU, on which some tensors lie.
std::vector<c10::Device> devices_of(const std::vector<NamedTensor>& tensors);

}  // namespace faultwave::detail
