// SPDX-License-Identifier: Apache-2.0
#include "faultwave/wave_engine.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <numeric>
#include <utility>

#include <unistd.h>

#include "faultwave/error.h"

#include "src/wave/wave.h"

namespace faultwave {
namespace {

/// One batch element: axis 0 is taken for the batch where its size is one; a detector's boxes [N, 4], say,
/// have none.
at::Tensor element_of(const at::Tensor& output) {
  return output.dim() > 0 && output.size(0) == 1 ? output.select(0, 0).contiguous() : output;
}

int64_t quarter_of_memory() {
  return static_cast<int64_t>(::sysconf(_SC_PHYS_PAGES)) * ::sysconf(_SC_PAGESIZE) / 4;
}

}  // namespace

WaveEngine::WaveEngine(std::shared_ptr<Network> network, const Injector& injector,
                       std::shared_ptr<const InputSet> inputs, std::shared_ptr<Engine> other,
                       const WaveOptions& options)
    : network_(std::move(network)),
      injector_(injector),
      inputs_(std::move(inputs)),
      other_(std::move(other)),
      options_(options) {
  if (options_.trials < 1) {
    throw UserError(ErrorCode::usage,
                    "a wave of " + std::to_string(options_.trials) + " trials: expected at least 1");
  }
  if (options_.budget_bytes <= 0) options_.budget_bytes = quarter_of_memory();
}

// Trials are sorted within a call: by input, and late faults together.
int64_t WaveEngine::trials_a_call() const {
  return 16 * options_.trials;
}

std::vector<WaveEngine::Positions> WaveEngine::waves(const std::vector<Trial>& trials) const {
  const detail::Profile& profile = *injector_.profile_;
  // Trials whose faults lie late come together, so that most of their forward is golden.
  const auto first_site = [&](const Trial& trial) {
    int first = static_cast<int>(profile.sites().size());
    for (const Fault& fault : trial.faults)
      first = std::min(first, profile.find(fault.kind, fault.site));
    return first;
  };
  std::vector<int> sites;
  for (const Trial& trial : trials)
    sites.push_back(first_site(trial));
  Positions order(trials.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return std::make_pair(trials[a].input, sites[a]) < std::make_pair(trials[b].input, sites[b]);
  });

  std::vector<Positions> waves;
  for (const size_t position : order) {
    const bool goes_on = !waves.empty() && static_cast<int64_t>(waves.back().size()) < options_.trials &&
                         trials[waves.back().back()].input == trials[position].input;
    if (!goes_on) waves.emplace_back();
    waves.back().push_back(position);
  }
  return waves;
}

void WaveEngine::run(const std::vector<Trial>& trials, const TrialSink& sink) {
  std::vector<Trial> resolved = trials;
  for (Trial& trial : resolved) {
    for (Fault& fault : trial.faults)
      fault = injector_.resolve(fault);
  }
  Positions left;
  for (const Positions& positions : waves(resolved)) {
    if (static_cast<int64_t>(positions.size()) < options_.fewest) {
      left.insert(left.end(), positions.begin(), positions.end());
      report_.left["too few of one input"] += static_cast<int64_t>(positions.size());
    } else {
      run_wave(resolved, positions, sink, left);
    }
  }
  if (left.empty()) return;
  std::vector<Trial> others;
  for (const size_t position : left)
    others.push_back(trials[position]);
  other_->run(others, [&](size_t index, const TrialOutputs& outputs) { sink(left.at(index), outputs); });
}

void WaveEngine::run_wave(const std::vector<Trial>& trials, const Positions& positions, const TrialSink& sink,
                          Positions& left) {
  std::vector<const Trial*> members;
  for (const size_t position : positions)
    members.push_back(&trials[position]);
  wave::Wave wave(*injector_.profile_, members, options_.budget_bytes, report_);
  const at::Tensor input = inputs_->get(members.front()->input).unsqueeze(0).clone();
  std::vector<at::Tensor> golden;
  {
    torch::NoGradGuard no_grad;
    const intercept::Intercept on(wave);
    golden = network_->forward({input});
  }
  ++report_.forwards;

  TrialOutputs outputs;
  outputs.rounding = kWaveRounding;
  for (const at::Tensor& output : golden)
    outputs.golden.push_back(element_of(output));
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
    outputs.faulty.clear();
    for (size_t o = 0; o < golden.size(); ++o) {
      const at::Tensor faulty = wave.faulty(trial, golden[o]);
      outputs.faulty.push_back(faulty.is_same(golden[o]) ? outputs.golden[o] : element_of(faulty));
    }
    outputs.receipts = wave.receipts(trial);
    ++report_.trials;
    sink(positions[i], outputs);
  }
  if (!postponed.empty()) run_wave(trials, postponed, sink, left);
}

}  // namespace faultwave
