// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "faultwave/error.h"
#include "faultwave/explanation.h"
#include "faultwave/wave_engine.h"

#include "src/direct/golden_runs.h"
#include "src/direct/resolve_fault.h"
#include "src/model/profile.h"
#include "src/wave/wave.h"

namespace faultwave {
namespace {

using wave::RowSpace;
using wave::Shadow;

/// The axis of a whole tensor that its channels run along; Shadow::points for none.
int64_t channel_axis(const Site& site) {
  if (site.channel_axis < 0) return Shadow::points;
  const bool has_batch_axis = site.batch.dim >= 0 && site.batch.rows == 1;
  return site.channel_axis + (has_batch_axis && site.batch.dim <= site.channel_axis ? 1 : 0);
}

/// The shadows that lie beside one tensor.
std::vector<const Shadow*> parts_of(const wave::ShadowParts* shadow) {
  std::vector<const Shadow*> parts;
  if (shadow == nullptr) return parts;
  for (const Shadow& part : *shadow)
    parts.push_back(&part);
  return parts;
}

/// The axis that rows are counted along: that of the first shadow of rows, else of the channels.
int64_t axis_of_rows(const std::vector<const Shadow*>& parts, const at::Tensor& result, const Site& site) {
  for (const Shadow* part : parts) {
    if (!part->is_points()) return part->form.axis;
  }
  const int64_t axis = channel_axis(site);
  return axis < result.dim() ? axis : Shadow::points;
}

/// How many rows of a result differ, over all trials, and in how many trials.
void count_rows(const std::vector<const Shadow*>& parts, const at::Tensor& result, const Site& site,
                ExplainedCall& call) {
  const int64_t axis = axis_of_rows(parts, result, site);
  std::optional<RowSpace> space;
  if (axis != Shadow::points) space.emplace(result.sizes(), axis);
  call.all_rows = space ? space->rows : result.numel();
  std::set<std::pair<int32_t, int64_t>> rows;
  std::set<int32_t> trials;
  for (const Shadow* part : parts) {
    for (size_t i = 0; i < part->trials.size(); ++i) {
      const int64_t place = part->places[i];
      rows.emplace(part->trials[i], space && part->is_points() ? space->row_of(place) : place);
      trials.insert(part->trials[i]);
    }
  }
  call.trials = static_cast<int64_t>(trials.size());
  if (!trials.empty()) call.rows = static_cast<double>(rows.size()) / static_cast<double>(trials.size());
}

ExplainedCall explained(const wave::SeenCall& seen, const std::vector<Site>& sites) {
  ExplainedCall call;
  call.op = seen.call.op().operator_name().name;
  call.rules.assign(seen.notes.rules.begin(), seen.notes.rules.end());
  call.ways.assign(seen.notes.ways.begin(), seen.notes.ways.end());
  if (seen.profiled == nullptr || seen.profiled->outputs.empty()) return call;
  const detail::SiteUse& first = seen.profiled->outputs.front();
  const Site& site = sites[static_cast<size_t>(first.site)];
  call.site = site.name;
  const at::Tensor result = detail::tensor_at(seen.call.results(), first.place);
  if (!result.defined()) return call;
  call.shape = result.sizes().vec();
  count_rows(parts_of(seen.shadows.find(result)), result, site, call);
  return call;
}

}  // namespace

std::map<std::string, int64_t> Explanation::without_rule() const {
  std::map<std::string, int64_t> operators;
  for (const ExplainedCall& call : calls) {
    if (std::find(call.rules.begin(), call.rules.end(), "generic") != call.rules.end()) ++operators[call.op];
  }
  return operators;
}

Explanation WaveEngine::explain(const std::vector<Trial>& trials) {
  std::vector<Trial> resolved = trials;
  std::vector<const Trial*> members;
  std::set<std::string> hit;
  for (Trial& trial : resolved) {
    if (trial.input != trials.front().input)
      throw UserError(ErrorCode::usage, "trials of several inputs cannot be explained together");
    for (Fault& fault : trial.faults) {
      fault = detail::resolve_in_one_forward(injector_, fault);
      if (fault.kind == SiteKind::output) hit.insert(fault.site);
    }
    members.push_back(&trial);
  }
  if (members.empty()) throw UserError(ErrorCode::usage, "no trial to explain: expected at least one");

  WaveReport report;
  Explanation explanation;
  wave::Wave wave(detail::profile_of(injector_), members, options_.budget_bytes, report);
  wave.set_observer([&](const wave::SeenCall& seen) {
    explanation.calls.push_back(explained(seen, injector_.sites()));
    explanation.calls.back().has_faults = hit.count(explanation.calls.back().site) > 0;
  });
  {
    detail::SteadyNetwork::Forward forward(runs_.network(), runs_.batch({members.front()->input}));
    const intercept::Intercept on(wave);
    forward.run();
  }
  explanation.left = report.left;
  return explanation;
}

}  // namespace faultwave
