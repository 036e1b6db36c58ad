// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

// Operators of your own (TORCH_LIBRARY) in the wave engine. It follows any operator: one that it does not
// know it runs once for each trial that differs in what the operator reads. Say how an operator treats its
// values, and it is run on those that differ alone, for many trials at once.
//
// A description is for all overloads of the name, for `out`, and for the in-place form (`mine::swish_`). It
// holds for the process, from then on: describe operators before engines run. Any thread may. What is said is
// believed: a wrong description gives wrong outputs, which an audit finds (`run --audit 0.01`).
//
// Engines call a described operator on several threads at once, with FP32 tensors on the CPU of other shapes
// than the network's, as each function says. It must not keep what it is given, nor depend on the order of
// calls.
//
// All throw UserError(usage) if PyTorch knows no such operator, if its schema does not fit the description,
// or if it has a description already: Faultwave's own, or one given before.

/// Each value of the result depends on the values of the tensors read at the same place, and on numbers:
/// activations, sums, masks. Tensors may be broadcast. The operator is called with [entries] or
/// [entries, width] in place of each tensor; all have one shape then.
void register_elementwise_operator(const std::string& name);

/// The result has the shape of the first argument, and each row along one axis depends on that row alone:
/// norms over the last axis, softmax. `axis_argument`: the integer argument that says which axis; "": the
/// last one. The operator is called with [rows, width] in place of the first argument, and with 1 as the
/// axis. Other tensors stay as they are: a weight [width] fits.
void register_rowwise_operator(const std::string& name, const std::string& axis_argument = "");

/// Each element of axis 0 of the result, the batch, depends on the same element of the activations alone:
/// pools, interpolations, attention. `activations`: the arguments that have that axis; without names the
/// first argument. The operator is called with another size of that axis. `channel_axis`, which is not 0, is
/// the axis of the result whose values later operators mix (1 for maps, -1 for tokens): a matter of speed
/// alone.
void register_batched_operator(const std::string& name, const std::vector<std::string>& activations = {},
                               int64_t channel_axis = 1);

/// The result has the values of the first argument in the same row-major order, in another shape: views. The
/// operator is not called again.
void register_reshaping_operator(const std::string& name);

}  // namespace faultwave
#pragma GCC visibility pop
