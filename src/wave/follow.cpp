// SPDX-License-Identifier: Apache-2.0
#include "src/wave/follow.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <set>
#include <utility>

#include "src/wave/golden_memo.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

Shadow taken(const Shadow& shadow, Takes takes, const at::Tensor& golden) {
  switch (takes) {
    case Takes::values:
      return as_values(shadow, golden);
    case Takes::changes:
      return settled(shadow);
    case Takes::scaled:
      return shadow;
  }
  return shadow;
}

std::optional<std::vector<Shadow>> by_rules(const Call& call) {
  const std::vector<at::Tensor> results = detail::tensors_of(call.results);
  if (!std::all_of(results.begin(), results.end(), has_rules)) return std::nullopt;
  const std::optional<NamedRule>& rule = call.described().rule;
  std::optional<std::vector<Shadow>> shadows;
  if (rule) shadows = rule->apply(given(call, rule->takes));
  if (shadows) {
    call.note_rule(rule->name);
    return shadows;
  }
  shadows = apply_parameter_rule(given(call, Takes::values));
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
  Call part{call.op, call.arguments, call.results, {}, call.leave, call.work, call.notes};
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!pattern[i]) continue;
    part.shadowed.push_back({call.shadowed[i].place, select_trials(call.shadowed[i].shadow, trials)});
  }
  return part;
}

/// Trials of a call as a whole by a rule, or group by group.
std::vector<Shadow> of_some_trials(const Call& call, WaveReport& report) {
  if (call.shadowed.size() == 1) return by_any(call, report);
  std::optional<std::vector<Shadow>> whole = by_rules(call);
  if (whole) return std::move(*whole);
  const std::vector<at::Tensor> results = detail::tensors_of(call.results);
  std::vector<Shadow> shadows;
  for (const at::Tensor& result : results)
    shadows.emplace_back(Form::values_of(result));
  for (const auto& [pattern, trials] : trials_by_pattern(call)) {
    const std::vector<Shadow> part = by_any(part_of(call, pattern, trials), report);
    for (size_t i = 0; i < results.size(); ++i)
      shadows[i] = merge(shadows[i], part[i], results[i]);
  }
  return shadows;
}

/// The first trial of each part of any argument. Between two of these, the trials of an argument are all in
/// one part.
std::vector<int32_t> starts_of_parts(const std::vector<PartedArgument>& shadowed) {
  std::set<int32_t> starts;
  for (const PartedArgument& argument : shadowed) {
    for (const Shadow& part : argument.parts) {
      if (!part.empty()) starts.insert(part.trials.front());
    }
  }
  return {starts.begin(), starts.end()};
}

/// What parts have of trials from `begin` to one before `end`, which are all of one part; none for nothing.
std::optional<Shadow> between(const ShadowParts& parts, int32_t begin, int32_t end) {
  for (const Shadow& part : parts) {
    Shadow slice = slice_of(part, begin, end);
    if (!slice.empty()) return slice;
  }
  return std::nullopt;
}

/// Memory of all arguments but one, which a call reads however few rows come to that one: weights.
int64_t bytes_beside(const Call& call, detail::TensorPlace shadowed) {
  int64_t bytes = 0;
  detail::for_each_tensor(call.arguments, [&](detail::TensorPlace place, const at::Tensor& tensor) {
    if (place != shadowed) bytes += static_cast<int64_t>(tensor.nbytes());
  });
  return bytes;
}

/// Joins parts where copying them costs less than running the call once for each.
void join_for(const Call& call, std::vector<PartedArgument>& shadowed) {
  if (shadowed.size() != 1 || shadowed[0].parts.size() < 2) return;
  auto& [place, parts] = shadowed[0];
  if (bytes_of(parts) <= bytes_beside(call, place)) join_all(parts, detail::tensor_at(call.arguments, place));
}

}  // namespace

bool has_rules(const at::Tensor& tensor) {
  return can_have_shadow(tensor) && tensor.scalar_type() == at::kFloat;
}

Call given(const Call& call, Takes takes) {
  Call same = call;
  for (ShadowedArgument& argument : same.shadowed)
    argument.shadow = taken(argument.shadow, takes, detail::tensor_at(call.arguments, argument.place));
  return same;
}

std::set<int32_t> trials_of(const std::vector<PartedArgument>& shadowed) {
  std::set<int32_t> trials;
  for (const PartedArgument& argument : shadowed) {
    for (const Shadow& part : argument.parts)
      trials.insert(part.trials.begin(), part.trials.end());
  }
  return trials;
}

std::vector<ShadowParts> shadows_of_results(const Call& call, std::vector<PartedArgument>& shadowed,
                                            WaveReport& report) {
  const GoldenMemo memo;
  join_for(call, shadowed);
  const std::vector<at::Tensor> results = detail::tensors_of(call.results);
  std::vector<ShadowParts> parts(results.size());
  const auto take_in = [&](std::vector<Shadow> shadows) {
    for (size_t i = 0; i < results.size(); ++i)
      append(parts[i], std::move(shadows.at(i)), results[i]);
  };
  Call part = call;
  const std::vector<int32_t> starts = starts_of_parts(shadowed);
  for (size_t i = 0; i < starts.size(); ++i) {
    const int32_t end = i + 1 < starts.size() ? starts[i + 1] : INT32_MAX;
    part.shadowed.clear();
    for (const PartedArgument& argument : shadowed) {
      std::optional<Shadow> shadow = between(argument.parts, starts[i], end);
      if (shadow) part.shadowed.push_back({argument.place, std::move(*shadow)});
    }
    take_in(of_some_trials(part, report));
  }
  return parts;
}

}  // namespace faultwave::wave
