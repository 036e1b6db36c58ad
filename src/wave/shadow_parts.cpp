// SPDX-License-Identifier: Apache-2.0
#include "src/wave/shadow_parts.h"

#include <algorithm>
#include <utility>

#include "src/wave/shadow_entries.h"
#include "src/wave/shadow_forms.h"

namespace faultwave::wave {
namespace {

bool have_one_form(const Shadow& a, const Shadow& b) {
  return a.form.axis == b.form.axis && a.form.is_change == b.form.is_change && !a.form.scale.defined() &&
         !b.form.scale.defined();
}

void join_last_two(ShadowParts& parts, const at::Tensor& golden) {
  Shadow both = merge(parts[parts.size() - 2], parts.back(), golden);
  parts.pop_back();
  parts.back() = std::move(both);
}

}  // namespace

bool is_empty(const ShadowParts& parts) {
  return std::all_of(parts.begin(), parts.end(), [](const Shadow& part) { return part.empty(); });
}

bool is_same(const ShadowParts& a, const ShadowParts& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const Shadow& one, const Shadow& other) {
    return one.size() == other.size() && one.values.is_same(other.values);
  });
}

int64_t bytes_of(const ShadowParts& parts) {
  int64_t bytes = 0;
  for (const Shadow& part : parts)
    bytes += part.bytes();
  return bytes;
}

bool has_trial(const ShadowParts& parts, int32_t trial) {
  return std::any_of(parts.begin(), parts.end(),
                     [trial](const Shadow& part) { return segment_of(part, trial).size() > 0; });
}

void append(ShadowParts& parts, Shadow part, const at::Tensor& golden) {
  if (part.empty()) return;
  if (parts.empty() || parts.back().trials.back() < part.trials.front()) {
    parts.push_back(std::move(part));
    return;
  }
  Shadow whole = as_values(std::move(part), golden);
  for (const Shadow& other : parts)
    whole = merge(whole, as_values(other, golden), golden);
  parts.clear();
  parts.push_back(std::move(whole));
}

void join_small(ShadowParts& parts, const at::Tensor& golden) {
  while (parts.size() > 1) {
    const Shadow& last = parts.back();
    const Shadow& before = parts[parts.size() - 2];
    if (!have_one_form(before, last) || 2 * last.size() < before.size()) return;
    join_last_two(parts, golden);
  }
}

void join_all(ShadowParts& parts, const at::Tensor& golden) {
  while (parts.size() > 1)
    join_last_two(parts, golden);
}

ShadowParts select_trials(const ShadowParts& parts, const std::vector<char>& keep) {
  ShadowParts selected;
  for (const Shadow& part : parts) {
    Shadow kept = select_trials(part, keep);
    if (!kept.empty()) selected.push_back(std::move(kept));
  }
  return selected;
}

at::Tensor materialise(const ShadowParts& parts, int32_t trial, const at::Tensor& golden) {
  for (const Shadow& part : parts) {
    const Segment segment = segment_of(part, trial);
    if (segment.size() > 0) return materialise(part, segment, golden);
  }
  return golden;
}

}  // namespace faultwave::wave
