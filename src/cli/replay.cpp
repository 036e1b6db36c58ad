// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/cli/commands.h"
#include "src/cli/flags.h"
#include "src/cli/run_blocks.h"
#include "src/common/torch_names.h"
#include "src/fault/shortest_decimal.h"
#include "src/report/numbers.h"
#include "src/workers/supervise.h"
#include "src/workers/worker.h"

namespace faultwave::cli {
namespace {

struct ReplayOptions {
  std::string database;
  int64_t trial = 0;
  std::string specification;
  std::vector<std::string> plugins;
  NetworkFlags network;
};

/// What the database says of a trial: its row, or the outcome alone where it has none.
struct Recorded {
  std::optional<TrialRow> row;
  TrialOutcome outcome;
};

Recorded recorded_trial(const Store& store, int64_t number) {
  const CampaignInfo& info = store.info();
  const int64_t block = number < 0 ? -1 : number / info.block;
  const std::vector<TrialOutcome> outcomes = unpack_outcomes(store.packed_outcomes(block), info);
  const int64_t place = number - block * info.block;
  if (number >= 0 && place < static_cast<int64_t>(outcomes.size())) {
    return {store.row(number), outcomes[static_cast<size_t>(place)]};
  }
  const TrialRange shard = shard_trials(info);
  const std::string reason =
      number < 0 || number >= info.trials ? "the campaign has trials 0 to " + std::to_string(info.trials - 1)
      : !shard.has(number) ? "shard " + to_string(info.shard) + " has trials " + std::to_string(shard.first) +
                                 " to " + std::to_string(shard.end - 1)
      : store.ended().empty() ? "it has not been run yet; go on with `faultwave resume " + store.path() + "`"
                              : "the campaign ended after " + std::to_string(store.trials_done()) + " trials";
  throw UserError(ErrorCode::usage,
                  "no trial " + std::to_string(number) + " in '" + store.path() + "': " + reason);
}

std::string receipt_text(const TrialRow& row, const StoredSite& site) {
  if (row.hits == 0) return "none: the run ended before it told";
  const at::ScalarType dtype = dtype_named(site.dtype);
  return exact(shortest_decimal(row.value_before, dtype)) + " -> " +
         exact(shortest_decimal(row.value_after, dtype)) + " (" + site.dtype + ", " +
         hexadecimal(row.bits_before, site.bits) + " -> " + hexadecimal(row.bits_after, site.bits) + "), " +
         std::to_string(row.hits) + (row.hits == 1 ? " value hit" : " values hit");
}

std::string classes_text(const std::vector<RankedClass>& classes) {
  if (classes.empty()) return "no scores";
  std::string text;
  for (const RankedClass& ranked : classes) {
    text += (text.empty() ? "class " : ", ") + std::to_string(ranked.index) + " (" +
            percent(ranked.probability) + ")";
  }
  return text;
}

std::string outcome_text(OutcomeClass outcome, uint32_t fired, const std::vector<std::string>& criteria) {
  std::string text;
  for (size_t i = 0; i < criteria.size(); ++i) {
    if (((fired >> i) & 1) != 0) text += (text.empty() ? ": " : ", ") + criteria[i];
  }
  return std::string(outcome_name(outcome, judges_finite(criteria))) + text;
}

std::string outcome_text(const TrialRow& row, const std::vector<std::string>& criteria) {
  const std::string crash = row.crash.empty() ? "" : " (" + row.crash.substr(0, row.crash.find('\n')) + ")";
  return outcome_text(row.outcome, row.fired, criteria) + crash;
}

/// Where a replayed trial differs from the recorded one, or "".
std::string difference(const Recorded& recorded, const TrialRow& now) {
  if (recorded.outcome.outcome != now.outcome || recorded.outcome.fired != now.fired) return "the outcome";
  if (!recorded.row) return "";
  if (recorded.row->outcome != now.outcome || recorded.row->fired != now.fired) return "the outcome";
  if (recorded.row->fault != now.fault || recorded.row->input != now.input) return "the fault drawn";
  return recorded.row->faulty_class != now.faulty_class ? "the faulty top class" : "";
}

void print(const ReplayedTrial& trial, const Recorded& recorded, const CampaignInfo& info,
           const std::string& input) {
  const TrialRow& row = trial.row;
  std::cout << "trial     " << row.trial << "\ninput     " << row.input << " (" << input << ")"
            << "\nfault     " << row.fault << "\nreceipt   " << receipt_text(row, info.sites.at(row.site))
            << "\ngolden    " << classes_text(trial.golden) << "\nfaulty    " << classes_text(trial.faulty)
            << "\noutcome   " << outcome_text(row, info.criteria) << "\nrecorded  "
            << (recorded.row ? outcome_text(*recorded.row, info.criteria)
                             : outcome_text(recorded.outcome.outcome, recorded.outcome.fired, info.criteria))
            << "\n";
}

/// A trial that ended the process that it was replayed in.
ReplayedTrial ended_replay(const Campaign& campaign, const Store& store, int64_t trial,
                           const EndedTrials& ended) {
  const int64_t size = store.info().block;
  const Block block{trial / size, trial / size * size, size, {}};
  const Round round{.shares = shares_of_trial(store.rounds(), trial).ends};
  ReplayedTrial replayed{
      campaign.ended_trial(round, block, trial, ended.outcome, ended.how).rows.at(0), {}, {}};
  if (replayed.row.golden_class)
    replayed.golden = {{*replayed.row.golden_class, replayed.row.golden_probability}};
  return replayed;
}

void replay(const ReplayOptions& options, WatchPage& page, const EndedTrials* ended = nullptr) {
  load_plugins(options.plugins);
  const Store store = Store::open(options.database, Store::Access::read);
  const Recorded recorded = recorded_trial(store, options.trial);
  Specification specification = recorded_specification(store, options.specification);
  apply(options.network, specification);
  const Campaign campaign = open_campaign(specification, &store);
  const CampaignInfo info = campaign.info(specification, "");

  CampaignInfo comparable = info;
  if (!options.network.device.empty() || !options.network.dtype.empty()) {
    // The user wants to see the trial elsewhere: then that alone is no reason to refuse.
    comparable.specification = store.info().specification;
    comparable.sites = store.info().sites;
  }
  check_same_campaign(store.info(), comparable, options.database);

  watch_forwards(campaign, page);
  const ReplayedTrial trial =
      ended != nullptr ? ended_replay(campaign, store, options.trial, *ended)
                       : campaign.replay(options.trial, shares_of_trial(store.rounds(), options.trial));
  print(trial, recorded, info, campaign.parts().input_name(trial.row.input));
  if (const std::string what = difference(recorded, trial.row); !what.empty()) {
    throw UserError(ErrorCode::mismatch, "trial " + std::to_string(options.trial) + ": " + what +
                                             " is not what '" + options.database + "' records");
  }
}

}  // namespace

void add_replay(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "replay", "Run one trial of a campaign again, alone, and compare the outcome with the recorded one");
  const auto options = std::make_shared<ReplayOptions>();
  command->add_option("DB", options->database, "The campaign's database")->required()->type_name("FILE");
  command->add_option("TRIAL", options->trial, "Number of the trial, from 0")->required()->type_name("N");
  command->add_option("--spec", options->specification, "Where the specification lies now, if it was moved")
      ->type_name("FILE");
  add_network_flags(*command, options->network);
  add_plugin_flag(*command, options->plugins);
  command->callback([options] {
    supervise([&](WatchPage& page) { replay(*options, page); },
              [&](WatchPage& page, const EndedTrials& ended) { replay(*options, page, &ended); },
              [] { return std::string("the trial was not run to its end"); });
  });
}

}  // namespace faultwave::cli
