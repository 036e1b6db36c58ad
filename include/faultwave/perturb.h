// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/network.h"
#include "faultwave/receipt.h"

namespace torch::nn {
class Module;
}

#pragma GCC visibility push(default)
namespace faultwave {

/// Changes stored tensors for good: faults of kind weight, bias or buffer are written into the tensors
/// themselves, offline and without a forward. Names are those of Injector::sites(). All faults are checked
/// before the first is written: throws UserError(illegal_fault) and leaves the tensors as they were. Returns
/// one receipt a fault.
std::vector<Receipt> perturb(const std::vector<NamedTensor>& parameters,
                             const std::vector<NamedTensor>& buffers, const std::vector<Fault>& faults);
std::vector<Receipt> perturb(torch::nn::Module& module, const std::vector<Fault>& faults);
/// Network::save then writes the changed network.
std::vector<Receipt> perturb(const Network& network, const std::vector<Fault>& faults);

}  // namespace faultwave
#pragma GCC visibility pop
