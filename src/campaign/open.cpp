// SPDX-License-Identifier: Apache-2.0
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
#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"
#include "faultwave/wave_engine.h"

#include "src/campaign/check_numbers.h"
#include "src/campaign/classify_neurons.h"
#include "src/campaign/doubts_about_campaign.h"
#include "src/campaign/forward_cost.h"
#include "src/common/input_file.h"
#include "src/common/near_names.h"
#include "src/common/shape.h"
#include "src/common/torch_names.h"
#include "src/direct/golden_failure.h"
#include "src/fault/numbers.h"
#include "src/fault/victim_context.h"
#include "src/model/batch_sizes.h"
#include "src/model/steady_network.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

/// The network of a specification, ready to run where and as the specification says.
class Bench {
 public:
  explicit Bench(const Specification& spec) : spec_(spec), device_(parse_device(spec.device)) {
    check_device_present(device_);
    if (!spec.dtype.empty()) dtype_ = parse_dtype(spec.dtype);
    network_ = Network::open(spec.resolve(spec.model), {device_, dtype_});
    inputs_ = open_inputs(spec.resolve(spec.input), spec.preprocess);
    steady_ = std::make_unique<detail::SteadyNetwork>(network_, spec.random_key);
    injector_ = std::make_unique<Injector>(profile());
    direct_ = std::make_shared<DirectEngine>(network_, *injector_, inputs_,
                                             DirectOptions{spec.batch, device_, dtype_, spec.random_key});
    if (spec.engine == "wave" && can_wave())
      wave_ = std::make_shared<WaveEngine>(network_, *injector_, inputs_, direct_,
                                           WaveOptions{.budget_bytes = spec.memory_bytes});
  }

  Injector& injector() { return *injector_; }
  DirectEngine& direct() { return *direct_; }
  /// That runs the campaign.
  Engine& engine() { return wave_ ? static_cast<Engine&>(*wave_) : *direct_; }
  bool is_wave() const { return wave_ != nullptr; }
  std::function<WaveReport()> wave_report() const {
    if (!wave_) return {};
    return [wave = wave_] { return wave->report(); };
  }
  const std::shared_ptr<InputSet>& inputs() const { return inputs_; }

  /// A golden run of input `number` alone, whose network call `around` makes.
  std::vector<at::Tensor> forward(int64_t number, const AroundForward& around) const {
    detail::SteadyNetwork::Forward forward(*steady_, batch_of(number));
    std::vector<at::Tensor> outputs;
    try {
      around([&] { outputs = forward.run(); });
    } catch (const UserError&) {
      throw;
    } catch (const std::exception& error) {
      detail::refuse_input(*inputs_, number, error);
    }
    return forward.keep(std::move(outputs));
  }

  /// Input `number` as a batch of one, or of the fewest that the network takes.
  std::vector<c10::IValue> batch_of(int64_t number) const {
    at::Tensor input = inputs_->get(number).unsqueeze(0).to(device_);
    if (dtype_ && input.is_floating_point()) input = input.to(*dtype_);
    return detail::fitting(*network_, {input});
  }

 private:
  Injector profile() const {
    try {
      return Injector(network_, batch_of(0));
    } catch (const UserError& error) {
      if (error.code() != ErrorCode::bad_network) throw;
      throw UserError(ErrorCode::bad_network, "'" + spec_.model + "' cannot run on " + inputs_->name(0) +
                                                  " of '" + spec_.input + "', of shape " +
                                                  shape_text(inputs_->get(0).sizes()) +
                                                  " without the batch: " + error.what());
    }
  }

  /// Shadows are FP32 on the CPU, and know no random numbers; another network would only pay for golden
  /// forwards in vain.
  bool can_wave() const {
    return !direct_->is_unsteady() && device_.is_cpu() && (!dtype_ || *dtype_ == at::kFloat) &&
           std::any_of(injector_->sites().begin(), injector_->sites().end(),
                       [](const Site& site) { return site.dtype == at::kFloat; });
  }

  const Specification spec_;
  at::Device device_;
  std::optional<at::ScalarType> dtype_;
  std::shared_ptr<Network> network_;
  std::shared_ptr<InputSet> inputs_;
  std::unique_ptr<detail::SteadyNetwork> steady_;
  std::unique_ptr<Injector> injector_;  // before the engine, which refers to it
  std::shared_ptr<DirectEngine> direct_;
  std::shared_ptr<WaveEngine> wave_;
};

/// Golden outputs of the first input. Throws UserError(usage) if the run takes longer than a faulty one may.
std::vector<at::Tensor> golden_in_time(DirectEngine& engine, double timeout) {
  const auto begin = std::chrono::steady_clock::now();
  std::vector<at::Tensor> golden = engine.golden(0);
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
    throw UserError(ErrorCode::illegal_fault, "'" + spec.model + "' has no " +
                                                  std::string(to_string(spec.kind)) + " site that matches '" +
                                                  glob + "'" + did_you_mean(glob, names) +
                                                  " `faultwave sites` lists them all");
  }
  return injector.select(spec.kind, spec.sites);
}

void calibrate(Bench& bench, const Specification& spec) {
  std::vector<std::vector<c10::IValue>> inputs;
  const int64_t count = std::min(spec.calibrate, bench.inputs()->size());
  for (int64_t i = 0; i < count; ++i)
    inputs.push_back(bench.batch_of(i));
  try {
    bench.injector().calibrate(inputs);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception&) {
    // The first that fails alone is named.
    for (int64_t i = 0; i < count; ++i)
      bench.forward(i, [](const std::function<void()>& network) { network(); });
    throw;
  }
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

std::vector<int64_t> read_labels(const at::Tensor& tensor, const std::string& path) {
  if (tensor.dim() != 1 || !at::isIntegralType(tensor.scalar_type(), /*includeBool=*/false)) {
    throw UserError(ErrorCode::bad_input, "'" + path + "' must hold one integer an input, in one dimension");
  }
  const at::Tensor labels = tensor.to(at::kLong).contiguous();
  return {labels.const_data_ptr<int64_t>(), labels.const_data_ptr<int64_t>() + labels.numel()};
}

/// Inputs whose golden top class is the label.
std::vector<int64_t> right_inputs(DirectEngine& engine, const std::vector<int64_t>& labels,
                                  const std::string& model) {
  std::vector<int64_t> right;
  for (size_t input = 0; input < labels.size(); ++input) {
    const std::vector<at::Tensor> golden = engine.golden(static_cast<int64_t>(input));
    const std::vector<RankedClass> top = top_classes(golden.at(0), 1);
    if (!top.empty() && top[0].index == labels[input]) right.push_back(static_cast<int64_t>(input));
  }
  if (right.empty()) {
    throw UserError(ErrorCode::bad_input,
                    "only_right: '" + model + "' classifies none of the inputs as labelled");
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
        faults.push_back(injector.resolve(fault));
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

/// The criteria that a specification names.
std::vector<CriterionPtr> named_criteria(const Specification& spec, const Store* recorded) {
  std::vector<CriterionPtr> criteria;
  for (const std::string& criterion : spec.criteria) {
    if (recorded && is_own_criterion(criterion)) {
      throw UserError(ErrorCode::usage, "criterion " + criterion + " is one of the program that made '" +
                                            recorded->path() + "': only that program can judge by it");
    }
    criteria.push_back(parse_criterion(criterion));
  }
  return criteria;
}

}  // namespace

Campaign open_campaign(const Specification& specification, const Store* recorded) {
  Specification spec = specification;
  check_numbers(spec);
  const bool is_list = spec.draw == DrawRule::list;
  const ErrorModelPtr error = is_list ? nullptr : parse_error_model(spec.error);
  const auto bench = std::make_shared<Bench>(spec);
  if (error && error->needs_scale()) calibrate(*bench, spec);

  CampaignParts parts{.engine = std::shared_ptr<Engine>(bench, &bench->engine()),
                      .exact = std::shared_ptr<Engine>(bench, &bench->direct()),
                      .sampler = nullptr};
  parts.wave_report = bench->wave_report();
  parts.golden = [bench](int64_t input) { return bench->direct().golden(input); };
  const double seconds = expected_forward_seconds(bench->injector().sites());
  if (bench->is_wave()) {
    constexpr double kTrialOfWave = 0.1;  // of a forward
    parts.input_cost = seconds;
    parts.trial_cost = kTrialOfWave * seconds;
  } else {
    parts.trial_cost = 2 * seconds;  // a faulty forward, and mostly a golden one
  }
  const Outputs first_golden = golden_in_time(bench->direct(), spec.timeout);
  std::vector<Outputs> golden;
  if (!recorded) {
    golden = look_at_outputs(bench->inputs()->size(), [&](int64_t i) { return bench->direct().golden(i); });
    if (spec.criteria.empty()) spec.criteria = choose_criteria(golden).criteria;
  }
  parts.criteria = named_criteria(spec, recorded);
  parts.input_name = [inputs = bench->inputs()](int64_t number) { return inputs->name(number); };
  if (!spec.labels.empty()) {
    const at::Tensor labels = load_tensor(spec.resolve(spec.labels));
    parts.labels = read_labels(labels, spec.labels);
    parts.labels_fingerprint = inputs_from_tensor(labels)->fingerprint();
  }
  const auto first_label = parts.labels.empty() ? std::nullopt : std::make_optional(parts.labels[0]);
  check_criteria(first_golden, parts.criteria, first_label);
  if (!recorded) parts.warnings = doubts_about_campaign(spec, parts, *bench->inputs(), golden);
  parts.model_fingerprint = file_fingerprint(spec.resolve(spec.model));
  parts.inputs_fingerprint = bench->inputs()->fingerprint();

  SamplingOptions options{.rule = spec.draw,
                          .seed = spec.seed,
                          .inputs = bench->inputs()->size(),
                          .inputs_in_turn = spec.inputs_in_turn,
                          .faults_per_trial = spec.faults_per_trial};
  const bool one_label_each = static_cast<int64_t>(parts.labels.size()) == options.inputs;
  if (spec.only_right && one_label_each)
    options.eligible = right_inputs(bench->direct(), parts.labels, spec.model);
  if (is_list) options.list = read_list(spec, bench->injector());
  const Population population(
      is_list ? sites_of(options.list, bench->injector()) : select_sites(bench->injector(), spec), spec.draw,
      is_list ? model_of(options.list) : error);
  if (!is_list) check_legal(bench->injector(), population, *error);
  if (goes_by_neurons(spec, population, options)) {
    if (recorded) {
      options.neurons = recorded->neuron_classes();
      // Where the network or the inputs are others, check_same_campaign says so.
      if (options.neurons && !neurons_fit(population, options)) options.neurons = nullptr;
    } else {
      GoldenLook look = classify_neurons(
          bench->injector(), population, options,
          [&](int64_t number, const AroundForward& around) { return bench->forward(number, around); });
      options.neurons = std::move(look.neurons);
      parts.golden_classes = std::move(look.golden_classes);
    }
  }
  parts.sampler = std::make_shared<Sampler>(population, std::move(options));
  return Campaign(spec, std::move(parts));
}

}  // namespace faultwave
