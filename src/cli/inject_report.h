// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>
#include <vector>

#include "faultwave/outcome.h"
#include "faultwave/receipt.h"

#include "src/outcome/output_kind.h"

namespace faultwave::cli {

/// One batch element of an experiment.
struct Element {
  std::string name;
  std::vector<at::Tensor> golden;
  std::vector<at::Tensor> faulty;
  Outcome outcome;
};

/// What the criteria are, and what for where they were chosen.
struct Judges {
  std::vector<CriterionPtr> criteria;
  std::string chosen_for;
};

/// What was done to the network, and what became of it.
struct FaultyRun {
  std::string faults;  ///< their line
  std::vector<Receipt> receipts;
  std::string crash;  ///< "" where the run came to its end
};

/// What `inject` prints: receipts, what changed for each element, and what it was judged by.
void print_text(const FaultyRun& run, const std::vector<Element>& elements, const Judges& judges);
void print_json(const FaultyRun& run, const std::vector<Element>& elements, const Judges& judges);

}  // namespace faultwave::cli
