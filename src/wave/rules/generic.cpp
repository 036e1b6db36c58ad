// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <exception>
#include <set>

#include "src/common/exception_text.h"
#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

using detail::is_written;
using detail::tensors_of;

/// The arguments as one trial has them; none is shared with what is written to.
std::vector<c10::IValue> arguments_of(const Call& call, int32_t trial) {
  std::vector<c10::IValue> arguments = call.arguments;
  const auto& schema = call.op.schema().arguments();
  for (size_t i = 0; i < arguments.size(); ++i) {
    const bool is_copied = is_written(schema[i]) && !schema[i].is_out() && arguments[i].isTensor();
    if (is_copied) arguments[i] = arguments[i].toTensor().clone();
  }
  call.renew_outs(arguments);
  for (const ShadowedArgument& argument : call.shadowed) {
    const Segment segment = segment_of(argument.shadow, trial);
    if (segment.size() == 0) continue;
    const at::Tensor golden = detail::tensor_at(call.arguments, argument.place);
    detail::put_tensor(arguments[static_cast<size_t>(argument.place.position)], argument.place.element,
                       materialise(argument.shadow, segment, golden));
  }
  return arguments;
}

bool holds_tensors(const c10::IValue& value) {
  return value.isTensor() || value.isTensorList() || value.isOptionalTensorList();
}

/// Why the trial cannot go on in the wave; "" where it can.
std::string reason_to_leave(const Call& call, const std::vector<c10::IValue>& faulty) {
  for (size_t i = 0; i < call.results.size(); ++i) {
    if (!holds_tensors(call.results[i]) && !(call.results[i] == faulty[i]))
      return "a value that is no tensor";
  }
  const std::vector<at::Tensor> before = tensors_of(call.results);
  const std::vector<at::Tensor> after = tensors_of(faulty);
  if (before.size() != after.size()) return "the number of results";
  for (size_t i = 0; i < before.size(); ++i) {
    if (before[i].is_nested() || after[i].is_nested()) return "a result that is a nested tensor";
    if (before[i].sizes() != after[i].sizes()) return "the shape of a result";
    if (before[i].scalar_type() != at::kFloat && !at::equal(before[i], after[i]))
      return "a result that is not FP32";
  }
  return "";
}

}  // namespace

std::vector<Shadow> apply_generic_rule(const Call& call) {
  std::set<int32_t> trials;
  for (const ShadowedArgument& argument : call.shadowed)
    trials.insert(argument.shadow.trials.begin(), argument.shadow.trials.end());

  const std::vector<at::Tensor> golden = tensors_of(call.results);
  std::vector<PointList> points(golden.size());
  for (const int32_t trial : trials) {
    std::vector<c10::IValue> stack = arguments_of(call, trial);
    std::string reason;
    try {
      call.op.callBoxed(&stack);
      reason = reason_to_leave(call, stack);
    } catch (const detail::OverLimit&) {
      throw;
    } catch (const std::exception& error) {
      const auto shortage = memory_shortage(error);
      if (shortage && !shortage->is_absurd()) throw;
      reason = reason_of(error);
    }
    if (!reason.empty()) {
      call.leave(trial, reason);
      continue;
    }
    const std::vector<at::Tensor> faulty = tensors_of(stack);
    for (size_t i = 0; i < golden.size(); ++i) {
      if (golden[i].scalar_type() == at::kFloat) points[i].add_differences(trial, golden[i], faulty[i]);
    }
  }
  std::vector<Shadow> shadows;
  for (PointList& list : points)
    shadows.push_back(list.take());
  return shadows;
}

}  // namespace faultwave::wave
