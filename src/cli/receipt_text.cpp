// SPDX-License-Identifier: Apache-2.0
#include "src/cli/receipt_text.h"

#include <cmath>

#include <nlohmann/json.hpp>

#include "src/common/numbers.h"
#include "src/common/torch_names.h"
#include "src/fault/shortest_decimal.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

constexpr size_t kShownVictims = 8;

int64_t width_of(const Receipt& receipt) {
  return receipt.dtype == at::kBool ? 1 : static_cast<int64_t>(c10::elementSize(receipt.dtype)) * 8;
}

}  // namespace

std::string receipt_text(const Receipt& receipt) {
  std::string text = "fault     " + receipt.fault + "\n";
  for (size_t i = 0; i < receipt.victims.size() && i < kShownVictims; ++i) {
    const Victim& victim = receipt.victims[i];
    text += (i == 0 ? "receipt   " : "          ") + receipt.site + " [" + join_integers(victim.index) +
            "]: " + exact(shortest_decimal(victim.before, receipt.dtype)) + " -> " +
            exact(shortest_decimal(victim.after, receipt.dtype)) + " (" + dtype_name(receipt.dtype) + ", " +
            hexadecimal(victim.bits_before, width_of(receipt)) + " -> " +
            hexadecimal(victim.bits_after, width_of(receipt)) + ")\n";
  }
  if (receipt.hits > static_cast<int64_t>(kShownVictims)) {
    text += "          " + grouped(receipt.hits) + " values hit in all\n";
  }
  return text;
}

nlohmann::ordered_json json_number(double value) {
  if (std::isfinite(value)) return value;
  return exact(value);
}

nlohmann::ordered_json receipt_json(const Receipt& receipt) {
  nlohmann::ordered_json victims = nlohmann::ordered_json::array();
  for (const Victim& victim : receipt.victims) {
    victims.push_back({{"index", victim.index},
                       {"before", json_number(shortest_decimal(victim.before, receipt.dtype))},
                       {"after", json_number(shortest_decimal(victim.after, receipt.dtype))},
                       {"bits_before", hexadecimal(victim.bits_before, width_of(receipt))},
                       {"bits_after", hexadecimal(victim.bits_after, width_of(receipt))}});
  }
  return {{"fault", receipt.fault},          {"site", receipt.site},
          {"kind", to_string(receipt.kind)}, {"dtype", dtype_name(receipt.dtype)},
          {"forwards", receipt.forwards},    {"hits", receipt.hits},
          {"victims", std::move(victims)}};
}

}  // namespace faultwave::cli
