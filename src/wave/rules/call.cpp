// SPDX-License-Identifier: Apache-2.0
// What a rule asks of the call that it is given.
#include <torch/types.h>

#include <exception>
#include <sstream>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/wave/operators/operator.h"
#include "src/wave/rule.h"

namespace faultwave::wave {
namespace {

[[noreturn]] void refuse_description(const Call& call, c10::IntArrayRef shape, const std::string& what) {
  std::ostringstream text;
  text << "operator " << call.op.operator_name().name << " is not as it was described to the wave engine: "
       << "called for the values that differ, it was expected to return FP32 of shape " << shape << ", and "
       << what << "; describe it otherwise, or not at all";
  throw UserError(ErrorCode::usage, text.str());
}

}  // namespace

const Shadow* Call::shadow_of(int position) const {
  for (const ShadowedArgument& argument : shadowed) {
    if (argument.place == detail::TensorPlace{position, -1}) return &argument.shadow;
  }
  return nullptr;
}

bool Call::is_only_shadowed(int position) const {
  return shadowed.size() == 1 && shadow_of(position) != nullptr;
}

int Call::position_of(std::string_view name) const {
  const auto& schema = op.schema().arguments();
  for (size_t i = 0; i < schema.size(); ++i) {
    if (schema[i].name() == name) return static_cast<int>(i);
  }
  return -1;
}

const c10::IValue& Call::argument(std::string_view name) const {
  static const c10::IValue none;
  const int position = position_of(name);
  return position < 0 ? none : arguments[static_cast<size_t>(position)];
}

const Operator& Call::described() const {
  static const Operator nothing;
  const Operator* known = find_operator(op);
  return known == nullptr ? nothing : *known;
}

void Call::renew_outs(std::vector<c10::IValue>& stack, std::optional<at::ScalarType> type) const {
  const auto& schema = op.schema().arguments();
  for (size_t i = 0; i < stack.size(); ++i) {
    if (!schema[i].is_out() || !stack[i].isTensor()) continue;
    const at::TensorOptions options = stack[i].toTensor().options();
    stack[i] = at::empty({0}, type ? options.dtype(*type) : options);
  }
}

at::Tensor Call::run(std::vector<c10::IValue> stack) const {
  renew_outs(stack);
  op.callBoxed(&stack);
  return stack.front().toTensor();
}

at::Tensor Call::run_as_described(std::vector<c10::IValue> stack, c10::IntArrayRef shape) const {
  at::Tensor result;
  try {
    result = run(std::move(stack));
  } catch (const detail::OverLimit&) {
    throw;
  } catch (const std::exception& error) {
    if (memory_shortage(error)) throw;
    refuse_description(*this, shape, "failed: " + reason_of(error));
  }
  if (result.sizes() == shape && result.scalar_type() == at::kFloat) return result.contiguous();
  std::ostringstream got;
  got << "returned " << result.scalar_type() << " of shape " << result.sizes();
  refuse_description(*this, shape, got.str());
}

}  // namespace faultwave::wave
