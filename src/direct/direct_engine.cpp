// SPDX-License-Identifier: Apache-2.0
#include "faultwave/direct_engine.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <utility>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/direct/armed_faults.h"
#include "src/direct/golden_runs.h"
#include "src/direct/resolve_fault.h"
#include "src/direct/trial_sharing.h"
#include "src/direct/watched_forward.h"

namespace faultwave {

DirectEngine::DirectEngine(std::shared_ptr<Workload> workload, const DirectOptions& options)
    : workload_(std::move(workload)),
      runs_(workload_->runs()),
      injector_(workload_->injector()),
      most_(runs_.most_at_once(options.batch)),
      memory_(detail::MemoryPool::instance().keep()) {
  if (options.batch >= 1) return;
  throw UserError(ErrorCode::usage, "batch is " + std::to_string(options.batch) + ": expected at least 1");
}

std::vector<at::Tensor> DirectEngine::faulty_outputs(const std::vector<Fault>& faults, const Batch& batch,
                                                     std::vector<Receipt>& receipts) const {
  detail::SteadyNetwork::Forward forward(runs_.network(), batch);
  detail::ArmedFaults armed(detail::profile_of(injector_), faults, Forwards::one);
  std::vector<at::Tensor> outputs = forward.run();
  armed.disarm();
  receipts = armed.receipts();
  return forward.keep(std::move(outputs));
}

std::vector<DirectEngine::Group> DirectEngine::group(const std::vector<Trial>& trials) const {
  std::vector<size_t> order(trials.size());
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = i;
  std::stable_sort(order.begin(), order.end(),
                   [&](size_t a, size_t b) { return trials[a].input < trials[b].input; });

  std::vector<Group> groups;
  Group open;
  for (size_t i : order) {
    if (!detail::can_share(injector_, trials[i])) {
      groups.push_back({i});
      continue;
    }
    open.push_back(i);
    if (static_cast<int64_t>(open.size()) == most_) groups.push_back(std::exchange(open, {}));
  }
  if (!open.empty()) groups.push_back(std::move(open));
  return groups;
}

void DirectEngine::run(const std::vector<Trial>& trials, const TrialSink& sink) {
  const detail::MemoryPool::Use pool(INT64_MAX);
  // All faults are resolved before the first forward, so that an illegal one costs nothing that was run.
  std::vector<Trial> resolved = trials;
  for (Trial& trial : resolved) {
    for (Fault& fault : trial.faults)
      fault = detail::resolve_in_one_forward(injector_, fault);
  }
  for (const Group& together : group(resolved))
    run_group(resolved, together, sink);
}

void DirectEngine::run_group(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink) {
  std::vector<int64_t> inputs;
  for (const size_t position : group)
    inputs.push_back(trials[position].input);
  Batch batch;
  detail::GoldenRuns::Golden golden;  // its own, since what is kept may be given back
  try {
    batch = runs_.batch(inputs);
    golden = runs_.golden(inputs, batch);
  } catch (const std::exception& error) {
    if (!memory_shortage(error)) throw;
    if (group.size() == 1) throw no_memory(trials[group[0]], error);
    return run_halves(trials, group, sink);
  }

  FaultyRun run;
  try {
    run = run_faulty(trials, group, batch, golden.seconds);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    const auto shortage = memory_shortage(error);
    if (group.size() > 1) {
      if (shortage && !shortage->is_absurd()) return run_halves(trials, group, sink);
      // Which of them brought the forward down is seen when each runs alone.
      for (size_t alone : group)
        run_group(trials, {alone}, sink);
      return;
    }
    const bool is_of_fault = !shortage || shortage->is_absurd();
    run = is_of_fault ? crashed(reason_of(error))
                      : run_in_shortage(trials[group[0]], batch, golden.seconds, error);
  }
  hand_over(trials, group, golden.outputs, std::move(run), sink);
}

DirectEngine::FaultyRun DirectEngine::crashed(std::string reason) {
  FaultyRun run;
  run.crash = std::move(reason);
  return run;
}

void DirectEngine::run_halves(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink) {
  give_back_memory();
  const auto middle = group.begin() + static_cast<std::ptrdiff_t>(group.size() / 2);
  run_group(trials, Group(group.begin(), middle), sink);
  run_group(trials, Group(middle, group.end()), sink);
}

DirectEngine::FaultyRun DirectEngine::run_faulty(const std::vector<Trial>& trials, const Group& group,
                                                 const Batch& batch, double golden_seconds) const {
  std::vector<Fault> faults;
  std::vector<uint64_t> numbers;
  for (size_t row = 0; row < group.size(); ++row) {
    const Trial& trial = trials[group[row]];
    const bool is_one_of_several =
        group.size() > 1 || (runs_.smallest_batch() > 1 && detail::can_share(injector_, trial));
    numbers.push_back(trial.number);
    for (Fault fault : trial.faults) {
      if (is_one_of_several) fault.batch = {BatchPart::Kind::one, static_cast<int64_t>(row)};
      faults.push_back(std::move(fault));
    }
  }
  FaultyRun run;
  const WatchedForward watched(watch_, numbers, golden_seconds);
  run.outputs = faulty_outputs(faults, batch, run.receipts);
  return run;
}

// Note: shortage or crash. A fault in a number that is a size makes the network ask for memory that nobody
// has; that is a crash of the fault. All else is shortage, which says nothing of the fault. So the trial is
// run again, each time between golden runs of its input for which as much memory was set aside as all tensors
// of the network take together: where these have memory and the faulty run has none, it is the fault that
// asks.
DirectEngine::FaultyRun DirectEngine::run_in_shortage(const Trial& trial, const Batch& batch,
                                                      double golden_seconds, const std::exception& first) {
  constexpr int kTries = 3;
  std::string crash = reason_of(first);
  for (int i = 0; i < kTries; ++i) {
    give_back_memory();
    try {
      const at::Tensor aside = at::empty({bytes_of_network()}, at::kByte);
      runs_.network().run(batch);
    } catch (const std::exception& error) {
      if (!memory_shortage(error)) throw;
      throw no_memory(trial, first);
    }
    try {
      return run_faulty({trial}, {0}, batch, golden_seconds);
    } catch (const UserError&) {
      throw;
    } catch (const std::exception& error) {
      crash = reason_of(error);
      if (!memory_shortage(error)) break;
    }
  }
  return crashed(std::move(crash));
}

UserError DirectEngine::no_memory(const Trial& trial, const std::exception& error) const {
  return UserError(ErrorCode::bad_network,
                   "there is not enough memory for trial " + std::to_string(trial.number) + " (input " +
                       std::to_string(trial.input) + ", " + to_string(trial.faults) +
                       "), which is no outcome of it, even with nothing beside it: " + reason_of(error) +
                       "; what was finished is kept, so free memory and go on");
}

int64_t DirectEngine::bytes_of_network() const {
  int64_t bytes = 0;
  for (const Site& site : injector_.sites())
    bytes += site.numel() * static_cast<int64_t>(c10::elementSize(site.dtype));
  return bytes;
}

void DirectEngine::give_back_memory() {
  runs_.forget();
  detail::MemoryPool::instance().release_kept();
}

void DirectEngine::hand_over(const std::vector<Trial>& trials, const Group& group,
                             const std::vector<at::Tensor>& golden, FaultyRun run,
                             const TrialSink& sink) const {
  size_t next_receipt = 0;
  for (size_t row = 0; row < group.size(); ++row) {
    const Trial& trial = trials[group[row]];
    TrialOutputs outputs;
    outputs.golden = runs_.element(golden, static_cast<int64_t>(row));
    outputs.crash = run.crash;
    if (run.crash.empty()) outputs.faulty = runs_.element(run.outputs, static_cast<int64_t>(row));
    for (size_t i = 0; i < trial.faults.size() && next_receipt < run.receipts.size(); ++i) {
      Receipt receipt = std::move(run.receipts[next_receipt++]);
      receipt.fault = to_string(trial.faults[i]);  // without the batch element of this forward
      outputs.receipts.push_back(std::move(receipt));
    }
    sink(group[row], outputs);
  }
}

}  // namespace faultwave
