// SPDX-License-Identifier: Apache-2.0
#include "faultwave/specification.h"

#include <regex>

#include <doctest/doctest.h>

#include "src/common/number_ranges.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

const std::string minimal = R"(
model  = "net.pt2"
input  = "images.npy"
trials = 2000
[fault]
error  = "flip"
)";

std::string message(const std::string& text) {
  return error_of(ErrorCode::usage, [&] { parse_specification(text, "s.toml"); });
}

/// The minimal specification with a line put in front of its table, as line 2.
std::string with(const std::string& line) {
  return "\n" + line + minimal;
}

TEST_CASE("what is left out has its documented default") {
  const Specification spec = parse_specification(minimal, "s.toml", "/data");
  CHECK(spec.model == "net.pt2");
  CHECK(spec.resolve(spec.model) == "/data/net.pt2");
  CHECK(spec.resolve("/else/net.pt2") == "/else/net.pt2");
  CHECK(spec.labels.empty());
  CHECK(spec.seed == 0);
  CHECK(spec.trials == 2000);
  CHECK(spec.engine == "wave");
  CHECK(spec.device == "cpu");
  CHECK(spec.dtype.empty());
  CHECK(spec.batch == 16);
  CHECK_FALSE(spec.random_key.has_value());
  CHECK(spec.block == 2048);
  CHECK(spec.criteria.empty());
  CHECK(spec.confidence == 0.99);
  CHECK(spec.kind == SiteKind::output);
  CHECK(spec.sites.empty());
  CHECK(spec.draw == DrawRule::bits);
  CHECK(!spec.preprocess.resize);
}

TEST_CASE("every key is read") {
  const Specification spec = parse_specification(R"toml(
model = "a.pt"
input = "photos"
labels = "labels.npy"
seed = 9223372036854775807
random_key = 7
trials = 10
engine = "direct"
device = "cuda:1"
dtype = "half"
batch = 8
block = 64
criteria = ["top1", "confidence( 0.5 )"]
confidence = 0.9
[fault]
kind = "network-input"
sites = ["conv*", "fc"]
error = "random(-1, 1)"
draw = "layers"
calibrate = 4
[preprocess]
resize = 256
crop = 224
mean = [0.485, 0.456, 0.406]
std = [1, 2, 4.5]
)toml",
                                                 "s.toml");
  CHECK(spec.labels == "labels.npy");
  CHECK(spec.seed == 9223372036854775807u);
  CHECK(spec.random_key == 7u);
  CHECK(spec.device == "cuda:1");
  CHECK(spec.dtype == "float16");
  CHECK(spec.batch == 8);
  CHECK(spec.block == 64);
  CHECK(spec.criteria == std::vector<std::string>{"top1", "confidence(0.5)"});
  CHECK(spec.confidence == 0.9);
  CHECK(spec.kind == SiteKind::network_input);
  CHECK(spec.sites == std::vector<std::string>{"conv*", "fc"});
  CHECK(spec.error == "random(-1,1)");
  CHECK(spec.draw == DrawRule::layers);
  CHECK(spec.calibrate == 4);
  CHECK(spec.preprocess.resize == 256);
  CHECK(spec.preprocess.crop == 224);
  CHECK(spec.preprocess.mean[1] == 0.456);
  CHECK(spec.preprocess.std == std::array<double, 3>{1, 2, 4.5});
}

TEST_CASE("the canonical text parses to the same campaign") {
  Specification spec = parse_specification(minimal, "s.toml");
  CHECK(to_string(parse_specification(to_string(spec), "again")) == to_string(spec));
  spec.random_key = 9;
  spec.model = "quo\"te\\ new\nline \xc3\xa9.pt2";
  spec.labels = "l.npy";
  spec.dtype = "float16";
  spec.sites = {"a", "b*"};
  spec.preprocess.resize = 3;
  spec.preprocess.crop = 2;
  spec.preprocess.mean = {0.1, 1e-300, 3};
  spec.confidence = 0.1;
  const Specification again = parse_specification(to_string(spec), "again");
  CHECK(to_string(again) == to_string(spec));
  CHECK(again.model == spec.model);
  CHECK(again.preprocess.mean == spec.preprocess.mean);
  CHECK(again.sites == spec.sites);

  const Specification list = parse_specification(
      "model = \"a\"\ninput = \"b\"\n[fault]\ndraw = \"list\"\nlist = \"faults.txt\"\n", "s.toml");
  CHECK(to_string(parse_specification(to_string(list), "again")) == to_string(list));
}

TEST_CASE("comments, order and spelled-out defaults do not make another campaign") {
  const Specification a = parse_specification(minimal, "a");
  const Specification b = parse_specification(R"(
trials = 2_000  # two thousand
batch = 16
input = 'images.npy'
model = "net.pt2"
fault.draw = "bits"
fault.error = "flip"
)",
                                              "b");
  CHECK(to_string(a) == to_string(b));
  CHECK(describe_difference(a, b).empty());
}

TEST_CASE("differences are named by key") {
  const Specification a = parse_specification(minimal, "a");
  Specification b = a;
  b.seed = 3;
  b.sites = {"fc"};
  CHECK(describe_difference(a, b) ==
        "seed is 0 there and 3 here, [fault] sites is left out there and [\"fc\"] here");
  CHECK(describe_difference(b, a) ==
        "seed is 3 there and 0 here, [fault] sites is [\"fc\"] there and left out here");
}

TEST_CASE("an unknown key is named with line and near name") {
  CHECK(message(with("trails = 5")) == "s.toml, line 2: unknown key 'trails'; did you mean trials?");
  CHECK(message(minimal + "site = [\"*\"]") ==
        "s.toml, line 7: unknown key 'site' in [fault]; did you mean sites?");
  CHECK(message(minimal + "[preproces]\nresize = 1") ==
        "s.toml, line 7: unknown key 'preproces'; did you mean preprocess?");
  CHECK(message(minimal + "[preprocess]\nscale = 1") ==
        "s.toml, line 8: unknown key 'scale' in [preprocess]");
}

TEST_CASE("a wrong type is named with what was expected and what came") {
  CHECK(message(with("seed = \"1\"")) == "s.toml, line 2: seed must be an integer, and is a string");
  CHECK(message(with("batch = 1.5")) ==
        "s.toml, line 2: batch must be an integer, and is a floating-point number");
  CHECK(message(with("criteria = \"top1\"")) ==
        "s.toml, line 2: criteria must be an array of strings, and is a string");
  CHECK(message(with("criteria = [\"top1\", 5]")) ==
        "s.toml, line 2: criteria must be an array of strings, and holds an integer");
  CHECK(message(with("confidence = true")) ==
        "s.toml, line 2: confidence must be a number, and is a boolean");
  CHECK(message("model = \"a\"\ninput = \"b\"\ntrials = 1\nfault = 3") ==
        "s.toml, line 4: fault must be a table, and is an integer");
  CHECK(message(minimal + "[preprocess]\nmean = [1, 2]") ==
        "s.toml, line 8: [preprocess] mean must be three numbers, one a channel");
}

TEST_CASE("a missing key is named") {
  check_contains(message("input = \"b\"\ntrials = 1\n[fault]\nerror = \"zero\""),
                 "the key 'model' is missing");
  check_contains(message("model = \"b\"\ntrials = 1\n[fault]\nerror = \"zero\""),
                 "the key 'input' is missing");
  check_contains(message("model = \"b\"\ninput = \"c\"\n[fault]\nerror = \"zero\""),
                 "the key 'trials' is missing");
  check_contains(message("model = \"b\"\ninput = \"c\"\ntrials = 1"), "the key 'fault' is missing");
  check_contains(message("model = \"b\"\ninput = \"c\"\ntrials = 1\n[fault]\nkind = \"weight\""),
                 "the key 'error' in [fault] is missing");
}

TEST_CASE("values out of range are refused") {
  const auto head = [](const std::string& trials) {
    return "model = \"a\"\ninput = \"b\"\ntrials = " + trials + "\n[fault]\nerror = \"flip\"";
  };
  CHECK(message(head("0")) == "s.toml, line 3: trials must be from 1 to 1000000000, and is 0");
  CHECK(message(head("-4")) == "s.toml, line 3: trials must be from 1 to 1000000000, and is -4");
  CHECK(message(head("9000000000000000000")) ==
        "s.toml, line 3: trials must be from 1 to 1000000000, and is 9000000000000000000");
  CHECK(message("block = 50\n" + head("500000000")) ==
        "s.toml: block = 50 would make more than 10000000 blocks of 500000000 trials: make block larger");
  CHECK(
      message(minimal + "per_trial = 4096") ==
      "s.toml: per_trial = 4096 with block = 2048 would hold more than 4194304 faults at a time: make block "
      "smaller");
  CHECK(message(with("seed = -1")) ==
        "s.toml, line 2: seed must be from 0 to 9223372036854775807, and is -1");
  CHECK(message(with("block = 0")) == "s.toml, line 2: block must be from 1 to 1048576, and is 0");
  CHECK(message(with("confidence = 1")) ==
        "s.toml, line 2: confidence must be above 0 and below 1, and is 1");
  CHECK(message(with("confidence = nan")) ==
        "s.toml, line 2: confidence must be above 0 and below 1, and is nan");
  check_contains(message(with("criteria = []")), "names no criterion");
  check_contains(message(minimal + "sites = []"), "line 7: [fault] sites names no site");
  check_contains(message(minimal + "[preprocess]\nstd = [1, 0, 1]"),
                 "line 8: [preprocess] std must be from 1e-06 to 1000000, and is 0");
  check_contains(message(minimal + "[preprocess]\ncrop = 0"),
                 "line 8: [preprocess] crop must be from 1 to 16384, and is 0");
}

TEST_CASE("numbers far out of their ranges are refused, the largest that there are too") {
  const std::string huge = "9223372036854775807";
  for (const std::string key : {"batch", "block", "round", "trials"}) {
    CAPTURE(key);
    const std::string text =
        key == "trials" ? std::regex_replace(minimal, std::regex("2000"), huge) : with(key + " = " + huge);
    const std::string refusal = message(text);
    check_contains(refusal, key + " must be from 1 to ");
    check_contains(refusal, ", and is " + huge);
  }
  CHECK(message(with("batch = 2305843009213693952")) ==
        "s.toml, line 2: batch must be from 1 to 65536, and is 2305843009213693952");
  for (const std::string key : {"per_trial", "calibrate"})
    check_contains(message(minimal + key + " = " + huge), "line 7: [fault] " + key + " must be from 1 to ");
  check_contains(message(minimal + "[stop]\nminutes = inf"), "line 8: [stop] minutes must be above 0");
  check_contains(message(minimal + "[stop]\nhalf_width = 0.5"),
                 "must be from 1e-09 to below 0.5, and is 0.5");
  check_contains(message(minimal + "[preprocess]\nresize = " + huge),
                 "[preprocess] resize must be from 1 to");
}

TEST_CASE("an integer that no floating-point number equals is a number all the same") {
  CHECK(message(with("audit = 9007199254740993")) ==
        "s.toml, line 2: audit must be from 0 to 1, and is 9007199254740992");
  check_contains(message(minimal + "[preprocess]\nmean = [0, 9007199254740993, 0]"),
                 "[preprocess] mean must be from -1000000 to 1000000");
  CHECK(parse_specification(with("audit = 1"), "s.toml").audit == 1);
}

TEST_CASE("the page on campaigns has the range of every number") {
  const std::string page = read_file(std::string(FAULTWAVE_DOCS) + "/campaigns.md");
  for (const NumberRange& range : number_ranges()) {
    const std::string row = "| `" + std::string(range.key) + "` | " + range.text() + " |";
    CHECK_MESSAGE(page.find(row) != std::string::npos, row);
  }
}

TEST_CASE("names that do not exist are refused with their line") {
  check_contains(
      message(with("engine = \"wafe\"")),
      "s.toml, line 2: engine: unknown engine 'wafe': expected wave or direct; did you mean wave?");
  check_contains(message(with("audit = 1.5")), "s.toml, line 2: audit must be from 0 to 1, and is 1.5");
  check_contains(message(with("device = \"gpu\"")), "s.toml, line 2: device: unknown device 'gpu'");
  check_contains(message(with("dtype = \"int8\"")), "s.toml, line 2: dtype: unknown dtype 'int8'");
  check_contains(message(with("criteria = [\"top2\"]")), "s.toml, line 2: criteria: ");
  check_contains(message(minimal + "kind = \"neuron\""),
                 "s.toml, line 7: [fault] kind: unknown kind of site 'neuron'");
  CHECK(message(minimal + "draw = \"layer\"") ==
        "s.toml, line 7: [fault] draw: unknown rule 'layer': expected bits, layers, stratified, exhaustive "
        "or list; "
        "did you mean layers?");
  check_contains(message("model = \"a\"\ninput = \"b\"\ntrials = 1\n[fault]\nerror = \"flop\""),
                 "s.toml, line 5: [fault] error: ");
}

TEST_CASE("text that is no TOML is named by line") {
  check_contains(message("model = \"a\"\ninput = = 3"), "s.toml, line 2: not TOML: ");
  check_contains(message("seed = 1\nseed = 2"), "s.toml, line 2: not TOML: ");
}

TEST_CASE("a file gives its folder to relative paths, and one that cannot be read is named") {
  const TempFolder folder;
  write_file(folder / "s.toml", minimal);
  const Specification spec = load_specification(folder / "s.toml");
  CHECK(spec.resolve(spec.input) == folder / "images.npy");
  check_contains(error_of(ErrorCode::bad_input, [&] { load_specification(folder / "none.toml"); }),
                 "cannot read '");
  check_contains(error_of(ErrorCode::bad_input, [&] { load_specification(folder.path().string()); }),
                 "cannot read '");
}

}  // namespace
}  // namespace faultwave
