// SPDX-License-Identifier: Apache-2.0
#include "src/wave/follow.h"

#include <algorithm>
#include <map>
#include <utility>

namespace faultwave::wave {
namespace {

std::optional<std::vector<Shadow>> by_rules(const Call& call) {
  const std::vector<at::Tensor> results = detail::tensors_of(call.results);
  if (!std::all_of(results.begin(), results.end(), can_have_shadow)) return std::nullopt;
  const Rule rule = find_rule(call.op.operator_name().name);
  std::optional<std::vector<Shadow>> shadows;
  if (rule != nullptr) shadows = rule(call);
  if (shadows) {
    call.note_rule(name_of(rule));
    return shadows;
  }
  shadows = apply_parameter_rule(call);
  if (shadows) {
    call.note_rule("parameters");
    return shadows;
  }
  shadows = apply_stacked_rule(call);
  if (shadows) call.note_rule("stacked");
  return shadows;
}

std::vector<Shadow> by_any(const Call& call, WaveReport& report) {
  std::optional<std::vector<Shadow>> shadows = by_rules(call);
  if (shadows) return std::move(*shadows);
  ++report.generic[call.op.operator_name().name];
  call.note_rule("generic");
  return apply_generic_rule(call);
}

/// For each argument with a shadow whether the trials differ in it.
using Pattern = std::vector<char>;

std::map<Pattern, std::vector<char>> trials_by_pattern(const Call& call) {
  int32_t last = -1;
  for (const ShadowedArgument& argument : call.shadowed)
    last = std::max(last, argument.shadow.trials.empty() ? -1 : argument.shadow.trials.back());
  const auto count = static_cast<size_t>(last) + 1;
  std::vector<Pattern> pattern_of(count, Pattern(call.shadowed.size(), 0));
  for (size_t i = 0; i < call.shadowed.size(); ++i) {
    for (const int32_t trial : call.shadowed[i].shadow.trials)
      pattern_of[static_cast<size_t>(trial)][i] = 1;
  }
  std::map<Pattern, std::vector<char>> groups;
  for (size_t trial = 0; trial < count; ++trial) {
    std::vector<char>& group = groups[pattern_of[trial]];
    group.resize(count, 0);
    group[trial] = 1;
  }
  groups.erase(Pattern(call.shadowed.size(), 0));
  return groups;
}

Call part_of(const Call& call, const Pattern& pattern, const std::vector<char>& trials) {
  Call part{call.op, call.arguments, call.results, {}, call.leave, call.notes};
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!pattern[i]) continue;
    part.shadowed.push_back({call.shadowed[i].place, select_trials(call.shadowed[i].shadow, trials)});
  }
  return part;
}

}  // namespace

std::vector<Shadow> shadows_of_results(const Call& call, WaveReport& report) {
  std::optional<std::vector<Shadow>> whole = by_rules(call);
  if (whole) return std::move(*whole);
  if (call.shadowed.size() == 1) return by_any(call, report);

  const std::vector<at::Tensor> results = detail::tensors_of(call.results);
  std::vector<Shadow> joined(results.size());
  for (const auto& [pattern, trials] : trials_by_pattern(call)) {
    std::vector<Shadow> shadows = by_any(part_of(call, pattern, trials), report);
    for (size_t i = 0; i < results.size(); ++i)
      joined[i] = merge(joined[i], shadows[i], results[i]);
  }
  return joined;
}

}  // namespace faultwave::wave
