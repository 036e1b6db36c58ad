// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <string>
#include <vector>

#include "faultwave/neuron_classes.h"
#include "faultwave/site.h"

namespace faultwave {

/// Bits of a floating-point word that do alike, or choices of another model. `low`: those that hardly ever do
/// harm, whatever the neuron.
enum class BitKind : uint8_t { low, exponent, top_exponent, sign, other };

/// Neurons that a class of bit does alike to.
struct NeuronGroup {
  std::string name;  ///< "0 < value < 1"; empty for all
  NeuronClasses::Set classes = NeuronClasses::kAll;
};

/// How a class of bit is cut by the victim's value: every class is in one group.
const std::vector<NeuronGroup>& neuron_groups(BitKind kind);

/// Whether harm depends on how sure the network is of an input, so that a class of bit is cut by levels too.
bool depends_on_level(BitKind kind);

/// Classes of the values of one site on one input. Whether a value is 0, its sign, and how its magnitude
/// compares with 1 and 2: below 2 the top bit of the exponent is 0 and a flip makes the value huge, from 1 on
/// infinite or NaN; from 2 on the same flip makes it tiny. `values`: any shape and type, on any device.
std::vector<uint8_t> value_classes(const at::Tensor& values);

/// Levels of inputs by their margins, top score minus runner-up: level 0 has the largest. Up to eight inputs
/// have a level each; of more, level 0 are the upper half, level 1 half of the rest, and so on to level 7.
/// Equal margins are in order of position.
std::vector<int> margin_levels(const std::vector<double>& margins);

}  // namespace faultwave
