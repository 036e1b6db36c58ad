// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/receipt.h"
#include "faultwave/site.h"

namespace faultwave::detail {

/// Streams of Draw(key, stream): values use the batch element's number (0 where all share), and what is
/// discrete (location, bit) the same with this bit set. So a line whose location has been drawn and written
/// out still draws the same values.
constexpr uint64_t discrete_stream = uint64_t{1} << 63;

/// One armed fault: knows its victims in a tensor, changes them, and keeps the proof. Forwards count from 1,
/// as in CallTracker.
class FaultPlan {
 public:
  /// `fault` has passed Injector::resolve. `written`: its location before that, which is resolved anew in the
  /// shape of each tensor that comes; without it, tensors must have the profiled shape but for the batch.
  FaultPlan(Fault fault, const Site& site, VictimContext context, std::optional<Location> written = {});

  SiteKind kind() const { return fault_.kind; }
  /// Whether the fault acts in this forward.
  bool acts_in(int64_t forward) const { return fault_.forwards.holds(forward - 1); }

  /// Changes the victims in the tensor's memory.
  void hit_in_place(const at::Tensor& tensor, int64_t forward);
  /// A copy with the victims changed; through autograd where gradients are recorded, with the derivative of
  /// the error model. The tensor itself where it has no victims.
  at::Tensor hit_copy(const at::Tensor& tensor, int64_t forward);

  struct Change {
    std::vector<int64_t> offsets;  // row-major, in the whole tensor
    at::Tensor before;
    at::Tensor after;
  };
  /// What hit_in_place would write to the tensor, which stays as it is; counts as a hit.
  Change hit_beside(const at::Tensor& tensor, int64_t forward);

  /// A copy made before was used in this forward.
  void count(int64_t forward);

  int64_t hits() const { return hits_; }
  /// Why it has hit nothing in `forwards` forwards, where more is known than that; else "".
  std::string reason_of_miss(int64_t forwards) const;
  Receipt receipt() const;

 private:
  Change change(const at::Tensor& tensor);
  void append(Change& change, const at::Tensor& tensor, int64_t element);
  const std::vector<int64_t>& victims_of(int64_t element);
  ErrorModelPtr model_of(int64_t element) const;
  /// Throws UserError(illegal_fault) naming the fault line and the model if that throws.
  void apply_model(at::Tensor& values, int64_t element, Draw& draw) const;
  /// Takes over the shape of a tensor. Throws UserError(illegal_fault) if it cannot be the site's.
  void fit(const at::Tensor& tensor);
  BatchAxis batch_axis_of(const at::Tensor& tensor) const;
  [[noreturn]] void refuse_shape(const at::Tensor& tensor) const;
  void note(const Change& change, const at::Tensor& tensor, int64_t forward);

  Fault fault_;
  Site site_;  // as profiled
  VictimContext context_;
  std::optional<Location> written_;
  BatchAxis batch_;                     // in the last tensor that came
  std::vector<int64_t> element_shape_;  // likewise
  bool draws_per_element_ = false;      // `@each` with a drawn location or bit
  std::map<int64_t, std::vector<int64_t>>
      victims_;                     // batch element (0 where all share) -> offsets in element_shape_
  bool came_by_ = false;            // a tensor in which the fault was to act
  bool hit_another_shape_ = false;  // than the profile's
  int64_t hits_ = 0;
  int64_t victims_of_last_hit_ = 0;
  int64_t forwards_ = 0;
  int64_t last_forward_ = 0;
  int64_t first_forward_ = 0;
  Change first_;  // cut to Receipt::kept_victims
  std::vector<int64_t> first_shape_;
  BatchAxis first_batch_;
};

}  // namespace faultwave::detail
