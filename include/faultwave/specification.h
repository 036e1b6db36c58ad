// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/inputs.h"
#include "faultwave/population.h"
#include "faultwave/site.h"

#pragma GCC visibility push(default)
namespace faultwave {

/// When a campaign has seen enough: at the end of the first round for which one of these holds. All absent:
/// when all trials are done.
struct StopRule {
  double half_width = 0;                   ///< of the interval, for each of `criteria`; 0: no matter how wide
  std::vector<std::string> criteria = {};  ///< columns of criteria; empty: the first one
  double minutes = 0;                      ///< of this run; 0: no matter how long

  bool is_set() const { return half_width > 0 || minutes > 0; }
};

/// What a campaign does: one plain struct, filled from a TOML file (docs/campaigns.md has the reference).
/// Field names are the keys of the file.
struct Specification {
  // What runs. Paths as written; see resolve().
  std::string model = {};       ///< network file; required
  std::string input = {};       ///< tensor file, image, or folder of images; required
  std::string labels = {};      ///< 1-D integer tensor, the right class of each input; "" if none
  std::string engine = "wave";  ///< "wave", which hands what it cannot follow to the other; or "direct"
  double audit = 0;  ///< share of the wave's trials, drawn by key, that are run again as real faulty runs
  std::string device = "cpu";  ///< "cpu", "cuda", "cuda:1"
  std::string dtype = {};      ///< "float32", "float16", ...; "" keeps the network's own
  Preprocess preprocess = {};  ///< table [preprocess], for images

  // How much.
  uint64_t seed = 0;  ///< with the trial number, the key of everything random
  int64_t trials =
      0;  ///< at most so many; 0: until the stop rule holds, or all of an exhaustive campaign or a list
  int64_t batch = 16;    ///< rows of one forward
  int64_t block = 2048;  ///< trials that are drawn and run together
  double timeout = 0;    ///< seconds after which a trial that runs alone is a hang; 0: by the golden run
  int64_t round = 4096;  ///< trials of the first round, where campaigns go in rounds: shares and stops are
                         ///< decided between
  StopRule stop = {};    ///< table [stop]

  /// For networks that draw random numbers or were exported in train mode: the key that torch's generators
  /// are seeded with before each forward. Absent: such a network is refused.
  std::optional<uint64_t> random_key = {};

  // Which inputs.
  bool inputs_in_turn = false;  ///< `inputs = "in turn"` instead of "random"
  bool only_right = false;      ///< only inputs whose golden top class is the label

  // What is counted.
  std::vector<std::string> criteria = {};  ///< none: open_campaign() chooses those that fit the outputs
  double confidence = 0.99;                ///< of the intervals
  std::string keep = {};  ///< trials with a row of their own: "all", "events" (sdc, due, crash, hang); "":
                          ///< see keeps_all()

  // Table [fault].
  SiteKind kind = SiteKind::output;
  std::vector<std::string> sites = {};  ///< globs; none: the default sites of the kind
  std::string error = {};               ///< an error model as in a fault line; required
  DrawRule draw = DrawRule::bits;
  std::string list = {};         ///< for DrawRule::list: a file of fault lines, one trial's faults a line
  int64_t faults_per_trial = 1;  ///< 0, written "each layer": one in each site
  int64_t calibrate =
      16;  ///< first inputs that scales of INT8 emulation are taken from, where they are needed

  /// The wave engine's budget, in bytes; 0: default_wave_budget(). Changes no result, so that it is not in
  /// the file.
  int64_t memory_bytes = 0;
  /// Folder that relative paths start from: the file's. Not part of the campaign's identity. "" is the
  /// working folder.
  std::string folder = {};

  /// Whether shares or an end depend on results, which are then looked at between rounds.
  bool goes_in_rounds() const { return stop.is_set() || draw == DrawRule::stratified; }
  /// Whether masked and benign trials get rows too: as `keep` says, and by default in campaigns of a fixed
  /// number of up to 100,000 trials.
  bool keeps_all() const;

  /// A path of this specification as the process can open it.
  std::string resolve(const std::string& path) const;
};

/// Reads a file. Throws UserError(bad_input) if it cannot be read, and UserError(usage) with file, line, key
/// and what was expected for anything in it that is not a specification; an unknown key gets near names.
Specification load_specification(const std::string& path);

/// Likewise from text; `name` stands for the file in messages.
Specification parse_specification(std::string_view text, const std::string& name,
                                  const std::string& folder = {});

/// Likewise from the text that a database holds (CampaignInfo::specification). Criteria and error models may
/// be a program's own there, which no other program knows; they are taken as they stand.
Specification parse_recorded_specification(std::string_view text, const std::string& name,
                                           const std::string& folder = {});

/// The canonical text: every key, in one order, defaults written out. Parsing it gives the same specification
/// but for `folder`, and two specifications are the same campaign exactly if their texts are equal.
std::string to_string(const Specification& specification);

/// The keys in which two specifications differ, each as "seed is 1 there and 2 here"; "" if in none.
std::string describe_difference(const Specification& there, const Specification& here);

}  // namespace faultwave
#pragma GCC visibility pop
