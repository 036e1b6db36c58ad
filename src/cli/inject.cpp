// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <utility>

#include <CLI/CLI.hpp>

#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/outcome.h"

#include "src/cli/commands.h"
#include "src/cli/inject_report.h"
#include "src/cli/network_inputs.h"
#include "src/cli/output.h"
#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/direct/resolve_fault.h"
#include "src/model/repeat_check.h"
#include "src/model/steady_network.h"
#include "src/outcome/doubts.h"

namespace faultwave::cli {
namespace {

struct InjectOptions {
  SubjectFlags subject;
  std::vector<std::string> faults;
  std::vector<std::string> criteria;  // none: those that fit the outputs
  std::string save;
  bool force = false;  // overwrites what is there
  std::optional<uint64_t> random_key;
  bool json = false;
  std::vector<std::string> plugins;
};

/// Golden and faulty run of the same inputs. Outputs are on the CPU, batch axis kept.
struct Experiment {
  std::vector<at::Tensor> golden;
  std::vector<Fault> faults;
  std::vector<at::Tensor> faulty;  // empty if the faulty run crashed
  std::vector<Receipt> receipts;
  std::string crash;
  int64_t batch = 0;                  // of the first input
  std::vector<std::string> names;     // of the inputs, where they are files of a folder
  std::vector<std::string> warnings;  // of the inputs
};

/// Checked to be what another run gives as well.
std::vector<at::Tensor> golden_outputs(detail::SteadyNetwork& network, const InjectOptions& options,
                                       const std::vector<c10::IValue>& inputs) {
  try {
    return check_repeats(network, inputs, std::nullopt).outputs;
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    std::string files;
    for (const std::string& file : options.subject.inputs)
      files += (files.empty() ? "'" : ", '") + file + "'";
    throw UserError(ErrorCode::bad_network, "the fault-free network fails on " +
                                                (files.empty() ? "made-up inputs" : files) + ": " +
                                                reason_of(error));
  }
}

Experiment run_experiment(const InjectOptions& options) {
  std::vector<Fault> faults;
  for (const std::string& line : options.faults) {
    for (Fault& fault : parse_faults(line))
      faults.push_back(std::move(fault));
  }
  const std::shared_ptr<NetworkFile> network = open_network(options.subject);
  const std::vector<c10::IValue> inputs = network_inputs(options.subject, *network);
  Experiment experiment;
  experiment.names = input_names(options.subject);
  experiment.warnings = input_warnings(options.subject, inputs);
  if (!inputs.empty() && inputs[0].toTensor().dim() > 0) experiment.batch = inputs[0].toTensor().size(0);
  detail::SteadyNetwork steady(network, options.random_key);
  experiment.golden = golden_outputs(steady, options, inputs);
  const Injector injector(network, inputs);
  for (const Fault& fault : faults)
    experiment.faults.push_back(
        detail::resolve_in_one_forward(injector, fault));  // what a line leaves open is drawn once
  try {
    detail::SteadyNetwork::Forward forward(steady, inputs);
    Armed armed(injector, experiment.faults, Forwards::one);
    const std::vector<at::Tensor> outputs = forward.run();
    armed.disarm();
    experiment.receipts = armed.receipts();
    experiment.faulty = forward.keep(outputs);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    experiment.crash = reason_of(error);
  }
  return experiment;
}

/// Whether boxes [1, 4], scores [1] and classes [1] are a single box of a single image, not a batch of one.
bool is_one_detection(const Experiment& experiment) {
  const auto is_integer = [](const at::Tensor& output) {
    return at::isIntegralType(output.scalar_type(), /*includeBool=*/false);
  };
  return experiment.batch == 1 &&
         std::any_of(experiment.golden.begin(), experiment.golden.end(), is_integer) &&
         kind_of_outputs({experiment.golden}) == OutputKind::detections;
}

/// Splits along axis 0 where every output has the size of the inputs' batch there; else the whole is one
/// element, such as the boxes [N, 4] of a detector, of which there may be just one.
std::vector<Element> elements_of(const Experiment& experiment) {
  const bool splits =
      experiment.batch > 0 && !is_one_detection(experiment) &&
      std::all_of(experiment.golden.begin(), experiment.golden.end(), [&](const at::Tensor& output) {
        return output.dim() > 0 && output.size(0) == experiment.batch;
      });
  const auto part = [&](const std::vector<at::Tensor>& outputs, int64_t number) {
    std::vector<at::Tensor> parts;
    for (const at::Tensor& output : outputs) {
      const bool has_part = splits && output.dim() > 0 && output.size(0) > number;
      parts.push_back(has_part ? output.select(0, number).contiguous() : output);
    }
    return parts;
  };
  std::vector<Element> elements;
  for (int64_t b = 0; b < (splits ? experiment.batch : 1); ++b) {
    const auto number = static_cast<size_t>(b);
    const bool has_name = splits && number < experiment.names.size();
    elements.push_back({has_name ? experiment.names[number] : "input " + std::to_string(b),
                        part(experiment.golden, b),
                        part(experiment.faulty, b),
                        {}});
  }
  return elements;
}

/// Path and tensor of each file that --save writes.
std::vector<std::pair<std::string, at::Tensor>> saved_files(const std::string& folder,
                                                            const Experiment& experiment) {
  std::vector<std::pair<std::string, at::Tensor>> files;
  const auto add = [&](const std::string& name, const std::vector<at::Tensor>& outputs) {
    for (size_t i = 0; i < outputs.size(); ++i) {
      const std::string number = outputs.size() == 1 ? "" : "_" + std::to_string(i);
      files.emplace_back((std::filesystem::path(folder) / (name + number + ".npy")).string(), outputs[i]);
    }
  };
  add("golden", experiment.golden);
  add("faulty", experiment.faulty);
  return files;
}

void save_experiment(const InjectOptions& options, const Experiment& experiment) {
  std::error_code failure;
  std::filesystem::create_directories(options.save, failure);
  if (failure) {
    throw UserError(ErrorCode::store,
                    "--save '" + options.save + "': the folder cannot be made: " + failure.message());
  }
  const auto files = saved_files(options.save, experiment);
  for (const auto& [path, tensor] : files)
    check_may_write(path, options.force);
  for (const auto& [path, tensor] : files)
    save_npy(path, tensor);
}

std::vector<Outputs> golden_of(const std::vector<Element>& elements) {
  std::vector<Outputs> golden;
  for (const Element& element : elements)
    golden.push_back(element.golden);
  return golden;
}

Judges judges_of(const InjectOptions& options, const std::vector<Element>& elements) {
  Judges judges;
  std::vector<std::string> texts = options.criteria;
  if (texts.empty()) {
    const ChosenCriteria chosen = choose_criteria(golden_of(elements));
    texts = chosen.criteria;
    judges.chosen_for = chosen.reason;
  }
  for (const std::string& text : texts)
    judges.criteria.push_back(parse_criterion(text));
  check_criteria(elements[0].golden, judges.criteria);
  return judges;
}

void inject(const InjectOptions& options) {
  load_plugins(options.plugins);
  for (const std::string& text : options.criteria)
    parse_criterion(text);  // before anything runs
  const Experiment experiment = run_experiment(options);
  if (!options.save.empty()) save_experiment(options, experiment);
  std::vector<Element> elements = elements_of(experiment);
  const Judges judges = judges_of(options, elements);
  print_warnings(experiment.warnings);
  print_warnings(doubts_about(golden_of(elements), judges.criteria));
  for (Element& element : elements) {
    element.outcome = experiment.crash.empty()
                          ? judge({element.golden, element.faulty, std::nullopt}, judges.criteria)
                          : Outcome{.kind = OutcomeClass::crash};
  }
  const FaultyRun run{to_string(experiment.faults), experiment.receipts, experiment.crash};
  if (options.json) {
    print_json(run, elements, judges);
  } else {
    print_text(run, elements, judges);
  }
}

}  // namespace

void add_inject(CLI::App& program) {
  CLI::App* command =
      program.add_subcommand("inject", "Run a network with and without faults and show what changed");
  const auto options = std::make_shared<InjectOptions>();
  add_subject_flags(*command, options->subject, /*made_up_inputs_will_do=*/false);
  command
      ->add_option("--fault", options->faults,
                   "A fault line, such as 'output:features.3[17,4,9] flip(30)'; may be repeated")
      ->required()
      ->type_name("LINE")
      ->allow_extra_args(false);
  command
      ->add_option("--criterion", options->criteria,
                   "What counts as an error; may be repeated (default: those that fit the outputs)")
      ->type_name("CRITERION")
      ->allow_extra_args(false);
  command
      ->add_option("--save", options->save,
                   "Write the raw outputs to golden.npy and faulty.npy in this folder")
      ->type_name("DIR");
  command->add_flag("--force", options->force, "Overwrite files of --save that exist");
  command
      ->add_option(
          "--random-key", options->random_key,
          "For networks that draw random numbers or are in train mode: seeds torch before each forward")
      ->type_name("KEY")
      ->check(in_range("random_key"));
  command->add_flag("--json", options->json, "Print JSON");
  add_plugin_flag(*command, options->plugins);
  command->callback([options] { inject(*options); });
}

}  // namespace faultwave::cli
