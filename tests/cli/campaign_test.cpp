// SPDX-License-Identifier: Apache-2.0
// Campaigns through the real program, on a real network.
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "src/store/database.h"
#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

Result run_tiny(const TempFolder& folder, const std::string& flags = "") {
  Result result = faultwave(folder, "run spec.toml --db a.db --quiet " + flags);
  REQUIRE_MESSAGE(result.code == 0, result.err);
  return result;
}

TEST_CASE("run leaves one file, and stats, table and export agree") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const Result run = run_tiny(folder);
  CHECK(folder.holds(4));
  CHECK(run.out == faultwave(folder, "stats a.db").out);

  const nlohmann::json stats = nlohmann::json::parse(faultwave(folder, "stats a.db --json").out);
  CHECK(stats["trials"] == 60);
  std::istringstream csv(faultwave(folder, "export a.db --format csv").out);
  std::string line;
  std::getline(csv, line);
  CHECK(contains(line, "trial,input,fault,"));
  CHECK(contains(line, ",top1,top5,confidence,nonfinite"));
  int64_t rows = 0;
  int64_t top1 = 0;
  for (; std::getline(csv, line); ++rows)
    top1 += line[line.size() - 7] == '1';
  CHECK(rows == 60);
  CHECK(stats["outcomes"]["top1"]["count"] == top1);
  CHECK(top1 > 0);
  int64_t by_layer = 0;
  for (const auto& layer : stats["layers"])
    by_layer += layer["trials"].get<int64_t>();
  CHECK(by_layer == 60);
}

TEST_CASE("every trial replays to its recorded outcome") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run_tiny(folder);
  for (int trial = 0; trial < 60; trial += 7) {
    const Result replay = faultwave(folder, "replay a.db " + std::to_string(trial));
    INFO(replay.err);
    CHECK(replay.code == 0);
    check_contains(replay.out, "trial     " + std::to_string(trial));
    check_contains(replay.out, "1 value hit");
  }
}

TEST_CASE("a replay that ends otherwise says so and has its exit code") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run_tiny(folder);
  const std::string masked = "UPDATE trials SET outcome = 'masked', fired = 0";
  Database(folder / "a.db", Database::Mode::write).execute(masked.c_str());
  std::string trial = "0";
  std::istringstream csv(faultwave(folder, "export a.db").out);
  for (std::string line; std::getline(csv, line);) {
    // A trial whose top class changed cannot have been masked.
    if (contains(faultwave(folder, "replay a.db " + trial).out, "outcome   sdc")) break;
    trial = std::to_string(std::stoi(trial) + 1);
  }
  const Result replay = faultwave(folder, "replay a.db " + trial);
  CHECK(replay.code == 7);
  check_contains(replay.out, "recorded  masked");
  check_contains(replay.err, "faultwave: trial " + trial + ": the outcome is not what 'a.db' records");
}

TEST_CASE("every kind of fault and error model runs as a campaign") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  for (const std::string kind : {"output", "input", "weight", "bias", "network-input"}) {
    for (const std::string error : {"flip", "random(-1,1)", "zero", "flip(int8)", "noise(0.5)"}) {
      CAPTURE(kind);
      CAPTURE(error);
      write_file(folder / "s.toml",
                 "model = \"net.pt\"\ninput = \"images.npy\"\ntrials = 8\n[fault]\nsites = [\"*\"]\n"
                 "kind = \"" +
                     kind + "\"\nerror = \"" + error + "\"\n");
      std::filesystem::remove(folder / "b.db");
      const Result run = faultwave(folder, "run s.toml --db b.db -q");
      INFO(run.err);
      CHECK(run.code == 0);
    }
  }
}

TEST_CASE("a list may hold no fault of a later forward") {
  const TempFolder folder;
  make_tiny_campaign(folder,
                     "model = \"net.pt\"\ninput = \"images.npy\"\n"
                     "[fault]\ndraw = \"list\"\nlist = \"faults.txt\"\n");
  write_file(folder / "faults.txt", "output:conv[0,1,1] zero\noutput:conv[0,1,1] zero%1:3\n");
  const Result run = faultwave(folder, "run spec.toml --db a.db --quiet");
  CHECK(run.code == 5);
  check_contains(
      run.err, "faults.txt, line 2: fault 'output:conv[0,1,1] zero%1:3': a trial runs one forward, number 0");
}

TEST_CASE("a list of fault lines gives a database that every command reads") {
  const TempFolder folder;
  make_tiny_campaign(folder,
                     "model = \"net.pt\"\ninput = \"images.npy\"\nblock = 4\nengine = \"direct\"\n"
                     "[fault]\ndraw = \"list\"\nlist = \"faults.txt\"\n");
  const std::string faults[] = {"output:conv[0,1,1] flip(30)", "weight:fc[2,7] flip(31)",
                                "output:conv[0,1,1] flip(29); output:fc[3] flip(22)"};
  write_file(folder / "faults.txt", "# three trials\n" + faults[0] + "\n\n" + faults[1] + "\n" + faults[2]);
  const Result run = run_tiny(folder);
  check_contains(run.out, "3 fault lines of a list, each on every input");
  CHECK(faultwave(folder, "stats a.db").out == run.out);

  const nlohmann::json exported = nlohmann::json::parse(faultwave(folder, "export a.db --format json").out);
  REQUIRE(exported["trials"].size() == 15);
  for (size_t trial = 0; trial < 15; ++trial) {
    CHECK(exported["trials"][trial]["fault"] == faults[trial / 5]);
    CHECK(exported["trials"][trial]["input"] == trial % 5);
    const Result replay = faultwave(folder, "replay a.db " + std::to_string(trial));
    CHECK_MESSAGE(replay.code == 0, replay.err);
  }
  const Result resumed = faultwave(folder, "resume a.db -q");
  CHECK_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(faultwave(folder, "diff a.db a.db").code == 0);

  for (const char* shard : {"1", "2"}) {
    const std::string flags = std::string(" --shard ") + shard + "/2 --db " + shard + ".db -q";
    REQUIRE(faultwave(folder, "run spec.toml" + flags).code == 0);
  }
  REQUIRE(faultwave(folder, "merge 2.db 1.db -o all.db").code == 0);
  CHECK(faultwave(folder, "export all.db").out == faultwave(folder, "export a.db").out);

  write_file(folder / "faults.txt", "output:conv[0,1,1] flip(28)\n" + faults[1] + "\n" + faults[2]);
  const Result changed = faultwave(folder, "resume a.db -q");
  CHECK(changed.code == 7);
  check_contains(changed.err, "the faults of list 'faults.txt' changed since 'a.db' was begun");
}

TEST_CASE("flags of the command line are recorded in place of the specification's") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run_tiny(folder, "--dtype float64 --threads 1");
  check_contains(faultwave(folder, "export a.db").out, ",float64,");
  CHECK(faultwave(folder, "replay a.db 0").code == 0);
  CHECK(faultwave(folder, "resume a.db -q").code == 0);
  const Result other = faultwave(folder, "resume a.db -q --dtype float32");
  CHECK(other.code == 7);
  check_contains(other.err, "dtype is \"float64\" there and \"float32\" here");
}

TEST_CASE("labels give accuracies") {
  const TempFolder folder;
  make_tiny_campaign(folder, "labels = \"labels.npy\"\n" + tiny_specification);
  save_npy(folder / "labels.npy", torch::tensor({9, 9, 9, 9, 9}));
  check_contains(run_tiny(folder).out, "Accuracy    golden 0.00 % of 5 inputs, faulty 0.00 %");
  save_npy(folder / "labels.npy", torch::tensor({9, 9, 9, 9}));
  const Result run = faultwave(folder, "run spec.toml --db b.db");
  CHECK(run.code == 3);
  check_contains(run.err, "'labels.npy' has 4 labels for 5 inputs");
}

TEST_CASE("the specification may lie elsewhere, and move") {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "sub");
  make_tiny_campaign(folder);
  for (const std::string name : {"net.pt", "images.npy", "spec.toml"}) {
    std::filesystem::rename(folder / name, folder / ("sub/" + name));
  }
  REQUIRE(faultwave(folder, "run sub/spec.toml --db a.db -q").code == 0);
  CHECK(faultwave(folder, "replay a.db 1").code == 0);
  std::filesystem::rename(folder / "sub", folder / "moved");
  CHECK(faultwave(folder, "replay a.db 1").code == 3);
  CHECK(faultwave(folder, "replay a.db 1 --spec moved/spec.toml").code == 0);
}

TEST_CASE("an export to a file is complete or not there") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  run_tiny(folder);
  CHECK(faultwave(folder, "export a.db -o a.csv").code == 0);
  CHECK(read_file(folder / "a.csv") == faultwave(folder, "export a.db").out);
  CHECK(folder.holds(5));
  const Result again = faultwave(folder, "export a.db --format json -o a.csv");
  CHECK(again.code == 6);
  check_contains(again.err, "'a.csv' exists; choose another name, or overwrite it with --force");
  CHECK(read_file(folder / "a.csv") == faultwave(folder, "export a.db").out);
  CHECK(faultwave(folder, "export a.db --format json -o a.csv --force").code == 0);
  CHECK(read_file(folder / "a.csv") == faultwave(folder, "export a.db --format json").out);
  const Result missing = faultwave(folder, "export a.db -o no/a.csv");
  CHECK(missing.code == 6);
  check_contains(missing.err, "faultwave: cannot write 'no/a.csv': No such file or directory");
  const Result full = shell(folder, "$fw export a.db > /dev/full");
  CHECK(full.code == 6);
  check_contains(full.err, "cannot write to standard output");
}

}  // namespace
}  // namespace faultwave
