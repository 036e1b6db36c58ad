// SPDX-License-Identifier: Apache-2.0
// Entries of shadows: dropped, cut out, moved, and put together.
#pragma once

#include <cstdint>
#include <vector>

#include "src/wave/shadow.h"

namespace faultwave::wave {

/// Drops entries that equal the golden tensor bit for bit, or whose changes are all 0.
void drop_golden(Shadow& shadow, const at::Tensor& golden);
/// Keeps the entries for which `keep[entry]`, in memory of their own.
void keep_entries(Shadow& shadow, const std::vector<char>& keep);
/// Entries of trials for which `keep[trial]`.
Shadow select_trials(const Shadow& shadow, const std::vector<char>& keep);
/// The entries of trials from `begin` to one before `end`; its values are a view.
Shadow slice_of(const Shadow& shadow, int32_t begin, int32_t end);

/// Some entries of a shadow, by number, ascending by trial, and where they go.
struct Moves {
  Indices trials;
  Indices places;
  Entries entries;
};
/// Brings the moves of each trial into the order of places, all below `count`.
void put_in_order(Moves& moves, int64_t count);
/// The entries at new places, `places` says which, all below `count`, none twice in a trial; in order again.
Shadow moved(const Shadow& shadow, const Indices& places, int64_t count);

/// Puts shadows of different trials together; both are of `golden`. The result has rows where one has, and
/// changes where one has them.
Shadow merge(const Shadow& a, const Shadow& b, const at::Tensor& golden);
/// Shadows of one form, the entries of `later` behind those of `earlier`: of later trials, or of later places
/// of the same trial.
Shadow behind(Shadow earlier, const Shadow& later);
/// Puts shadows together that may have trials and places in common. There, a value of `b` counts if it
/// differs from the golden one in any bit, else that of `a`. Both have rows along the same axis, or points,
/// and both tell of values, or both of changes.
Shadow overlay(const Shadow& a, const Shadow& b, const at::Tensor& golden);

}  // namespace faultwave::wave
