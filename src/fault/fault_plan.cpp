// SPDX-License-Identifier: Apache-2.0
#include "src/fault/fault_plan.h"

#include <torch/autograd.h>
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/random.h"

#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/numbers.h"
#include "src/common/shape.h"
#include "src/fault/batch_offsets.h"
#include "src/fault/bits.h"
#include "src/fault/element_values.h"

namespace faultwave::detail {
namespace {

/// The identity but for some values, which are replaced by given ones; their gradient is multiplied by the
/// error model's derivative.
class ReplaceValues : public torch::autograd::Function<ReplaceValues> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& tensor,
                            std::vector<int64_t> offsets, const at::Tensor& values, double derivative) {
    at::Tensor result = tensor.clone();
    write_elements(result, offsets, values);
    context->saved_data["offsets"] = std::move(offsets);
    context->saved_data["derivative"] = derivative;
    return result;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 torch::autograd::variable_list gradients) {
    at::Tensor gradient = gradients[0].clone(at::MemoryFormat::Contiguous);
    const at::Tensor index =
        at::tensor(context->saved_data["offsets"].toIntVector(), at::kLong).to(gradient.device());
    at::Tensor flat = gradient.view(-1);
    flat.index_copy_(0, index, flat.index_select(0, index) * context->saved_data["derivative"].toDouble());
    return {gradient, at::Tensor(), at::Tensor(), at::Tensor()};
  }
};

/// Of a flat tensor on the CPU. With cold caches an operator of ATen costs as much as all the rest of a hit,
/// so clone() is avoided where values are few.
at::Tensor copy_of(const at::Tensor& values) {
  at::Tensor copy = empty_values(values.numel(), values.scalar_type());
  std::memcpy(copy.mutable_data_ptr(), values.const_data_ptr(), values.nbytes());
  return copy;
}

}  // namespace

FaultPlan::FaultPlan(Fault fault, const Site& site, VictimContext context, std::optional<Location> written)
    : fault_(std::move(fault)),
      site_(site),
      context_(std::move(context)),
      written_(std::move(written)),
      batch_(site.batch),
      element_shape_(site.element_shape()) {
  Draw unused(0);
  const bool draws_bit = fault_.model->is_drawn() && fault_.model->resolve(context_, unused) != nullptr;
  draws_per_element_ =
      fault_.batch.kind == BatchPart::Kind::each && (fault_.location.is_drawn() || draws_bit);
}

void FaultPlan::fit(const at::Tensor& tensor) {
  came_by_ = true;
  bool same = tensor.dim() == static_cast<int64_t>(site_.shape.size()) && tensor.scalar_type() == site_.dtype;
  for (int64_t d = 0; same && !written_ && d < tensor.dim(); ++d)
    same = d == site_.batch.dim || tensor.size(d) == site_.shape[d];
  if (!same) refuse_shape(tensor);
  batch_ = batch_axis_of(tensor);
  if (!written_) return;
  std::vector<int64_t> shape = element_shape(tensor.sizes(), batch_);
  if (shape == element_shape_) return;
  element_shape_ = std::move(shape);
  victims_.clear();
}

// Where batch and sequence share an axis, as in [batch * tokens, features], one of the two must be known. A
// multiple of the profiled rows is a batch of such, unless their number is known to change. Anything else can
// only be the profiled batch at another length.
BatchAxis FaultPlan::batch_axis_of(const at::Tensor& tensor) const {
  const BatchAxis& profiled = site_.batch;
  if (profiled.dim < 0) return profiled;
  const int64_t size = tensor.size(profiled.dim);
  const std::vector<int64_t>& free = site_.free_axes;
  const bool rows_change = std::find(free.begin(), free.end(), profiled.dim) != free.end();
  if (!rows_change && size % profiled.rows == 0) return profiled;
  const int64_t batch = site_.shape[static_cast<size_t>(profiled.dim)] / profiled.rows;
  const bool is_one_run = profiled.run == profiled.rows;
  if (!written_ || size % batch != 0 || (!is_one_run && profiled.run != 1)) refuse_shape(tensor);
  const int64_t rows = size / batch;
  return {profiled.dim, rows, is_one_run ? rows : 1};
}

void FaultPlan::refuse_shape(const at::Tensor& tensor) const {
  throw UserError(ErrorCode::illegal_fault,
                  "fault '" + to_string(fault_) + "': the site was profiled as " +
                      c10::toString(site_.dtype) + shape_text(site_.shape) + ", and in this forward it is " +
                      c10::toString(tensor.scalar_type()) + shape_text(tensor.sizes()) +
                      "; profile the network with an input like the ones it runs on");
}

const std::vector<int64_t>& FaultPlan::victims_of(int64_t element) {
  const int64_t drawer = draws_per_element_ ? element : 0;
  auto [entry, is_new] = victims_.try_emplace(drawer);
  if (is_new) {
    Draw draw(fault_.key.value_or(0), discrete_stream | static_cast<uint64_t>(drawer));
    const Location here = written_
                              ? resolve_within(*written_, element_shape_, site_.channel_axis, draw)
                              : faultwave::resolve(fault_.location, element_shape_, site_.channel_axis, draw);
    entry->second = element_offsets(here, element_shape_);
  }
  return entry->second;
}

ErrorModelPtr FaultPlan::model_of(int64_t element) const {
  if (!draws_per_element_) return fault_.model;
  Draw draw(fault_.key.value_or(0), discrete_stream | static_cast<uint64_t>(element));
  // The location draws first, as in Injector::resolve; in the profiled shape, so that a bit stays what it is.
  resolve_within(fault_.location, site_.element_shape(), site_.channel_axis, draw);
  const ErrorModelPtr resolved = fault_.model->resolve(context_, draw);
  return resolved ? resolved : fault_.model;
}

void FaultPlan::append(Change& change, const at::Tensor& tensor, int64_t element) {
  const std::vector<int64_t> offsets = whole_offsets(victims_of(element), tensor.sizes(), batch_, element);
  if (offsets.empty()) return;
  const bool own_draws = fault_.batch.kind == BatchPart::Kind::each;
  Draw draw(fault_.key.value_or(0), own_draws ? static_cast<uint64_t>(element) : 0);
  const at::Tensor before = read_elements(tensor, offsets);
  at::Tensor after = copy_of(before);
  apply_model(after, element, draw);
  if (change.offsets.empty()) {
    change = {offsets, before, after};
    return;
  }
  change.offsets.insert(change.offsets.end(), offsets.begin(), offsets.end());
  change.before = at::cat({change.before, before});
  change.after = at::cat({change.after, after});
}

// What an error model throws is its author's mistake, not what a fault does to the network.
void FaultPlan::apply_model(at::Tensor& values, int64_t element, Draw& draw) const {
  const auto mistake = [this](const std::string& what) {
    return UserError(ErrorCode::illegal_fault, "fault '" + to_string(fault_) + "': the error model " +
                                                   fault_.model->text() + " failed: " + what);
  };
  try {
    model_of(element)->apply(values, context_, draw);
  } catch (const std::exception& error) {
    if (memory_shortage(error)) throw;
    throw mistake(reason_of(error));
  } catch (...) {
    throw mistake("it threw something that is no std::exception");
  }
}

FaultPlan::Change FaultPlan::change(const at::Tensor& tensor) {
  fit(tensor);
  Change result;
  if (batch_.dim < 0) {
    append(result, tensor, 0);
    return result;
  }
  const int64_t batch = batch_.rows == 0 ? 0 : tensor.size(batch_.dim) / batch_.rows;
  if (fault_.batch.kind != BatchPart::Kind::one) {
    for (int64_t element = 0; element < batch; ++element)
      append(result, tensor, element);
    return result;
  }
  if (fault_.batch.element >= batch) {
    throw UserError(ErrorCode::illegal_fault, "fault '" + to_string(fault_) +
                                                  "': this forward has a batch of " + std::to_string(batch) +
                                                  ", so @0 to @" + std::to_string(batch - 1) + " are legal");
  }
  append(result, tensor, fault_.batch.element);
  return result;
}

void FaultPlan::note(const Change& change, const at::Tensor& tensor, int64_t forward) {
  victims_of_last_hit_ = static_cast<int64_t>(change.offsets.size());
  if (change.offsets.empty()) return;
  count(forward);
  hit_another_shape_ |= written_ && element_shape_ != site_.element_shape();
  if (first_.before.defined()) return;
  const int64_t kept = std::min<int64_t>(Receipt::kept_victims, static_cast<int64_t>(change.offsets.size()));
  first_.offsets.assign(change.offsets.begin(), change.offsets.begin() + kept);
  const bool keeps_all = kept == change.before.numel();
  first_.before = keeps_all ? change.before : change.before.narrow(0, 0, kept).clone();
  first_.after = keeps_all ? change.after : change.after.narrow(0, 0, kept).clone();
  first_forward_ = forward;
  first_shape_ = tensor.sizes().vec();
  first_batch_ = batch_;
}

void FaultPlan::count(int64_t forward) {
  // A gradient comes once in each backward pass, whose forward may have been one before the last.
  const bool is_counted = forward == last_forward_ && !is_gradient(fault_.kind);
  if (is_counted || victims_of_last_hit_ == 0) return;
  last_forward_ = forward;
  ++forwards_;
  hits_ += victims_of_last_hit_;
}

FaultPlan::Change FaultPlan::hit_beside(const at::Tensor& tensor, int64_t forward) {
  Change hit = change(tensor);
  note(hit, tensor, forward);
  return hit;
}

void FaultPlan::hit_in_place(const at::Tensor& tensor, int64_t forward) {
  const Change hit = hit_beside(tensor, forward);
  if (!hit.offsets.empty()) write_elements(tensor, hit.offsets, hit.after);
}

at::Tensor FaultPlan::hit_copy(const at::Tensor& tensor, int64_t forward) {
  const Change hit = change(tensor);
  note(hit, tensor, forward);
  if (hit.offsets.empty()) return tensor;
  if (at::GradMode::is_enabled() && tensor.requires_grad()) {
    return ReplaceValues::apply(tensor, hit.offsets, hit.after, fault_.model->gradient());
  }
  const at::Tensor copy = tensor.clone();
  write_elements(copy, hit.offsets, hit.after);
  return copy;
}

std::string FaultPlan::reason_of_miss(int64_t forwards) const {
  const ForwardRange& range = fault_.forwards;
  if (forwards > 0 && range.begin >= forwards) {
    return "acts in forward " + std::to_string(range.begin) +
           (range.end == range.begin + 1 ? "" : " and behind it") + ", and there " +
           (forwards == 1 ? "was forward 0 alone"
                          : "were forwards 0 to " + std::to_string(forwards - 1) + " alone");
  }
  if (!came_by_ && is_gradient(fault_.kind) && forwards > 0) {
    return "no backward pass brought that gradient while it was armed: run forward, with gradients recorded, "
           "and backward within its scope";
  }
  if (!came_by_) return "";
  return "lay outside of the site's tensor in each forward; in the last, an element of the batch had shape "
         "[" +
         join_integers(element_shape_) + "]";
}

Receipt FaultPlan::receipt() const {
  Receipt receipt;
  Fault line = fault_;
  if (hit_another_shape_) line.location = *written_;
  receipt.fault = to_string(line);
  receipt.kind = fault_.kind;
  receipt.site = site_.name;
  receipt.dtype = site_.dtype;
  receipt.forwards = forwards_;
  receipt.first_forward = first_forward_ - 1;
  receipt.hits = hits_;
  if (!first_.before.defined()) return receipt;
  const at::Tensor before = first_.before.to(at::kDouble);
  const at::Tensor after = first_.after.to(at::kDouble);
  const std::vector<int64_t> shape = element_shape(first_shape_, first_batch_);
  for (size_t i = 0; i < first_.offsets.size(); ++i) {
    const auto at = static_cast<int64_t>(i);
    Victim victim;
    victim.index = unravel(first_.offsets[i], first_shape_);
    victim.element_index = unravel(element_offset(first_.offsets[i], first_shape_, first_batch_), shape);
    victim.before = before.const_data_ptr<double>()[i];
    victim.after = after.const_data_ptr<double>()[i];
    victim.bits_before = load_bits(first_.before, at);
    victim.bits_after = load_bits(first_.after, at);
    receipt.victims.push_back(std::move(victim));
  }
  return receipt;
}

}  // namespace faultwave::detail
