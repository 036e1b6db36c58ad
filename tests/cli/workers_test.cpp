// SPDX-License-Identifier: Apache-2.0
// Campaigns in several processes, and plans.
#include <doctest/doctest.h>

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

const std::string adaptive = R"(model  = "net.pt"
input  = "images.npy"
trials = 600
block  = 32
round  = 64
[fault]
error  = "flip"
draw   = "stratified"
[stop]
half_width = 0.001
)";

TEST_CASE("workers give the campaign that one process gives") {
  for (const std::string& specification : {tiny_specification, adaptive}) {
    const TempFolder folder;
    make_tiny_campaign(folder, specification);
    REQUIRE(faultwave(folder, "run spec.toml --db one.db -q --threads 1").code == 0);
    const Result run = faultwave(folder, "run spec.toml --db two.db -q --workers 2 --threads 2 --memory 4MB");
    REQUIRE_MESSAGE(run.code == 0, run.err);
    CHECK(faultwave(folder, "export two.db").out == faultwave(folder, "export one.db").out);
    CHECK(faultwave(folder, "stats two.db --json").out == faultwave(folder, "stats one.db --json").out);
  }
}

TEST_CASE("a memory that is no size") {
  const TempFolder folder;
  make_tiny_campaign(folder, tiny_specification);
  const auto refusal = [&](const std::string& size) {
    const Result run = faultwave(folder, "run spec.toml --db a.db --memory " + size);
    CHECK(run.code == 2);
    return run.err;
  };
  for (const std::string size : {"lots", "4XB"})
    check_contains(refusal(size), "'" + size + "' is no size");
  for (const std::string size : {"0", "99999999GB"})
    check_contains(refusal(size), "--memory: megabytes must be from 1 to 16777216, and is " + size);
}

TEST_CASE("a campaign whose strata go by neurons is resumed, replayed and exported from its file") {
  const TempFolder folder;
  make_tiny_campaign(folder, adaptive);
  REQUIRE(faultwave(folder, "run spec.toml --db whole.db -q").code == 0);
  check_contains(faultwave(folder, "stats whole.db").out, "of layer, class of bit, value and margin");
  // Killed once a block is written, wherever it is then.
  shell(folder,
        "\"$fw\" run spec.toml --db a.db -q > /dev/null 2>&1 & main=$!; "
        "until [ -s a.db ]; do sleep 0.02; done; sleep 0.1; kill -KILL $main; wait $main");
  const Result resumed = faultwave(folder, "resume a.db -q");
  CHECK_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(faultwave(folder, "export a.db").out == faultwave(folder, "export whole.db").out);
  for (const char* by : {"layer", "bit", "channel", "class", "input"}) {
    const std::string stats = std::string("stats --json --by ") + by;
    CHECK(faultwave(folder, stats + " a.db").out == faultwave(folder, stats + " whole.db").out);
  }
  for (const char* trial : {"0", "77", "599"}) {
    const Result replayed = faultwave(folder, std::string("replay a.db ") + trial);
    CHECK_MESSAGE(replayed.code == 0, replayed.err);
  }
}

TEST_CASE("when a worker dies the rest is kept, and the campaign goes on with one process") {
  const TempFolder folder;
  make_tiny_campaign(folder,
                     "model = \"net.pt\"\ninput = \"images.npy\"\ntrials = 4000\nblock = 16\n"
                     "[fault]\nerror = \"flip\"\n");
  REQUIRE(faultwave(folder, "run spec.toml --db whole.db -q").code == 0);
  // The shell's child has a child, whose children are the workers; one of them is killed.
  const Result run =
      shell(folder,
            "\"$fw\" run spec.toml --db a.db -q --workers 2 & main=$!; "
            "children() { cat /proc/$1/task/*/children 2>/dev/null; }; "
            "until [ -n \"$(children $main)\" ]; do sleep 0.05; done; campaign=$(children $main); "
            "until [ -n \"$(children $campaign)\" ]; do sleep 0.05; done; "
            "set -- $(children $campaign); kill -KILL $1; wait $main");
  CHECK(run.code == 6);
  check_contains(run.err, "a worker was ended by SIGKILL; what was recorded stays");
  const Result resumed = faultwave(folder, "resume a.db -q");
  CHECK_MESSAGE(resumed.code == 0, resumed.err);
  CHECK(faultwave(folder, "export a.db").out == faultwave(folder, "export whole.db").out);
}

TEST_CASE("a plan says how many trials an interval needs, and asks for what it is not told") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const Result plan = faultwave(folder, "plan spec.toml --half-width 0.01 --rate 0.2 --seconds 0");
  REQUIRE_MESSAGE(plan.code == 0, plan.err);
  // Sites: conv in and out, relu, flatten, fc in and out: every fault on each of five inputs.
  check_contains(plan.out, "Wanted      half-width 1 % at 99 % confidence");
  check_contains(plan.out, "(Clopper-Pearson)");
  // z = 2.5758: 0.2 * 0.8 * (z / 0.01)^2 = 10,616 of many; the exact interval needs some more.
  check_contains(plan.out, "10,7");
  const Result silent = faultwave(folder, "plan spec.toml");
  CHECK(silent.code == 2);
  check_contains(silent.err, "how narrow shall the interval be?");
}

}  // namespace
}  // namespace faultwave
