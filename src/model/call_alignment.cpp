// SPDX-License-Identifier: Apache-2.0
#include "src/model/call_alignment.h"

#include <algorithm>

#include "src/model/stored_tensors.h"

namespace faultwave::detail {
namespace {

bool looks_alike(const RecordedTensor& a, const RecordedTensor& b) {
  return a.place == b.place && a.stored == b.stored && a.dtype == b.dtype && a.shape.size() == b.shape.size();
}

bool have_common(const std::set<std::pair<int, int>>& a, const std::set<std::pair<int, int>>& b) {
  return std::any_of(a.begin(), a.end(), [&](const auto& origin) { return b.count(origin) > 0; });
}

}  // namespace

CallAlignment::CallAlignment(const std::vector<RecordedCall>& profile, const std::vector<RecordedCall>& other,
                             size_t first)
    : profile_(profile),
      other_(other),
      first_(first),
      number_of_(other.size(), none),
      is_common_(profile.size(), false) {}

void CallAlignment::set(size_t other, int profile) {
  number_of_[other] = profile;
  is_common_[static_cast<size_t>(profile)] = true;
}

std::vector<int> CallAlignment::align(size_t profile_begin, size_t profile_end, size_t other_begin,
                                      size_t other_end) {
  std::vector<int> numbers;
  size_t next = profile_begin;
  for (size_t call = other_begin; call < other_end; ++call) {
    numbers.push_back(none);
    for (size_t candidate = next; candidate < profile_end; ++candidate) {
      if (!is_same(profile_[candidate], other_[call])) continue;
      numbers.back() = static_cast<int>(candidate);
      set(call, numbers.back());
      next = candidate + 1;
      break;
    }
  }
  return numbers;
}

bool CallAlignment::is_same(const RecordedCall& profile, const RecordedCall& other) const {
  if (!(profile.op == other.op) || profile.arguments.size() != other.arguments.size()) return false;
  for (size_t i = 0; i < profile.arguments.size(); ++i) {
    if (!looks_alike(profile.arguments[i], other.arguments[i])) return false;
    if (!comes_from_same(profile.arguments[i], other.arguments[i])) return false;
  }
  return true;
}

bool CallAlignment::comes_from_same(const RecordedTensor& profile, const RecordedTensor& other) const {
  if (profile.stored != StoredTensors::none) return true;
  Origins profiled;
  Origins others;
  std::set<int> seen;
  add_profile_origins(profile, profiled, seen);
  seen.clear();
  add_other_origins(other, others, seen);
  return (profiled.empty() && others.empty()) || have_common(profiled, others);
}

void CallAlignment::add_profile_origins(const RecordedTensor& tensor, Origins& origins,
                                        std::set<int>& seen) const {
  const int producer = tensor.producer;
  if (producer < 0) return;
  if (is_common_[static_cast<size_t>(producer)]) {
    origins.emplace(producer, tensor.produced);
    return;
  }
  if (!seen.insert(producer).second) return;
  for (const RecordedTensor& argument : profile_[static_cast<size_t>(producer)].arguments)
    add_profile_origins(argument, origins, seen);
}

void CallAlignment::add_other_origins(const RecordedTensor& tensor, Origins& origins,
                                      std::set<int>& seen) const {
  const int producer = tensor.producer;
  if (producer < static_cast<int>(first_)) return;
  const int number = number_of_[static_cast<size_t>(producer)];
  if (number != none) {
    origins.emplace(number, tensor.produced);
    return;
  }
  if (!seen.insert(producer).second) return;
  for (const RecordedTensor& argument : other_[static_cast<size_t>(producer)].arguments)
    add_other_origins(argument, origins, seen);
}

}  // namespace faultwave::detail
