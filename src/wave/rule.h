// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/model/tensor_places.h"
#include "src/wave/call_notes.h"
#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_forms.h"

namespace faultwave::wave {

struct Operator;

/// An argument that some trials see differently.
struct ShadowedArgument {
  detail::TensorPlace place;
  Shadow shadow;
};

/// What a rule sees of an operator call. Tensors are golden ones.
struct Call {
  const c10::OperatorHandle& op;
  std::vector<c10::IValue> arguments;  ///< as before the call: a copy stands for one that was written to
  std::vector<c10::IValue> results;
  std::vector<ShadowedArgument> shadowed;                               ///< at least one
  std::function<void(int32_t trial, const std::string& reason)> leave;  ///< to the other engine
  double* work = nullptr;                                               ///< multiply-adds so far
  CallNotes* notes = nullptr;                                           ///< where someone asks

  const Shadow* shadow_of(int position) const;
  /// The only shadowed argument is this one.
  bool is_only_shadowed(int position) const;
  at::Tensor tensor(int position) const { return arguments[static_cast<size_t>(position)].toTensor(); }
  at::Tensor result() const { return results.front().toTensor(); }

  /// Where the operator's schema has the argument of this name; -1 for none.
  int position_of(std::string_view name) const;
  /// That argument; a None where the operator has none.
  const c10::IValue& argument(std::string_view name) const;
  at::Tensor tensor(std::string_view name) const { return argument(name).toTensor(); }
  const Shadow* shadow_of(std::string_view name) const { return shadow_of(position_of(name)); }
  bool is_only_shadowed(std::string_view name) const { return is_only_shadowed(position_of(name)); }
  /// What is known of the operator (operators/operator.h); one that says nothing where nothing is.
  const Operator& described() const;

  /// Runs the operator on other arguments; tensors given as `out` are not written to. Its first result.
  at::Tensor run(std::vector<c10::IValue> stack) const;
  /// The same where the result has to be FP32 of this shape; contiguous. Throws UserError(usage) if it is
  /// not, or if the operator throws: then the description of the operator is wrong.
  at::Tensor run_as_described(std::vector<c10::IValue> stack, c10::IntArrayRef shape) const;
  /// Puts new empty tensors where an operator writes its results to; of this type, or of the type that was
  /// there.
  void renew_outs(std::vector<c10::IValue>& stack, std::optional<at::ScalarType> type = std::nullopt) const;
  /// Notes arithmetic that was done for what differs, in multiply-adds.
  void count(double multiply_adds) const {
    if (work != nullptr) *work += multiply_adds;
  }
  /// Which of its ways a rule takes.
  void note_way(const char* way) const {
    if (notes != nullptr) notes->ways.insert(way);
  }
  void note_rule(std::string_view name) const {
    if (notes != nullptr) notes->rules.emplace(name);
  }
};

/// Where the trials differ in the results: one shadow for each tensor among them, in order. None where the
/// rule is not made for such a call; then the rule for parameters is asked, the stacked one, and at last the
/// generic one (follow.h).
using Rule = std::optional<std::vector<Shadow>> (*)(const Call& call);

/// What a rule takes; it is given what it can take by whoever asks it.
enum class Takes : uint8_t {
  values,   ///< shadows of faulty values
  changes,  ///< of values or of changes, as they come
  scaled,   ///< the same, also of changes that wait for a factor (Form::scale)
};

/// The call with its shadows in such a form.
Call given(const Call& call, Takes takes);

/// A rule, and what is known of it wherever it answers.
struct NamedRule {
  std::string_view name;  ///< where people read it: "convolution"
  Rule apply = nullptr;
  Takes takes = Takes::values;
};

/// For faults in the weights, biases and statistics of a layer whose activation is golden: the output
/// channels that they belong to, and no others. None for other calls.
std::optional<std::vector<Shadow>> apply_parameter_rule(const Call& call);

/// Runs the operator on the arguments of many trials at once, written out in full, one behind the other along
/// axis 0; none for an operator or a call that does not treat each element of that axis on its own.
std::optional<std::vector<Shadow>> apply_stacked_rule(const Call& call);

/// Runs the operator once for each trial, on arguments written out in full. Always right; the slowest.
std::vector<Shadow> apply_generic_rule(const Call& call);

// The rules: each says in its source which operators it is for. operators/ says which operator goes by which.
std::optional<std::vector<Shadow>> elements_rule(const Call& call);
std::optional<std::vector<Shadow>> same_values_rule(const Call& call);
std::optional<std::vector<Shadow>> reshape_rule(const Call& call);
std::optional<std::vector<Shadow>> permute_rule(const Call& call);
std::optional<std::vector<Shadow>> concatenation_rule(const Call& call);
std::optional<std::vector<Shadow>> relocation_rule(const Call& call);
std::optional<std::vector<Shadow>> whole_rows_rule(const Call& call);
std::optional<std::vector<Shadow>> batch_norm_rule(const Call& call);
std::optional<std::vector<Shadow>> convolution_rule(const Call& call);
std::optional<std::vector<Shadow>> product_rule(const Call& call);
std::optional<std::vector<Shadow>> max_pool_rule(const Call& call);
std::optional<std::vector<Shadow>> average_rule(const Call& call);
std::optional<std::vector<Shadow>> sum_rule(const Call& call);
std::optional<std::vector<Shadow>> scaling_rule(const Call& call);

}  // namespace faultwave::wave
