// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <utility>

#include "faultwave/population.h"
#include "faultwave/random.h"

#include "tests/wave/agreement.h"

namespace faultwave::test {

std::vector<Trial> drawn_trials(const Engines& engines, int count, uint64_t seed) {
  const std::vector<ErrorModelPtr> models{
      bit_flip(),           random_value(-1, 1), constant(INFINITY), constant(NAN), zero(),
      gaussian_noise(1e-6), constant(-1e-42),    scale_by(-0.0),     constant(1e20)};
  const std::vector<SiteKind> kinds{SiteKind::output, SiteKind::output,       SiteKind::output,
                                    SiteKind::input,  SiteKind::weight,       SiteKind::bias,
                                    SiteKind::buffer, SiteKind::network_input};
  std::vector<Trial> trials;
  for (int number = 0; number < count; ++number) {
    Draw draw(seed, static_cast<uint64_t>(number));
    Trial trial{static_cast<uint64_t>(number),
                static_cast<int64_t>(draw.below(static_cast<uint64_t>(engines.workload->inputs().size()))),
                {}};
    const uint64_t faults = 1 + draw.below(8) / 7;
    for (uint64_t i = 0; i < faults; ++i) {
      std::vector<Site> sites;
      const auto first_kind = draw.below(kinds.size());
      for (const Site& site : engines.injector.sites()) {
        if (site.kind == kinds[first_kind] && site.dtype == at::kFloat) sites.push_back(site);
      }
      if (sites.empty()) {
        for (const Site& site : engines.injector.sites()) {
          if (site.dtype == at::kFloat) sites.push_back(site);
        }
      }
      const ErrorModelPtr model = models[draw.below(models.size())];
      const Population population(sites, DrawRule::layers, model);
      Fault fault = population.fault(population.draw(draw), draw);
      if (draw.below(8) == 0) fault.location = Location::all();
      trial.faults.push_back(std::move(fault));
    }
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace faultwave::test
