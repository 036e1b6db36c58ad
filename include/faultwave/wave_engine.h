// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "faultwave/engine.h"
#include "faultwave/explanation.h"
#include "faultwave/workload.h"

#pragma GCC visibility push(default)
namespace faultwave {

struct WaveOptions {
  int64_t trials = 4096;  ///< most trials along one golden forward
  /// For golden tensors and what differs, all trials of a forward together, weights apart; 0:
  /// default_wave_budget(). Trials that would need more go along another forward.
  int64_t budget_bytes = 0;
  int64_t fewest = 4;     ///< fewer trials of a wave than this go to the other engine at once
  int64_t inputs = 64;    ///< most inputs that share a golden forward
  int64_t own_wave = 64;  ///< trials of one input from which on it has a golden forward of its own
};

/// A quarter of the memory that this process may use: of the machine's, or of its control group's limit
/// where that is less (a container, a batch job).
int64_t default_wave_budget();

/// What the last bits of the wave engine's outputs depend on beside threads and instruction sets: the
/// measured seconds by which it chooses ways to convolve, which are kept in the user's cache.
std::string arithmetic_of_waves();

/// How far outputs of the wave engine may lie from those of a real faulty run, in parts of the largest
/// magnitude of the output (TrialOutputs::rounding): 64 spacings of FP32 numbers.
inline constexpr double kWaveRounding = 0x1p-17;

/// How much of one output differed from golden, all trials together.
struct DirtyOutput {
  int64_t trials = 0;  ///< that differed there
  double tensors = 0;  ///< share of its values that were held as different, summed over those trials
};

/// What a wave engine did so far, for those who ask where the time went.
struct WaveReport {
  int64_t forwards = 0;                         ///< golden ones
  int64_t trials = 0;                           ///< that stayed to the end
  std::map<std::string, int64_t> left;          ///< trials that the other engine ran, by reason
  std::map<std::string, int64_t> generic;       ///< calls without a rule, by operator
  std::map<std::string, double> seconds;        ///< in rules, by operator
  std::map<std::string, double> multiply_adds;  ///< in products for what differs, by operator
  std::map<std::string, DirtyOutput> dirty;     ///< by output site
};

/// Runs many trials along one golden forward and computes only what differs. Linear operators work on
/// changes, faulty minus golden, and changes that are below rounding are let go, so that outputs are those of
/// a faulty forward but for rounding (kWaveRounding). Values that a fault does not reach are golden bit for
/// bit. A trial that it cannot follow (a result that is no FP32 tensor differs, a shape or the control flow
/// changes, memory is written through one of several views) is run by `other`.
///
/// Trials of one input go along a golden forward of that input alone; where few trials come on each of many
/// inputs, a batch of inputs shares a golden forward, if the network's batch is free and inputs do not
/// influence one another. Networks that draw random numbers are left to `other`. Receipts are as in a batch
/// of one. For FP32 networks on the CPU, whatever the types of their inputs. While it runs, tensors of all
/// threads of the process are taken from its budget; engines that run at the same time have the tightest of
/// their limits.
class WaveEngine : public Engine {
 public:
  /// `other` may be null for explain().
  WaveEngine(std::shared_ptr<Workload> workload, std::shared_ptr<Engine> other,
             const WaveOptions& options = {});

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override;
  int64_t trials_a_call() const override;
  void tell(ForwardWatch* watch) override { watch_ = watch; }

  /// Runs one golden forward with these trials, all of one input, and tells call by call what was done for
  /// them. `other` is not needed, nor is anything added to report(). Throws UserError.
  Explanation explain(const std::vector<Trial>& trials);

  const WaveReport& report() const { return report_; }

 private:
  using Positions = std::vector<size_t>;  // in the trials of one call

  int64_t inputs_at_once() const;
  std::vector<Positions> waves(const std::vector<Trial>& trials) const;
  /// Waves to run of those that it had no memory for.
  std::vector<Positions> run_wave(const std::vector<Trial>& trials, const Positions& positions,
                                  const TrialSink& sink, Positions& left);
  std::vector<Positions> with_less_memory(const Positions& positions, Positions& left);
  void hand_over(const Trial& trial, size_t position, int64_t batch, TrialOutputs& outputs,
                 const TrialSink& sink);

  std::shared_ptr<Workload> workload_;
  detail::GoldenRuns& runs_;  // of the workload
  const Injector& injector_;  // likewise
  std::shared_ptr<Engine> other_;
  WaveOptions options_;
  std::shared_ptr<void> memory_;  // freed tensors' memory, which all engines share and keep for reuse
  WaveReport report_;
  ForwardWatch* watch_ = nullptr;
  bool outputs_split_ = true;  // whether each output has the batch axis that it had at first
  bool draws_ = false;         // whether the network draws random numbers
};

}  // namespace faultwave
#pragma GCC visibility pop
