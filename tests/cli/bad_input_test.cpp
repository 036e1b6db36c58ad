// SPDX-License-Identifier: Apache-2.0
// Each mistake gives one line on standard error, its published exit code, and no file.
#include <doctest/doctest.h>

#include "tests/cli/program.h"
#include "tests/cli/refusal.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

TEST_CASE("command lines that cannot be understood") {
  const TempFolder folder;
  check_refused(faultwave(folder, ""), 2, "subcommand");
  check_refused(faultwave(folder, "walk"), 2, "walk");
  check_refused(faultwave(folder, "run"), 2, "SPEC");
  check_refused(faultwave(folder, "run spec.toml"), 2, "--db");
  check_refused(faultwave(folder, "run spec.toml --db a.db --fast"), 2, "--fast");
  check_refused(faultwave(folder, "replay a.db first"), 2, "first");
  check_refused(faultwave(folder, "export a.db --format xml"), 2, "xml");
  CHECK(folder.holds(0));
}

TEST_CASE("versions are printed") {
  const TempFolder folder;
  const Result version = faultwave(folder, "--version");
  CHECK(version.code == 0);
  CHECK(version.out.rfind("faultwave 0.", 0) == 0);
  check_contains(version.out, "libtorch 2.");
}

TEST_CASE("specifications with mistakes") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const auto run = [&](const std::string& old_text, const std::string& new_text) {
    write_file(folder / "bad.toml", tiny_with(old_text, new_text));
    return faultwave(folder, "run bad.toml --db a.db");
  };
  check_refused(run("trials = 60", "trails = 60"), 2,
                "bad.toml, line 4: unknown key 'trails'; did you mean trials?");
  check_refused(run("trials = 60", "trials = \"60\""), 2,
                "bad.toml, line 4: trials must be an integer, and is a string");
  check_refused(run("trials = 60", "trials = 0"), 2,
                "bad.toml, line 4: trials must be from 1 to 1000000000, and is 0");
  check_refused(run("net.pt", "no.pt"), 3, "no.pt");
  check_refused(run("images.npy", "no.npy"), 3, "no.npy");
  check_refused(run("\"*\"", "\"covn*\""), 5, "'net.pt' has no output site that matches 'covn*'");
  check_refused(run("kind   = \"output\"\nsites  = [\"*\"]", "kind = \"buffer\""), 5, "no site to draw from");
  check_refused(run("\"flip\"", "\"flip(40)\""), 5, "40");
  check_refused(run("engine = \"direct\"", "device = \"cuda:99\""), 2, "cuda:99");
  check_refused(faultwave(folder, "run none.toml --db a.db"), 3, "cannot read 'none.toml': No such file");
  CHECK(folder.holds(4));
}

TEST_CASE("inputs of a wrong shape or type, and damaged files") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const auto run = [&] { return faultwave(folder, "run spec.toml --db a.db"); };
  save_npy(folder / "images.npy", torch::zeros({5, 3, 4, 4}));
  CHECK((run().code == 3 || run().code == 4));
  check_contains(run().err, "net.pt");
  save_npy(folder / "images.npy", torch::zeros({5, 1, 4, 4}, torch::kLong));
  CHECK((run().code == 3 || run().code == 4));
  write_file(folder / "images.npy", "no numbers");
  check_refused(run(), 3, "images.npy");
  make_tiny_campaign(folder);
  write_file(folder / "net.pt", "no network");
  check_refused(run(), 3, "net.pt");
  CHECK(folder.holds(3));
}

TEST_CASE("databases that cannot be made or read") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  check_refused(faultwave(folder, "run spec.toml --db no/a.db"), 6, "there is no folder 'no'");
  check_refused(faultwave(folder, "run spec.toml --db /proc/a.db"), 6, "cannot create '/proc/a.db'");
  for (const std::string command : {"stats no.db", "export no.db", "resume no.db", "replay no.db 0"}) {
    check_refused(faultwave(folder, command), 6, "there is no database 'no.db'");
    check_refused(faultwave(folder, command.substr(0, command.find(' ')) + " images.npy" +
                                        (command.rfind("replay", 0) == 0 ? " 0" : "")),
                  6, "'images.npy' is not an SQLite database");
  }
  check_refused(faultwave(folder, "run spec.toml --db images.npy"), 6,
                "'images.npy' is not an SQLite database");
  REQUIRE(faultwave(folder, "run spec.toml --db a.db -q").code == 0);
  check_refused(faultwave(folder, "run spec.toml --db a.db"), 6,
                "holds this campaign already (60 of 60 trials done)");
  write_file(folder / "other.toml", tiny_with("seed   = 1", "seed   = 2"));
  check_refused(faultwave(folder, "run other.toml --db a.db"), 6,
                "another campaign (seed is 1 there and 2 here)");
  check_refused(faultwave(folder, "replay a.db 60"), 2, "the campaign has trials 0 to 59");
  CHECK(folder.holds(5));
}

TEST_CASE("a database that cannot grow keeps what was committed") {
  const TempFolder folder;
  make_tiny_campaign(folder,
                     "block = 100\n" + tiny_with("trials = 60\nbatch  = 4\nblock  = 16", "trials = 20000"));
  // 512 KiB, which sh counts in halves: less is not enough for a file that the thread sanitizer makes.
  const Result run = shell(folder, "trap '' XFSZ; ulimit -f 1024; \"$fw\" run spec.toml --db a.db -q");
  check_refused(run, 6, "'a.db'");
  const Result stats = faultwave(folder, "stats a.db");
  CHECK(stats.code == 0);
  check_contains(stats.out, "(not finished)");
}

TEST_CASE("a full disk is said to be full") {
  const TempFolder folder;
  if (shell(folder, "mkdir disk && mount -t tmpfs -o size=512k tmpfs disk").code != 0) {
    MESSAGE("skipped: no file system can be mounted here");
    return;
  }
  make_tiny_campaign(folder,
                     "block = 100\n" + tiny_with("trials = 60\nbatch  = 4\nblock  = 16", "trials = 20000"));
  const Result run = faultwave(folder, "run spec.toml --db disk/a.db -q");
  const Result stats = faultwave(folder, "stats disk/a.db");
  shell(folder, "umount disk");
  check_refused(run, 6, "cannot write to 'disk/a.db': the disk is full; what was committed before is kept");
  CHECK(stats.code == 0);
  check_contains(stats.out, "(not finished)");
}

}  // namespace
}  // namespace faultwave
