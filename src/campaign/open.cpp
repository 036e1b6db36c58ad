// SPDX-License-Identifier: Apache-2.0
#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "faultwave/campaign.h"
#include "faultwave/direct_engine.h"
#include "faultwave/error.h"
#include "faultwave/inputs.h"
#include "faultwave/wave_engine.h"
#include "faultwave/workload.h"

#include "src/campaign/classify_neurons.h"
#include "src/campaign/doubts_about_campaign.h"
#include "src/campaign/forward_cost.h"
#include "src/common/input_file.h"
#include "src/common/near_names.h"
#include "src/common/numbers.h"
#include "src/common/torch_names.h"
#include "src/direct/golden_failure.h"
#include "src/direct/golden_runs.h"
#include "src/direct/resolve_fault.h"
#include "src/fault/victim_context.h"
#include "src/outcome/criteria.h"
#include "src/specification/check_numbers.h"

namespace faultwave {
namespace {

/// Shadows are FP32 on the CPU, and know no random numbers; another network would only pay for golden
/// forwards in vain.
bool can_wave(const Workload& workload) {
  const WorkloadOptions& options = workload.options();
  const std::vector<Site>& sites = workload.injector().sites();
  return !workload.is_unsteady() && options.device.is_cpu() &&
         (!options.dtype || *options.dtype == at::kFloat) &&
         std::any_of(sites.begin(), sites.end(), [](const Site& site) { return site.dtype == at::kFloat; });
}

/// How messages name the network.
std::string network_name(const Specification& spec) {
  return spec.model.empty() ? "the network" : "'" + spec.model + "'";
}

std::shared_ptr<Workload> open_workload(const Experiment& experiment, const Specification& spec) {
  WorkloadOptions options{
      .name = network_name(spec), .device = parse_device(spec.device), .random_key = spec.random_key};
  if (!spec.dtype.empty()) options.dtype = parse_dtype(spec.dtype);
  return std::make_shared<Workload>(experiment.network, experiment.inputs, options);
}

/// Engines, and what is expected of them in time.
void add_engines(const Specification& spec, const std::shared_ptr<Workload>& workload, CampaignParts& parts) {
  const auto direct = std::make_shared<DirectEngine>(workload, DirectOptions{spec.batch});
  const double seconds = expected_forward_seconds(workload->injector().sites());
  parts.engine = parts.exact = direct;
  parts.arithmetic = std::to_string(at::get_num_threads()) + " threads, " + at::get_cpu_capability();
  parts.golden = [workload](int64_t input) { return workload->golden(input); };
  if (spec.engine != "wave" || !can_wave(*workload)) {
    parts.trial_cost = 2 * seconds;  // a faulty forward, and mostly a golden one
    return;
  }
  const auto wave =
      std::make_shared<WaveEngine>(workload, direct, WaveOptions{.budget_bytes = spec.memory_bytes});
  constexpr double kTrialOfWave = 0.1;  // of a forward
  parts.engine = wave;
  parts.arithmetic += ", " + arithmetic_of_waves();
  parts.wave_report = [wave] { return wave->report(); };
  parts.input_cost = seconds;
  parts.trial_cost = kTrialOfWave * seconds;
}

/// Inputs that are enough to tell what outputs are.
constexpr int64_t kLookedAt = 8;

/// Golden outputs of the first input. Throws UserError(usage) if the run takes longer than a faulty one may.
std::vector<at::Tensor> golden_in_time(Workload& workload, double timeout) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<at::Tensor> golden = workload.golden(0);
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - begin;
  if (timeout == 0 || elapsed.count() < timeout) return golden;
  throw UserError(ErrorCode::usage, "timeout is " + format_number(timeout) +
                                        " s, and the golden run alone takes " +
                                        format_number(elapsed.count()) + " s: give a trial more time");
}

/// The sites that a specification names. A glob that matches nothing is a mistake even beside others that do.
std::vector<Site> select_sites(const Injector& injector, const Specification& spec) {
  for (const std::string& glob : spec.sites) {
    if (!injector.select(spec.kind, {glob}).empty()) continue;
    std::vector<std::string> names;
    for (const Site& site : injector.sites()) {
      if (site.kind == spec.kind) names.push_back(site.name);
    }
    throw UserError(ErrorCode::illegal_fault, network_name(spec) + " has no " +
                                                  std::string(to_string(spec.kind)) + " site that matches '" +
                                                  glob + "'" + did_you_mean(glob, names) +
                                                  " `faultwave sites` lists them all");
  }
  return injector.select(spec.kind, spec.sites);
}

void check_legal(const Injector& injector, const Population& population, const ErrorModel& model) {
  for (const Site& site : population.sites()) {
    try {
      model.check(context_of(site, injector.int8_scale(site)));
    } catch (const UserError& error) {
      throw UserError(error.code(),
                      std::string(to_string(site.kind)) + " site " + site.name + ": " + error.what());
    }
  }
}

/// Inputs whose golden top class is the label.
std::vector<int64_t> right_inputs(Workload& workload, const std::vector<int64_t>& labels,
                                  const Specification& spec) {
  std::vector<int64_t> right;
  for (size_t input = 0; input < labels.size(); ++input) {
    const std::vector<at::Tensor> golden = workload.golden(static_cast<int64_t>(input));
    const std::vector<RankedClass> top = top_classes(golden.at(0), 1);
    if (!top.empty() && top[0].index == labels[input]) right.push_back(static_cast<int64_t>(input));
  }
  if (right.empty()) {
    throw UserError(ErrorCode::bad_input,
                    "only_right: " + network_name(spec) + " classifies none of the inputs as labelled");
  }
  return right;
}

/// The fault lines of a file, one trial a line, empty lines and those that begin with # left out.
std::vector<std::vector<Fault>> read_list(const Specification& spec, const Injector& injector) {
  constexpr uint64_t longest = uint64_t{1} << 30;
  std::istringstream file(read_text_file(spec.resolve(spec.list), longest));
  std::vector<std::vector<Fault>> list;
  std::string line;
  for (int64_t number = 1; std::getline(file, line); ++number) {
    if (line.find_first_not_of(" \t\r") == std::string::npos || line[0] == '#') continue;
    try {
      std::vector<Fault> faults;
      for (const Fault& fault : parse_faults(line))
        faults.push_back(detail::resolve_in_one_forward(injector, fault));
      list.push_back(std::move(faults));
    } catch (const UserError& error) {
      throw UserError(error.code(), spec.list + ", line " + std::to_string(number) + ": " + error.what());
    }
  }
  if (list.empty()) throw UserError(ErrorCode::bad_input, "there are no fault lines in '" + spec.list + "'");
  return list;
}

/// The sites that fault lines name, in execution order.
std::vector<Site> sites_of(const std::vector<std::vector<Fault>>& list, const Injector& injector) {
  std::set<std::pair<SiteKind, std::string>> named;
  for (const std::vector<Fault>& line : list) {
    for (const Fault& fault : line)
      named.emplace(fault.kind, fault.site);
  }
  std::vector<Site> sites;
  for (const Site& site : injector.sites()) {
    if (named.count({site.kind, site.name}) > 0) sites.push_back(site);
  }
  return sites;
}

/// What a fault of a list does, for a population that has to have one model: the first line's.
ErrorModelPtr model_of(const std::vector<std::vector<Fault>>& list) {
  return list.at(0).at(0).model;
}

/// The criteria that a specification names, and those that came with the experiment, each once. A name may be
/// of one of these.
std::vector<CriterionPtr> all_criteria(const Experiment& experiment, const Specification& spec,
                                       const Store* recorded) {
  std::vector<CriterionPtr> criteria;
  std::vector<CriterionPtr> own = experiment.criteria;
  for (const std::string& text : spec.criteria) {
    const auto found =
        std::find_if(own.begin(), own.end(), [&](const CriterionPtr& one) { return one->text() == text; });
    if (found != own.end()) {
      criteria.push_back(*found);
      own.erase(found);
      continue;
    }
    if (recorded && is_own_criterion(text)) {
      throw UserError(ErrorCode::usage, "criterion " + text + " is one of the program that made '" +
                                            recorded->path() + "': only that program can judge by it");
    }
    criteria.push_back(parse_criterion(text));
  }
  criteria.insert(criteria.end(), own.begin(), own.end());
  return criteria;
}

std::vector<std::string> texts_of(const std::vector<CriterionPtr>& criteria) {
  std::vector<std::string> texts;
  for (const CriterionPtr& criterion : criteria)
    texts.push_back(criterion->text());
  return texts;
}

/// The error model of all faults; null for a list, whose lines have their own.
ErrorModelPtr error_of(const Experiment& experiment, const Specification& spec) {
  if (spec.draw == DrawRule::list) return nullptr;
  if (experiment.error) return experiment.error;
  if (!spec.error.empty()) return parse_error_model(spec.error);
  throw UserError(ErrorCode::usage,
                  "there is no error model: give Specification::error, \"flip\", say, or Experiment::error");
}

Population population_of(const Workload& workload, const Specification& spec, const ErrorModelPtr& error,
                         const std::vector<std::vector<Fault>>& list) {
  const Injector& injector = workload.injector();
  if (is_gradient(spec.kind)) {
    throw UserError(ErrorCode::usage,
                    "kind is " + std::string(to_string(spec.kind)) +
                        ", and a campaign runs no backward pass; expected output, input, weight, "
                        "bias, buffer or network-input");
  }
  if (spec.draw == DrawRule::list) return {sites_of(list, injector), spec.draw, model_of(list)};
  Population population(select_sites(injector, spec), spec.draw, error);
  check_legal(injector, population, *error);
  return population;
}

/// A golden run of input `number` alone, whose network call `around` makes.
std::vector<at::Tensor> run_around(detail::GoldenRuns& runs, int64_t number, const AroundForward& around) {
  detail::SteadyNetwork::Forward forward(runs.network(), runs.batch({number}));
  std::vector<at::Tensor> outputs;
  try {
    around([&] { outputs = forward.run(); });
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    detail::refuse_input(runs.inputs(), number, error);
  }
  return forward.keep(std::move(outputs));
}

/// Classes of neurons, where strata go by them: looked at, or as they were when the campaign began.
void add_neurons(Workload& workload, const Specification& spec, const Population& population,
                 const Store* recorded, SamplingOptions& options, CampaignParts& parts) {
  if (!goes_by_neurons(spec, population, options)) return;
  if (recorded) {
    options.neurons = recorded->neuron_classes();
    // Where the network or the inputs are others, check_same_campaign says so.
    if (options.neurons && !neurons_fit(population, options)) options.neurons = nullptr;
    return;
  }
  GoldenLook look = classify_neurons(workload.injector(), population, options,
                                     [&](int64_t number, const AroundForward& around) {
                                       return run_around(workload.runs(), number, around);
                                     });
  options.neurons = std::move(look.neurons);
  parts.golden_classes = std::move(look.golden_classes);
}

}  // namespace

Campaign open_campaign(const Experiment& experiment, const Specification& specification,
                       const Store* recorded) {
  Specification spec = specification;
  check_numbers(spec);
  const ErrorModelPtr error = error_of(experiment, spec);
  if (error) spec.error = error->text();
  const std::shared_ptr<Workload> workload = open_workload(experiment, spec);
  if (error && error->needs_scale()) workload->calibrate(spec.calibrate);

  const std::shared_ptr<const InputSet>& inputs = experiment.inputs;
  CampaignParts parts;
  add_engines(spec, workload, parts);
  const Outputs first_golden = golden_in_time(*workload, spec.timeout);
  std::vector<Outputs> golden;
  if (!recorded) golden = workload->look_at_first(kLookedAt);
  if (!recorded && spec.criteria.empty() && experiment.criteria.empty())
    spec.criteria = choose_criteria(golden).criteria;
  parts.criteria = all_criteria(experiment, spec, recorded);
  spec.criteria = texts_of(parts.criteria);
  parts.input_name = [inputs](int64_t number) { return inputs->name(number); };
  parts.labels = experiment.labels;
  const auto first_label = parts.labels.empty() ? std::nullopt : std::make_optional(parts.labels[0]);
  check_criteria(first_golden, parts.criteria, first_label);
  if (!recorded) parts.warnings = doubts_about_campaign(spec, parts, *inputs, golden);
  parts.model_fingerprint =
      experiment.network_fingerprint.empty() ? workload->fingerprint() : experiment.network_fingerprint;
  parts.inputs_fingerprint = inputs->fingerprint();
  parts.labels_fingerprint = experiment.labels_fingerprint;
  if (!parts.labels.empty() && parts.labels_fingerprint.empty())
    parts.labels_fingerprint = inputs_from_tensor(at::tensor(parts.labels, at::kLong))->fingerprint();

  SamplingOptions options{.rule = spec.draw,
                          .seed = spec.seed,
                          .inputs = inputs->size(),
                          .inputs_in_turn = spec.inputs_in_turn,
                          .faults_per_trial = spec.faults_per_trial};
  const bool one_label_each = static_cast<int64_t>(parts.labels.size()) == options.inputs;
  if (spec.only_right && one_label_each) options.eligible = right_inputs(*workload, parts.labels, spec);
  if (spec.draw == DrawRule::list) options.list = read_list(spec, workload->injector());
  const Population population = population_of(*workload, spec, error, options.list);
  add_neurons(*workload, spec, population, recorded, options, parts);
  parts.sampler = std::make_shared<Sampler>(population, std::move(options));
  return Campaign(spec, std::move(parts));
}

}  // namespace faultwave
