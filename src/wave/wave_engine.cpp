// SPDX-License-Identifier: Apache-2.0
#include "faultwave/wave_engine.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <cstddef>
#include <map>
#include <set>
#include <utility>

#include "faultwave/error.h"

#include "src/common/memory_pool.h"
#include "src/common/memory_shortage.h"
#include "src/common/usable_memory.h"
#include "src/direct/golden_runs.h"
#include "src/direct/resolve_fault.h"
#include "src/direct/trial_sharing.h"
#include "src/direct/watched_forward.h"
#include "src/model/profile.h"
#include "src/wave/rules/convolution_costs.h"
#include "src/wave/wave.h"

namespace faultwave {
namespace {

constexpr const char* kDraws = "the network draws random numbers";
constexpr const char* kNoMemory = "too little memory for a wave";

/// The inputs of some trials, each once.
class InputList {
 public:
  int64_t element_of(int64_t input) {
    const auto known = std::find(inputs_.begin(), inputs_.end(), input);
    if (known != inputs_.end()) return known - inputs_.begin();
    inputs_.push_back(input);
    return static_cast<int64_t>(inputs_.size()) - 1;
  }
  const std::vector<int64_t>& inputs() const { return inputs_; }

 private:
  std::vector<int64_t> inputs_;
};

/// What tensors may take of a budget. oneDNN has work memory of its own, 40 to 100 MB, and each trial has its
/// plans and receipts.
int64_t for_tensors(int64_t budget, size_t trials) {
  constexpr int64_t kMegabyte = 1 << 20;
  constexpr int64_t kOfTrial = 4096;
  const int64_t for_libraries = std::max(budget / 8, std::min(budget / 4, 64 * kMegabyte));
  const int64_t for_trials = std::min(budget / 4, kOfTrial * static_cast<int64_t>(trials));
  return budget - for_libraries - for_trials;
}

/// What a wave may take of that; where it puts off half of its trials, it copies the other half.
int64_t for_a_wave(int64_t budget, size_t trials) {
  return for_tensors(budget, trials) / 3 * 2;
}

/// The network's call with a wave beside it. Where the network itself fails on an input, that one is named.
std::vector<at::Tensor> golden_outputs(detail::SteadyNetwork::Forward& forward, wave::Wave& wave,
                                       detail::GoldenRuns& runs, const std::vector<int64_t>& inputs) {
  try {
    const intercept::Intercept on(wave);
    return forward.run();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    forward.end();
    pass_shortage(error);
    try {
      for (const int64_t input : inputs)
        runs.network().run(runs.batch({input}));
    } catch (const std::exception&) {
      runs.refuse_failing(inputs, error);
    }
    throw;  // it is not the network that failed
  }
}

}  // namespace

int64_t default_wave_budget() {
  return detail::usable_memory() / 4;
}

std::string arithmetic_of_waves() {
  return "convolutions by " + wave::text_of(wave::convolution_costs());
}

WaveEngine::WaveEngine(std::shared_ptr<Workload> workload, std::shared_ptr<Engine> other,
                       const WaveOptions& options)
    : workload_(std::move(workload)),
      runs_(workload_->runs()),
      injector_(workload_->injector()),
      other_(std::move(other)),
      options_(options),
      memory_(detail::MemoryPool::instance().keep()) {
  if (options_.trials < 1) {
    throw UserError(ErrorCode::usage,
                    "a wave of " + std::to_string(options_.trials) + " trials: expected at least 1");
  }
  if (options_.budget_bytes <= 0) options_.budget_bytes = default_wave_budget();
}

// Trials are sorted within a call: by input, and late faults together.
int64_t WaveEngine::trials_a_call() const {
  return 16 * options_.trials;
}

// A few of the network's largest tensors live at once, in each element of a batch.
int64_t WaveEngine::inputs_at_once() const {
  const int64_t most = outputs_split_ ? runs_.most_at_once(options_.inputs) : 1;
  if (most == 1) return 1;
  constexpr int64_t kTensors = 8;
  int64_t largest = 1;
  for (const Site& site : injector_.sites())
    largest = std::max(largest, site.numel());
  return std::clamp<int64_t>(options_.budget_bytes / (kTensors * largest * 4), 1, most);
}

// Within a wave, trials whose faults lie late come together, so that most of their forward is golden.
std::vector<WaveEngine::Positions> WaveEngine::waves(const std::vector<Trial>& trials) const {
  const detail::Profile& profile = detail::profile_of(injector_);
  const auto first_site = [&](size_t position) {
    int first = static_cast<int>(profile.sites().size());
    for (const Fault& fault : trials[position].faults)
      first = std::min(first, profile.number_of(fault));
    return first;
  };
  std::map<int64_t, Positions> by_input;
  for (size_t position = 0; position < trials.size(); ++position)
    by_input[trials[position].input].push_back(position);

  std::vector<Positions> waves;
  Positions shared;
  std::set<int64_t> inputs;
  const auto add_wave = [&](Positions& positions) {
    std::stable_sort(positions.begin(), positions.end(),
                     [&](size_t a, size_t b) { return first_site(a) < first_site(b); });
    for (size_t begin = 0; begin < positions.size(); begin += static_cast<size_t>(options_.trials)) {
      const size_t end = std::min(begin + static_cast<size_t>(options_.trials), positions.size());
      waves.emplace_back(positions.begin() + static_cast<std::ptrdiff_t>(begin),
                         positions.begin() + static_cast<std::ptrdiff_t>(end));
    }
    positions.clear();
  };
  const int64_t most = inputs_at_once();
  for (auto& [input, positions] : by_input) {
    Positions own;
    const bool few = static_cast<int64_t>(positions.size()) < options_.own_wave && most > 1;
    for (const size_t position : positions)
      (few && detail::can_share(injector_, trials[position]) ? shared : own).push_back(position);
    add_wave(own);
    inputs.insert(input);
    if (static_cast<int64_t>(inputs.size()) < most) continue;
    add_wave(shared);
    inputs.clear();
  }
  add_wave(shared);
  return waves;
}

void WaveEngine::run(const std::vector<Trial>& trials, const TrialSink& sink) {
  const detail::MemoryPool::Use pool(INT64_MAX);
  std::vector<Trial> resolved = trials;
  for (Trial& trial : resolved) {
    for (Fault& fault : trial.faults)
      fault = detail::resolve_in_one_forward(injector_, fault);
  }
  Positions left;
  for (const Positions& positions : waves(resolved)) {
    if (draws_) {
      left.insert(left.end(), positions.begin(), positions.end());
      report_.left[kDraws] += static_cast<int64_t>(positions.size());
      continue;
    }
    if (static_cast<int64_t>(positions.size()) < options_.fewest) {
      left.insert(left.end(), positions.begin(), positions.end());
      report_.left["too few to be worth a golden forward"] += static_cast<int64_t>(positions.size());
      continue;
    }
    std::vector<Positions> open{positions};
    while (!open.empty()) {
      const Positions next = std::move(open.back());
      open.pop_back();
      for (Positions& rest : run_wave(resolved, next, sink, left))
        open.push_back(std::move(rest));
    }
  }
  if (left.empty()) return;
  std::vector<Trial> others;
  for (const size_t position : left)
    others.push_back(trials[position]);
  other_->run(others, [&](size_t index, const TrialOutputs& outputs) { sink(left.at(index), outputs); });
}

// As in a batch of one: which element of a shared forward a trial had means nothing.
void WaveEngine::hand_over(const Trial& trial, size_t position, int64_t batch, TrialOutputs& outputs,
                           const TrialSink& sink) {
  for (size_t i = 0; i < outputs.receipts.size() && batch > 1; ++i) {
    Receipt& receipt = outputs.receipts[i];
    receipt.fault = to_string(trial.faults[i]);
    const BatchAxis& axis = injector_.site(receipt.kind, receipt.site).batch;
    if (axis.dim < 0) continue;
    for (Victim& victim : receipt.victims) {
      int64_t& row = victim.index[static_cast<size_t>(axis.dim)];
      row = row / axis.run / batch * axis.run + row % axis.run;
    }
  }
  ++report_.trials;
  sink(position, outputs);
}

std::vector<WaveEngine::Positions> WaveEngine::run_wave(const std::vector<Trial>& trials,
                                                        const Positions& positions, const TrialSink& sink,
                                                        Positions& left) {
  // What is in use when a wave begins is not the engine's: a user may keep tensors of earlier forwards.
  const int64_t before = detail::MemoryPool::instance().in_use();
  const detail::MemoryPool::Use pool(before + for_tensors(options_.budget_bytes, trials.size()),
                                     before + for_a_wave(options_.budget_bytes, trials.size()));
  InputList list;
  std::vector<Trial> placed;
  std::vector<int64_t> elements;
  for (const size_t position : positions) {
    placed.push_back(trials[position]);
    elements.push_back(list.element_of(placed.back().input));
  }
  const std::vector<c10::IValue> batch = runs_.batch(list.inputs());
  const int64_t rows = runs_.size_of(batch);
  for (size_t i = 0; i < placed.size() && rows > 1; ++i) {
    if (!detail::can_share(injector_, placed[i])) continue;  // of one input, which is there several times
    for (Fault& fault : placed[i].faults)
      fault.batch = {BatchPart::Kind::one, elements[i]};
  }
  std::vector<const Trial*> members;
  std::vector<uint64_t> numbers;
  for (const Trial& trial : placed) {
    members.push_back(&trial);
    numbers.push_back(trial.number);
  }
  wave::Wave wave(detail::profile_of(injector_), members, for_a_wave(options_.budget_bytes, trials.size()),
                  report_);
  detail::SteadyNetwork::Forward forward(runs_.network(), batch);
  std::vector<at::Tensor> golden;
  try {
    const WatchedForward watched(watch_, numbers, /*golden_seconds=*/-1);
    golden = golden_outputs(forward, wave, runs_, list.inputs());
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    if (!memory_shortage(error)) throw;
    return with_less_memory(positions, left);
  }
  wave.finish(golden);
  ++report_.forwards;
  if (forward.has_drawn()) {
    draws_ = true;
    left.insert(left.end(), positions.begin(), positions.end());
    report_.left[kDraws] += static_cast<int64_t>(positions.size());
    return {};
  }
  if (rows > 1 &&
      !runs_.splits(golden, rows)) {  // a mean over the batch, say; each trial needs a batch of its own
    outputs_split_ = false;
    left.insert(left.end(), positions.begin(), positions.end());
    report_.left["an output for the whole batch"] += static_cast<int64_t>(positions.size());
    return {};
  }

  std::vector<std::vector<at::Tensor>> golden_elements;
  for (size_t element = 0; element < list.inputs().size(); ++element)
    golden_elements.push_back(runs_.element(golden, static_cast<int64_t>(element)));
  Positions postponed;
  for (size_t i = 0; i < positions.size(); ++i) {
    const auto trial = static_cast<int32_t>(i);
    if (wave.postponed().count(trial) > 0) {
      postponed.push_back(positions[i]);
      continue;
    }
    if (wave.left().count(trial) > 0 || !wave.has_hit(trial)) {
      left.push_back(positions[i]);
      continue;
    }
    TrialOutputs outputs;
    outputs.rounding = kWaveRounding;
    outputs.golden = golden_elements[static_cast<size_t>(elements[i])];
    try {
      for (size_t o = 0; o < golden.size(); ++o) {
        const at::Tensor faulty = wave.faulty(trial, golden[o]);
        outputs.faulty.push_back(faulty.is_same(golden[o]) ? outputs.golden[o]
                                                           : runs_.element(faulty, o, elements[i]));
      }
      outputs.receipts = wave.receipts(trial);
    } catch (const std::exception& error) {
      if (!memory_shortage(error)) throw;
      left.push_back(positions[i]);
      ++report_.left[kNoMemory];
      continue;
    }
    hand_over(trials[positions[i]], positions[i], rows, outputs, sink);
  }
  if (postponed.empty()) return {};
  return {std::move(postponed)};
}

std::vector<WaveEngine::Positions> WaveEngine::with_less_memory(const Positions& positions, Positions& left) {
  detail::MemoryPool::instance().release_kept();
  if (static_cast<int64_t>(positions.size()) < 2 * options_.fewest) {
    left.insert(left.end(), positions.begin(), positions.end());
    report_.left[kNoMemory] += static_cast<int64_t>(positions.size());
    return {};
  }
  const auto middle = positions.begin() + static_cast<std::ptrdiff_t>(positions.size() / 2);
  return {Positions(middle, positions.end()), Positions(positions.begin(), middle)};
}

}  // namespace faultwave
