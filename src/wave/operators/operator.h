// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "src/wave/rule.h"

namespace faultwave::wave {

/// A number of an operator: always the same, or the argument of this name.
using NumberOrArgument = std::variant<double, std::string>;

/// The result is clamp(input, low, high).
struct Clamp {
  NumberOrArgument low;
  NumberOrArgument high;
};

/// The result has the axes of the first argument in another order.
struct Permutation {
  enum class Kind : uint8_t {
    listed,   ///< `axes` names the argument that lists them
    swapped,  ///< `axes` and `other` name the arguments with the two that change places
    reversed  ///< of a matrix
  };
  Kind kind = Kind::listed;
  std::string axes = {};
  std::string other = {};
};

/// The argument that values of a padding come from, in the mode "constant", where there are several.
struct Padding {
  std::string value;
  std::string mode = {};
};

/// Rows of the first argument are looked at one by one, each as a whole. They run along one axis.
struct WholeRows {
  std::string axis = {};   ///< the argument that says which; without one it is the last axis
  std::string shape = {};  ///< an argument that lists the sizes of the last axes, of which one is a row
};

/// What a matrix that stays golden is multiplied with, and how it lies.
struct Product {
  std::string activation;
  std::string matrix;
  bool is_transposed = false;  ///< the matrix is [out, in]
  std::string factor = {};     ///< the argument that the product is multiplied by, which has to be 1
};

/// A weight, bias or statistic, whose values belong to one output channel each.
struct Parameter {
  std::string argument;
  int64_t axis;  ///< that the output channels run along; negative: from the last axis
};

/// A layer with parameters, whose output channels do not know of each other (rules/parameters.cpp).
struct Layer {
  enum class Kind : uint8_t {
    convolution,
    transposed_convolution,
    matrix,
    channel_norm,
    group_norm,
    row_norm
  };
  Kind kind;
  std::string activation;             ///< the argument that it is applied to
  int64_t channel_axis;               ///< of the result; negative: from the last axis
  std::vector<Parameter> parameters;  ///< the weight first, then the bias
  std::string groups = {};            ///< the argument that says how many groups of channels there are
  std::string training = {};          ///< the argument that says whether statistics are those of the batch
  std::string factor = {};            ///< the argument that the product is multiplied by, which has to be 1
  std::string shape = {};             ///< the argument that lists the sizes of the axes that are normalised
};

/// Each element of axis 0 is treated on its own (rules/stacked.cpp).
struct Stacking {
  /// Sums and means of changes are followed as changes; an operator that scales by what it reads gives values
  /// (row_pass.h).
  enum class Gives : uint8_t { values, changes };
  Gives gives = Gives::values;
  int64_t row_axis = -1;                      ///< of the result, that rows run along; negative: from the last
  std::vector<std::string> activations = {};  ///< arguments with axis 0; without names the first argument
  bool (*fits)(const Call& call) = nullptr;   ///< of which calls this holds; null: of all
};

/// Rows along axis 1, as maps have their channels.
inline Stacking by_channel(Stacking::Gives gives) {
  return {.gives = gives, .row_axis = 1};
}

/// All that the wave knows of an operator: nothing else is decided by its name. Arguments go by the names
/// that the operator's schema gives them. What is not said does not hold. Calls that no description fits go
/// the generic way, which is right for any operator.
struct Operator {
  std::string name = {};  ///< "aten::relu"; the in-place form and overloads for `out` go by it too

  // Who answers: the rule first; then parameters and stacking, where they are described.
  std::optional<NamedRule> rule = {};
  std::optional<Layer> layer = {};
  std::optional<Stacking> stacking = {};

  // What rules for several operators want to know.
  std::optional<Clamp> clamp = {};
  std::optional<Permutation> permutation = {};
  std::optional<Padding> padding = {};
  std::optional<WholeRows> rows = {};
  std::optional<Product> product = {};
  bool subtracts = false;       ///< of a sum: the second argument
  bool divides = false;         ///< of a scaling: by the second argument
  bool makes_new_axis = false;  ///< of tensors that are joined: along an axis that they do not have

  /// The argument with the size of the windows that slide over the input: a list, or a weight.
  std::string window = {};
  /// The argument without which the result is the input itself: "train" of a dropout.
  std::string active = {};
};

/// Writes its result to its first argument and is named for it: relu_.
bool is_in_place(const c10::FunctionSchema& schema);

/// What is known of an operator; null for nothing. Any thread.
const Operator* find_operator(const c10::OperatorHandle& op);

/// Adds a description, for all waves from then on. Any thread. Throws UserError(usage) if the operator has
/// one.
void add_operator(Operator description);

// The lists, by family.
std::vector<Operator> element_operators();
std::vector<Operator> moving_operators();
std::vector<Operator> layer_operators();
std::vector<Operator> reducing_operators();

}  // namespace faultwave::wave
