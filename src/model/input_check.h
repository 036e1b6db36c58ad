// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>
#include <c10/core/Device.h>

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/network.h"

#include "src/model/expression.h"

namespace faultwave::detail {

/// What an exported program was told about its inputs, and the check of inputs against it: number, type,
/// dtype, device, and shape, where free sizes must agree with each other, lie in their ranges, and fulfil the
/// conditions that the exporter found in the network's code. A size or condition that is written in a way
/// that is not understood is not checked.
class InputCheck {
 public:
  /// `model` is models/NAME.json. Inputs that were fixed at the export (numbers, flags, None) do not count.
  InputCheck(const nlohmann::json& model, at::Device device);

  std::vector<InputSpec> specs() const;

  /// Whether check() would take inputs of these shapes; a number's is [].
  bool takes(const std::vector<std::vector<int64_t>>& shapes) const;

  /// Returns the inputs, a 0-dimensional tensor given for a number turned into one.
  /// Throws UserError(bad_input) naming the input, what was expected and what was given.
  std::vector<c10::IValue> check(const std::vector<c10::IValue>& inputs) const;

 private:
  struct Input {
    std::string name;
    std::string path;       // in guards: "L['x']", "L['d']['q']"; "" if not known
    bool is_tensor = true;  // else an int
    at::ScalarType dtype = at::kFloat;
    std::vector<std::optional<Expression>> shape;  // or one expression for an int
    std::vector<std::optional<int64_t>> hints;     // what the sizes were at the export, where it says so
  };
  struct Range {
    std::optional<int64_t> min;
    std::optional<int64_t> max;
  };
  struct Guard {
    std::string text;
    Expression condition;
  };
  using Sizes = std::map<std::string, int64_t>;  // what the free sizes are in a call

  /// Free sizes as in InputSpec::example.
  Sizes example_sizes() const;
  std::vector<std::vector<int64_t>> shapes_at(const Sizes& sizes) const;
  void check_shapes(const std::vector<std::vector<int64_t>>& shapes) const;
  void add_input(const nlohmann::json& argument, const nlohmann::json& graph, const std::string& path);
  void check_tensor(const Input& input, const c10::IValue& given) const;
  int64_t check_number(const Input& input, const c10::IValue& given) const;
  void bind_plain(const Input& input, const std::vector<int64_t>& given, Sizes& sizes) const;
  void bind_derived(const Input& input, const std::vector<int64_t>& given, Sizes& sizes) const;
  void check_ranges(const Sizes& sizes) const;
  void check_guards(const std::vector<std::vector<int64_t>>& shapes) const;
  [[noreturn]] void wrong_shape(const Input& input, const std::vector<int64_t>& given,
                                const Sizes& sizes) const;
  std::string expected(const Input& input) const;

  at::Device device_;
  std::vector<Input> inputs_;
  std::map<std::string, Range> ranges_;  // by free size
  std::vector<Guard> guards_;
};

}  // namespace faultwave::detail
