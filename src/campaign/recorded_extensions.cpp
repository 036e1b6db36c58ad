// SPDX-License-Identifier: Apache-2.0
#include "src/campaign/recorded_extensions.h"

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "faultwave/error.h"
#include "faultwave/extension.h"
#include "faultwave/random.h"

#include "src/common/plain_text.h"
#include "src/common/torch_names.h"
#include "src/fault/formats.h"
#include "src/fault/models/all.h"
#include "src/fault/models/recorded_model.h"
#include "src/fault/victim_context.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::pair<BitChange::Kind, const char*> kKinds[] = {
    {BitChange::Kind::flip, "flip"},
    {BitChange::Kind::stuck_at_0, "stuck at 0"},
    {BitChange::Kind::stuck_at_1, "stuck at 1"},
};

struct RecordedPlugin {
  std::string name;
  std::string version;
  std::string file;
  std::string fingerprint;

  /// "mine 1.0 (libmine.so)".
  std::string text() const { return printable(name + " " + version + " (" + file + ")"); }
};

struct Record {
  std::vector<RecordedPlugin> plugins;
  std::optional<RecordedCapabilities> model;
};

// ---- writing

/// The name that the text of a model or criterion begins with.
std::string type_name_of(const std::string& text) {
  return text.substr(0, text.find('('));
}

/// Collects where models and criteria come from.
class Origins {
 public:
  /// Returns whether any process knows the model by its text.
  bool add(const ErrorModel& model) {
    const auto type = error_models().find(type_name_of(model.text()));
    if (type) plugins_.insert(type->plugin);
    const std::optional<BitChange> change = model.bit_change();
    const auto format = change ? number_formats().find(change->format) : nullptr;
    if (format) plugins_.insert(format->plugin);
    return type && type->entry.is_known_everywhere && (!format || format->is_builtin);
  }

  void add(const Criterion& criterion) {
    if (const auto type = criterion_types().find(criterion.name())) plugins_.insert(type->plugin);
  }

  Json plugins() const {
    Json list = Json::array();
    for (const LoadedPlugin& plugin : loaded_plugins()) {
      if (plugins_.count(plugin.name) == 0) continue;
      list.push_back({{"name", plugin.name},
                      {"version", plugin.version},
                      {"file", std::filesystem::path(plugin.path).filename().string()},
                      {"sha256", plugin.fingerprint}});
    }
    return list;
  }

 private:
  std::set<std::string> plugins_;
};

Json json_of(const std::optional<BitChange>& change) {
  if (!change) return nullptr;
  Json json;
  for (const auto& [kind, name] : kKinds) {
    if (kind == change->kind) json["kind"] = name;
  }
  if (change->bit) json["bit"] = *change->bit;
  if (!change->format.empty()) json["format"] = change->format;
  return json;
}

Json json_of(const Population& population) {
  const ErrorModel& model = *population.model();
  Json choices = Json::object();
  Json changes = Json::array();
  std::vector<ErrorModelPtr> longest;
  bool draws_bits = false;
  for (const Site& site : population.sites()) {
    const VictimContext context = context_of(site);
    const std::string type = dtype_name(context.dtype);
    if (choices.contains(type)) continue;
    std::vector<ErrorModelPtr> models = model.choices(context);
    choices[type] = models.size();
    Draw draw(0);
    if (models.empty() && model.is_drawn() && model.resolve(context, draw)) draws_bits = true;
    if (models.size() > longest.size()) longest = std::move(models);
  }
  bool is_drawn = model.is_drawn();
  if (longest.empty()) {
    changes.push_back(json_of(model.bit_change()));
  } else {
    is_drawn = longest.front()->is_drawn();
    for (const ErrorModelPtr& choice : longest)
      changes.push_back(json_of(choice->bit_change()));
  }
  return {{"is_drawn", is_drawn}, {"draws_bits", draws_bits}, {"choices", choices}, {"bit_changes", changes}};
}

// ---- reading

BitChange change_of(const Json& json) {
  BitChange change;
  const std::string name = json.at("kind");
  const auto found = std::find_if(std::begin(kKinds), std::end(kKinds),
                                  [&](const auto& kind) { return kind.second == name; });
  if (found == std::end(kKinds)) throw std::invalid_argument("no kind of change");
  change.kind = found->first;
  if (json.contains("bit")) change.bit = json.at("bit").get<int>();
  if (json.contains("format")) change.format = json.at("format").get<std::string>();
  return change;
}

RecordedCapabilities capabilities_of(const Json& json, const CampaignInfo& info) {
  RecordedCapabilities capabilities;
  capabilities.is_drawn = json.at("is_drawn").get<bool>();
  capabilities.draws_bits = json.at("draws_bits").get<bool>();
  for (const auto& [type, count] : json.at("choices").items()) {
    const at::ScalarType dtype = dtype_named(type);
    const auto number = count.get<size_t>();
    if (dtype == at::ScalarType::Undefined || number > info.choices.size())
      throw std::invalid_argument("no number of choices");
    capabilities.choices_of_type[dtype] = number;
    if (number > 0) capabilities.choices = info.choices;
  }
  for (const Json& change : json.at("bit_changes")) {
    capabilities.bit_changes.push_back(change.is_null() ? std::nullopt
                                                        : std::make_optional(change_of(change)));
  }
  if (capabilities.bit_changes.size() != info.choices.size())
    throw std::invalid_argument("changes of other choices");
  return capabilities;
}

Record read_record(const CampaignInfo& info) {
  Record record;
  if (info.extensions.empty()) return record;
  try {
    const Json json = Json::parse(info.extensions);
    for (const Json& plugin : json.at("plugins")) {
      record.plugins.push_back(
          {plugin.at("name"), plugin.at("version"), plugin.at("file"), plugin.at("sha256")});
    }
    if (json.contains("error_model")) record.model = capabilities_of(json.at("error_model"), info);
  } catch (const std::exception&) {
    throw UserError(ErrorCode::store, "the database is damaged: what it says of extensions cannot be read");
  }
  return record;
}

ErrorModelPtr known_model(const std::string& text) {
  try {
    return parse_error_model(text);
  } catch (const UserError&) {
    return nullptr;
  }
}

std::string first_digits(const std::string& fingerprint) {
  return printable(fingerprint.substr(0, 12)) + "...";
}

std::string list_of(const std::vector<RecordedPlugin>& plugins) {
  std::string text;
  for (const RecordedPlugin& plugin : plugins)
    text += (text.empty() ? "" : " and ") + plugin.text();
  return text;
}

}  // namespace

std::string describe_extensions(const Sampler& sampler, const std::vector<CriterionPtr>& criteria) {
  Origins origins;
  bool is_known = true;
  if (sampler.options().rule == DrawRule::list) {
    for (const std::vector<Fault>& line : sampler.options().list) {
      for (const Fault& fault : line)
        origins.add(*fault.model);
    }
  } else {
    is_known = origins.add(*sampler.population().model());
  }
  for (const CriterionPtr& criterion : criteria)
    origins.add(*criterion);
  Json json = {{"plugins", origins.plugins()}};
  if (!is_known) json["error_model"] = json_of(sampler.population());
  return is_known && json["plugins"].empty() ? "" : json.dump();
}

void check_plugins(const CampaignInfo& info, const std::string& where) {
  const std::vector<LoadedPlugin> loaded = loaded_plugins();
  for (const RecordedPlugin& plugin : read_record(info).plugins) {
    const auto found = std::find_if(loaded.begin(), loaded.end(),
                                    [&](const LoadedPlugin& other) { return other.name == plugin.name; });
    if (found == loaded.end()) {
      throw UserError(ErrorCode::mismatch, "'" + where + "' was begun with the plugin " + plugin.text() +
                                               ", which is not loaded: pass it with --plugin");
    }
    if (found->fingerprint == plugin.fingerprint) continue;
    throw UserError(ErrorCode::mismatch, "'" + where + "' was begun with another file of the plugin " +
                                             plugin.text() + " than '" + found->path + "' (SHA-256 " +
                                             first_digits(plugin.fingerprint) + " there and " +
                                             first_digits(found->fingerprint) +
                                             " here): pass the old one, or begin a new campaign");
  }
}

void check_same_extensions(const CampaignInfo& recorded, const CampaignInfo& now, const std::string& where) {
  if (recorded.extensions == now.extensions) return;
  const auto plugins_of = [](const CampaignInfo& info) {
    const std::string plugins = list_of(read_record(info).plugins);
    return plugins.empty() ? "no plugin" : plugins;
  };
  const std::string there = plugins_of(recorded);
  const std::string here = plugins_of(now);
  throw UserError(
      ErrorCode::mismatch,
      "'" + where + "' was begun with another error model, criterion or number format of the same name (" +
          there + " there and " + here + " here" + (there == here ? ", of other content" : "") + ")");
}

ErrorModelPtr recorded_model(const CampaignInfo& info) {
  Record record = read_record(info);
  const bool is_needed = !record.model || record.model->draws_bits;
  ErrorModelPtr known = is_needed ? known_model(info.error) : nullptr;
  if (known) return known;
  if (record.model) return std::make_shared<RecordedModel>(info.error, std::move(*record.model));
  // Databases that were made before extensions were recorded may have a model of the program that made them.
  if (info.choices.size() > 1) return parse_error_model(info.error);
  return std::make_shared<RecordedModel>(info.error, RecordedCapabilities{.is_drawn = true});
}

std::vector<std::optional<BitChange>> recorded_bit_changes(const CampaignInfo& info) {
  const Record record = read_record(info);
  if (record.model) return record.model->bit_changes;
  std::vector<std::optional<BitChange>> changes;
  for (const std::string& choice : info.choices)
    changes.push_back(parse_error_model(choice)->bit_change());
  return changes;
}

std::string missing_extension(const CampaignInfo& info) {
  const Record record = read_record(info);
  if (!record.model || !record.model->draws_bits || known_model(info.error)) return "";
  const std::string plugins = list_of(record.plugins);
  return "the faults of trials without a row are left out: what " + printable(info.error) +
         " draws is known only to " +
         (plugins.empty() ? "the program that made the database"
                          : "the plugin " + plugins + ", which --plugin loads");
}

}  // namespace faultwave
