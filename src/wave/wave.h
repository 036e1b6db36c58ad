// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/wave_engine.h"

#include "src/fault/fault_plan.h"
#include "src/intercept/intercept.h"
#include "src/model/call_tracker.h"
#include "src/model/profile.h"
#include "src/wave/follow.h"
#include "src/wave/inner_calls.h"
#include "src/wave/shadow_map.h"

namespace faultwave::wave {

/// An operator call behind which shadows are as they will be for its readers.
struct SeenCall {
  const intercept::OperatorCall& call;
  const detail::ProfiledCall* profiled;  ///< null for a call that the profile does not know
  const CallNotes& notes;
  const ShadowMap& shadows;
};

/// One golden forward, and many trials along it.
///
/// Note: the life of a shadow. A fault joins where the network has its site: an output's values differ from
/// then on, those of a weight, bias, buffer or network input from its first reader on, an operator's input
/// for that operator alone. Each operator that reads a tensor with a shadow hands shadows to its results by
/// its rule; an operator that opens up leaves that to the calls inside it (inner_calls.h). A trial that has
/// no entry left anywhere behind its faults is masked. What cannot be followed (see left()) has to be run by
/// another engine.
class Wave : public intercept::Handler {
 public:
  /// Faults are resolved, in trials of one input. `trials` must outlive the wave.
  Wave(const detail::Profile& profile, const std::vector<const Trial*>& trials, int64_t budget_bytes,
       WaveReport& report);

  void on_call(intercept::OperatorCall& call) override;
  /// Is called after each operator call.
  void set_observer(std::function<void(const SeenCall&)> observer) { observer_ = std::move(observer); }

  /// After the forward, which gave these golden outputs.
  void finish(const std::vector<at::Tensor>& outputs);
  /// After finish(): what a trial has in place of a golden output.
  at::Tensor faulty(int32_t trial, const at::Tensor& golden) const;
  /// Why a trial left the wave, by trial.
  const std::map<int32_t, std::string>& left() const { return left_; }
  /// Trials that would have needed more memory than the budget gives.
  const std::set<int32_t>& postponed() const { return postponed_; }
  std::vector<Receipt> receipts(int32_t trial) const;
  bool has_hit(int32_t trial) const;

 private:
  struct Pending {
    int32_t trial;
    size_t plan;
  };
  using Arguments = std::vector<c10::IValue>;
  /// An operator that opens up, while it runs.
  struct Opened {
    InnerCalls calls;
    std::set<int32_t> by_itself;  // trials that the calls inside cannot follow: it has another argument there
    std::set<int32_t> hit;        // trials that have a fault inside
  };

  void join_what_is_read(const detail::ProfiledCall& profiled, const Arguments& arguments);
  /// Of what is not stored; null where no trial differs. Trials of which it cannot be told leave.
  const ShadowParts* known_shadow_of(const at::Tensor& tensor);
  /// Null where no trial differs.
  const ShadowParts* shadow_of(const at::Tensor& tensor);
  std::vector<PartedArgument> shadowed_arguments(const c10::FunctionSchema& schema,
                                                 const Arguments& arguments);
  bool has_input_faults(const detail::ProfiledCall& profiled) const;
  void add_input_faults(const detail::ProfiledCall& profiled, const Arguments& arguments,
                        std::vector<PartedArgument>& shadowed);
  void leave_shared_hits(const detail::ProfiledCall& profiled, const Arguments& arguments);
  /// Of trials with a fault in a stored tensor that is about to be written: a real faulty run has the fault
  /// in what is written there, too.
  void leave_written_stored(const c10::FunctionSchema& schema, const Arguments& arguments);
  /// Of trials that differ in what a list of tensors is written with.
  void leave_written_lists(const c10::FunctionSchema& schema, const Arguments& arguments,
                           const std::vector<PartedArgument>& shadowed);
  /// Of trials that have a copy of what is about to be written.
  void leave_written_copies(const c10::FunctionSchema& schema, const Arguments& arguments);
  void follow(intercept::OperatorCall& call, Arguments arguments, std::vector<PartedArgument> shadowed);
  /// After a call: shadows of its results by the rules, which want the arguments as they were before. Where
  /// `known` is given, shadows of the results tell of trials for which it is set already.
  void follow_results(const intercept::OperatorCall& call, Arguments arguments,
                      std::vector<PartedArgument>& shadowed, const std::vector<char>* known = nullptr);
  /// `trials`: those that differ in what was read.
  void note_writes(const c10::FunctionSchema& schema, const Arguments& arguments,
                   const std::set<int32_t>& trials);

  // In opened_calls.cpp.
  void open_up(intercept::OperatorCall& call, const detail::ProfiledCall* profiled,
               const Arguments& arguments, std::vector<PartedArgument> shadowed);
  void note_inner_reads(const c10::FunctionSchema& schema, const Arguments& arguments);
  void note_inner_hit(int32_t trial);
  std::set<int32_t> trials_with_faults_in(const std::vector<detail::SiteUse>& inputs) const;
  void join_outputs(const detail::ProfiledCall& profiled, const intercept::OperatorCall& call);
  /// `base` with the faults of a site in it.
  ShadowParts hit(const std::vector<Pending>& faults, const at::Tensor& golden, const ShadowParts* base);
  void put(const at::Tensor& tensor, ShadowParts shadow);
  void leave(int32_t trial, const std::string& reason);
  void leave_all(const ShadowParts& parts, const std::string& reason);
  bool all_here(const ShadowParts& parts) const;
  ShadowParts of_those_here(const ShadowParts& parts) const;
  int64_t bytes_left() const;
  /// Postpones trials where that is needed to stay within the budget.
  std::vector<ShadowParts> shadows_within_budget(const Call& call, std::vector<PartedArgument>& shadowed);
  /// The later half of the trials that are here, also in what a call has of them; false if there is but one.
  bool postpone_half(const Call& call, std::vector<PartedArgument>& shadowed);
  void count_dirty(const detail::ProfiledCall& profiled, const intercept::OperatorCall& call);
  void note_views(const Arguments& arguments, const intercept::OperatorCall& call);
  void note_copies(const detail::ProfiledCall& profiled, const Arguments& arguments,
                   const intercept::OperatorCall& call);

  const detail::Profile& profile_;
  detail::CallTracker tracker_;
  int64_t budget_bytes_;
  int64_t bytes_before_;  // of the pool, in use when the wave began: of somebody else
  WaveReport& report_;
  std::vector<std::vector<detail::FaultPlan>> plans_;      // by trial
  std::unordered_map<int, std::vector<Pending>> pending_;  // by site
  std::unordered_map<int, ShadowParts> stored_shadows_;    // by number of the stored tensor
  ShadowMap shadows_;
  std::unordered_map<const void*, std::set<int32_t>> copies_;  // by memory: trials with a copy of it
  std::map<int32_t, std::string> left_;
  std::set<int32_t> postponed_;
  std::vector<char> is_here_;   // by trial
  std::vector<Opened> opened_;  // the innermost last
  std::function<void(const SeenCall&)> observer_;
  CallNotes notes_;  // of the call under way, for the observer
};

}  // namespace faultwave::wave
