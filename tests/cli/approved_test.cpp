// SPDX-License-Identifier: Apache-2.0
// Output compared with approved files in tests/cli/approved. Run the test with FAULTWAVE_APPROVE=1 in the
// environment to write them anew, then look at the difference before committing it.
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"

namespace faultwave {
namespace {

void check_approved(const std::string& name, const std::string& text) {
  const std::string path = environment("FAULTWAVE_APPROVED") + "/" + name;
  if (std::getenv("FAULTWAVE_APPROVE") != nullptr) write_file(path, text);
  CAPTURE(name);
  CHECK(read_file(path) == text);
}

TEST_CASE("help texts") {
  const TempFolder folder;
  const Result top = faultwave(folder, "--help");
  CHECK(top.code == 0);
  CHECK(top.err.empty());
  check_approved("help.txt", top.out);
  for (const std::string command : {"sites", "inject", "perturb", "run", "resume", "stats", "export",
                                    "replay", "merge", "diff", "plan", "explain"}) {
    const Result help = faultwave(folder, command + " --help");
    CHECK(help.code == 0);
    CHECK(help.err.empty());
    check_approved("help_" + command + ".txt", help.out);
  }
}

TEST_CASE("table, statistics and exports of a tiny campaign") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const Result run = faultwave(folder, "run spec.toml --db a.db --quiet --threads 1");
  REQUIRE_MESSAGE(run.code == 0, run.err);
  CHECK(run.err.empty());
  check_approved("table.txt", run.out);
  check_approved("stats.json", faultwave(folder, "stats a.db --json").out);
  check_approved("export.csv", faultwave(folder, "export a.db").out);
  check_approved("export.json", faultwave(folder, "export a.db --format json").out);
  check_approved("replay.txt", faultwave(folder, "replay a.db 3").out);
  check_approved("fit.txt", faultwave(folder, "stats a.db --fit-per-mbit 300").out);

  save_tiny_network(folder / "net.pt", -1.0);
  REQUIRE(faultwave(folder, "run spec.toml --db b.db --quiet --threads 1").code == 0);
  check_approved("diff.txt", faultwave(folder, "diff a.db b.db").out);
}

}  // namespace
}  // namespace faultwave
