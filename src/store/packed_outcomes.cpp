// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error.h"
#include "faultwave/store.h"

namespace faultwave {
namespace {

constexpr size_t kClassBits = 2;

size_t bytes_per_trial(size_t criteria) {
  return (kClassBits + criteria + 7) / 8;
}

}  // namespace

std::vector<uint8_t> pack_outcomes(const std::vector<TrialRow>& rows, size_t criteria) {
  const size_t width = bytes_per_trial(criteria);
  std::vector<uint8_t> bytes;
  bytes.reserve(rows.size() * width);
  for (const TrialRow& row : rows) {
    uint64_t packed = (uint64_t{row.fired} << kClassBits) | static_cast<uint64_t>(row.outcome);
    for (size_t byte = 0; byte < width; ++byte, packed >>= 8)
      bytes.push_back(packed & 0xff);
  }
  return bytes;
}

std::vector<PackedOutcome> unpack_outcomes(const std::vector<uint8_t>& bytes, size_t criteria) {
  const size_t width = bytes_per_trial(criteria);
  if (bytes.size() % width != 0) throw InternalError("packed outcomes end within a trial");
  std::vector<PackedOutcome> outcomes;
  outcomes.reserve(bytes.size() / width);
  for (size_t start = 0; start < bytes.size(); start += width) {
    uint64_t packed = 0;
    for (size_t byte = width; byte-- > 0;)
      packed = (packed << 8) | bytes[start + byte];
    PackedOutcome outcome;
    outcome.outcome = static_cast<OutcomeClass>(packed & ((1u << kClassBits) - 1));
    outcome.fired = static_cast<uint32_t>(packed >> kClassBits);
    outcomes.push_back(outcome);
  }
  return outcomes;
}

}  // namespace faultwave
