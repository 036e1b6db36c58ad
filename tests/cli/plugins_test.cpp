// SPDX-License-Identifier: Apache-2.0
// Files that are no plugin, and plugins with mistakes. tests/plugin has one that works.
#include <doctest/doctest.h>

#include "tests/cli/program.h"
#include "tests/cli/refusal.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

TEST_CASE("files that are no plugin") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  write_file(folder / "text.so", "nothing of the kind");
  const auto run = [&](const std::string& plugin) {
    return faultwave(folder, "run spec.toml --db a.db --plugin '" + plugin + "'");
  };
  check_refused(run("none.so"), 3, "cannot read 'none.so'");
  check_refused(run("."), 3, "cannot read '.'");
  check_refused(run("text.so"), 3, "'text.so' is no plugin that can be loaded: ");
  check_refused(run(environment("FAULTWAVE_NO_PLUGIN")), 3,
                "is no plugin that can be loaded: it does not export a function faultwave_plugin");
  CHECK_FALSE(std::filesystem::exists(folder / "a.db"));
}

TEST_CASE("mistakes of plugins are one sentence each") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const auto run = [&](const std::string& mistake) {
    return shell(folder, "export FAULTWAVE_BAD_PLUGIN='" + mistake + "'; cp '" +
                             environment("FAULTWAVE_BAD") +
                             "' bad.so; \"$fw\" run spec.toml --db a.db --plugin bad.so");
  };
  check_refused(run("interface"), 3,
                "'bad.so' is no plugin that can be loaded: it was built for version 2 of the interface of "
                "extensions, and this program has version 1; build it against this Faultwave");
  check_refused(run("libtorch"), 3, "it was built for libtorch 1.0.0, and this program runs on 2.");
  const std::string failed = "the plugin 'bad.so' failed: ";
  check_refused(run("throws"), 2, failed + "the table of faults is missing");
  check_refused(run("throws a number"), 2, failed + "it threw something that is no std::exception");
  check_refused(run("throws at once"), 2, failed + "not today");
  check_refused(run("no description"), 2, failed + "it describes no plugin");
  check_refused(run("no name"), 2, failed + "it has no name, or no version");
  check_refused(run("no function"), 2, failed + "it has no function that registers what it brings");
  check_refused(
      run("built-in name"), 2,
      failed + "the error model 'flip' cannot be registered: there is one of this name already, built in");
  check_refused(run("name twice"), 2,
                failed +
                    "the error model 'bad.model' cannot be registered: there is one of this name already, of "
                    "the same plugin");
  CHECK_FALSE(std::filesystem::exists(folder / "a.db"));
}

TEST_CASE("a plugin twice, and two plugins of one name") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  REQUIRE(shell(folder, "cp '" + environment("FAULTWAVE_BAD") + "' bad.so && cp bad.so copy.so").code == 0);
  const Result twice = faultwave(folder, "run spec.toml --db a.db -q --plugin bad.so --plugin bad.so");
  CHECK_MESSAGE(twice.code == 0, twice.err);
  check_refused(faultwave(folder, "run spec.toml --db b.db --plugin bad.so --plugin copy.so"), 2,
                "is a plugin of the name bad too");
}

TEST_CASE("a plugin that a campaign does not use leaves no trace in its database") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  REQUIRE(
      faultwave(folder, "run spec.toml --db a.db -q --plugin '" + environment("FAULTWAVE_BAD") + "'").code ==
      0);
  CHECK(faultwave(folder, "replay a.db 3").code == 0);
}

}  // namespace
}  // namespace faultwave
