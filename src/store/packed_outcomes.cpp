// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error.h"
#include "faultwave/store.h"

namespace faultwave {
namespace {

constexpr unsigned kClassBits = 3;
constexpr uint64_t kNotDone = 7;  // in place of a class
static_assert(kOutcomeClasses.size() <= kNotDone);
constexpr unsigned kLabelBits = 2;

bool has_labels(const CampaignInfo& info) {
  return !info.labels_fingerprint.empty();
}

unsigned bits_before_fired(const CampaignInfo& info) {
  return kClassBits + (has_labels(info) ? kLabelBits : 0);
}

size_t packed_width(const CampaignInfo& info) {
  return (bits_before_fired(info) + info.criteria.size() + 7) / 8;
}

}  // namespace

std::vector<uint8_t> pack_outcomes(const std::vector<TrialOutcome>& outcomes, const CampaignInfo& info) {
  const size_t width = packed_width(info);
  const unsigned shift = bits_before_fired(info);
  const bool labelled = has_labels(info);
  std::vector<uint8_t> bytes;
  bytes.reserve(outcomes.size() * width);
  for (const TrialOutcome& outcome : outcomes) {
    const uint64_t kind = outcome.is_done ? static_cast<uint64_t>(outcome.outcome) : kNotDone;
    uint64_t packed = (uint64_t{outcome.fired} << shift) | kind;
    if (labelled) {
      packed |= uint64_t{outcome.golden_right} << kClassBits | uint64_t{outcome.faulty_right}
                                                                   << (kClassBits + 1);
    }
    for (size_t byte = 0; byte < width; ++byte, packed >>= 8)
      bytes.push_back(packed & 0xff);
  }
  return bytes;
}

std::vector<TrialOutcome> unpack_outcomes(const std::vector<uint8_t>& bytes, const CampaignInfo& info) {
  const size_t width = packed_width(info);
  if (bytes.size() % width != 0) throw InternalError("packed outcomes end within a trial");
  const unsigned shift = bits_before_fired(info);
  const bool labelled = has_labels(info);
  std::vector<TrialOutcome> outcomes(bytes.size() / width);
  size_t start = 0;
  for (TrialOutcome& outcome : outcomes) {
    uint64_t packed = 0;
    for (size_t byte = width; byte-- > 0;)
      packed = (packed << 8) | bytes[start + byte];
    start += width;
    const uint64_t kind = packed & ((1u << kClassBits) - 1);
    outcome.is_done = kind < kOutcomeClasses.size();
    if (outcome.is_done) outcome.outcome = static_cast<OutcomeClass>(kind);
    outcome.golden_right = labelled && (packed >> kClassBits & 1) != 0;
    outcome.faulty_right = labelled && (packed >> (kClassBits + 1) & 1) != 0;
    outcome.fired = static_cast<uint32_t>(packed >> shift & ((uint64_t{1} << info.criteria.size()) - 1));
  }
  return outcomes;
}

}  // namespace faultwave
