// SPDX-License-Identifier: Apache-2.0
// The same trials on the wave engine and, one at a time, on the direct engine.
#pragma once

#include <torch/torch.h>

#include <map>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/direct_engine.h"
#include "faultwave/wave_engine.h"

#include "zoo/module_network.h"

namespace faultwave::test {

using zoo::ModuleNetwork;

/// Both engines on one network and its inputs.
struct Engines {
  Engines(std::shared_ptr<Network> of, const at::Tensor& batch,
          const WaveOptions& options = {.fewest = 1, .inputs = 1})
      : Engines(std::make_shared<Workload>(std::move(of), inputs_from_tensor(batch)), options) {}
  explicit Engines(std::shared_ptr<Workload> of, const WaveOptions& options = {.fewest = 1, .inputs = 1})
      : workload(std::move(of)),
        injector(workload->injector()),
        direct(std::make_shared<DirectEngine>(workload, DirectOptions{1})),
        wave(workload, direct, options) {}

  std::shared_ptr<Workload> workload;
  const Injector& injector;
  std::shared_ptr<DirectEngine> direct;
  WaveEngine wave;
};

inline std::map<size_t, TrialOutputs> outputs_of(Engine& engine, const std::vector<Trial>& trials) {
  std::map<size_t, TrialOutputs> outputs;
  engine.run(trials,
             [&](size_t index, const TrialOutputs& trial) { CHECK(outputs.emplace(index, trial).second); });
  REQUIRE(outputs.size() == trials.size());
  return outputs;
}

/// What rounding may add to an output, in parts of its largest magnitude, golden or faulty.
constexpr double kRounding = kWaveRounding;

inline void check_same(const at::Tensor& wave, const at::Tensor& direct, const at::Tensor& golden) {
  REQUIRE(wave.sizes() == direct.sizes());
  REQUIRE((wave.scalar_type() == direct.scalar_type()));
  if (!direct.is_floating_point()) {
    CHECK(at::equal(wave, direct));
    return;
  }
  CHECK(at::equal(wave.isnan(), direct.isnan()));
  CHECK(at::equal(wave.isinf(), direct.isinf()));
  const at::Tensor finite = direct.isfinite();
  CHECK(at::equal(wave.masked_select(direct.isinf()), direct.masked_select(direct.isinf())));
  const at::Tensor a = wave.masked_select(finite).to(at::kDouble);
  const at::Tensor b = direct.masked_select(finite).to(at::kDouble);
  if (b.numel() == 0) return;
  const double largest = std::max(b.abs().max().item<double>(), golden.abs().max().item<double>());
  CHECK((a - b).abs().max().item<double>() <= kRounding * largest);
}

/// Whether values before and after a fault agree in their bits: libraries round otherwise at another batch
/// size.
enum class Bits { same, rounded };

/// Runs the trials on both engines, one after the other; outputs agree but for rounding, receipts exactly.
inline void check_agreement(Engines& engines, const std::vector<Trial>& trials, Bits bits = Bits::same) {
  const auto by_wave = outputs_of(engines.wave, trials);
  const auto by_direct = outputs_of(*engines.direct, trials);
  for (const auto& [index, direct] : by_direct) {
    const TrialOutputs& wave = by_wave.at(index);
    CAPTURE(to_string(trials[index].faults));
    CHECK(wave.crash == direct.crash);
    REQUIRE(wave.faulty.size() == direct.faulty.size());
    for (size_t i = 0; i < direct.faulty.size(); ++i)
      check_same(wave.faulty[i], direct.faulty[i], direct.golden[i]);
    REQUIRE(wave.receipts.size() == direct.receipts.size());
    for (size_t i = 0; i < direct.receipts.size(); ++i) {
      const Receipt& a = wave.receipts[i];
      const Receipt& b = direct.receipts[i];
      CHECK(a.fault == b.fault);
      CHECK(a.hits == b.hits);
      REQUIRE(a.victims.size() == b.victims.size());
      for (size_t v = 0; v < b.victims.size(); ++v) {
        CHECK(a.victims[v].index == b.victims[v].index);
        // A second fault may hit what the first has changed, which is the same but for rounding.
        if (direct.receipts.size() > 1 || bits == Bits::rounded) continue;
        CHECK(a.victims[v].bits_before == b.victims[v].bits_before);
        CHECK(a.victims[v].bits_after == b.victims[v].bits_after);
      }
    }
  }
}

/// Trials with faults of all kinds of sites, by error models in turn.
std::vector<Trial> drawn_trials(const Engines& engines, int count, uint64_t seed);

}  // namespace faultwave::test
