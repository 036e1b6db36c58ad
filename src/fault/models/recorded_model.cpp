// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/recorded_model.h"

#include <algorithm>
#include <utility>

#include "src/fault/models/checks.h"

namespace faultwave {

RecordedModel::RecordedModel(std::string_view text, RecordedCapabilities capabilities)
    : text_(text), capabilities_(std::move(capabilities)) {}

bool RecordedModel::is_drawn() const {
  return capabilities_.is_drawn || !capabilities_.choices.empty();
}

void RecordedModel::check(const VictimContext& context) const {
  refuse(*this, context,
         "the error model is not known here; load the plugin, or use the program, that has it");
}

std::vector<ErrorModelPtr> RecordedModel::choices(const VictimContext& context) const {
  const auto found = capabilities_.choices_of_type.find(context.dtype);
  const size_t count = found == capabilities_.choices_of_type.end() ? 0 : found->second;
  std::vector<ErrorModelPtr> models;
  for (size_t i = 0; i < std::min(count, capabilities_.choices.size()); ++i) {
    RecordedCapabilities choice{.is_drawn = capabilities_.is_drawn};
    if (i < capabilities_.bit_changes.size()) choice.bit_changes = {capabilities_.bit_changes[i]};
    models.push_back(std::make_shared<RecordedModel>(capabilities_.choices[i], std::move(choice)));
  }
  return models;
}

void RecordedModel::apply(at::Tensor&, const VictimContext& context, Draw&) const {
  check(context);
}

std::optional<BitChange> RecordedModel::bit_change() const {
  if (!capabilities_.choices.empty() || capabilities_.bit_changes.empty()) return std::nullopt;
  return capabilities_.bit_changes.front();
}

}  // namespace faultwave
