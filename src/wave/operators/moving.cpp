// SPDX-License-Identifier: Apache-2.0
// Operators that put values elsewhere, or copy them, and change none.
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

using Axes = Permutation::Kind;

constexpr NamedRule kReshape{"reshape", reshape_rule, Takes::changes};
constexpr NamedRule kPermute{"permute", permute_rule, Takes::scaled};
constexpr NamedRule kConcatenation{"concatenation", concatenation_rule, Takes::changes};
constexpr NamedRule kRelocation{"relocation", relocation_rule, Takes::changes};

/// The same values in the same order.
constexpr const char* kReshaping[] = {"view",      "reshape", "_unsafe_view", "flatten",
                                      "unflatten", "squeeze", "unsqueeze"};

/// Each value of the result is a copy of one of the first argument; the other arguments alone say of which.
constexpr const char* kCopying[] = {"slice",
                                    "select",
                                    "narrow",
                                    "split",
                                    "split_with_sizes",
                                    "chunk",
                                    "unbind",
                                    "expand",
                                    "repeat",
                                    "expand_as",
                                    "flip",
                                    "roll",
                                    "movedim",
                                    "gather",
                                    "index_select",
                                    "index",
                                    "embedding",
                                    "swapaxes",
                                    "channel_shuffle",
                                    "pixel_shuffle",
                                    "pixel_unshuffle",
                                    "upsample_nearest1d",
                                    "upsample_nearest2d",
                                    "upsample_nearest3d"};

}  // namespace

std::vector<Operator> moving_operators() {
  std::vector<Operator> operators{
      {.name = "aten::permute", .rule = kPermute, .permutation = Permutation{Axes::listed, "dims"}},
      {.name = "aten::transpose",
       .rule = kPermute,
       .permutation = Permutation{Axes::swapped, "dim0", "dim1"}},
      {.name = "aten::t", .rule = kPermute, .permutation = Permutation{Axes::reversed}},

      {.name = "aten::cat", .rule = kConcatenation},
      {.name = "aten::concat", .rule = kConcatenation},
      {.name = "aten::stack", .rule = kConcatenation, .makes_new_axis = true},

      {.name = "aten::pad", .rule = kRelocation, .padding = Padding{"value", "mode"}},
      {.name = "aten::constant_pad_nd", .rule = kRelocation, .padding = Padding{"value"}},
  };
  for (const char* name : kReshaping)
    operators.push_back({.name = std::string("aten::") + name, .rule = kReshape});
  for (const char* name : kCopying)
    operators.push_back({.name = std::string("aten::") + name, .rule = kRelocation});
  return operators;
}

}  // namespace faultwave::wave
