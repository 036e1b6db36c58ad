// SPDX-License-Identifier: Apache-2.0
#include "src/direct/armed_faults.h"

#include <torch/csrc/autograd/graph_task.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <utility>

#include "faultwave/error.h"

#include "src/fault/victim_context.h"

namespace faultwave::detail {
namespace {

bool records_gradient(const at::Tensor& tensor) {
  return at::GradMode::is_enabled() && tensor.requires_grad();
}

int64_t version_of(const at::Tensor& tensor) {
  return tensor.is_inference() ? 0 : tensor._version();
}

/// Whether the operators that run now are those of a backward pass. Where gradients are recorded within one,
/// it is a part of the network that runs again, as checkpointing has it.
bool is_in_backward() {
  return !at::GradMode::is_enabled() && torch::autograd::get_current_graph_task_id() != -1;
}

/// The argument that result `position` is, for operators that write to an argument; -1 for others.
int written_argument(const c10::FunctionSchema& schema, int position) {
  const c10::Argument& result = schema.returns()[static_cast<size_t>(position)];
  if (!is_written(result)) return -1;
  for (size_t i = 0; i < schema.arguments().size(); ++i) {
    const c10::Argument& argument = schema.arguments()[i];
    if (is_written(argument) && *argument.alias_info() == *result.alias_info()) return static_cast<int>(i);
  }
  return -1;
}

/// Whether sites of this kind are met where operators read a stored tensor.
bool is_stored(SiteKind kind) {
  return kind == SiteKind::weight || kind == SiteKind::bias || kind == SiteKind::buffer ||
         kind == SiteKind::weight_gradient || kind == SiteKind::bias_gradient;
}

}  // namespace

ArmedFaults::ArmedFaults(const Profile& profile, const std::vector<Fault>& resolved, Forwards forwards,
                         const std::vector<Location>& written)
    : profile_(profile), is_one_forward_(forwards == Forwards::one), tracker_(profile, forwards) {
  for (const Fault& fault : resolved) {
    const int number = profile.number_of(fault);
    const Site& site = profile.site(number);
    sites_.push_back(number);
    std::optional<Location> location;
    if (!written.empty()) location = written[plans_.size()];
    plans_.emplace_back(fault, site, context_of(site, int8_scale_of(profile.largest(number))), location);
    if (is_stored(fault.kind))
      stored_copies_[profile.stored_of_site(number)].plans.push_back(plans_.size() - 1);
  }
  for (size_t plan = 0; plan < sites_.size(); ++plan)
    plan_uses(plan);
  if (watch_few_calls()) {
    on_.emplace(*this, intercept::ChosenCalls{watched_storages_});
  } else {
    on_.emplace(*this);
  }
}

bool ArmedFaults::watch_few_calls() {
  constexpr size_t kFew = 8;
  if (!stored_copies_.empty() || hits_by_call_.empty() || hits_by_call_.size() > kFew) return false;
  std::vector<size_t> calls;
  for (const auto& [call, hits] : hits_by_call_) {
    if (!profile_.calls()[call].is_only_reader || !hits.network_inputs.empty()) return false;
    calls.push_back(call);
  }
  // The first layer, too: forwards are counted by it where they do not come by a fault.
  const auto& all = profile_.calls();
  const auto first =
      std::find_if(all.begin(), all.end(), [](const auto& call) { return call.is_only_reader; });
  const auto number = static_cast<size_t>(first - all.begin());
  if (hits_by_call_.count(number) == 0) calls.push_back(number);
  std::sort(calls.begin(), calls.end());
  for (const size_t call : calls)
    watched_storages_.push_back(all[call].storages.front());
  tracker_.watch_only(std::move(calls));
  return true;
}

void ArmedFaults::plan_uses(size_t plan) {
  for (const CallUse& use : profile_.uses_of(sites_[plan])) {
    CallHits& hits = hits_by_call_[use.call];
    switch (use.role) {
      case CallUse::Role::input:
        hits.inputs.push_back({use.place, plan});
        break;
      case CallUse::Role::network_input:
        hits.network_inputs.push_back({use.place, plan});
        break;
      case CallUse::Role::output:
        hits.outputs.push_back({use.place, plan});
        break;
      case CallUse::Role::output_gradient:
        hits.gradients.push_back({use.place, plan});
        break;
    }
  }
}

bool ArmedFaults::wants(const c10::OperatorHandle& op, c10::ArrayRef<const at::Tensor*> tensors) {
  if (is_in_backward()) return false;
  const ProfiledCall* call = tracker_.match(op, tensors);
  const bool replaces = !stored_copies_.empty() && (call != nullptr || is_one_forward_);
  const bool wanted = replaces || (call != nullptr && hits_by_call_.count(tracker_.number()) > 0);
  if (wanted) matched_ = call;
  return wanted;
}

void ArmedFaults::on_call(intercept::OperatorCall& call) {
  if (is_in_backward()) return call.run();
  const ProfiledCall* profiled = matched_ ? *std::exchange(matched_, std::nullopt) : tracker_.match(call);
  // In one forward every call is the network's own, also in rounds of loops that the profile did not have.
  if (!stored_copies_.empty() && (profiled != nullptr || is_one_forward_)) replace_stored(call);
  if (profiled == nullptr) return call.run();
  const auto found = hits_by_call_.find(tracker_.number());
  if (found == hits_by_call_.end()) return call.run();
  replace_network_inputs(call, found->second.network_inputs);
  hit_inputs(call, found->second.inputs);
  run_and_hit_outputs(call, found->second.outputs);
  watch_gradients(call, found->second.gradients);
}

void ArmedFaults::replace_stored(intercept::OperatorCall& call) {
  std::vector<std::pair<TensorPlace, at::Tensor>> replacements;
  for_each_tensor(call.arguments(), [&](TensorPlace place, const at::Tensor& tensor) {
    const int number = profile_.stored().find(tensor);
    const auto copy = stored_copies_.find(number);
    if (number == StoredTensors::none || copy == stored_copies_.end()) return;
    if (is_written(call.schema().arguments()[static_cast<size_t>(place.position)])) return;
    const at::Tensor& whole = profile_.stored()[number].tensor;
    const at::Tensor faulty = faulty_stored(number, copy->second);
    if (!faulty.defined()) return;
    // A view of the parameter alone gets gradients itself where it was made of what stands in for it.
    const bool has_own_values = storage_of(faulty) != storage_of(tensor);
    if (!has_own_values && !tensor.is_same(profile_.stored()[number].tensor)) return;
    const bool is_whole = tensor.sizes() == whole.sizes() && tensor.strides() == whole.strides();
    replacements.emplace_back(
        place, is_whole ? faulty
                        : faulty.as_strided(
                              tensor.sizes(), tensor.strides(),
                              tensor.storage_offset() - whole.storage_offset() + faulty.storage_offset()));
  });
  for (auto& [place, tensor] : replacements) {
    put_tensor(call.argument(static_cast<size_t>(place.position)), place.element, std::move(tensor));
  }
}

at::Tensor ArmedFaults::faulty_stored(int number, Copy& copy) {
  const at::Tensor& original = profile_.stored()[number].tensor;
  const int64_t version = version_of(original);
  const int64_t forward = std::max<int64_t>(tracker_.forward(), 1);
  std::vector<size_t> acting;
  for (const size_t plan : copy.plans) {
    if (plans_[plan].acts_in(forward)) acting.push_back(plan);
  }
  if (acting.empty()) return {};
  // Under autograd the copy is part of this forward's graph; otherwise it lasts until the original changes.
  const bool records = records_gradient(original);
  const bool is_fresh = copy.faulty.defined() && copy.version == version && copy.acting == acting &&
                        copy.faulty.requires_grad() == records && (!records || copy.forward == forward);
  if (is_fresh) {
    for (size_t plan : acting) {
      if (!is_of_gradient(plan)) plans_[plan].count(forward);
    }
    return copy.faulty;
  }
  if (copy.faulty.defined()) tracker_.remove_stand_in(copy.faulty);
  copy.faulty = with_faults(original, acting, forward);
  if (copy.faulty.is_same(original)) {  // a gradient that nobody records
    copy.faulty.reset();
    return {};
  }
  copy.acting = std::move(acting);
  copy.version = version;
  copy.forward = forward;
  if (storage_of(copy.faulty) != storage_of(original)) tracker_.add_stand_in(copy.faulty, number);
  return copy.faulty;
}

at::Tensor ArmedFaults::with_faults(const at::Tensor& original, const std::vector<size_t>& acting,
                                    int64_t forward) {
  at::Tensor faulty = original;
  for (const size_t plan : acting) {
    if (!is_of_gradient(plan) || !records_gradient(original)) continue;
    if (faulty.is_same(original)) faulty = original.view_as(original);
    hooks_.add(faulty, plans_[plan], forward);
  }
  for (const size_t plan : acting) {
    if (!is_of_gradient(plan)) faulty = plans_[plan].hit_copy(faulty, forward);
  }
  return faulty;
}

void ArmedFaults::replace_network_inputs(intercept::OperatorCall& call, const std::vector<Hit>& hits) {
  if (std::exchange(forward_of_given_, tracker_.forward()) != tracker_.forward()) given_inputs_.clear();
  // With all faults in it: one that an in-place operator wrote to, or that a call inside of this one reads.
  const auto is_given = [&](const at::Tensor& tensor) {
    return std::any_of(given_inputs_.begin(), given_inputs_.end(),
                       [&](const at::Tensor& given) { return given.is_same(tensor); });
  };
  std::vector<TensorPlace> places;
  for (const Hit& hit : hits) {
    const at::Tensor tensor = tensor_at(call.arguments(), hit.place);
    if (!tensor.defined() || is_given(tensor) || !acts(hit.plan)) continue;
    Copy& copy = input_copies_[hit.plan];
    const bool is_fresh = copy.forward == tracker_.forward() && copy.original.defined() &&
                          copy.original.is_same(tensor) && copy.version == version_of(copy.original);
    if (!is_fresh) {
      copy.original = tensor;
      copy.version = version_of(tensor);
      copy.forward = tracker_.forward();
      copy.faulty = plans_[hit.plan].hit_copy(tensor, copy.forward);
    }
    put_tensor(call.argument(static_cast<size_t>(hit.place.position)), hit.place.element, copy.faulty);
    places.push_back(hit.place);
  }
  for (const TensorPlace place : places)
    given_inputs_.push_back(tensor_at(call.arguments(), place));
}

void ArmedFaults::hit_inputs(intercept::OperatorCall& call, const std::vector<Hit>& hits) {
  for (const Hit& hit : hits) {
    const at::Tensor tensor = tensor_at(call.arguments(), hit.place);
    if (!tensor.defined() || !acts(hit.plan)) continue;
    FaultPlan& plan = plans_[hit.plan];
    const size_t position = static_cast<size_t>(hit.place.position);
    if (!is_written(call.schema().arguments()[position])) {
      const at::Tensor copy = plan.hit_copy(tensor, tracker_.forward());
      if (copy.is_same(tensor)) continue;
      stand_in(hit.plan, tensor, copy);
      put_tensor(call.argument(position), hit.place.element, copy);
    } else if (records_gradient(tensor)) {
      tensor.copy_(plan.hit_copy(tensor.clone(), tracker_.forward()));
    } else {
      plan.hit_in_place(tensor, tracker_.forward());
    }
  }
}

void ArmedFaults::run_and_hit_outputs(intercept::OperatorCall& call, const std::vector<Hit>& hits) {
  if (std::none_of(hits.begin(), hits.end(), [this](const Hit& hit) { return acts(hit.plan); }))
    return call.run();
  const int written = written_argument(call.schema(), hits.front().place.position);
  if (written >= 0) {
    const at::Tensor target = call.argument(static_cast<size_t>(written)).toTensor();
    bool records = false;
    for_each_tensor(call.arguments(),
                    [&](TensorPlace, const at::Tensor& t) { records |= records_gradient(t); });
    if (records) {
      call.argument(static_cast<size_t>(written)) = target.clone();
      call.run();
      at::Tensor result = call.result(static_cast<size_t>(hits.front().place.position)).toTensor();
      for (const Hit& hit : hits) {
        if (acts(hit.plan)) result = plans_[hit.plan].hit_copy(result, tracker_.forward());
      }
      target.copy_(result);
      call.result(static_cast<size_t>(hits.front().place.position)) = target;
      return;
    }
  }
  std::vector<const void*> argument_memory;
  for_each_tensor(call.arguments(), [&](TensorPlace, const at::Tensor& tensor) {
    argument_memory.push_back(storage_of(tensor));
  });
  call.run();
  for (const Hit& hit : hits)
    hit_output(call, hit, argument_memory);
}

void ArmedFaults::hit_output(intercept::OperatorCall& call, const Hit& hit,
                             const std::vector<const void*>& argument_memory) {
  const at::Tensor tensor = tensor_at(call.results(), hit.place);
  if (!tensor.defined() || !acts(hit.plan)) return;
  FaultPlan& plan = plans_[hit.plan];
  const size_t position = static_cast<size_t>(hit.place.position);
  const bool is_own_memory =
      is_written(call.schema().returns()[position]) ||
      std::find(argument_memory.begin(), argument_memory.end(), storage_of(tensor)) == argument_memory.end();
  if (is_own_memory && !records_gradient(tensor)) {
    plan.hit_in_place(tensor, tracker_.forward());
  } else {
    const at::Tensor copy = plan.hit_copy(tensor, tracker_.forward());
    if (copy.is_same(tensor)) return;
    stand_in(hit.plan, tensor, copy);
    put_tensor(call.result(position), hit.place.element, copy);
  }
}

void ArmedFaults::watch_gradients(const intercept::OperatorCall& call, const std::vector<Hit>& hits) {
  for (const Hit& hit : hits) {
    const at::Tensor tensor = tensor_at(call.results(), hit.place);
    if (!tensor.defined() || !records_gradient(tensor) || !acts(hit.plan)) continue;
    hooks_.add(tensor, plans_[hit.plan], tracker_.forward());
  }
}

void ArmedFaults::stand_in(size_t plan, const at::Tensor& original, const at::Tensor& copy) {
  const int number = tracker_.stored_number(original);
  if (number == StoredTensors::none) return;
  const auto last = stand_ins_.find(plan);
  if (last != stand_ins_.end()) tracker_.remove_stand_in(last->second);
  tracker_.add_stand_in(copy, number);
  stand_ins_[plan] = copy;
}

std::vector<Receipt> ArmedFaults::receipts() const {
  const auto lock = hooks_.lock();
  std::vector<Receipt> receipts;
  for (const FaultPlan& plan : plans_)
    receipts.push_back(plan.receipt());
  return receipts;
}

void ArmedFaults::abandon() {
  hooks_.end();
  if (is_on_this_thread()) {
    on_.reset();
  } else {
    intercept::Handler::abandon();
  }
}

void ArmedFaults::switch_off() {
  if (!is_on_this_thread()) {
    abandon();
    throw UserError(
        ErrorCode::usage,
        "the faults were armed on another thread than the one that disarms them, so they were switched "
        "off there at some point of its work; end the scope on the thread that began it");
  }
  const bool was_whole = on_->is_whole();
  on_.reset();
  hooks_.end();
  if (!was_whole) {
    throw UserError(
        ErrorCode::usage,
        "a mode of torch (inference_mode, say) that began before the faults were armed ended while they "
        "were, which switched them off; end them in the opposite order");
  }
}

void ArmedFaults::disarm_after_error() {
  if (!on_) return;
  abandon();
  intercept::rethrow_handler_error();
}

void ArmedFaults::disarm() {
  if (!on_) return;
  switch_off();
  const std::string lines = text_of_misses();
  if (lines.empty()) return;
  throw UserError(ErrorCode::illegal_fault, "armed and hit nothing: " + lines);
}

std::string ArmedFaults::text_of_misses() const {
  const auto lock = hooks_.lock();
  std::string lines;
  bool is_explained = true;
  for (const FaultPlan& plan : plans_) {
    if (plan.hits() > 0) continue;
    const std::string reason = plan.reason_of_miss(tracker_.forward());
    lines += (lines.empty() ? "'" : ", '") + plan.receipt().fault + "'";
    if (!reason.empty()) lines += " (" + reason + ")";
    is_explained &= !reason.empty();
  }
  if (is_explained) return lines;
  return lines +
         "; run the network that was profiled, on this thread, while the fault is armed (a network that was "
         "moved or converted since needs a new Injector)";
}

std::vector<std::string> ArmedFaults::missed() const {
  const auto lock = hooks_.lock();
  std::vector<std::string> lines;
  for (const FaultPlan& plan : plans_) {
    if (plan.hits() == 0) lines.push_back(plan.receipt().fault);
  }
  return lines;
}

}  // namespace faultwave::detail
