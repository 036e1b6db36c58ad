// SPDX-License-Identifier: Apache-2.0
#include "src/store/info_table.h"

#include <algorithm>
#include <map>
#include <optional>

#include "faultwave/error.h"

#include "src/common/numbers.h"
#include "src/store/neuron_table.h"

namespace faultwave {
namespace {

/// The texts of the table `campaign`, by key.
struct TextField {
  const char* key;
  std::string CampaignInfo::* member;
};

constexpr TextField kTextFields[] = {
    {"specification_file", &CampaignInfo::specification_file},
    {"specification_path", &CampaignInfo::specification_path},
    {"model_fingerprint", &CampaignInfo::model_fingerprint},
    {"inputs_fingerprint", &CampaignInfo::inputs_fingerprint},
    {"labels_fingerprint", &CampaignInfo::labels_fingerprint},
    {"program_version", &CampaignInfo::program_version},
    {"torch_version", &CampaignInfo::torch_version},
    {"error", &CampaignInfo::error},
    {"draw", &CampaignInfo::draw},
};

void write_sites(const Database& database, const std::vector<StoredSite>& sites) {
  Statement insert(database, "INSERT INTO sites VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int64_t number = 0;
  for (const StoredSite& site : sites) {
    insert.bind(number++).bind(to_string(site.kind)).bind(site.name).bind(site.op).bind(site.dtype);
    insert.bind(join_numbers(site.shape)).bind(site.values).bind(site.bits);
    insert.bind(site.channel_axis).bind(site.probability).run();
  }
}

std::vector<StoredSite> read_sites(const Database& database) {
  std::vector<StoredSite> sites;
  Statement select(database,
                   "SELECT kind, name, op, dtype, shape, value_count, bits, channel_axis, probability FROM "
                   "sites ORDER BY site");
  while (select.step()) {
    StoredSite site;
    site.kind = parse_site_kind(select.text(0));
    site.name = select.text(1);
    site.op = select.text(2);
    site.dtype = select.text(3);
    site.shape = split_numbers(select.text(4));
    site.values = select.integer(5);
    site.bits = select.integer(6);
    site.channel_axis = select.integer(7);
    site.probability = select.real(8);
    sites.push_back(std::move(site));
  }
  return sites;
}

void write_choices(const Database& database, const CampaignInfo& info) {
  Statement choice(database, "INSERT INTO choices VALUES (?, ?)");
  for (size_t i = 0; i < info.choices.size(); ++i)
    choice.bind(static_cast<int64_t>(i)).bind(info.choices[i]).run();
  Statement stratum(database, "INSERT INTO strata VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
  int64_t number = 0;
  for (const StoredStratum& stored : info.strata) {
    stratum.bind(number++).bind(stored.name).bind(stored.site).bind(stored.first_choice);
    stratum.bind(stored.choices).bind(stored.weight).bind(stored.kind);
    stratum.bind(stored.neuron_classes).bind(stored.first_level).bind(stored.levels).run();
  }
  Statement line(database, "INSERT INTO fault_list VALUES (?, ?)");
  for (size_t i = 0; i < info.list.size(); ++i)
    line.bind(static_cast<int64_t>(i)).bind(info.list[i]).run();
  Statement label(database, "INSERT INTO labels VALUES (?, ?)");
  for (size_t i = 0; i < info.labels.size(); ++i)
    label.bind(static_cast<int64_t>(i)).bind(info.labels[i]).run();
  Statement input(database, "INSERT INTO eligible_inputs VALUES (?)");
  for (const int64_t eligible : info.eligible_inputs)
    input.bind(eligible).run();
}

void read_choices(const Database& database, CampaignInfo& info) {
  Statement choice(database, "SELECT text FROM choices ORDER BY choice");
  while (choice.step())
    info.choices.push_back(choice.text(0));
  Statement stratum(database,
                    "SELECT name, site, first_choice, choices, weight, kind, neuron_classes, first_level, "
                    "levels FROM strata ORDER BY stratum");
  while (stratum.step()) {
    info.strata.push_back({stratum.text(0), stratum.integer(1), stratum.integer(2), stratum.integer(3),
                           stratum.real(4), stratum.integer(5), stratum.integer(6), stratum.integer(7),
                           stratum.integer(8)});
  }
  Statement line(database, "SELECT fault FROM fault_list ORDER BY line");
  while (line.step())
    info.list.push_back(line.text(0));
  Statement label(database, "SELECT label FROM labels ORDER BY input");
  while (label.step())
    info.labels.push_back(label.integer(0));
  Statement input(database, "SELECT input FROM eligible_inputs ORDER BY input");
  while (input.step())
    info.eligible_inputs.push_back(input.integer(0));
}

}  // namespace

void write_info(const Database& database, const CampaignInfo& info) {
  Statement insert(database, "INSERT INTO campaign VALUES (?, ?)");
  insert.bind(std::string_view("specification")).bind(to_string(info.specification)).run();
  for (const TextField& field : kTextFields)
    insert.bind(std::string_view(field.key)).bind(info.*field.member).run();
  auto number = [&](std::string_view key, const std::string& value) { insert.bind(key).bind(value).run(); };
  number("seed", std::to_string(info.seed));
  number("trials", std::to_string(info.trials));
  number("block", std::to_string(info.block));
  number("inputs", std::to_string(info.inputs));
  number("confidence", format_number(info.confidence));
  number("shard", to_string(info.shard));
  number("arithmetic", info.arithmetic);
  if (!info.extensions.empty()) number("extensions", info.extensions);

  Statement criterion(database, "INSERT INTO criteria VALUES (?, ?, ?)");
  for (size_t bit = 0; bit < info.criteria.size(); ++bit) {
    criterion.bind(static_cast<int64_t>(bit)).bind(info.criteria[bit]).bind(info.criteria_text[bit]).run();
  }
  number("ended", "");
  write_sites(database, info.sites);
  write_choices(database, info);
  if (info.neurons) write_neuron_classes(database, *info.neurons);
  Statement golden(database, "INSERT INTO golden_classes VALUES (?, ?)");
  for (const auto& [input, best] : info.golden_classes)
    golden.bind(input).bind(best).run();
}

CampaignInfo read_info(const Database& database, const std::string& path) {
  std::map<std::string, std::string> values;
  Statement select(database, "SELECT key, value FROM campaign");
  while (select.step())
    values[select.text(0)] = select.text(1);
  auto value = [&](const char* key) {
    const auto found = values.find(key);
    if (found == values.end()) {
      throw UserError(ErrorCode::store, "'" + path + "' is damaged: its table campaign has no '" + key + "'");
    }
    return found->second;
  };

  CampaignInfo info;
  value("ended");  // where it is missing, a campaign could not be told to be at its end
  for (const TextField& field : kTextFields)
    info.*field.member = value(field.key);
  try {
    info.specification = parse_recorded_specification(value("specification"), "its specification");
    info.seed = parse_unsigned(value("seed")).value();
    info.trials = parse_integer(value("trials")).value();
    info.block = parse_integer(value("block")).value();
    info.inputs = parse_integer(value("inputs")).value();
    info.confidence = parse_number(value("confidence")).value();
    info.arithmetic = values["arithmetic"];     // likewise
    info.shard = parse_shard(values["shard"]);  // absent where there were no shards yet
    info.extensions = values["extensions"];     // absent where there are none
    info.sites = read_sites(database);
    read_choices(database, info);
  } catch (const UserError& error) {
    if (error.code() == ErrorCode::store) throw;
    throw UserError(ErrorCode::store, "'" + path + "' is damaged: " + error.what());
  } catch (const std::bad_optional_access&) {
    throw UserError(ErrorCode::store,
                    "'" + path + "' is damaged: a number in its table campaign or sites is none");
  }
  Statement criteria(database, "SELECT name, text FROM criteria ORDER BY bit");
  while (criteria.step()) {
    info.criteria.push_back(criteria.text(0));
    info.criteria_text.push_back(criteria.text(1));
  }
  return info;
}

void write_ended(const Database& database, const std::string& reason) {
  Statement update(database, "UPDATE campaign SET value = ? WHERE key = 'ended'");
  update.bind(reason).run();
}

std::string join_numbers(const std::vector<int64_t>& numbers) {
  std::string text;
  for (const int64_t number : numbers) {
    if (!text.empty()) text += ',';
    text += std::to_string(number);
  }
  return text;
}

std::vector<int64_t> split_numbers(const std::string& text) {
  std::vector<int64_t> numbers;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find(',', begin), text.size());
    numbers.push_back(parse_integer(text.substr(begin, end - begin)).value());
    begin = end + 1;
  }
  return numbers;
}

}  // namespace faultwave
