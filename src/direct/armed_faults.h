// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <optional>
#include <unordered_map>
#include <vector>

#include "src/direct/gradient_hooks.h"
#include "src/fault/fault_plan.h"
#include "src/intercept/intercept.h"
#include "src/model/call_tracker.h"
#include "src/model/profile.h"

namespace faultwave::detail {

/// Applies faults to the operator calls of one thread while it lives.
///
/// Note: where a fault is written.
///
/// Output of an operator: into the fresh result's own memory, so nothing is copied. If the result shares
/// memory with an argument (a view, `dropout` in eval mode), a copy is handed on instead. For an operator
/// that writes to its argument, that argument is the result, and is changed itself.
///
/// While autograd records, the result is replaced by a function of it (FaultPlan::hit_copy). An operator that
/// writes to its argument then runs on a copy, since it may have saved its result for the backward pass.
///
/// Input of one operator: the argument is replaced by a copy; other readers keep the original.
///
/// Weight, bias, buffer: arguments that are, or view, the stored tensor are replaced by the corrupted copy in
/// the calls of the profile. Arguments that are written to are left alone, so that an optimiser or a running
/// mean still changes the model.
///
/// Gradient: see gradient_hooks.h.
class ArmedFaults : public intercept::Handler {
 public:
  /// `written`: the locations of the faults before they were resolved, so that forwards may have other shapes
  /// than the profile; none: they may not.
  ArmedFaults(const Profile& profile, const std::vector<Fault>& resolved, Forwards forwards,
              const std::vector<Location>& written = {});

  bool wants(const c10::OperatorHandle& op, c10::ArrayRef<const at::Tensor*> tensors) override;
  void on_call(intercept::OperatorCall& call) override;

  std::vector<Receipt> receipts() const;
  /// The lines of the faults that have hit nothing.
  std::vector<std::string> missed() const;
  /// Armed::disarm.
  void disarm();
  /// Armed::disarm_after_error.
  void disarm_after_error();
  /// Armed::abandon.
  void abandon();
  bool is_on_this_thread() const { return !on_ || on_->is_on_this_thread(); }

 private:
  struct Hit {
    TensorPlace place;
    size_t plan;
  };
  struct CallHits {
    std::vector<Hit> inputs;
    std::vector<Hit> network_inputs;
    std::vector<Hit> outputs;
    std::vector<Hit> gradients;  // of outputs
  };
  /// The corrupted copy of a stored tensor, or of a network input in the forward under way.
  struct Copy {
    std::vector<size_t> plans;
    at::Tensor original;  // kept alive, so that its identity stays its own
    at::Tensor faulty;
    std::vector<size_t> acting;  // the plans that are in `faulty`
    int64_t version = -1;
    int64_t forward = 0;
  };
  /// Throws UserError(usage) where the scope did not end as it should.
  void switch_off();
  void plan_uses(size_t plan);
  /// The lines of the faults that have hit nothing, and why, as far as that can be told; "" if all have.
  std::string text_of_misses() const;
  /// Where all faults lie at a few calls that can be told apart, the rest of the network need not be seen.
  /// Whether so.
  bool watch_few_calls();
  void replace_stored(intercept::OperatorCall& call);
  /// What stands in for a stored tensor in this forward; undefined where no fault acts in it.
  at::Tensor faulty_stored(int number, Copy& copy);
  at::Tensor with_faults(const at::Tensor& original, const std::vector<size_t>& acting, int64_t forward);
  bool is_of_gradient(size_t plan) const { return is_gradient(plans_[plan].kind()); }
  bool acts(size_t plan) const { return plans_[plan].acts_in(tracker_.forward()); }
  void replace_network_inputs(intercept::OperatorCall& call, const std::vector<Hit>& hits);
  void hit_inputs(intercept::OperatorCall& call, const std::vector<Hit>& hits);
  void run_and_hit_outputs(intercept::OperatorCall& call, const std::vector<Hit>& hits);
  void watch_gradients(const intercept::OperatorCall& call, const std::vector<Hit>& hits);
  void hit_output(intercept::OperatorCall& call, const Hit& hit,
                  const std::vector<const void*>& argument_memory);
  /// The network goes on with `copy` where it read a stored tensor or a view of one, so that calls by which
  /// it is known still are.
  void stand_in(size_t plan, const at::Tensor& original, const at::Tensor& copy);

  const Profile& profile_;
  const bool is_one_forward_;
  CallTracker tracker_;
  std::optional<const ProfiledCall*> matched_;  // what wants() found for the on_call that follows it
  std::vector<int> sites_;                      // of each plan
  std::vector<FaultPlan> plans_;
  GradientHooks hooks_;  // behind the plans, which hooks change
  std::unordered_map<size_t, CallHits> hits_by_call_;
  std::unordered_map<int, Copy> stored_copies_;    // by stored tensor
  std::unordered_map<size_t, Copy> input_copies_;  // by plan
  std::vector<at::Tensor> given_inputs_;           // network inputs with faults, in the forward under way
  int64_t forward_of_given_ = 0;
  std::unordered_map<size_t, at::Tensor>
      stand_ins_;                              // by plan; alive, so that their memory is not used again
  std::vector<const void*> watched_storages_;  // of the calls that watch_few_calls() chose
  std::optional<intercept::Intercept> on_;     // last: interception begins when all else stands
};

}  // namespace faultwave::detail
