// SPDX-License-Identifier: Apache-2.0
#include "src/intercept/intercept.h"

#include <torch/library.h>

#include <algorithm>
#include <array>
#include <memory>
#include <string_view>

#include "faultwave/error.h"
#include "src/intercept/fast_path.h"

namespace faultwave::intercept {

thread_local Handler* current_handler = nullptr;

namespace {

// Why this key: the dispatcher consults it before autograd, autocast and every backend, no backend registers
// kernels for it, and a thread switches it on and off without telling any other thread (docs/design.md,
// "Interception").
// Named in fast_path.h, which registers for it too.
constexpr c10::DispatchKey kKey = intercept_key;

// Fused inference paths of the transformer layers: one call stands for a whole layer.
constexpr std::array<std::string_view, 2> kFastPaths{
    "aten::_transformer_encoder_layer_fwd",
    "aten::_native_multi_head_attention",
};

bool is_fast_path(const c10::OperatorHandle& op) {
  return std::find(kFastPaths.begin(), kFastPaths.end(), op.operator_name().name) != kFastPaths.end();
}

void fallback(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  Handler* handler = current_handler;
  if (handler == nullptr) {
    // A thread that inherited the key (autograd's device threads do) without a handler of its own.
    c10::impl::ExcludeDispatchKeyGuard off(kKey);
    op.callBoxed(stack);
    return;
  }
  // Off while the handler works, so that the operators that it uses itself are not seen.
  c10::impl::ExcludeDispatchKeyGuard off(kKey);
  OperatorCall call(op, keys, *stack);
  handler->on_call(call);
}

void register_fallback() {
  static const auto library = [] {
    auto made = std::make_unique<torch::Library>(torch::Library::IMPL, "_", kKey, __FILE__, __LINE__);
    made->fallback(torch::CppFunction::makeFromBoxedFunction<&fallback>());
    return made;
  }();
  (void)library;
  register_fast_paths();
}

c10::DispatchKey claim(Handler& handler) {
  register_fallback();
  if (current_handler != nullptr) {
    throw UserError(
        ErrorCode::usage,
        "faults are armed on this thread already: one Armed, run or Injector at a time per thread; "
        "give all faults of a trial to one Armed");
  }
  current_handler = &handler;
  return kKey;
}

}  // namespace

void call_boxed(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack) {
  fallback(op, keys, &stack);
}

OperatorCall::OperatorCall(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack)
    : op_(op), keys_(keys), stack_(stack), base_(stack.size() - op.schema().arguments().size()) {}

c10::ArrayRef<c10::IValue> OperatorCall::arguments() const {
  return c10::ArrayRef<c10::IValue>(stack_.data() + base_, stack_.size() - base_);
}

c10::IValue& OperatorCall::argument(size_t index) {
  return stack_[base_ + index];
}

c10::ArrayRef<c10::IValue> OperatorCall::results() const {
  return arguments();
}

c10::IValue& OperatorCall::result(size_t index) {
  return argument(index);
}

void OperatorCall::run() {
  if (is_fast_path(op_)) {
    // The key is on again for what the operator calls, and skipped for the operator itself.
    c10::impl::ForceDispatchKeyGuard on(c10::impl::tls_local_dispatch_key_set().included_,
                                        c10::impl::tls_local_dispatch_key_set().excluded_.remove(kKey));
    op_.redispatchBoxed(keys_.remove(kKey), &stack_);
    return;
  }
  op_.callBoxed(&stack_);
}

Intercept::Intercept(Handler& handler) : include_(claim(handler)) {}

Intercept::~Intercept() {
  current_handler = nullptr;
}

}  // namespace faultwave::intercept
