// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>

#include "faultwave/error.h"
#include "faultwave/error_model.h"
#include "faultwave/outcome.h"
#include "faultwave/specification.h"

#include "src/common/input_file.h"
#include "src/common/near_names.h"
#include "src/common/plain_text.h"
#include "src/common/torch_names.h"
#include "src/specification/check_numbers.h"
#include "src/specification/toml_reader.h"

namespace faultwave {
namespace {

// TrialRow::fired has 32 bits.
constexpr size_t kMostCriteria = 30;

/// Where a text comes from: a user, or a database, whose names were checked by the program that wrote it.
enum class Origin { user, database };

void check_engine(const std::string& engine) {
  if (engine == "wave" || engine == "direct") return;
  throw UserError(ErrorCode::usage, "unknown engine '" + engine + "': expected wave or direct" +
                                        did_you_mean(engine, {"wave", "direct"}));
}

void read_devices(TomlReader& reader, Specification& spec) {
  reader.read("engine", spec.engine);
  reader.read("device", spec.device);
  reader.read("dtype", spec.dtype);
  reader.at("engine", [&] { check_engine(spec.engine); });
  reader.read("audit", spec.audit);
  reader.at("device", [&] { spec.device = parse_device(spec.device).str(); });
  reader.at("dtype", [&] {
    if (reader.has("dtype")) spec.dtype = dtype_name(parse_dtype(spec.dtype));
  });
}

void read_amounts(TomlReader& reader, Specification& spec) {
  int64_t seed = 0;
  reader.read("seed", seed);
  spec.seed = static_cast<uint64_t>(seed);
  if (reader.has("random_key")) {
    int64_t key = 0;
    reader.read("random_key", key);
    spec.random_key = static_cast<uint64_t>(key);
  }
  reader.read("trials", spec.trials);
  reader.read("batch", spec.batch);
  reader.read("block", spec.block);
  reader.read("round", spec.round);
  reader.read("timeout", spec.timeout);
}

void read_choice_of_inputs(TomlReader& reader, Specification& spec, Origin origin) {
  std::string inputs = "random";
  reader.read("inputs", inputs);
  if (inputs != "random" && inputs != "in turn") {
    reader.fail("inputs", "must be \"random\" or \"in turn\", and is \"" + inputs + "\"");
  }
  spec.inputs_in_turn = inputs == "in turn";
  reader.read("only_right", spec.only_right);
  // Labels of a program have no file.
  if (origin == Origin::user && spec.only_right && spec.labels.empty()) {
    reader.fail("only_right", "needs labels, which say what is right");
  }
  reader.read("keep", spec.keep);
  if (reader.has("keep") && spec.keep != "all" && spec.keep != "events") {
    reader.fail("keep", "must be \"all\" or \"events\", and is \"" + spec.keep + "\"");
  }
}

void read_stop(const toml::table& table, const std::string& name, StopRule& stop) {
  TomlReader reader(table, name, "stop");
  reader.read("half_width", stop.half_width);
  reader.read("criteria", stop.criteria);
  reader.read("minutes", stop.minutes);
  reader.finish();
  if (reader.has("criteria") && stop.half_width == 0) {
    reader.fail("criteria", "says whose interval is looked at, and half_width is missing");
  }
}

void read_criteria(TomlReader& reader, Specification& spec, Origin origin) {
  reader.read("confidence", spec.confidence);
  reader.read("criteria", spec.criteria);
  if (reader.has("criteria") && spec.criteria.empty())
    reader.fail("criteria", "names no criterion: leave it out for those that fit the outputs");
  if (spec.criteria.size() > kMostCriteria) {
    reader.fail("criteria", "names more than " + std::to_string(kMostCriteria) + " criteria");
  }
  if (origin == Origin::database || spec.criteria.empty()) return;
  reader.at("criteria", [&] {
    for (std::string& criterion : spec.criteria)
      criterion = parse_criterion(criterion)->text();
  });
}

void read_preprocess(const toml::table& table, const std::string& name, Preprocess& preprocess) {
  TomlReader reader(table, name, "preprocess");
  reader.read("resize", preprocess.resize);
  reader.read("crop", preprocess.crop);
  reader.read("mean", preprocess.mean);
  reader.read("std", preprocess.std);
  preprocess.is_scaled = reader.has("mean") || reader.has("std");
  reader.finish();
}

void read_faults_per_trial(TomlReader& reader, Specification& spec) {
  if (!reader.has("per_trial") || reader.is_integer("per_trial")) {
    reader.read("per_trial", spec.faults_per_trial);
    return;
  }
  std::string text;
  reader.read("per_trial", text);
  if (text != "each layer") {
    reader.fail("per_trial", "must be a number of faults, or \"each layer\", and is \"" + text + "\"");
  }
  spec.faults_per_trial = 0;
}

void read_fault(const toml::table& table, const std::string& name, Specification& spec, Origin origin) {
  TomlReader reader(table, name, "fault");
  std::string kind(to_string(spec.kind));
  std::string draw(to_string(spec.draw));
  reader.read("draw", draw);
  reader.at("draw", [&] { spec.draw = parse_draw_rule(draw); });
  reader.read("kind", kind);
  reader.read("sites", spec.sites);
  reader.read("error", spec.error);
  reader.read("list", spec.list);
  reader.read("calibrate", spec.calibrate);
  read_faults_per_trial(reader, spec);
  reader.finish();
  if (spec.draw == DrawRule::list) {
    reader.require("list", "a file of fault lines");
    for (const char* key : {"error", "kind", "sites"}) {
      if (reader.has(key)) reader.fail(key, "does not go with draw = \"list\": the fault lines say it all");
    }
    return;
  }
  if (reader.has("list")) reader.fail("list", "goes with draw = \"list\" alone");
  reader.require("error", "what happens to a value, as in a fault line, such as \"flip\"");

  reader.at("kind", [&] { spec.kind = parse_site_kind(kind); });
  if (origin == Origin::user) reader.at("error", [&] { spec.error = parse_error_model(spec.error)->text(); });
  if (reader.has("sites") && spec.sites.empty()) {
    reader.fail("sites", "names no site: leave it out for the default sites, or write [\"*\"] for all");
  }
}

/// Trials that end by themselves, or a rule that ends them.
void check_ends(const TomlReader& reader, const Specification& spec) {
  const bool is_finite = spec.draw == DrawRule::exhaustive || spec.draw == DrawRule::list;
  if (spec.trials > 0 || spec.stop.is_set() || is_finite) return;
  reader.require("trials", "how many faults to try, or a table [stop] that says when it is enough");
}

toml::table parse_toml(std::string_view text, const std::string& name) {
  try {
    return toml::parse(text, name);
  } catch (const toml::parse_error& error) {
    throw UserError(ErrorCode::usage, name + ", line " + std::to_string(error.source().begin.line) +
                                          ": not TOML: " + shortened(error.description(), 1000));
  }
}

Specification parse(std::string_view text, const std::string& name, const std::string& folder,
                    Origin origin) {
  const toml::table table = parse_toml(text, name);
  TomlReader reader(table, name, "");
  Specification spec;
  spec.folder = folder;

  reader.read("model", spec.model);
  reader.read("input", spec.input);
  reader.read("labels", spec.labels);
  const toml::table* preprocess = reader.table("preprocess");
  const toml::table* fault = reader.table("fault");
  const toml::table* stop = reader.table("stop");
  read_devices(reader, spec);
  read_amounts(reader, spec);
  read_choice_of_inputs(reader, spec, origin);
  read_criteria(reader, spec, origin);
  reader.finish();
  reader.require("model", "the network's file");
  reader.require("input", "a tensor file, an image, or a folder of images");
  reader.require("fault", "a table that says at least error = \"...\"");

  if (preprocess != nullptr) read_preprocess(*preprocess, name, spec.preprocess);
  if (stop != nullptr) read_stop(*stop, name, spec.stop);
  read_fault(*fault, name, spec, origin);
  check_ends(reader, spec);
  try {
    check_numbers(spec);
  } catch (const UserError& error) {
    throw UserError(error.code(), name + ": " + error.what());
  }
  return spec;
}

}  // namespace

Specification parse_specification(std::string_view text, const std::string& name, const std::string& folder) {
  return parse(text, name, folder, Origin::user);
}

Specification parse_recorded_specification(std::string_view text, const std::string& name,
                                           const std::string& folder) {
  return parse(text, name, folder, Origin::database);
}

Specification load_specification(const std::string& path) {
  constexpr uint64_t longest = uint64_t{16} << 20;  // a thousand times what anybody writes
  return parse_specification(read_text_file(path, longest), path,
                             std::filesystem::absolute(path).parent_path().string());
}

}  // namespace faultwave
