// SPDX-License-Identifier: Apache-2.0
#include "faultwave/direct_engine.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/direct/golden_failure.h"
#include "src/direct/watched_forward.h"
#include "src/model/batch_sizes.h"
#include "src/model/repeat_check.h"
#include "src/model/steady_network.h"

namespace faultwave {
namespace {

constexpr size_t kGoldenKept = 16;

}  // namespace

DirectEngine::DirectEngine(std::shared_ptr<Network> network, const Injector& injector,
                           std::shared_ptr<const InputSet> inputs, const DirectOptions& options)
    : network_(std::move(network)),
      injector_(injector),
      inputs_(std::move(inputs)),
      options_(options),
      steady_(std::make_shared<detail::SteadyNetwork>(network_, options.random_key)),
      memory_(detail::MemoryPool::instance().keep()) {
  if (options_.batch < 1) {
    throw UserError(ErrorCode::usage, "batch is " + std::to_string(options_.batch) + ": expected at least 1");
  }
  find_batches();
  const at::Tensor first = stack({0});
  const auto beside = std::make_optional<std::vector<c10::IValue>>({other_than_first()});
  detail::RepeatCheck check;
  const auto begin = std::chrono::steady_clock::now();
  try {
    check = check_repeats(*steady_, {first}, beside);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    detail::refuse_input(*inputs_, 0, error);
  }
  is_unsteady_ = check.habits.needs_key();
  const std::chrono::duration<double> at_most = std::chrono::steady_clock::now() - begin;
  golden_.push_front({{0}, check.outputs, at_most.count()});
  find_output_axes(check.outputs, is_unsteady_ || check.habits.asks);
}

void DirectEngine::find_batches() {
  const detail::BatchSizes sizes(*network_, {inputs_->get(0).unsqueeze(0)});
  smallest_batch_ = sizes.at_least(1).value_or(1);
  options_.batch = sizes.at_most(std::max(options_.batch, smallest_batch_)).value_or(1);
}

void DirectEngine::find_output_axes(const std::vector<at::Tensor>& single, bool must_run_alone) {
  const detail::BatchSizes sizes(*network_, {inputs_->get(0).unsqueeze(0)});
  const int64_t large = sizes.at_least(smallest_batch_ + 1).value_or(smallest_batch_);
  if (must_run_alone || !injector_.batch_is_free() || large == smallest_batch_) return run_alone(single);
  const std::vector<int64_t> again(static_cast<size_t>(large), 0);
  const at::Tensor batch = stack(again);
  const std::vector<at::Tensor> alike = golden_outputs(again, batch);
  // An output for the whole batch (a mean, say) cannot be split between trials.
  if (!find_axes(single, alike) ||
      detail::elements_meet(*steady_, alike, large, batch, other_than_first(), output_axes_)) {
    run_alone(single);
  }
}

bool DirectEngine::find_axes(const std::vector<at::Tensor>& small, const std::vector<at::Tensor>& large) {
  for (size_t i = 0; i < small.size(); ++i) {
    int64_t axis = -1;
    for (int64_t d = 0; d < small[i].dim(); ++d) {
      if (small[i].size(d) == smallest_batch_ && large.at(i).size(d) > smallest_batch_) axis = d;
    }
    if (axis < 0) return false;
    output_axes_.push_back(axis);
  }
  return true;
}

/// The second input, or the first one backwards, in a batch as stack() makes them.
at::Tensor DirectEngine::other_than_first() const {
  if (inputs_->size() > 1) return stack({1});
  const at::Tensor first = stack({0});
  return first.dim() > 1 ? first.flip(-1) : first;
}

void DirectEngine::run_alone(const std::vector<at::Tensor>& single) {
  options_.batch = 1;
  output_axes_.clear();
  // Axis 0 is taken for the batch where its size is that of the batch; a detector's boxes [N, 4], say, have
  // none.
  for (const at::Tensor& output : single)
    output_axes_.push_back(output.dim() > 0 && output.size(0) == smallest_batch_ ? 0 : -1);
}

at::Tensor DirectEngine::stack(const std::vector<int64_t>& inputs) const {
  std::vector<at::Tensor> elements;
  for (int64_t input : inputs) {
    at::Tensor element = inputs_->get(input);
    if (options_.dtype && element.is_floating_point()) element = element.to(*options_.dtype);
    elements.push_back(element);
  }
  const auto count = static_cast<int64_t>(elements.size());
  const detail::BatchSizes sizes(*network_, {elements.front().unsqueeze(0)});
  const int64_t batch = sizes.fits(count) ? count : sizes.at_least(count).value_or(count);
  elements.resize(static_cast<size_t>(batch), elements.back());
  return at::stack(elements).to(options_.device);
}

std::vector<at::Tensor> DirectEngine::faulty_outputs(const std::vector<Fault>& faults,
                                                     const at::Tensor& batch,
                                                     std::vector<Receipt>& receipts) const {
  detail::SteadyNetwork::Forward forward(*steady_, {batch});
  Armed armed(injector_, faults, Forwards::one);
  std::vector<at::Tensor> outputs = forward.run();
  armed.disarm();
  receipts = armed.receipts();
  return forward.keep(std::move(outputs));
}

std::vector<at::Tensor> DirectEngine::golden_outputs(const std::vector<int64_t>& inputs,
                                                     const at::Tensor& batch) const {
  try {
    return steady_->run({batch});
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    detail::refuse_failing_input(*inputs_, inputs, error,
                                 [&](int64_t input) { steady_->run({stack({input})}); });
  }
}

std::vector<at::Tensor> DirectEngine::element(const std::vector<at::Tensor>& outputs, int64_t number) const {
  std::vector<at::Tensor> elements;
  for (size_t i = 0; i < outputs.size(); ++i) {
    const at::Tensor& output = outputs[i];
    // A faulty run may give more outputs than the golden one; those have no known axis.
    const int64_t axis = i < output_axes_.size() ? output_axes_[i] : -1;
    const bool splits = axis >= 0 && axis < output.dim() && output.size(axis) > number;
    elements.push_back(splits ? output.select(axis, number).contiguous() : output);
  }
  return elements;
}

std::vector<at::Tensor> DirectEngine::golden(int64_t input) {
  const at::Tensor batch = stack({input});
  return element(golden_batch({input}, batch).outputs, 0);
}

const DirectEngine::Golden& DirectEngine::golden_batch(const std::vector<int64_t>& inputs,
                                                       const at::Tensor& batch) {
  const auto known = std::find_if(golden_.begin(), golden_.end(),
                                  [&](const Golden& golden) { return golden.inputs == inputs; });
  if (known != golden_.end()) {
    golden_.splice(golden_.begin(), golden_, known);
    return golden_.front();
  }
  const auto begin = std::chrono::steady_clock::now();
  std::vector<at::Tensor> outputs = golden_outputs(inputs, batch);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  golden_.push_front({inputs, std::move(outputs), elapsed.count()});
  if (golden_.size() > kGoldenKept) golden_.pop_back();
  return golden_.front();
}

bool DirectEngine::can_share(const Trial& trial) const {
  return std::all_of(trial.faults.begin(), trial.faults.end(), [&](const Fault& fault) {
    return fault.batch.kind == BatchPart::Kind::all && injector_.site(fault.kind, fault.site).batch.dim >= 0;
  });
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
    if (!can_share(trials[i])) {
      groups.push_back({i});
      continue;
    }
    open.push_back(i);
    if (static_cast<int64_t>(open.size()) == options_.batch) groups.push_back(std::exchange(open, {}));
  }
  if (!open.empty()) groups.push_back(std::move(open));
  return groups;
}

void DirectEngine::run(const std::vector<Trial>& trials, const TrialSink& sink) {
  const detail::MemoryPool::Use pool(INT64_MAX);
  // All faults are checked before the first forward, so that an illegal one costs nothing that was run.
  for (const Trial& trial : trials) {
    for (const Fault& fault : trial.faults)
      injector_.resolve(fault);
  }
  for (const Group& together : group(trials))
    run_group(trials, together, sink);
}

void DirectEngine::run_group(const std::vector<Trial>& trials, const Group& group, const TrialSink& sink) {
  std::vector<int64_t> inputs;
  for (const size_t position : group)
    inputs.push_back(trials[position].input);
  at::Tensor batch;
  Golden golden;  // its own, since what the engine keeps may be given back
  try {
    batch = stack(inputs);
    golden = golden_batch(inputs, batch);
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
    run = is_of_fault ? crashed(reason_of(error)) : run_in_shortage(trials[group[0]], batch, golden.seconds, error);
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
                                                 const at::Tensor& batch, double golden_seconds) const {
  std::vector<Fault> faults;
  std::vector<uint64_t> numbers;
  for (size_t row = 0; row < group.size(); ++row) {
    const Trial& trial = trials[group[row]];
    const bool is_one_of_several = group.size() > 1 || (smallest_batch_ > 1 && can_share(trial));
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
// of the network take together: where these have memory and the faulty run has none, it is the fault that asks.
DirectEngine::FaultyRun DirectEngine::run_in_shortage(const Trial& trial, const at::Tensor& batch,
                                                      double golden_seconds, const std::exception& first) {
  constexpr int kTries = 3;
  std::string crash = reason_of(first);
  for (int i = 0; i < kTries; ++i) {
    give_back_memory();
    try {
      const at::Tensor aside = at::empty({bytes_of_network()}, at::kByte);
      steady_->run({batch});
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
  golden_.clear();
  detail::MemoryPool::instance().release_kept();
}

void DirectEngine::hand_over(const std::vector<Trial>& trials, const Group& group,
                             const std::vector<at::Tensor>& golden, FaultyRun run, const TrialSink& sink) const {
  size_t next_receipt = 0;
  for (size_t row = 0; row < group.size(); ++row) {
    const Trial& trial = trials[group[row]];
    TrialOutputs outputs;
    outputs.golden = element(golden, static_cast<int64_t>(row));
    outputs.crash = run.crash;
    if (run.crash.empty()) outputs.faulty = element(run.outputs, static_cast<int64_t>(row));
    for (size_t i = 0; i < trial.faults.size() && next_receipt < run.receipts.size(); ++i) {
      Receipt receipt = std::move(run.receipts[next_receipt++]);
      receipt.fault =
          to_string(injector_.resolve(trial.faults[i]));  // without the batch element of this forward
      outputs.receipts.push_back(std::move(receipt));
    }
    sink(group[row], outputs);
  }
}

}  // namespace faultwave
