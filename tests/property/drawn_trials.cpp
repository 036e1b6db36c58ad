// SPDX-License-Identifier: Apache-2.0
#include "tests/property/drawn_trials.h"

#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/population.h"
#include "faultwave/random.h"

namespace faultwave::test {
namespace {

const std::vector<ErrorModelPtr>& models() {
  static const std::vector<ErrorModelPtr> list{bit_flip(),
                                               bit_flip(),
                                               bit_flip(),
                                               random_value(-1, 1),
                                               random_value(-50, 50),
                                               zero(),
                                               constant(INFINITY),
                                               constant(-INFINITY),
                                               constant(NAN),
                                               constant(1e20),
                                               constant(-3e38),
                                               constant(-1e-42),
                                               constant(1e-38),
                                               gaussian_noise(1e-6),
                                               gaussian_noise(0.1),
                                               scale_by(-0.0),
                                               scale_by(-1),
                                               scale_by(1 + 1e-6),
                                               scale_by(1e10),
                                               stuck_at(1),
                                               random_bit_flips(2),
                                               int8_flip(),
                                               format_flip("bf16")};
  return list;
}

class FaultDraw {
 public:
  explicit FaultDraw(const Injector& injector) : injector_(injector) {
    for (const Site& site : injector.sites()) {
      if (site.dtype == at::kFloat) sites_[site.kind].push_back(site);
    }
  }

  Fault draw(Draw& draw) const {
    static const std::vector<SiteKind> kinds{SiteKind::output, SiteKind::output, SiteKind::output,
                                             SiteKind::output, SiteKind::input,  SiteKind::weight,
                                             SiteKind::bias,   SiteKind::buffer, SiteKind::network_input};
    while (true) {
      const auto sites = sites_.find(kinds[draw.below(kinds.size())]);
      if (sites == sites_.end()) continue;
      const Site site = sites->second[draw.below(sites->second.size())];
      const Population population({site}, DrawRule::layers, models()[draw.below(models().size())]);
      Fault fault;
      try {
        fault = population.fault(population.draw(draw), draw);
        fault.location = wider(fault.location, site, draw);
        injector_.resolve(fault);
      } catch (const UserError&) {
        continue;  // an INT8 flip in a site that is zero throughout, say
      }
      return fault;
    }
  }

 private:
  /// Mostly the value itself; also its feature map, the last axis around it, everything.
  static Location wider(const Location& location, const Site& site, Draw& draw) {
    const uint64_t kind = draw.below(12);
    if (kind == 0) return Location::all();
    const bool has_axes = location.kind == Location::Kind::boxes && !location.boxes[0].axes.empty();
    if (kind == 1 && site.channel_axis >= 0 && has_axes) {
      const AxisPart& channel = location.boxes[0].axes[static_cast<size_t>(site.channel_axis)];
      return Location::feature_map(channel.begin);
    }
    if (kind == 2 && has_axes) {
      Location row = location;
      row.boxes[0].axes.back() = AxisPart{};
      return row;
    }
    return location;
  }

  const Injector& injector_;
  std::map<SiteKind, std::vector<Site>> sites_;
};

/// Whether a fault there may send the network another way, where other faults of the trial find no place:
/// fused attention looks at whether queries, keys and values are one tensor.
bool can_divert(const Site& site) {
  return site.kind == SiteKind::input && (site.op == "aten::_native_multi_head_attention" ||
                                          site.op == "aten::_transformer_encoder_layer_fwd");
}

}  // namespace

std::vector<Trial> draw_trials(const Injector& injector, int64_t inputs, int count, uint64_t key) {
  const FaultDraw faults(injector);
  std::vector<Trial> trials;
  for (int number = 0; number < count; ++number) {
    Draw draw(key, static_cast<uint64_t>(number));
    Trial trial;
    trial.number = static_cast<uint64_t>(number);
    trial.input = static_cast<int64_t>(draw.below(static_cast<uint64_t>(inputs)));
    const uint64_t how_many = draw.below(8) < 7 ? 1 : 2 + draw.below(2);
    for (uint64_t i = 0; i < how_many; ++i)
      trial.faults.push_back(faults.draw(draw));
    const auto diverts = std::find_if(trial.faults.begin(), trial.faults.end(), [&](const Fault& fault) {
      return can_divert(injector.site(fault.kind, fault.site));
    });
    if (diverts != trial.faults.end()) trial.faults = {Fault(*diverts)};
    trials.push_back(std::move(trial));
  }
  return trials;
}

}  // namespace faultwave::test
