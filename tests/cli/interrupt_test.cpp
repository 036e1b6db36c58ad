// SPDX-License-Identifier: Apache-2.0
// Campaigns that are stopped, killed, or run twice.
#include <chrono>
#include <thread>

#include <doctest/doctest.h>
#include <signal.h>
#include <unistd.h>

#include "faultwave/store.h"

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// A campaign in many small transactions.
std::string specification_of(int64_t trials) {
  return R"(model  = "net.pt"
input  = "images.npy"
trials = )" +
         std::to_string(trials) + R"(
block  = 16
[fault]
error  = "flip"
)";
}

// Enough to be stopped on the way.
const std::string long_specification = specification_of(3000);
// So many that it never comes to its end by itself.
const std::string endless_specification = specification_of(1000000);

/// `faultwave run` in a process of its own.
class Running {
 public:
  Running(const TempFolder& folder, const std::string& database)
      : folder_(folder), database_(folder / database) {
    const std::string program = environment("FAULTWAVE_PROGRAM");
    const std::string errors = folder / (database + ".err");
    process_ = ::fork();
    if (process_ != 0) return;
    if (::chdir(folder.path().c_str()) != 0 || ::freopen(errors.c_str(), "w", stderr) == nullptr) ::_exit(99);
    ::execl(program.c_str(), program.c_str(), "run", "spec.toml", "--db", database.c_str(), "-q", nullptr);
    ::_exit(98);
  }
  ~Running() {
    if (process_ > 0) ::kill(process_, SIGKILL);
    if (process_ > 0) ::waitpid(process_, nullptr, 0);
  }

  /// Waits until that many trials are recorded; false if the campaign ended first.
  bool wait_for(int64_t trials) {
    while (::waitpid(process_, &status_, WNOHANG) == 0) {
      if (std::filesystem::exists(database_) &&
          Store::open(database_, Store::Access::read).trials_done() >= trials) {
        return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    process_ = 0;
    return false;
  }

  /// Sends a signal and returns the exit code, 128 + n if the signal n ended the process.
  int end_by(int signal) {
    ::kill(process_, signal);
    ::waitpid(process_, &status_, 0);
    process_ = 0;
    return WIFEXITED(status_) ? WEXITSTATUS(status_) : 128 + WTERMSIG(status_);
  }

  std::string errors() const { return read_file(database_ + ".err"); }

 private:
  const TempFolder& folder_;
  std::string database_;
  pid_t process_ = 0;
  int status_ = 0;
};

std::string csv_of(const TempFolder& folder, const std::string& database) {
  const Result csv = faultwave(folder, "export " + database);
  REQUIRE_MESSAGE(csv.code == 0, csv.err);
  return csv.out;
}

TEST_CASE("stopped or killed, a campaign resumes to the export of an unbroken one") {
  const TempFolder folder;
  make_tiny_campaign(folder, long_specification);
  REQUIRE(faultwave(folder, "run spec.toml --db whole.db -q").code == 0);
  const std::string expected = csv_of(folder, "whole.db");

  for (const int signal : {SIGINT, SIGTERM, SIGKILL}) {
    CAPTURE(signal);
    const std::string database = std::to_string(signal) + ".db";
    Running running(folder, database);
    REQUIRE(running.wait_for(100));
    CHECK(running.end_by(signal) == 128 + signal);
    if (signal == SIGINT) {
      check_contains(running.errors(), "of 3,000 trials are in '" + database +
                                           "': go on with `faultwave resume " + database + "`");
    }
    check_contains(faultwave(folder, "stats " + database).out, "of 3,000 (not finished)");
    const Result resumed = faultwave(folder, "resume " + database + " -q");
    CHECK_MESSAGE(resumed.code == 0, resumed.err);
    CHECK(csv_of(folder, database) == expected);
  }
  CHECK(faultwave(folder, "resume 2.db -q").code == 0);
}

TEST_CASE("a campaign that was begun is not begun again, and what it has not run cannot be replayed") {
  const TempFolder folder;
  make_tiny_campaign(folder, endless_specification);
  Running running(folder, "a.db");
  REQUIRE(running.wait_for(16));
  CHECK(running.end_by(SIGKILL) == 137);
  const Result again = faultwave(folder, "run spec.toml --db a.db");
  CHECK(again.code == 6);
  check_contains(again.err, "holds this campaign already");
  const Result early = faultwave(folder, "replay a.db 999999");
  CHECK(early.code == 2);
  check_contains(early.err, "it has not been run yet");
}

TEST_CASE("a second process is told that the database is in use") {
  const TempFolder folder;
  make_tiny_campaign(folder, endless_specification);
  Running running(folder, "a.db");
  REQUIRE(running.wait_for(16));
  const Result second = faultwave(folder, "resume a.db");
  CHECK(second.code == 6);
  check_contains(second.err, "'a.db' is in use by another faultwave process");
  CHECK(faultwave(folder, "stats a.db").code == 0);
  CHECK(running.end_by(SIGINT) == 130);
}

TEST_CASE("a changed network, input or specification is refused on resume, by name") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  REQUIRE(faultwave(folder, "run spec.toml --db a.db -q").code == 0);
  const auto refusal = [&] {
    const Result resumed = faultwave(folder, "resume a.db");
    CHECK(resumed.code == 7);
    CHECK(faultwave(folder, "replay a.db 0").code == 7);
    return resumed.err;
  };
  SUBCASE("network") {
    save_tiny_network(folder / "net.pt", -1.0);
    check_contains(refusal(), "the network 'net.pt' changed since 'a.db' was begun");
  }
  SUBCASE("input") {
    save_npy(folder / "images.npy", torch::zeros({5, 1, 4, 4}));
    check_contains(refusal(), "the input 'images.npy' changed since 'a.db' was begun");
  }
  SUBCASE("specification") {
    write_file(folder / "spec.toml", "labels = \"x.npy\"\n" + tiny_specification);
    check_contains(refusal(), "labels is left out there and \"x.npy\" here");
  }
}

}  // namespace
}  // namespace faultwave
