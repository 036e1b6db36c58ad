// SPDX-License-Identifier: Apache-2.0
#include "src/wave/wave.h"

#include <torch/types.h>

#include <algorithm>
#include <chrono>
#include <utility>

#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/fault/victim_context.h"
#include "src/wave/expected_memory.h"
#include "src/wave/follow.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

using detail::is_written;
using detail::TensorPlace;

constexpr const char* kWrittenView = "a write to memory that another tensor views";
constexpr const char* kWrittenCopy = "a write to memory that a faulty run has a copy of";

/// In-place dropout outside of training, whose argument stays as it is. Taken for a write, it would drive all
/// trials out of EfficientNet, which drops out of a view.
bool is_idle_write(const intercept::OperatorCall& call) {
  if (!call.schema().is_mutable()) return false;
  const Operator* known = find_operator(call.op());
  if (known == nullptr || known->active.empty()) return false;
  const std::optional<int> active = call.schema().argumentIndexWithName(known->active);
  return active && !call.arguments()[static_cast<size_t>(*active)].toBool();
}

/// Copies what a call is about to write to: `x` of `x.mul_(x)` as an argument of either kind.
void copy_written(const c10::FunctionSchema& schema, std::vector<c10::IValue>& arguments) {
  std::set<const void*> written;
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (is_written(schema.arguments()[i]) && arguments[i].isTensor())
      written.insert(detail::storage_of(arguments[i].toTensor()));
  }
  if (written.empty()) return;
  std::vector<std::pair<TensorPlace, at::Tensor>> copies;
  detail::for_each_tensor(arguments, [&](TensorPlace place, const at::Tensor& tensor) {
    if (written.count(detail::storage_of(tensor)) > 0) copies.emplace_back(place, tensor.clone());
  });
  for (auto& [place, copy] : copies)
    detail::put_tensor(arguments[static_cast<size_t>(place.position)], place.element, std::move(copy));
}

/// Of trials for which `keep`, what is known already.
void add_trials_of(const ShadowParts* parts, const std::vector<char>& keep, const at::Tensor& golden,
                   ShadowParts& to) {
  if (parts == nullptr) return;
  for (Shadow& part : select_trials(*parts, keep))
    append(to, std::move(part), golden);
}

bool is_out(const c10::FunctionSchema& schema, TensorPlace place) {
  return schema.arguments()[static_cast<size_t>(place.position)].is_out();
}

void add_points(PointList& points, int32_t trial, const detail::FaultPlan::Change& change) {
  const float* after = change.after.const_data_ptr<float>();
  std::vector<std::pair<int64_t, float>> ordered;
  for (size_t i = 0; i < change.offsets.size(); ++i)
    ordered.emplace_back(change.offsets[i], after[i]);
  std::sort(ordered.begin(), ordered.end(), [](const auto& a, const auto& b) { return a.first < b.first; });
  for (const auto& [offset, value] : ordered)
    points.add(trial, static_cast<int32_t>(offset), value);
}

}  // namespace

Wave::Wave(const detail::Profile& profile, const std::vector<const Trial*>& trials, int64_t budget_bytes,
           WaveReport& report)
    : profile_(profile),
      tracker_(profile, Forwards::one),
      budget_bytes_(budget_bytes),
      bytes_before_(detail::MemoryPool::instance().in_use()),
      report_(report),
      plans_(trials.size()),
      is_here_(trials.size(), 1) {
  for (size_t trial = 0; trial < trials.size(); ++trial) {
    for (const Fault& fault : trials[trial]->faults) {
      const int number = profile.number_of(fault);
      const Site& site = profile.sites()[static_cast<size_t>(number)];
      pending_[number].push_back({static_cast<int32_t>(trial), plans_[trial].size()});
      plans_[trial].emplace_back(fault, site, context_of(site, int8_scale_of(profile.largest(number))));
    }
  }
}

void Wave::on_call(intercept::OperatorCall& call) {
  const detail::ProfiledCall* profiled = tracker_.match(call);
  const Arguments arguments(call.arguments().begin(), call.arguments().end());
  note_inner_reads(call.schema(), arguments);
  if (profiled != nullptr) join_what_is_read(*profiled, arguments);
  const bool stays = is_idle_write(call) && (profiled == nullptr || !has_input_faults(*profiled));
  const bool writes = call.schema().is_mutable() && !stays;
  if (writes) leave_written_stored(call.schema(), arguments);
  std::vector<PartedArgument> shadowed = shadowed_arguments(call.schema(), arguments);
  if (profiled != nullptr) add_input_faults(*profiled, arguments, shadowed);
  const std::set<int32_t> differing = writes ? trials_of(shadowed) : std::set<int32_t>();
  if (writes) {
    leave_written_copies(call.schema(), arguments);
    leave_written_lists(call.schema(), arguments, shadowed);
  }
  if (call.opens_up()) {
    open_up(call, profiled, arguments, std::move(shadowed));
  } else if (shadowed.empty() || stays) {  // a tensor that stays as it is keeps its shadow
    call.run();
  } else {
    follow(call, arguments, std::move(shadowed));
  }
  if (writes) note_writes(call.schema(), arguments, differing);
  if (!opened_.empty()) opened_.back().calls.made(call.results());
  note_views(arguments, call);
  if (profiled != nullptr) {
    join_outputs(*profiled, call);
    note_copies(*profiled, arguments, call);
    count_dirty(*profiled, call);
  }
  if (!observer_) return;
  observer_({call, profiled, notes_, shadows_});
  notes_ = {};
}

void Wave::join_what_is_read(const detail::ProfiledCall& profiled, const Arguments& arguments) {
  for (const int stored : profiled.stored) {
    const auto faults = pending_.find(profile_.site_of_stored(stored));
    if (faults == pending_.end() || stored_shadows_.count(stored) > 0) continue;
    const at::Tensor& whole = profile_.stored()[stored].tensor;
    if (has_rules(whole) && whole.is_contiguous()) {
      stored_shadows_[stored] = hit(faults->second, whole, nullptr);
    } else {
      for (const Pending& fault : faults->second)
        leave(fault.trial, "a stored tensor that is not contiguous FP32");
    }
  }
  for (const detail::SiteUse& use : profiled.network_inputs) {
    const auto faults = pending_.find(use.site);
    const at::Tensor tensor = detail::tensor_at(arguments, use.place);
    if (faults == pending_.end() || !tensor.defined()) continue;
    put(tensor, hit(faults->second, tensor, known_shadow_of(tensor)));
    pending_.erase(faults);  // later readers find the shadow
  }
}

const ShadowParts* Wave::known_shadow_of(const at::Tensor& tensor) {
  if (const std::set<int32_t>* trials = shadows_.stale(tensor)) {
    for (const int32_t trial : *trials)
      leave(trial, kWrittenView);
  }
  return shadows_.find(tensor);
}

const ShadowParts* Wave::shadow_of(const at::Tensor& tensor) {
  const ShadowParts* shadow = known_shadow_of(tensor);
  if (shadow != nullptr || stored_shadows_.empty()) return shadow;
  const auto stored = stored_shadows_.find(profile_.stored().find(tensor));
  if (stored == stored_shadows_.end()) return nullptr;
  const at::Tensor& whole = profile_.stored()[stored->first].tensor;
  if (tensor.sizes() == whole.sizes() && tensor.strides() == whole.strides()) return &stored->second;
  // Views that an operator made during the forward have a shadow of their own.
  leave_all(stored->second, "a view of a stored tensor that was made before the forward");
  return nullptr;
}

std::vector<PartedArgument> Wave::shadowed_arguments(const c10::FunctionSchema& schema,
                                                     const Arguments& arguments) {
  std::vector<PartedArgument> shadowed;
  detail::for_each_tensor(arguments, [&](TensorPlace place, const at::Tensor& tensor) {
    if (is_out(schema, place)) return;  // nobody reads what it was
    const ShadowParts* shadow = shadow_of(tensor);
    if (shadow == nullptr) return;
    ShadowParts here = of_those_here(*shadow);
    if (!is_empty(here)) shadowed.push_back({place, std::move(here)});
  });
  return shadowed;
}

bool Wave::has_input_faults(const detail::ProfiledCall& profiled) const {
  return std::any_of(profiled.inputs.begin(), profiled.inputs.end(),
                     [&](const detail::SiteUse& use) { return pending_.count(use.site) > 0; });
}

void Wave::add_input_faults(const detail::ProfiledCall& profiled, const Arguments& arguments,
                            std::vector<PartedArgument>& shadowed) {
  const c10::FunctionSchema& schema = profiled.op.schema();
  leave_shared_hits(profiled, arguments);
  for (const detail::SiteUse& use : profiled.inputs) {
    const auto faults = pending_.find(use.site);
    const at::Tensor tensor = detail::tensor_at(arguments, use.place);
    if (faults == pending_.end() || !tensor.defined()) continue;
    const auto known = std::find_if(shadowed.begin(), shadowed.end(),
                                    [&](const PartedArgument& s) { return s.place == use.place; });
    ShadowParts faulty = hit(faults->second, tensor, known == shadowed.end() ? nullptr : &known->parts);
    if (is_empty(faulty) || is_out(schema, use.place)) continue;
    if (known == shadowed.end()) {
      shadowed.push_back({use.place, std::move(faulty)});
    } else {
      known->parts = std::move(faulty);
    }
  }
}

// A fault in an argument that is written to goes into its memory, and other arguments may lie there too.
void Wave::leave_shared_hits(const detail::ProfiledCall& profiled, const Arguments& arguments) {
  for (const detail::SiteUse& use : profiled.inputs) {
    const auto faults = pending_.find(use.site);
    const auto position = static_cast<size_t>(use.place.position);
    if (faults == pending_.end() || !is_written(profiled.op.schema().arguments()[position])) continue;
    const void* memory = detail::storage_of(detail::tensor_at(arguments, use.place));
    detail::for_each_tensor(arguments, [&](TensorPlace place, const at::Tensor& tensor) {
      if (place == use.place || memory == nullptr || memory != detail::storage_of(tensor)) return;
      for (const Pending& fault : faults->second)
        leave(fault.trial, kWrittenView);
    });
  }
}

void Wave::leave_written_lists(const c10::FunctionSchema& schema, const Arguments& arguments,
                               const std::vector<PartedArgument>& shadowed) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!is_written(schema.arguments()[i]) || !arguments[i].isTensorList()) continue;
    for (const PartedArgument& argument : shadowed)
      leave_all(argument.parts, "a write to a list of tensors");
  }
}

void Wave::note_writes(const c10::FunctionSchema& schema, const Arguments& arguments,
                       const std::set<int32_t>& trials) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!is_written(schema.arguments()[i]) || !arguments[i].isTensor()) continue;
    const at::Tensor tensor = arguments[i].toTensor();
    shadows_.note_write(tensor, trials);
    // What was there before is gone, also where nothing had to be followed.
    if (schema.arguments()[i].is_out() && trials.empty()) shadows_.put(tensor, {});
  }
}

void Wave::leave_written_stored(const c10::FunctionSchema& schema, const Arguments& arguments) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    if (!is_written(schema.arguments()[i]) || !arguments[i].isTensor()) continue;
    const int stored = profile_.stored().find(arguments[i].toTensor());
    if (stored == detail::StoredTensors::none) continue;
    const auto faults = pending_.find(profile_.site_of_stored(stored));
    if (faults == pending_.end()) continue;
    for (const Pending& fault : faults->second)
      leave(fault.trial, "a fault in a stored tensor that the network writes to");
  }
}

void Wave::follow(intercept::OperatorCall& call, Arguments arguments, std::vector<PartedArgument> shadowed) {
  copy_written(call.schema(), arguments);
  call.run();
  follow_results(call, std::move(arguments), shadowed);
}

void Wave::follow_results(const intercept::OperatorCall& call, Arguments arguments,
                          std::vector<PartedArgument>& shadowed, const std::vector<char>* known) {
  const auto start = std::chrono::steady_clock::now();
  const std::string& name = call.op().operator_name().name;
  const Call seen{.op = call.op(),
                  .arguments = std::move(arguments),
                  .results = call.results().vec(),
                  .shadowed = {},
                  .leave = [this](int32_t trial, const std::string& reason) { leave(trial, reason); },
                  .work = &report_.multiply_adds[name],
                  .notes = observer_ ? &notes_ : nullptr};
  const std::vector<at::Tensor> results = detail::tensors_of(seen.results);
  std::vector<ShadowParts> shadows = shadows_within_budget(seen, shadowed);
  for (size_t i = 0; i < results.size(); ++i) {
    if (known != nullptr) add_trials_of(known_shadow_of(results[i]), *known, results[i], shadows[i]);
    put(results[i], std::move(shadows[i]));
  }
  shadows_.sweep();
  report_.seconds[name] += std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

void Wave::join_outputs(const detail::ProfiledCall& profiled, const intercept::OperatorCall& call) {
  for (const detail::SiteUse& use : profiled.outputs) {
    const auto faults = pending_.find(use.site);
    const at::Tensor tensor = detail::tensor_at(call.results(), use.place);
    if (faults == pending_.end() || !tensor.defined()) continue;
    ShadowParts shadow = hit(faults->second, tensor, known_shadow_of(tensor));
    const bool is_new_memory = !is_written(call.schema().returns()[static_cast<size_t>(use.place.position)]);
    if (!is_new_memory) shadows_.note_write(tensor, trials_of({{use.place, shadow}}));
    put(tensor, std::move(shadow));
  }
}

ShadowParts Wave::hit(const std::vector<Pending>& faults, const at::Tensor& golden, const ShadowParts* base) {
  const int64_t forward = std::max<int64_t>(tracker_.forward(), 1);
  std::map<int32_t, std::vector<size_t>> by_trial;
  for (const Pending& fault : faults) {
    if (is_here_[static_cast<size_t>(fault.trial)]) by_trial[fault.trial].push_back(fault.plan);
  }
  for (const auto& [trial, plans] : by_trial)
    note_inner_hit(trial);
  std::vector<char> untouched(is_here_.begin(), is_here_.end());
  PointList points;
  for (const auto& [trial, plans] : by_trial) {
    std::vector<detail::FaultPlan>& own = plans_[static_cast<size_t>(trial)];
    untouched[static_cast<size_t>(trial)] = 0;
    if (!has_rules(golden)) {
      leave(trial, "a fault in a tensor that is not FP32");
      continue;
    }
    at::Tensor faulty = base == nullptr ? golden : materialise(*base, trial, golden);
    const bool is_golden = faulty.is_same(golden);
    if (is_golden && plans.size() == 1) {
      add_points(points, trial, own[plans[0]].hit_beside(golden, forward));
      continue;
    }
    if (is_golden) faulty = golden.clone();
    for (const size_t plan : plans)
      own[plan].hit_in_place(faulty, forward);
    points.add_differences(trial, golden, faulty);
  }
  ShadowParts parts = base == nullptr ? ShadowParts{} : *base;
  const bool differ_before = std::any_of(by_trial.begin(), by_trial.end(),
                                         [&](const auto& hit) { return has_trial(parts, hit.first); });
  if (differ_before) parts = select_trials(parts, untouched);
  append(parts, points.take(), golden);
  return parts;
}

void Wave::put(const at::Tensor& tensor, ShadowParts shadow) {
  ShadowParts here = of_those_here(shadow);
  try {
    const detail::MemoryPool::StrictLimit strict;
    join_small(here, tensor);
  } catch (const detail::OverLimit&) {  // they stay apart
  }
  shadows_.put(tensor, std::move(here));
}

bool Wave::all_here(const ShadowParts& parts) const {
  if (left_.empty() && postponed_.empty()) return true;
  return std::all_of(parts.begin(), parts.end(), [&](const Shadow& part) {
    return std::all_of(part.trials.begin(), part.trials.end(),
                       [&](int32_t trial) { return is_here_[static_cast<size_t>(trial)] != 0; });
  });
}

ShadowParts Wave::of_those_here(const ShadowParts& parts) const {
  return all_here(parts) ? parts : select_trials(parts, is_here_);
}

void Wave::leave(int32_t trial, const std::string& reason) {
  is_here_[static_cast<size_t>(trial)] = 0;
  if (left_.emplace(trial, reason).second) ++report_.left[reason];
}

void Wave::leave_all(const ShadowParts& parts, const std::string& reason) {
  for (const Shadow& shadow : parts) {
    for (const Segment& part : segments(shadow))
      leave(part.trial, reason);
  }
}

int64_t Wave::bytes_left() const {
  // Small tensors are not the pool's.
  return budget_bytes_ - std::max(detail::MemoryPool::instance().in_use() - bytes_before_, shadows_.bytes());
}

std::vector<ShadowParts> Wave::shadows_within_budget(const Call& call,
                                                     std::vector<PartedArgument>& shadowed) {
  while (expected_bytes(call, shadowed) > bytes_left() && postpone_half(call, shadowed)) {
  }
  while (true) {
    try {
      const detail::MemoryPool::StrictLimit strict;
      return shadows_of_results(call, shadowed, report_);
    } catch (const detail::OverLimit&) {  // more than was expected
      if (!postpone_half(call, shadowed)) break;
    } catch (const std::exception& error) {  // or than the machine has left
      if (!memory_shortage(error) || !postpone_half(call, shadowed)) throw;
    }
  }
  return shadows_of_results(call, shadowed, report_);  // of one trial, which takes what it takes
}

bool Wave::postpone_half(const Call& call, std::vector<PartedArgument>& shadowed) {
  std::vector<int32_t> here;
  for (size_t trial = 0; trial < is_here_.size(); ++trial) {
    if (is_here_[trial]) here.push_back(static_cast<int32_t>(trial));
  }
  if (here.size() < 2) return false;
  for (size_t i = here.size() / 2; i < here.size(); ++i) {
    is_here_[static_cast<size_t>(here[i])] = 0;
    postponed_.insert(here[i]);
  }
  // What the map has too is let go of before the map copies what stays.
  std::vector<const ShadowParts*> kept(shadowed.size(), nullptr);
  for (size_t i = 0; i < shadowed.size(); ++i) {
    const ShadowParts* parts = shadows_.find(detail::tensor_at(call.arguments, shadowed[i].place));
    if (parts == nullptr || !is_same(*parts, shadowed[i].parts)) continue;
    kept[i] = parts;
    shadowed[i].parts.clear();
  }
  shadows_.update([&](ShadowParts& parts) { parts = of_those_here(parts); });
  for (size_t i = 0; i < shadowed.size(); ++i)
    shadowed[i].parts = kept[i] != nullptr ? *kept[i] : of_those_here(shadowed[i].parts);
  shadowed.erase(std::remove_if(shadowed.begin(), shadowed.end(),
                                [](const PartedArgument& argument) { return is_empty(argument.parts); }),
                 shadowed.end());
  return true;
}

void Wave::count_dirty(const detail::ProfiledCall& profiled, const intercept::OperatorCall& call) {
  for (const detail::SiteUse& use : profiled.outputs) {
    const at::Tensor tensor = detail::tensor_at(call.results(), use.place);
    const ShadowParts* parts = tensor.defined() ? shadows_.find(tensor) : nullptr;
    if (parts == nullptr) continue;
    DirtyOutput& dirty = report_.dirty[profile_.sites()[static_cast<size_t>(use.site)].name];
    for (const Shadow& shadow : *parts) {
      dirty.trials += count_trials(shadow);
      dirty.tensors +=
          static_cast<double>(shadow.size() * shadow.width()) / static_cast<double>(tensor.numel());
    }
  }
}

void Wave::note_views(const Arguments& arguments, const intercept::OperatorCall& call) {
  detail::for_each_tensor(call.results(), [&](TensorPlace, const at::Tensor& result) {
    detail::for_each_tensor(arguments, [&](TensorPlace, const at::Tensor& argument) {
      const void* memory = detail::storage_of(result);
      if (memory != nullptr && memory == detail::storage_of(argument) && !result.is_same(argument))
        shadows_.note_views(argument, result);
    });
  });
}

// A fault in a view, or in what a view is made from, gives a faulty run a copy in place of the view. A later
// write through one of the two does not reach the other there, whatever the fault has changed.
void Wave::note_copies(const detail::ProfiledCall& profiled, const Arguments& arguments,
                       const intercept::OperatorCall& call) {
  const auto note = [&](const detail::SiteUse& use, c10::ArrayRef<c10::IValue> values,
                        c10::ArrayRef<c10::IValue> others) {
    const auto faults = pending_.find(use.site);
    if (faults == pending_.end()) return;
    const at::Tensor tensor = detail::tensor_at(values, use.place);
    if (!tensor.defined()) return;
    const void* memory = detail::storage_of(tensor);
    detail::for_each_tensor(others, [&](TensorPlace, const at::Tensor& other) {
      if (memory == nullptr || memory != detail::storage_of(other) || other.is_same(tensor)) return;
      for (const Pending& fault : faults->second)
        copies_[memory].insert(fault.trial);
    });
  };
  for (const detail::SiteUse& use : profiled.inputs)
    note(use, arguments, call.results());
  for (const detail::SiteUse& use : profiled.outputs)
    note(use, call.results(), arguments);
}

void Wave::leave_written_copies(const c10::FunctionSchema& schema, const Arguments& arguments) {
  for (size_t i = 0; i < arguments.size() && !copies_.empty(); ++i) {
    if (!is_written(schema.arguments()[i]) || !arguments[i].isTensor()) continue;
    const auto copies = copies_.find(detail::storage_of(arguments[i].toTensor()));
    if (copies == copies_.end()) continue;
    for (const int32_t trial : copies->second)
      leave(trial, kWrittenCopy);
  }
}

void Wave::finish(const std::vector<at::Tensor>& outputs) {
  for (const at::Tensor& output : outputs)
    known_shadow_of(output);
}

at::Tensor Wave::faulty(int32_t trial, const at::Tensor& golden) const {
  const ShadowParts* shadow = shadows_.find(golden);
  return shadow == nullptr ? golden : materialise(*shadow, trial, golden);
}

std::vector<Receipt> Wave::receipts(int32_t trial) const {
  std::vector<Receipt> receipts;
  for (const detail::FaultPlan& plan : plans_[static_cast<size_t>(trial)])
    receipts.push_back(plan.receipt());
  return receipts;
}

bool Wave::has_hit(int32_t trial) const {
  const auto& plans = plans_[static_cast<size_t>(trial)];
  return std::all_of(plans.begin(), plans.end(),
                     [](const detail::FaultPlan& plan) { return plan.hits() > 0; });
}

}  // namespace faultwave::wave
