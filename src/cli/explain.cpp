// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iostream>
#include <memory>
#include <utility>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/population.h"
#include "faultwave/random.h"
#include "faultwave/wave_engine.h"
#include "faultwave/workload.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/network_inputs.h"
#include "src/common/numbers.h"
#include "src/common/torch_names.h"
#include "src/model/batch_sizes.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

using json = nlohmann::ordered_json;

struct ExplainOptions {
  SubjectFlags subject;
  std::string site;
  int64_t faults = 16;
  uint64_t key = 1;
  bool json = false;
};

/// A batch of one, or of the fewest that the network takes, as an input set.
std::shared_ptr<InputSet> first_of(const std::vector<c10::IValue>& batch, const Network& network) {
  std::vector<at::Tensor> tensors;
  for (const c10::IValue& input : batch)
    tensors.push_back(input.toTensor());
  const detail::BatchAxes batch_axes(batch, {});
  const detail::BatchSizes sizes(network, batch, batch_axes);
  const bool fits = !tensors.empty() && tensors[0].is_cpu() && batch_axes.grow() &&
                    batch_axes.batch_of(batch) == sizes.at_least(1).value_or(1);
  if (!fits) {
    throw UserError(ErrorCode::bad_input,
                    "the wave engine follows one inference: expected tensors on the CPU, the first with a "
                    "batch of one on axis 0");
  }
  std::vector<int64_t> axes;
  for (at::Tensor& tensor : tensors) {
    axes.push_back(batch_axes.of(axes.size()));
    if (axes.back() >= 0) tensor = tensor.narrow(axes.back(), 0, 1);
  }
  return inputs_from_tensors(std::move(tensors), std::move(axes));
}

/// The named output, or the first default one.
Site site_of(const ExplainOptions& options, const Injector& injector) {
  if (options.site.empty()) {
    for (const Site& site : injector.select(SiteKind::output)) {
      if (site.dtype == at::kFloat) return site;
    }
    throw UserError(ErrorCode::illegal_fault,
                    "no operator that owns parameters gives FP32 values: name an output with --site");
  }
  const Site& site = injector.site(SiteKind::output, options.site);
  if (site.dtype == at::kFloat) return site;
  throw UserError(ErrorCode::illegal_fault, "the wave engine follows FP32 values, and output:" + site.name +
                                                " has " + dtype_name(site.dtype) +
                                                ": campaigns hit it with real faulty runs");
}

std::vector<Trial> drawn_trials(const ExplainOptions& options, const Site& site) {
  const Population population({site}, DrawRule::layers, random_value(-1, 1));
  std::vector<Trial> trials;
  for (int64_t number = 0; number < options.faults; ++number) {
    Draw draw(options.key, static_cast<uint64_t>(number));
    trials.push_back({static_cast<uint64_t>(number), 0, {population.fault(population.draw(draw), draw)}});
  }
  return trials;
}

std::string joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words)
    text += (text.empty() ? "" : ", ") + word;
  return text;
}

std::string rule_text(const ExplainedCall& call) {
  if (call.rules.empty()) return call.has_faults ? "(the faults)" : "(golden)";
  return joined(call.rules) + (call.ways.empty() ? "" : ": " + joined(call.ways));
}

/// A mean: whole numbers as such.
std::string rows_text(double rows) {
  return format_fixed(rows, rows < 1000 ? 1 : 0);
}

std::string share_text(const ExplainedCall& call) {
  return percent(call.all_rows > 0 ? call.rows / static_cast<double>(call.all_rows) : 0.0);
}

class Table {
 public:
  explicit Table(const std::vector<ExplainedCall>& calls) {
    add({"operator", "site", "rule", "faults", "rows", "of", "share"});
    for (const ExplainedCall& call : calls) {
      if (call.trials == 0) {
        add({call.op, call.site, rule_text(call), "0", "", call.shape.empty() ? "" : grouped(call.all_rows),
             ""});
      } else {
        add({call.op, call.site, rule_text(call), grouped(call.trials), rows_text(call.rows),
             grouped(call.all_rows), share_text(call)});
      }
    }
  }

  void print() const {
    for (const std::vector<std::string>& row : rows_) {
      std::string line;
      for (size_t i = 0; i < row.size(); ++i) {
        const std::string filling(widths_[i] - row[i].size(), ' ');
        line += "  " + (i < kWords ? row[i] + filling : filling + row[i]);
      }
      line.erase(line.find_last_not_of(' ') + 1);
      std::cout << line << "\n";
    }
  }

 private:
  static constexpr size_t kWords = 3;  // columns that are no numbers

  void add(std::vector<std::string> row) {
    widths_.resize(row.size());
    for (size_t i = 0; i < row.size(); ++i)
      widths_[i] = std::max(widths_[i], row[i].size());
    rows_.push_back(std::move(row));
  }

  std::vector<std::vector<std::string>> rows_;
  std::vector<size_t> widths_;
};

void print_text(const ExplainOptions& options, const Site& site, const Explanation& explanation) {
  std::cout << grouped(options.faults) << " random neurons of output:" << site.name
            << ", each random(-1,1); rows are the mean over the faults that still differ\n\n";
  Table(explanation.calls).print();
  std::cout << "\n";
  const auto takes_whole_maps = [](const ExplainedCall& call) {
    return std::find(call.ways.begin(), call.ways.end(), "whole maps") != call.ways.end();
  };
  const auto first = std::find_if(explanation.calls.begin(), explanation.calls.end(), takes_whole_maps);
  if (first == explanation.calls.end()) {
    std::cout << "Dense     no convolution takes whole maps in place of rows\n";
  } else {
    std::cout << "Dense     convolutions take whole maps in place of rows from " << first->site << " on\n";
  }
  for (const auto& [reason, trials] : explanation.left)
    std::cout << "Direct    " << grouped(trials) << " faults left the wave: " << reason << "\n";
  const std::map<std::string, int64_t> without = explanation.without_rule();
  if (without.empty()) std::cout << "No rule   none: every operator that a fault reached has one\n";
  for (const auto& [op, calls] : without)
    std::cout << "No rule   " << op << ", " << grouped(calls) << (calls == 1 ? " call\n" : " calls\n");
}

json to_json(const ExplainedCall& call) {
  return {{"op", call.op},         {"site", call.site}, {"shape", call.shape},
          {"rules", call.rules},   {"ways", call.ways}, {"has_faults", call.has_faults},
          {"faults", call.trials}, {"rows", call.rows}, {"all_rows", call.all_rows}};
}

void print_json(const ExplainOptions& options, const Site& site, const Explanation& explanation) {
  json calls = json::array();
  for (const ExplainedCall& call : explanation.calls)
    calls.push_back(to_json(call));
  const json whole{{"site", site.name},        {"faults", options.faults},
                   {"key", options.key},       {"calls", calls},
                   {"left", explanation.left}, {"without_rule", explanation.without_rule()}};
  std::cout << whole.dump(2) << "\n";
}

void explain(const ExplainOptions& options) {
  const std::shared_ptr<NetworkFile> network = open_network(options.subject);
  const auto workload =
      std::make_shared<Workload>(network, first_of(network_inputs(options.subject, *network), *network));
  const Site site = site_of(options, workload->injector());
  WaveEngine engine(workload, nullptr);
  const Explanation explanation = engine.explain(drawn_trials(options, site));
  options.json ? print_json(options, site, explanation) : print_text(options, site, explanation);
}

}  // namespace

void add_explain(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "explain", "Show what the wave engine does at each operator: its rule, and how far a fault spreads");
  const auto options = std::make_shared<ExplainOptions>();
  add_subject_flags(*command, options->subject, /*made_up_inputs_will_do=*/true);
  command
      ->add_option("--site", options->site, "Output whose neurons are hit (default: that of the first layer)")
      ->type_name("NAME");
  command->add_option("--faults", options->faults, "How many neurons, one fault each (default: 16)")
      ->type_name("N")
      ->check(in_range("--faults"));
  command->add_option("--key", options->key, "Key that neurons and values are drawn by (default: 1)")
      ->type_name("N");
  command->add_flag("--json", options->json, "Print JSON: one object, with a list of calls");
  command->callback([options] { explain(*options); });
}

}  // namespace faultwave::cli
