// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/classify_neurons.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "faultwave/outcome.h"

#include "src/sample/neuron_groups.h"

namespace faultwave {
namespace {

// Classes take half a byte a value. With more of them strata are those of layer and bit alone.
constexpr int64_t kMostBytes = int64_t{256} << 20;

std::vector<int64_t> inputs_of(const SamplingOptions& options) {
  if (!options.eligible.empty()) return options.eligible;
  std::vector<int64_t> all(static_cast<size_t>(options.inputs));
  std::iota(all.begin(), all.end(), int64_t{0});
  return all;
}

/// The scores that a classifier gave the one input of a batch; undefined for other outputs.
at::Tensor scores_of(const std::vector<at::Tensor>& outputs) {
  if (outputs.empty() || outputs[0].dim() != 2 || outputs[0].size(0) != 1) return {};
  return outputs[0].is_floating_point() ? outputs[0].select(0, 0).cpu() : at::Tensor();
}

/// Top score minus runner-up: how much a fault must do.
double margin_of(const at::Tensor& scores) {
  if (!scores.defined() || scores.numel() < 2) return 0;
  const at::Tensor best = std::get<0>(scores.to(at::kDouble).topk(2));
  const double margin = best[0].item<double>() - best[1].item<double>();
  return std::isfinite(margin) ? margin : 0;
}

struct OneInput {
  int64_t number = 0;
  double margin = 0;
  std::vector<NeuronClasses::Packed> sites;
};

/// Whether all sites were passed, each with as many values as it has for one input.
bool is_complete(const OneInput& input, const std::vector<Site>& sites) {
  for (size_t site = 0; site < sites.size(); ++site) {
    if (static_cast<int64_t>(input.sites[site].size()) != (sites[site].numel() + 1) / 2) return false;
  }
  return true;
}

std::shared_ptr<const NeuronClasses> in_order(std::vector<OneInput> inputs, const std::vector<Site>& sites) {
  std::vector<int64_t> values;
  for (const Site& site : sites)
    values.push_back(site.numel());
  std::vector<double> margins;
  for (const OneInput& input : inputs)
    margins.push_back(input.margin);
  const std::vector<int> levels = margin_levels(margins);
  std::vector<size_t> order(inputs.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) { return levels[a] < levels[b]; });
  const auto classes = std::make_shared<NeuronClasses>(std::move(values));
  for (const size_t i : order)
    classes->add_input(inputs[i].number, levels[i], std::move(inputs[i].sites));
  return classes;
}

}  // namespace

bool goes_by_neurons(const Specification& spec, const Population& population,
                     const SamplingOptions& options) {
  if (spec.draw != DrawRule::stratified || spec.kind != SiteKind::output) return false;
  if (options.inputs_in_turn || options.faults_per_trial != 1) return false;
  int64_t values = 0;
  for (const Site& site : population.sites())
    values += site.numel();
  const int64_t inputs =
      options.eligible.empty() ? options.inputs : static_cast<int64_t>(options.eligible.size());
  return values / 2 <= kMostBytes / std::max<int64_t>(inputs, 1);
}

GoldenLook classify_neurons(
    const Injector& injector, const Population& population, const SamplingOptions& options,
    const std::function<std::vector<at::Tensor>(int64_t number, const AroundForward& around)>& forward) {
  const std::vector<Site>& sites = population.sites();
  GoldenLook look;
  std::vector<OneInput> inputs;
  bool is_all = true;
  for (const int64_t number : inputs_of(options)) {
    OneInput input{.number = number, .sites = std::vector<NeuronClasses::Packed>(sites.size())};
    const auto note = [&](size_t site, const at::Tensor& values) {
      input.sites[site] = NeuronClasses::pack(value_classes(values));
    };
    const std::vector<at::Tensor> outputs = forward(
        number, [&](const std::function<void()>& network) { injector.observe(sites, network, note); });
    const at::Tensor scores = scores_of(outputs);
    input.margin = margin_of(scores);
    const std::vector<RankedClass> top =
        scores.defined() ? top_classes(scores, 1) : std::vector<RankedClass>();
    look.golden_classes[number] = top.empty() ? -1 : top[0].index;
    is_all = is_all && is_complete(input, sites);
    if (is_all) inputs.push_back(std::move(input));
  }
  if (is_all) look.neurons = in_order(std::move(inputs), sites);
  return look;
}

}  // namespace faultwave
