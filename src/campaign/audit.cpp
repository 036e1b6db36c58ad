// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/audit.h"

#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <ostream>
#include <string>
#include <vector>

#include "faultwave/campaign.h"

#include "src/common/numbers.h"
#include "src/common/output_file.h"
#include "src/outcome/change.h"

namespace faultwave {
namespace {

/// How far apart the values are that the two runs put in place of the ones hit, in parts of them. Where
/// libraries round otherwise at the batch size of one run, a flipped exponent makes as much of that as of the
/// value, and a fault that drowns all else takes it along to the outputs.
double faults_apart(const TrialOutputs& a, const TrialOutputs& b) {
  double apart = 0;
  for (size_t i = 0; i < std::min(a.receipts.size(), b.receipts.size()); ++i) {
    const std::vector<Victim>& first = a.receipts[i].victims;
    const std::vector<Victim>& second = b.receipts[i].victims;
    for (size_t v = 0; v < std::min(first.size(), second.size()); ++v) {
      const double larger = std::max(std::abs(first[v].after), std::abs(second[v].after));
      const double difference = std::abs(first[v].after - second[v].after);
      if (std::isfinite(difference) && difference > 0) apart = std::max(apart, difference / larger);
    }
  }
  return apart;
}

/// What stands in the way of agreement; "" if nothing does.
std::string difference(const TrialOutputs& outputs, const TrialOutputs& exact) {
  if (!exact.crash.empty()) return "the real faulty run crashed: " + exact.crash;
  if (outputs.faulty.size() != exact.faulty.size()) return "they have different numbers of outputs";
  const double rounding = outputs.rounding + 2 * faults_apart(outputs, exact);
  for (size_t i = 0; i < exact.faulty.size(); ++i) {
    const Change change = change_of(exact.faulty[i], outputs.faulty[i]);
    const std::string which = "output " + std::to_string(i) + " ";
    if (!change.has_same_form) return which + "has another shape or type";
    if (change.is_identical) continue;
    if (!change.has_same_nonfinite) return which + "has NaN or Inf in other places";
    const Change golden = change_of(exact.golden.at(i), exact.faulty[i]);
    if (change.largest_change > golden.faulty_slack(rounding))
      return which + "differs by up to " + format_number(change.largest_change);
  }
  return "";
}

std::string outcome_text(const TrialOutcome& outcome) {
  return std::string(to_string(outcome.outcome)) + " (criteria " + std::to_string(outcome.fired) + ")";
}

c10::IValue list_of(const std::vector<at::Tensor>& tensors) {
  return c10::IValue(c10::List<at::Tensor>(tensors));
}

}  // namespace

void check_audit(const Trial& trial, const TrialOutputs& outputs, const TrialOutcome& outcome,
                 const TrialOutputs& exact, const TrialOutcome& exact_outcome) {
  std::string reason = difference(outputs, exact);
  if (outcome.outcome != exact_outcome.outcome || outcome.fired != exact_outcome.fired)
    reason = outcome_text(outcome) + " there and " + outcome_text(exact_outcome) + " here";
  if (reason.empty()) return;
  throw Disagreement("audit: the wave engine and a real faulty run disagree on trial " +
                         std::to_string(trial.number) + " (input " + std::to_string(trial.input) + ", " +
                         to_string(trial.faults) + "): " + reason,
                     outputs, exact);
}

void Disagreement::keep(const std::string& database) const {
  const std::string path = database + ".disagreement.pt";
  c10::impl::GenericDict outputs(c10::StringType::get(), c10::ListType::ofTensors());
  outputs.insert("golden", list_of(exact_.golden));
  outputs.insert("wave", list_of(engine_.faulty));
  outputs.insert("real", list_of(exact_.faulty));
  const std::vector<char> bytes = torch::jit::pickle_save(outputs);
  write_file(path, [&](std::ostream& stream) {
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  });
  throw UserError(ErrorCode::mismatch, std::string(what()) + "; the outputs are in '" + path +
                                           "' for torch.load. Please report it with that file; engine = "
                                           "\"direct\" makes every trial a real faulty run");
}

}  // namespace faultwave
