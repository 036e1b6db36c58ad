// SPDX-License-Identifier: Apache-2.0
// What files and devices may do to the program: one printable line, and nothing is replaced that is no plain
// file.
#include <filesystem>

#include <doctest/doctest.h>

#include "src/store/database.h"
#include "tests/cli/program.h"
#include "tests/cli/refusal.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

TEST_CASE("exports go through links and into devices, which stay what they are") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  REQUIRE(faultwave(folder, "run spec.toml --db a.db -q").code == 0);
  std::filesystem::create_symlink("real.csv", folder / "link.csv");
  CHECK(faultwave(folder, "export a.db -o link.csv").code == 0);
  CHECK(std::filesystem::is_symlink(folder / "link.csv"));
  CHECK(read_file(folder / "real.csv") == faultwave(folder, "export a.db").out);
  check_refused(faultwave(folder, "export a.db -o /dev/full"), 6,
                "cannot write '/dev/full': No space left on device");
  CHECK(std::filesystem::is_character_file("/dev/full"));
  const Result through =
      shell(folder, "mkfifo pipe && { cat pipe > read.csv & \"$fw\" export a.db -o pipe; wait; }");
  CHECK(through.code == 0);
  CHECK(std::filesystem::is_fifo(folder / "pipe"));
  CHECK(read_file(folder / "read.csv") == read_file(folder / "real.csv"));
}

TEST_CASE("control characters of lines and files do not reach the terminal") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const Result line = shell(
      folder, "\"$fw\" inject net.pt --input images.npy --fault \"$(printf 'output:a\\033[2J[0] flip')\"");
  check_refused(line, 2, "\\x1b[2J");
  CHECK(line.err.find('\x1b') == std::string::npos);
  write_file(folder / "bad.toml", std::string("model = \"a\0b\"\n\x1b[31m = 1\n", 24));
  const Result toml = faultwave(folder, "run bad.toml --db a.db");
  check_refused(toml, 2, "bad.toml, line 1");
  CHECK(toml.err.find('\0') == std::string::npos);
  const Result unknown = faultwave(folder, "export a.db \"$(printf 'a\\rb')\"");
  CHECK(unknown.err.find('\r') == std::string::npos);
}

TEST_CASE("memory that cannot be had is one sentence, without libtorch's lines before or behind it") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  const Result huge = shell(folder, "ulimit -v 3000000 && \"$fw\" sites net.pt --shape 1,1,30000,30000");
  check_refused(huge, 1, "out of memory: ");
  check_contains(huge.err, "were asked for at once; try smaller inputs");
}

TEST_CASE("a damaged database is one sentence, whatever is done with it") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  REQUIRE(faultwave(folder, "run spec.toml --db a.db -q").code == 0);
  Database(folder / "a.db", Database::Mode::write)
      .execute("UPDATE campaign SET value = '0' WHERE key = 'block'");
  for (const char* command :
       {"stats a.db", "export a.db", "resume a.db", "replay a.db 3", "merge a.db -o b.db"})
    check_refused(faultwave(folder, command), 6, "'a.db' is damaged: its blocks have 0 trials");
}

}  // namespace
}  // namespace faultwave
