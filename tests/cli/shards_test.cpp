// SPDX-License-Identifier: Apache-2.0
// Campaigns split over machines, and compared, through the real program.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/refusal.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

void run(const TempFolder& folder, const std::string& database, const std::string& flags = "") {
  const Result result = faultwave(folder, "run spec.toml --db " + database + " -q " + flags);
  REQUIRE_MESSAGE(result.code == 0, result.err);
}

TEST_CASE("shards of 60 trials merge to the export of one run, byte for byte") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run(folder, "whole.db", "--threads 1");
  for (const int count : {2, 4}) {
    std::string names;
    for (int number = count; number >= 1; --number) {
      const std::string shard = std::to_string(number) + "/" + std::to_string(count);
      const std::string name = std::to_string(number) + "of" + std::to_string(count) + ".db";
      run(folder, name, "--threads 1 --shard " + shard);
      names += " " + name;
    }
    const std::string output = "merged" + std::to_string(count) + ".db";
    const Result merge = faultwave(folder, "merge" + names + " -o " + output);
    REQUIRE_MESSAGE(merge.code == 0, merge.err);
    CHECK(merge.out == "'" + output + "' has all 60 trials\n");
    for (const std::string command : {"export", "export --format json", "stats", "stats --json", "replay"}) {
      const std::string trial = command == "replay" ? " 40" : "";
      const std::string whole = faultwave(folder, command + " whole.db" + trial).out;
      CHECK(!whole.empty());
      CHECK(faultwave(folder, command + " " + output + trial).out == whole);
    }
    CHECK(faultwave(folder, "resume -q " + output).code == 0);
  }
}

TEST_CASE("a shard tells what it is, and is resumed and replayed like a campaign") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run(folder, "a.db", "--shard 2/2 --workers 2");
  // Blocks of 16, 16, 16 and 12 trials: the second half begins at trial 32.
  check_contains(faultwave(folder, "stats a.db").out, "Trials      28 of 60, shard 2 of 2\n");
  CHECK(faultwave(folder, "resume a.db -q").code == 0);
  CHECK(faultwave(folder, "replay a.db 32").code == 0);
  check_refused(faultwave(folder, "replay a.db 31"), 2, "shard 2/2 has trials 32 to 59");
  check_refused(faultwave(folder, "run spec.toml --db a.db --shard 2/2"), 6,
                "holds shard 2/2 of this campaign already (28 of 28 trials done)");
}

TEST_CASE("shards that cannot be run or merged leave no file") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  check_refused(faultwave(folder, "run spec.toml --db x.db --shard 3/2"), 2, "'3/2' is no shard");
  check_refused(faultwave(folder, "run spec.toml --db x.db --shard 1/5"), 2,
                "the campaign has 4 blocks of 16 trials");
  write_file(folder / "rounds.toml", tiny_specification + "[stop]\nhalf_width = 0.1\n");
  check_refused(faultwave(folder, "run rounds.toml --db x.db --shard 1/2"), 2, "it goes in rounds");
  run(folder, "1.db", "--shard 1/2");
  run(folder, "2.db", "--shard 2/2");
  CHECK(folder.holds(6));

  check_refused(faultwave(folder, "merge 1.db 2.db"), 2, "--output");
  check_refused(faultwave(folder, "merge -o x.db"), 2, "DB");
  check_refused(faultwave(folder, "merge 1.db -o x.db"), 2, "shard 2/2 is missing");
  check_refused(faultwave(folder, "merge 1.db 2.db 1.db -o x.db"), 2, "both are shard 1/2");
  check_refused(faultwave(folder, "merge 1.db no.db -o x.db"), 6, "there is no database 'no.db'");
  check_refused(faultwave(folder, "merge 1.db net.pt -o x.db"), 6, "'net.pt' is not an SQLite database");
  check_refused(faultwave(folder, "merge 1.db 2.db -o 2.db"), 6, "it exists already");
  check_refused(faultwave(folder, "merge 1.db 2.db -o no/x.db"), 6, "there is no folder 'no'");
  CHECK(folder.holds(6));

  save_tiny_network(folder / "net.pt", -1.0);
  run(folder, "other.db", "--shard 2/2");
  check_refused(faultwave(folder, "merge 1.db other.db -o x.db"), 7,
                "they ran with different networks (SHA-256 ");
  CHECK(folder.holds(7));
}

TEST_CASE("diff pairs a network with a changed one") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run(folder, "a.db");
  run(folder, "same.db");
  const nlohmann::json same = nlohmann::json::parse(faultwave(folder, "diff a.db same.db --json").out);
  CHECK(same["pairs"] == 60);
  CHECK(same["criteria"]["top1"]["first_only"] == 0);
  CHECK(same["criteria"]["top1"]["second_only"] == 0);
  CHECK(same["criteria"]["top1"]["p_value"] == 1.0);
  CHECK(same["criteria"]["top1"]["worse"].is_null());

  save_tiny_network(folder / "net.pt", -1.0);
  run(folder, "b.db");
  const nlohmann::json diff = nlohmann::json::parse(faultwave(folder, "diff a.db b.db --json").out);
  const auto count = [&](const std::string& database) {
    return nlohmann::json::parse(
               faultwave(folder, "stats " + database + " --json").out)["outcomes"]["top1"]["count"]
        .get<int64_t>();
  };
  const nlohmann::json& top1 = diff["criteria"]["top1"];
  const int64_t both = top1["both"].get<int64_t>();
  CHECK(both + top1["first_only"].get<int64_t>() == count("a.db"));
  CHECK(both + top1["second_only"].get<int64_t>() == count("b.db"));
  check_contains(faultwave(folder, "diff a.db b.db").out, "60 trials with the same fault on the same input");
}

TEST_CASE("diff refuses campaigns with other faults") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run(folder, "a.db");
  const auto other = [&](const std::string& old_text, const std::string& new_text) {
    write_file(folder / "spec.toml", tiny_with(old_text, new_text));
    std::filesystem::remove(folder / "b.db");
    run(folder, "b.db");
    return faultwave(folder, "diff a.db b.db");
  };
  check_refused(other("seed   = 1", "seed   = 2"), 7, "seed is 1 in one and 2 in the other");
  check_refused(other("\"flip\"", "\"zero\""), 7, "error is flip in one and zero in the other");
  check_refused(other("[\"*\"]", "[\"fc\"]"), 7, "trial 0 is ");
  check_refused(faultwave(folder, "diff a.db no.db"), 6, "there is no database 'no.db'");
  check_refused(faultwave(folder, "diff a.db"), 2, "B");
}

TEST_CASE("stats turns rates into failures in time") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run(folder, "a.db");
  const nlohmann::json json =
      nlohmann::json::parse(faultwave(folder, "stats a.db --fit-per-mbit 1000 --json").out);
  REQUIRE(json["fit"]["layers"].size() == json["layers"].size());
  double sum = 0;
  for (size_t i = 0; i < json["layers"].size(); ++i) {
    const nlohmann::json& layer = json["layers"][i];
    const nlohmann::json& fit = json["fit"]["layers"][i];
    const double bits = layer["values"].get<double>() * layer["bits"].get<double>();
    CHECK(fit["bits"] == bits);
    const double estimate = bits / 1e6 * 1000 * layer["outcomes"]["top1"]["estimate"].get<double>();
    CHECK(fit["estimate"].get<double>() == doctest::Approx(estimate));
    sum += estimate;
  }
  CHECK(sum > 0);
  CHECK(json["fit"]["total"]["estimate"].get<double>() == doctest::Approx(sum));
  const std::string text = faultwave(folder, "stats a.db --fit-per-mbit 1000").out;
  CHECK(text.rfind(faultwave(folder, "stats a.db").out, 0) == 0);
  check_contains(text, "layer, most FIT first");
  check_refused(faultwave(folder, "stats a.db --fit-per-mbit -1"), 2,
                "must be from 0 to 1000000000000000, and is -1");
  check_refused(faultwave(folder, "stats a.db --fit-per-mbit much"), 2, "much");
  write_file(folder / "spec.toml", tiny_with("\"flip\"", "\"zero\""));
  run(folder, "zero.db");
  check_refused(faultwave(folder, "stats zero.db --fit-per-mbit 1000"), 2, "FIT is of upsets of single bits");
}

}  // namespace
}  // namespace faultwave
