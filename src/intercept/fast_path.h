// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/DispatchKeySet.h>

namespace faultwave::intercept {

class Handler;

/// The dispatch key that interception works with.
constexpr c10::DispatchKey intercept_key = c10::DispatchKey::TESTING_ONLY_GenericMode;

/// The handler of this thread; null where interception is off.
extern thread_local Handler* current_handler;

/// Registers typed kernels for the operators that convolutional networks are made of. Boxing the arguments of a
/// convolution and unboxing them again costs a microsecond or two with cold caches, most of the price of an armed fault;
/// these ask Handler::wants first and leave a call that nobody wants alone. Once; later calls do nothing.
void register_fast_paths();

/// The way of all other operators, which sees everything.
void call_boxed(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack);

}  // namespace faultwave::intercept
