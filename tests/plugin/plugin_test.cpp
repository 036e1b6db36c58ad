// SPDX-License-Identifier: Apache-2.0
// Campaigns with a plugin that was built outside of the tree (build_plugin.cmake), and their databases where
// the plugin is absent. FAULTWAVE_PLUGIN is the plugin of mine.cpp.
#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/store.h"

#include "tests/cli/program.h"
#include "tests/cli/refusal.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// A specification of 200 trials in which a model and the criterion come from the plugin.
std::string specification(const std::string& error, const std::string& more = "") {
  return "model = \"net.pt\"\ninput = \"images.npy\"\ntrials = 200\nblock = 16\n"
         "criteria = [\"mine.sum_moved(0.25)\", \"top1\"]\n" +
         more + "[fault]\nerror = \"" + error + "\"\n";
}

/// A folder with the network, its inputs, spec.toml, and the plugin.
struct PluginFolder : TempFolder {
  explicit PluginFolder(const std::string& text) {
    make_tiny_campaign(*this, text);
    std::filesystem::copy_file(environment("FAULTWAVE_PLUGIN"), *this / "libmine.so");
  }
  Result run(const std::string& arguments) const { return faultwave(*this, arguments); }
};

const std::string with_plugin = " --plugin libmine.so";

TEST_CASE("a campaign with a plugin runs, and gives the same on both engines and in workers") {
  const PluginFolder folder(specification("mine.stuck(level=high)"));
  const Result run = folder.run("run spec.toml --db a.db -q" + with_plugin);
  REQUIRE_MESSAGE(run.code == 0, run.err);
  check_contains(run.out, "mine.sum_moved");
  REQUIRE(folder.run("run spec.toml --db direct.db -q --engine direct" + with_plugin).code == 0);
  const auto rates = [&](const std::string& database) {
    return nlohmann::json::parse(folder.run("stats --json " + database).out)["classes"];
  };
  CHECK(rates("a.db") == rates("direct.db"));
  const Result workers = folder.run("run spec.toml --db workers.db -q --workers 2" + with_plugin);
  REQUIRE_MESSAGE(workers.code == 0, workers.err);
  CHECK(rates("workers.db") == rates("a.db"));
}

TEST_CASE("a trial is replayed with its plugin, and the others are refused by its name") {
  const PluginFolder folder(specification("mine.stuck(level=high)"));
  REQUIRE(folder.run("run spec.toml --db a.db -q" + with_plugin).code == 0);
  const Result replay = folder.run("replay a.db 7" + with_plugin);
  REQUIRE_MESSAGE(replay.code == 0, replay.err);
  check_contains(replay.out, "mine.stuck(");
  check_contains(replay.out, ",high)");
  const std::string missing =
      "'a.db' was begun with the plugin mine 1.0 (libmine.so), which is not loaded: pass it with --plugin";
  check_refused(folder.run("replay a.db 7"), 7, missing);
  check_refused(folder.run("resume a.db"), 7, missing);
  // The same plugin, of other bytes.
  REQUIRE(shell(folder, "cp libmine.so other.so && printf ' ' >> other.so").code == 0);
  check_refused(folder.run("resume a.db --plugin other.so"), 7,
                "'a.db' was begun with another file of the plugin mine 1.0 (libmine.so) than");
}

TEST_CASE("what was interrupted is resumed to the same bytes") {
  const PluginFolder folder(specification("flip(mine.int4)"));
  REQUIRE(folder.run("run spec.toml --db whole.db -q" + with_plugin).code == 0);
  shell(folder,
        "\"$fw\" run spec.toml --db a.db -q --plugin libmine.so > /dev/null 2>&1 & main=$!; "
        "until [ -s a.db ]; do sleep 0.02; done; kill -KILL $main; wait $main");
  const Result resumed = folder.run("resume a.db -q" + with_plugin);
  REQUIRE_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(folder.run("export a.db").out == folder.run("export whole.db").out);
}

TEST_CASE("without the plugin reports and exports are what they are with it") {
  const std::string events = "keep = \"events\"\n";  // so that most trials have no row
  for (const auto& [error, keep] :
       std::vector<std::pair<std::string, std::string>>{{"mine.stuck", ""},
                                                        {"mine.stuck", events},
                                                        {"mine.stuck(30,high)", events},
                                                        {"flip(mine.int4)", events}}) {
    CAPTURE(error);
    const PluginFolder folder(specification(error, keep));
    const Result run = folder.run("run spec.toml --db a.db -q" + with_plugin);
    REQUIRE_MESSAGE(run.code == 0, run.err);
    const Result with = folder.run("export a.db" + with_plugin);
    const Result without = folder.run("export a.db");
    REQUIRE_MESSAGE(without.code == 0, without.err);
    CHECK(without.err.empty());
    CHECK(without.out == with.out);
    for (const char* by : {"bit", "channel"}) {
      const Result stats = folder.run(std::string("stats a.db --by ") + by);
      CHECK_MESSAGE(stats.code == 0, stats.err);
      check_contains(stats.out, "mine.sum_moved");
    }
  }
}

TEST_CASE("a stratified campaign goes by the bits that the model says it changes") {
  const PluginFolder folder(
      "model = \"net.pt\"\ninput = \"images.npy\"\ntrials = 256\nblock = 32\nround = 64\ncriteria = "
      "[\"top1\"]\n"
      "[fault]\nerror = \"mine.stuck(level=high)\"\ndraw = \"stratified\"\n");
  const Result run = folder.run("run spec.toml --db a.db -q" + with_plugin);
  REQUIRE_MESSAGE(run.code == 0, run.err);
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  const std::vector<StoredStratum>& strata = store.info().strata;
  CHECK(std::any_of(strata.begin(), strata.end(),
                    [](const StoredStratum& stratum) { return contains(stratum.name, "top exponent"); }));
  CHECK(folder.run("export a.db").out == folder.run("export a.db" + with_plugin).out);
}

TEST_CASE("failures in time are of flips, wherever they come from") {
  const PluginFolder folder(specification("flip(mine.int4)"));
  REQUIRE(folder.run("run spec.toml --db a.db -q" + with_plugin).code == 0);
  const Result fit = folder.run("stats a.db --fit-per-mbit 100");
  REQUIRE_MESSAGE(fit.code == 0, fit.err);
  check_contains(fit.out, "FIT per Mbit");
  const PluginFolder stuck(specification("mine.stuck"));
  REQUIRE(stuck.run("run spec.toml --db a.db -q" + with_plugin).code == 0);
  check_refused(stuck.run("stats a.db --fit-per-mbit 100"), 2, "FIT is of upsets of single bits");
}

TEST_CASE("fault lines of a list, and of inject, name what a plugin brings") {
  const PluginFolder folder(
      "model = \"net.pt\"\ninput = \"images.npy\"\ncriteria = [\"top1\"]\n"
      "[fault]\ndraw = \"list\"\nlist = \"faults.txt\"\n");
  write_file(folder / "faults.txt",
             "output:conv[0,1,1] mine.stuck(30,high)\nweight:fc[0,0] flip(mine.int4:3)\n");
  const Result run = folder.run("run spec.toml --db a.db -q" + with_plugin);
  REQUIRE_MESSAGE(run.code == 0, run.err);
  const Result without = folder.run("export a.db");
  REQUIRE_MESSAGE(without.code == 0, without.err);
  check_contains(without.out, "mine.stuck(30,high)");
  CHECK(without.out == folder.run("export a.db" + with_plugin).out);
  check_refused(folder.run("replay a.db 0"), 7, "pass it with --plugin");

  save_npy(folder / "x.npy", torch::arange(16).to(torch::kFloat).div(8).view({1, 1, 4, 4}));
  const std::string inject =
      "inject net.pt --input x.npy --fault 'output:conv[0,1,1] mine.stuck(30,level=high)'";
  const Result injected = folder.run(inject + " --criterion 'mine.sum_moved(0)'" + with_plugin);
  REQUIRE_MESSAGE(injected.code == 0, injected.err);
  check_contains(injected.out, "output:conv[0,1,1] mine.stuck(30,high)");
  check_refused(folder.run(inject), 2, "unknown error model 'mine.stuck'");
}

TEST_CASE("arguments of a plugin's models are checked like all others") {
  const PluginFolder folder(specification("mine.stuck(32)"));
  check_refused(folder.run("run spec.toml --db a.db" + with_plugin), 2,
                "expected a whole number from 0 to 31 for bit but found '32' in mine.stuck");
  CHECK_FALSE(std::filesystem::exists(folder / "a.db"));
}

}  // namespace
}  // namespace faultwave
