// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

#include <string>

namespace faultwave::detail {

/// Computes one of Python's functions of numbers, which exported programs apply to sizes: takes its arguments
/// (int, float or bool) off the end of the stack and puts the result there, by Python's rules (// and % round
/// down).
using SymbolFunction = void (*)(torch::jit::Stack& stack);

/// The function of a node's target, "_operator.floordiv" or "torch.sym_max"; null if there is none.
/// `arguments` is set to how many it takes.
SymbolFunction find_symbol_function(const std::string& target, size_t& arguments);

/// A number as the 0-dimensional tensor that Python makes of it where an operator wants a tensor: a "wrapped
/// number", which does not decide the type of the result.
at::Tensor number_as_tensor(const c10::IValue& number);

}  // namespace faultwave::detail
