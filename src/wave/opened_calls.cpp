// SPDX-License-Identifier: Apache-2.0
// Operators that open up: the calls inside are followed in their place (inner_calls.h).
#include <algorithm>
#include <set>
#include <utility>

#include "src/wave/wave.h"

namespace faultwave::wave {
namespace {

constexpr const char* kInside = "a fault inside of an operator that cannot be followed step by step";

void keep_trials(std::vector<PartedArgument>& shadowed, const std::vector<char>& keep) {
  for (PartedArgument& argument : shadowed)
    argument.parts = select_trials(argument.parts, keep);
  std::erase_if(shadowed, [](const PartedArgument& argument) { return is_empty(argument.parts); });
}

}  // namespace

// A fault in an input of the operator itself gives a faulty run a copy of that argument. Whoever reads the
// same tensor elsewhere does not see it, and neither do the calls inside by the tensor that they read; an
// operator may even go another way where two of its arguments are not one tensor any more.
std::set<int32_t> Wave::trials_with_faults_in(const std::vector<detail::SiteUse>& inputs) const {
  std::set<int32_t> trials;
  for (const detail::SiteUse& use : inputs) {
    const auto faults = pending_.find(use.site);
    if (faults == pending_.end()) continue;
    for (const Pending& fault : faults->second)
      trials.insert(fault.trial);
  }
  return trials;
}

void Wave::open_up(intercept::OperatorCall& call, const detail::ProfiledCall* profiled,
                   const Arguments& arguments, std::vector<PartedArgument> shadowed) {
  opened_.push_back({InnerCalls(arguments), {}, {}});
  if (profiled != nullptr) opened_.back().by_itself = trials_with_faults_in(profiled->inputs);
  try {
    call.run();
  } catch (...) {
    opened_.pop_back();
    throw;
  }
  Opened opened = std::move(opened_.back());
  opened_.pop_back();

  std::set<int32_t> whole = std::move(opened.by_itself);
  if (!opened.calls.account_for(call.results())) {
    for (const int32_t trial : opened.hit)
      leave(trial, kInside);
    whole.merge(trials_of(shadowed));
  }
  if (whole.empty()) {
    if (observer_) notes_.rules.insert("calls inside");
    return;
  }
  std::vector<char> is_whole(is_here_.size(), 0);
  std::vector<char> is_known(is_here_.size(), 1);
  for (const int32_t trial : whole) {
    is_known[static_cast<size_t>(trial)] = 0;
    is_whole[static_cast<size_t>(trial)] = is_here_[static_cast<size_t>(trial)];
  }
  keep_trials(shadowed, is_whole);
  follow_results(call, arguments, shadowed, &is_known);
}

void Wave::note_inner_reads(const c10::FunctionSchema& schema, const Arguments& arguments) {
  if (opened_.empty()) return;
  detail::for_each_tensor(arguments, [&](detail::TensorPlace place, const at::Tensor& tensor) {
    if (schema.arguments()[static_cast<size_t>(place.position)].is_out()) return;
    const bool is_stored = profile_.stored().find(tensor) != detail::StoredTensors::none;
    if (!is_stored) opened_.back().calls.read(tensor);
  });
}

void Wave::note_inner_hit(int32_t trial) {
  for (Opened& opened : opened_) {
    opened.hit.insert(trial);
    if (opened.by_itself.count(trial) > 0) leave(trial, kInside);
  }
}

}  // namespace faultwave::wave
