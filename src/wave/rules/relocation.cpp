// SPDX-License-Identifier: Apache-2.0
// Operators that take values from places that their arguments alone decide: slices, pads, splits, rolls,
// nearest upsampling. Run on the places themselves instead of values, such an operator says where each value
// of its result comes from.
#include "src/wave/rules/relocation.h"

#include <torch/types.h>

#include <algorithm>
#include <functional>
#include <optional>
#include <utility>

#include "src/wave/golden_memo.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

constexpr auto kNowhere = static_cast<int64_t>(kFromNowhere);

/// Which values of a result are copies of which value of the argument.
class Copies {
 public:
  /// `sources`: for each value of the result the offset that it was taken from.
  Copies(const std::vector<int64_t>& sources, int64_t values)
      : first_(static_cast<size_t>(values) + 1), places_(sources.size()) {
    for (const int64_t source : sources) {
      if (source != kNowhere) ++first_[static_cast<size_t>(source) + 1];
    }
    for (size_t i = 1; i < first_.size(); ++i)
      first_[i] += first_[i - 1];
    std::vector<int64_t> next = first_;
    for (size_t place = 0; place < sources.size(); ++place) {
      if (sources[place] == kNowhere) continue;
      places_[static_cast<size_t>(next[static_cast<size_t>(sources[place])]++)] = static_cast<int32_t>(place);
    }
  }

  template <typename Visit>
  void each(int64_t source, Visit visit) const {
    const auto at = static_cast<size_t>(source);
    for (int64_t i = first_[at]; i < first_[at + 1]; ++i)
      visit(places_[static_cast<size_t>(i)]);
  }

 private:
  std::vector<int64_t> first_;  // by source, the start of its copies in places_
  Indices places_;
};

/// Each entry at all places that its place was copied to; there are `count` places.
Shadow copied(const Shadow& shadow, const Copies& copies, const Form& form, int64_t count) {
  Moves moves;
  for (int64_t entry = 0; entry < shadow.size(); ++entry) {
    const int32_t trial = shadow.trials[static_cast<size_t>(entry)];
    copies.each(shadow.places[static_cast<size_t>(entry)], [&](int32_t place) {
      moves.trials.push_back(trial);
      moves.places.push_back(place);
      moves.entries.push_back(entry);
    });
  }
  put_in_order(moves, count);
  Shadow out(form);
  out.trials = std::move(moves.trials);
  out.places = std::move(moves.places);
  const bool each_once = std::adjacent_find(moves.entries.begin(), moves.entries.end(),
                                            std::greater_equal<>()) == moves.entries.end();
  const bool stays = each_once && static_cast<int64_t>(moves.entries.size()) == shadow.size();
  out.values = stays ? shadow.values.contiguous()
                     : shadow.values.index_select(0, at::tensor(moves.entries, at::kLong));
  return out;
}

std::vector<int64_t> integers(const at::Tensor& sources) {
  const at::Tensor whole = sources.contiguous().to(at::kLong);
  return {whole.const_data_ptr<int64_t>(), whole.const_data_ptr<int64_t>() + whole.numel()};
}

/// Rows of a result that are copies of rows, or all of the same piece of rows.
struct CopiedRows {
  std::vector<int64_t> rows;  ///< of each row of the result, the row that it is a copy of
  int64_t start = 0;          ///< first channel of the piece
  int64_t channels = 0;
};

/// Along `axis` of the result; none where a row is not one piece of one row.
std::optional<CopiedRows> rows_copied(const at::Tensor& sources, int64_t axis, const RowSpace& space) {
  if (axis < 0 || axis >= sources.dim() || sources.size(axis) > space.channels) return std::nullopt;
  const at::Tensor rows =
      sources.to(at::kDouble).movedim(axis, -1).contiguous().view({-1, sources.size(axis)});
  const double* from = rows.const_data_ptr<double>();
  CopiedRows copied{{}, -1, rows.size(1)};
  for (int64_t row = 0; row < rows.size(0); ++row, from += copied.channels) {
    const auto first = static_cast<int64_t>(from[0]);
    if (first != kNowhere) {
      if (copied.start < 0) copied.start = space.channel_of(first);
      if (space.channel_of(first) != copied.start) return std::nullopt;
    }
    for (int64_t channel = 0; channel < copied.channels; ++channel) {
      const int64_t expected = first == kNowhere ? first : first + channel * space.inner;
      if (static_cast<int64_t>(from[channel]) != expected) return std::nullopt;
    }
    copied.rows.push_back(first == kNowhere ? first : space.row_of(first));
  }
  copied.start = std::max<int64_t>(copied.start, 0);
  return copied;
}

/// Where the entries of a golden tensor's shadows go.
class Relocation {
 public:
  /// For rows along `axis`, or points; `sources` as in relocated().
  Relocation(const at::Tensor& golden, int64_t axis, const at::Tensor& sources) {
    if (axis != Shadow::points && find_rows(golden, axis, sources)) return;
    copies_.emplace(integers(sources), golden.numel());
    count_ = sources.numel();
  }

  Shadow operator()(const Shadow& shadow, const at::Tensor& golden) const {
    Form form = shadow.form.along(axis_);
    if (axis_ == Shadow::points) return copied(to_points(shadow, golden), *copies_, form, count_);
    Shadow piece = shadow;
    if (channels_ < shadow.width()) {
      piece.values = shadow.values.narrow(1, start_, channels_);
      form.interleave = 1;
    }
    return copied(piece, *copies_, form, count_);
  }

 private:
  bool find_rows(const at::Tensor& golden, int64_t axis, const at::Tensor& sources) {
    const RowSpace space(golden.sizes(), axis);
    // An axis in front may have come or gone.
    for (const int64_t shift : {int64_t{0}, sources.dim() - golden.dim()}) {
      const std::optional<CopiedRows> rows = rows_copied(sources, axis + shift, space);
      if (!rows || rows->rows.empty()) continue;
      axis_ = axis + shift;
      start_ = rows->start;
      channels_ = rows->channels;
      copies_.emplace(rows->rows, space.rows);
      count_ = static_cast<int64_t>(rows->rows.size());
      return true;
    }
    return false;
  }

  int64_t axis_ = Shadow::points;  // of the result
  int64_t start_ = 0;              // first channel of the piece of a row that is copied
  int64_t channels_ = 0;
  std::optional<Copies> copies_;
  int64_t count_ = 0;  // places of the result
};

/// Lets padding, but not with the tensor's own values, come from nowhere.
void mark_padding(const Call& call, std::vector<c10::IValue>& stack) {
  const std::optional<Padding>& padding = call.described().padding;
  if (!padding) return;
  const c10::IValue& mode = call.argument(padding->mode);
  const bool is_constant = mode.isNone() || mode.toStringRef() == "constant";
  if (is_constant) stack[static_cast<size_t>(call.position_of(padding->value))] = kFromNowhere;
}

/// For each result where it has its values from. Offsets are exact in FP64, which all of these operators
/// take.
std::vector<Relocation> relocations_of(const Call& call, int64_t axis) {
  const at::Tensor golden = call.tensor(0);
  std::vector<c10::IValue> stack = call.arguments;
  stack[0] = offsets_of(golden);
  mark_padding(call, stack);
  call.renew_outs(stack, at::kDouble);
  call.op.callBoxed(&stack);
  std::vector<Relocation> relocations;
  for (const at::Tensor& sources : detail::tensors_of(stack))
    relocations.emplace_back(golden, axis, sources);
  return relocations;
}

}  // namespace

at::Tensor offsets_of(const at::Tensor& golden) {
  return at::arange(golden.numel(), at::kDouble).view(golden.sizes());
}

Shadow relocated(const Shadow& shadow, const at::Tensor& golden, const at::Tensor& sources) {
  return Relocation(golden, shadow.form.axis, sources)(shadow, golden);
}

// (input, ...) -> one or more tensors.
std::optional<std::vector<Shadow>> relocation_rule(const Call& call) {
  if (!call.is_only_shadowed(0)) return std::nullopt;
  const at::Tensor golden = call.tensor(0);
  const Shadow& in = *call.shadow_of(0);
  const auto relocations = GoldenMemo::remember<std::vector<Relocation>>(
      golden, in.form.axis, [&] { return relocations_of(call, in.form.axis); });
  std::vector<Shadow> shadows;
  for (size_t i = 0; i < detail::tensors_of(call.results).size(); ++i)
    shadows.push_back(relocations->at(i)(in, golden));
  return shadows;
}

}  // namespace faultwave::wave
