// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "faultwave/injector.h"
#include "faultwave/neuron_classes.h"
#include "faultwave/sampler.h"
#include "faultwave/specification.h"

namespace faultwave {

/// What golden runs of all inputs that are drawn from tell.
struct GoldenLook {
  std::shared_ptr<const NeuronClasses> neurons;  ///< null where they cannot be told
  std::map<int64_t, int64_t> golden_classes;     ///< by input; -1 without scores
};

/// Whether a campaign is one whose strata go by neurons, and these few enough for their classes to be kept.
bool goes_by_neurons(const Specification& spec, const Population& population, const SamplingOptions& options);

/// Makes the network's call, which it is given, exactly once.
using AroundForward = std::function<void(const std::function<void()>& network)>;

/// `forward` runs input `number` alone, as a batch of one, its network's call through `around`, and returns
/// the outputs. One run an input.
GoldenLook classify_neurons(
    const Injector& injector, const Population& population, const SamplingOptions& options,
    const std::function<std::vector<at::Tensor>(int64_t number, const AroundForward& around)>& forward);

}  // namespace faultwave
