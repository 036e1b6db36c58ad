// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/error_model.h"

namespace faultwave {

/// What a database keeps of an error model, to tell where the faults of a campaign lie where the model itself
/// is not known.
struct RecordedCapabilities {
  bool is_drawn = false;               ///< the model, or each of its choices where it has some
  bool draws_bits = false;             ///< resolve() fixes something, and there is no list of choices
  std::vector<std::string> choices{};  ///< texts of the longest list
  std::vector<std::optional<BitChange>> bit_changes{};  ///< of each choice; of the model where it has none
  std::map<at::ScalarType, size_t> choices_of_type{};   ///< how many of them values of a type have
};

/// Stands for an error model that this process does not know. It draws as the model does, and cannot be
/// applied.
class RecordedModel final : public ErrorModel {
 public:
  RecordedModel(std::string_view text, RecordedCapabilities capabilities);

  std::string text() const override { return text_; }
  bool is_drawn() const override;
  /// Throws UserError(illegal_fault): the model is not known.
  void check(const VictimContext& context) const override;
  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override;
  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override;
  std::optional<BitChange> bit_change() const override;

 private:
  std::string text_;
  RecordedCapabilities capabilities_;
};

}  // namespace faultwave
