// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/DispatchKeySet.h>
#include <c10/util/ArrayRef.h>

namespace faultwave::intercept {

class Handler;

/// The two dispatch keys that interception works with. Both come before autograd, autocast and every backend,
/// no backend registers kernels for either, and a thread switches them on and off without telling any other
/// thread (docs/design.md, "Interception").
/// - every_key: a fallback sees all operators;
/// - chosen_key: operators that were chosen have kernels, and the dispatcher skips the key for all others,
/// which thus
///   cost nothing.
constexpr c10::DispatchKey every_key = c10::DispatchKey::TESTING_ONLY_GenericMode;
constexpr c10::DispatchKey chosen_key = c10::DispatchKey::TESTING_ONLY_GenericWrapper;

/// The handler of this thread; null where interception is off.
extern thread_local Handler* current_handler;

/// Under chosen_key: the memory that a call must read to be of interest, so that typed kernels decide on the
/// others with a comparison. Beside current_handler, and valid while that is set.
extern thread_local c10::ArrayRef<const void*> chosen_storages;

/// The way of any operator: shows its call, arguments boxed, to the handler of this thread.
template <c10::DispatchKey key>
void call_boxed(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack* stack);

/// A kernel under `key` for one operator, kept for the life of the process: a typed one for the operators
/// that convolutional networks are made of, call_boxed for the others. Boxing the arguments of a convolution
/// and unboxing them again costs a microsecond or two with cold caches, most of the price of an armed fault;
/// typed kernels ask Handler::wants first and leave a call that nobody wants alone.
void register_kernel(const c10::OperatorHandle& op, c10::DispatchKey key);

/// Typed kernels under every_key for all operators that have one. Once; later calls do nothing.
void register_fast_paths();

}  // namespace faultwave::intercept
