// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/ATen.h>

#include <functional>
#include <limits>
#include <memory>
#include <stdexcept>
#include <utility>
#include <vector>

#include "faultwave/campaign.h"
#include "faultwave/engine.h"

namespace faultwave {

/// Two made-up layers: "conv" with 2 x 3 x 4 neurons of FP32, batch axis first, and "fc" with 6.
inline std::vector<Site> fake_sites() {
  Site conv;
  conv.name = "conv";
  conv.op = "aten::conv2d";
  conv.shape = {1, 2, 3, 4};
  conv.batch.dim = 0;
  conv.channel_axis = 0;
  Site fc = conv;
  fc.name = "fc";
  fc.op = "aten::linear";
  fc.shape = {1, 6};
  return {conv, fc};
}

/// A network that was never built. Input i has golden scores with class i mod 4 on top. What a fault does
/// depends on its place alone: in "conv" element [c,y,x] with y = 0 is masked, y = 1 lowers the runner-up a
/// little (benign), y = 2 lifts another class to the top (SDC); in "fc" elements 0 to 3 are masked, 4 gives
/// NaN, 5 crashes.
class FakeEngine : public Engine {
 public:
  enum class Effect { masked, benign, sdc, nan, crash };

  static Effect effect_of(const Fault& fault) {
    const int64_t last_but_one = fault.location.boxes[0].axes[fault.site == "conv" ? 1 : 0].begin;
    if (fault.site == "conv") return static_cast<Effect>(last_but_one);
    if (last_but_one < 4) return Effect::masked;
    return last_but_one == 4 ? Effect::nan : Effect::crash;
  }

  static int64_t golden_class(int64_t input) { return input % 4; }

  void run(const std::vector<Trial>& trials, const TrialSink& sink) override {
    calls.push_back(trials);
    if (on_call) on_call();
    // Last first: the order in which an engine hands over is its own affair.
    for (size_t i = trials.size(); i-- > 0;)
      sink(i, outputs_of(trials[i], static_cast<int64_t>(i)));
  }

  std::vector<std::vector<Trial>> calls;
  std::function<void()> on_call;

 private:
  static TrialOutputs outputs_of(const Trial& trial, int64_t row) {
    const Fault& fault = trial.faults[0];
    const int64_t top = golden_class(trial.input);
    TrialOutputs outputs;
    outputs.golden = {at::zeros({4})};
    outputs.golden[0][top] = 4.0;
    Receipt receipt;
    receipt.site = fault.site;
    receipt.forwards = 1;
    receipt.hits = 1;
    std::vector<int64_t> index = {row};
    for (const AxisPart& axis : fault.location.boxes[0].axes)
      index.push_back(axis.begin);
    const std::vector<int64_t> in_element(index.begin() + 1, index.end());
    receipt.victims = {{index, in_element, 1.0, -1.0, 0x3f800000, 0xbf800000}};
    outputs.receipts = {receipt};

    at::Tensor faulty = outputs.golden[0].clone();
    switch (effect_of(fault)) {
      case Effect::masked:
        break;
      case Effect::benign:
        faulty[(top + 1) % 4] = -0.125;
        break;
      case Effect::sdc:
        faulty[(top + 1) % 4] = 8.0;
        break;
      case Effect::nan:
        faulty[0] = std::numeric_limits<float>::quiet_NaN();
        break;
      case Effect::crash:
        outputs.crash = "made-up crash";
        return outputs;
    }
    outputs.faulty = {faulty};
    return outputs;
  }
};

inline Specification fake_specification() {
  Specification spec;
  spec.model = "fake.pt2";
  spec.input = "fake.npy";
  spec.seed = 5;
  spec.trials = 50;
  spec.batch = 1;
  spec.block = 12;
  spec.criteria = {"top1", "nonfinite"};
  spec.error = "flip";
  spec.draw = DrawRule::layers;
  return spec;
}

inline Campaign fake_campaign(const std::shared_ptr<Engine>& engine,
                              const Specification& spec = fake_specification(),
                              std::shared_ptr<const NeuronClasses> neurons = nullptr,
                              std::vector<int64_t> labels = {}) {
  SamplingOptions sampling{.rule = spec.draw,
                           .seed = spec.seed,
                           .inputs = 7,
                           .inputs_in_turn = spec.inputs_in_turn,
                           .faults_per_trial = spec.faults_per_trial,
                           .neurons = std::move(neurons)};
  Population population(fake_sites(), spec.draw, parse_error_model(spec.error));
  CampaignParts parts{.engine = engine,
                      .sampler = std::make_shared<Sampler>(std::move(population), std::move(sampling))};
  for (const std::string& criterion : spec.criteria)
    parts.criteria.push_back(parse_criterion(criterion));
  parts.model_fingerprint = "m0";
  parts.inputs_fingerprint = "i0";
  if (!labels.empty()) parts.labels_fingerprint = "l0";
  parts.labels = std::move(labels);
  return Campaign(spec, std::move(parts));
}

}  // namespace faultwave
