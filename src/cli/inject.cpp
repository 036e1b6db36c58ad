// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/outcome.h"

#include "src/campaign/columns.h"
#include "src/cli/commands.h"
#include "src/cli/network_inputs.h"
#include "src/cli/receipt_text.h"
#include "src/common/exception_text.h"
#include "src/common/shape.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

struct InjectOptions {
  SubjectFlags subject;
  std::vector<std::string> faults;
  std::vector<std::string> criteria = {"top1", "top5", "confidence(0.2)", "nonfinite"};
  bool names_criteria = false;
  std::string save;
  bool json = false;
};

/// Golden and faulty run of the same inputs. Outputs are on the CPU, batch axis kept.
struct Experiment {
  std::vector<at::Tensor> golden;
  std::vector<at::Tensor> faulty;  // empty if the faulty run crashed
  std::vector<Receipt> receipts;
  std::string crash;
  int64_t batch = 0;  // of the first input
};

/// One batch element of an experiment.
struct Element {
  std::vector<at::Tensor> golden;
  std::vector<at::Tensor> faulty;
  Outcome outcome;
};

std::vector<at::Tensor> run_network(Network& network, const std::vector<c10::IValue>& inputs) {
  torch::NoGradGuard no_grad;
  std::vector<c10::IValue> own;  // a network may write to its inputs
  for (const c10::IValue& input : inputs)
    own.emplace_back(input.toTensor().clone());
  std::vector<at::Tensor> outputs = network.forward(own);
  for (at::Tensor& output : outputs)
    output = output.cpu();
  return outputs;
}

Experiment run_experiment(const InjectOptions& options) {
  std::vector<Fault> faults;
  for (const std::string& line : options.faults) {
    for (Fault& fault : parse_faults(line))
      faults.push_back(std::move(fault));
  }
  const std::shared_ptr<Network> network = open_network(options.subject);
  const std::vector<c10::IValue> inputs = network_inputs(options.subject, *network);
  Experiment experiment;
  if (!inputs.empty() && inputs[0].toTensor().dim() > 0) experiment.batch = inputs[0].toTensor().size(0);
  experiment.golden = run_network(*network, inputs);
  const Injector injector(network, inputs);
  try {
    experiment.faulty =
        injector.run(faults, [&] { return run_network(*network, inputs); }, &experiment.receipts);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    experiment.crash = reason_of(error);
  }
  return experiment;
}

/// Splits along axis 0 where every output has the size of the inputs' batch there; else the whole is one
/// element, such as the boxes [N, 4] of a detector.
std::vector<Element> elements_of(const Experiment& experiment) {
  const bool splits =
      experiment.batch > 0 &&
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
  for (int64_t b = 0; b < (splits ? experiment.batch : 1); ++b)
    elements.push_back({part(experiment.golden, b), part(experiment.faulty, b), {}});
  return elements;
}

bool holds_scores(const std::vector<at::Tensor>& outputs) {
  return !outputs.empty() && outputs[0].dim() == 1 && !outputs[0].is_complex();
}

void save_outputs(const std::string& folder, const std::string& name,
                  const std::vector<at::Tensor>& outputs) {
  for (size_t i = 0; i < outputs.size(); ++i) {
    const std::string number = outputs.size() == 1 ? "" : "_" + std::to_string(i);
    save_npy((std::filesystem::path(folder) / (name + number + ".npy")).string(), outputs[i]);
  }
}

void save_experiment(const std::string& folder, const Experiment& experiment) {
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) {
    throw UserError(ErrorCode::store,
                    "--save '" + folder + "': the folder cannot be made: " + failure.message());
  }
  save_outputs(folder, "golden", experiment.golden);
  save_outputs(folder, "faulty", experiment.faulty);
}

std::string fired_text(const Outcome& outcome, const std::vector<CriterionPtr>& criteria) {
  std::string text;
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (((outcome.fired >> i) & 1) != 0) text += (text.empty() ? ": " : ", ") + criteria[i]->text();
  }
  return std::string(to_string(outcome.kind)) + text;
}

void print_scores(const Element& element) {
  const std::vector<RankedClass> golden = top_classes(element.golden[0]);
  std::vector<RankedClass> faulty;
  if (holds_scores(element.faulty)) faulty = top_classes(element.faulty[0]);
  std::cout << "          golden                 faulty\n";
  for (size_t rank = 0; rank < golden.size(); ++rank) {
    const auto cell = [](const RankedClass& ranked) {
      return "class " + std::to_string(ranked.index) + " (" + percent(ranked.probability) + ")";
    };
    std::cout << std::left << "top " << std::setw(6) << rank + 1 << std::setw(23) << cell(golden[rank])
              << (rank < faulty.size() ? cell(faulty[rank]) : "-") << "\n";
  }
}

void print_differences(const Element& element) {
  for (size_t i = 0; i < element.golden.size(); ++i) {
    std::cout << "output " << i << "  " << shape_text(element.golden[i].sizes());
    if (i < element.faulty.size() && element.faulty[i].sizes() == element.golden[i].sizes()) {
      std::cout << ": " << grouped((element.faulty[i] != element.golden[i]).sum().item<int64_t>()) << " of "
                << grouped(element.golden[i].numel()) << " values differ";
    }
    std::cout << "\n";
  }
}

void print_text(const Experiment& experiment, const std::vector<Element>& elements,
                const std::vector<CriterionPtr>& criteria) {
  for (const Receipt& receipt : experiment.receipts)
    std::cout << receipt_text(receipt);
  if (!experiment.crash.empty()) std::cout << "crashed   " << experiment.crash << "\n";
  for (size_t b = 0; b < elements.size(); ++b) {
    if (elements.size() > 1) std::cout << "batch element " << b << "\n";
    if (holds_scores(elements[b].golden)) {
      print_scores(elements[b]);
    } else {
      print_differences(elements[b]);
    }
    std::cout << "outcome   " << fired_text(elements[b].outcome, criteria) << "\n";
  }
}

nlohmann::ordered_json classes_json(const std::vector<at::Tensor>& outputs) {
  nlohmann::ordered_json list = nlohmann::ordered_json::array();
  if (!holds_scores(outputs)) return list;
  for (const RankedClass& ranked : top_classes(outputs[0])) {
    list.push_back({{"class", ranked.index}, {"probability", json_number(ranked.probability)}});
  }
  return list;
}

void print_json(const Experiment& experiment, const std::vector<Element>& elements,
                const std::vector<CriterionPtr>& criteria) {
  const std::vector<std::string> columns = criterion_columns(criteria);
  nlohmann::ordered_json json;
  json["receipts"] = nlohmann::ordered_json::array();
  for (const Receipt& receipt : experiment.receipts)
    json["receipts"].push_back(receipt_json(receipt));
  if (!experiment.crash.empty()) json["crash"] = experiment.crash;
  json["elements"] = nlohmann::ordered_json::array();
  OutcomeClass worst = OutcomeClass::masked;
  for (const Element& element : elements) {
    nlohmann::ordered_json fired;
    for (size_t i = 0; i < criteria.size(); ++i)
      fired[columns[i]] = ((element.outcome.fired >> i) & 1) != 0;
    json["elements"].push_back({{"golden", classes_json(element.golden)},
                                {"faulty", classes_json(element.faulty)},
                                {"outcome", to_string(element.outcome.kind)},
                                {"criteria", std::move(fired)}});
    worst = std::max(worst, element.outcome.kind);
  }
  json["outcome"] = to_string(worst);
  std::cout << json.dump(2) << "\n";
}

void inject(const InjectOptions& options) {
  std::vector<CriterionPtr> criteria;
  for (const std::string& text : options.criteria)
    criteria.push_back(parse_criterion(text));
  const Experiment experiment = run_experiment(options);
  if (!options.save.empty()) save_experiment(options.save, experiment);
  std::vector<Element> elements = elements_of(experiment);
  if (options.names_criteria || holds_scores(elements[0].golden)) {
    check_criteria(elements[0].golden, criteria);
  } else {
    // The criteria of classifiers, which nobody asked for, mean nothing where the first output holds no
    // scores.
    criteria = {parse_criterion("nonfinite")};
  }
  for (Element& element : elements) {
    element.outcome = experiment.crash.empty()
                          ? judge({element.golden, element.faulty, std::nullopt}, criteria)
                          : crashed_outcome(criteria);
  }
  if (options.json) {
    print_json(experiment, elements, criteria);
  } else {
    print_text(experiment, elements, criteria);
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
  command->add_option("--criterion", options->criteria, "What counts as an error; may be repeated")
      ->type_name("CRITERION")
      ->allow_extra_args(false)
      ->capture_default_str();
  command
      ->add_option("--save", options->save,
                   "Write the raw outputs to golden.npy and faulty.npy in this folder")
      ->type_name("DIR");
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, command] {
    options->names_criteria = command->count("--criterion") > 0;
    inject(*options);
  });
}

}  // namespace faultwave::cli
