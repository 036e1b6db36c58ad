// SPDX-License-Identifier: Apache-2.0
#include "src/intercept/intercept.h"

#include <torch/library.h>

#include <algorithm>
#include <exception>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <pthread.h>

#include "faultwave/error.h"

#include "src/intercept/fast_path.h"

namespace faultwave::intercept {

thread_local Handler* current_handler = nullptr;
thread_local c10::ArrayRef<const void*> chosen_storages;

namespace {

thread_local std::exception_ptr handler_error;

/// Fused inference paths of the transformer layers, each of which stands for a whole layer, and what was
/// given to open_up().
std::vector<std::string>& fast_paths() {
  static std::vector<std::string> names{"aten::_transformer_encoder_layer_fwd",
                                        "aten::_native_multi_head_attention"};
  return names;
}

bool is_fast_path(const c10::OperatorHandle& op) {
  const std::vector<std::string>& names = fast_paths();
  return std::find(names.begin(), names.end(), op.operator_name().name) != names.end();
}

bool any_is_nested(c10::ArrayRef<c10::IValue> arguments) {
  return std::any_of(arguments.begin(), arguments.end(), [](const c10::IValue& argument) {
    return argument.isTensor() && argument.toTensor().defined() && argument.toTensor().is_nested();
  });
}

/// The key is on again for what the operator calls, and skipped for the operator itself.
class OpenedUp {
 public:
  explicit OpenedUp(c10::DispatchKey key)
      : on_(c10::impl::tls_local_dispatch_key_set().included_,
            c10::impl::tls_local_dispatch_key_set().excluded_.remove(key)) {}

 private:
  c10::impl::ForceDispatchKeyGuard on_;
};

/// PyTorch takes one fallback a key. Two libraries that want the same one cannot work in one process.
void require_free(c10::DispatchKey key) {
  if (!c10::Dispatcher::singleton().hasBackendFallbackForDispatchKey(key)) return;
  throw UserError(
      ErrorCode::usage,
      std::string("another library in this process, perhaps a second copy of Faultwave, has taken "
                  "PyTorch's dispatch key ") +
          c10::toString(key) +
          ", by which Faultwave sees operators; load only one of the two into a process");
}

void register_fallbacks() {
  static const auto libraries = [] {
    require_free(every_key);
    require_free(chosen_key);
    const auto library = [](c10::DispatchKey key) {
      return std::make_unique<torch::Library>(torch::Library::IMPL, "_", key, __FILE__, __LINE__);
    };
    auto every = library(every_key);
    every->fallback(torch::CppFunction::makeFromBoxedFunction<&call_boxed<every_key>>());
    auto chosen = library(chosen_key);
    chosen->fallback(torch::CppFunction::makeFallthrough());
    return std::make_pair(std::move(every), std::move(chosen));
  }();
  (void)libraries;
  register_fast_paths();
}

void switch_off() {
  current_handler = nullptr;
  chosen_storages = {};
  c10::impl::tls_set_dispatch_key_included(every_key, false);
  c10::impl::tls_set_dispatch_key_included(chosen_key, false);
}

/// A forked process begins without faults: its one thread has inherited the key of the thread that forked.
void switch_off_in_forks() {
  static const int once = pthread_atfork(nullptr, nullptr, &switch_off);
  (void)once;
}

c10::DispatchKey claim(Handler& handler, c10::DispatchKey key) {
  register_fallbacks();
  switch_off_in_forks();
  if (active_handler() != nullptr) {
    throw UserError(
        ErrorCode::usage,
        "faults are armed on this thread already: one Armed, run or Injector at a time per thread; "
        "give all faults of a trial to one Armed");
  }
  switch_off();
  current_handler = &handler;
  handler_error = nullptr;
  c10::impl::tls_set_dispatch_key_included(key, true);
  return key;
}

}  // namespace

template <c10::DispatchKey key>
void call_boxed(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack) {
  // Off while the handler works, so that the operators that it uses itself are not seen.
  c10::impl::ExcludeDispatchKeyGuard off(key);
  Handler* handler = active_handler();
  if (handler == nullptr) {
    // A thread that inherited the key (autograd's device threads do) without a handler of its own, or one
    // that a mode of torch gave it back after its Intercept had ended.
    c10::impl::tls_set_dispatch_key_included(key, false);
    op.callBoxed(stack);
    return;
  }
  OperatorCall call(op, keys, *stack);
  try {
    handler->on_call(call);
  } catch (const UserError&) {
    handler_error = std::current_exception();
    throw;
  }
}
template void call_boxed<every_key>(const c10::OperatorHandle&, c10::DispatchKeySet, torch::jit::Stack*);
template void call_boxed<chosen_key>(const c10::OperatorHandle&, c10::DispatchKeySet, torch::jit::Stack*);

OperatorCall::OperatorCall(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack)
    : op_(op),
      keys_(keys),
      stack_(stack),
      base_(stack.size() - op.schema().arguments().size()),
      opens_up_(is_fast_path(op) && !any_is_nested(arguments())) {}

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
  if (opens_up_) {
    const OpenedUp on(every_key);
    op_.redispatchBoxed(keys_.remove(every_key), &stack_);
    return;
  }
  op_.callBoxed(&stack_);
}

Intercept::Intercept(Handler& handler, c10::DispatchKey key) : handler_(handler), key_(claim(handler, key)) {}

Intercept::Intercept(Handler& handler) : Intercept(handler, every_key) {}

Intercept::Intercept(Handler& handler, ChosenCalls chosen) : Intercept(handler, chosen_key) {
  chosen_storages = chosen.storages;
}

void rethrow_handler_error() {
  if (handler_error) std::rethrow_exception(std::exchange(handler_error, nullptr));
}

void open_up(const std::string& name) {
  fast_paths().push_back(name);
}

void choose_operator(const c10::OperatorHandle& op) {
  if (!is_fast_path(op)) register_kernel(op, chosen_key);
}

Intercept::~Intercept() {
  if (!is_on_this_thread()) {
    handler_.abandon();
  } else if (current_handler == &handler_) {  // in a fork, it is not
    switch_off();
  }
}

}  // namespace faultwave::intercept
