// SPDX-License-Identifier: Apache-2.0
// Trials that loop for ever, or end the process that they run in; and networks that print.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

/// A network whose way depends on the largest value behind a ReLU: from 1,000 up it loops for ever, NaN it
/// refuses, and 2^63 and more, which becomes the least INT64 (4 is its number), it divides by -1, which the
/// processor cannot.
void save_fragile_network(const std::string& path) {
  torch::jit::Module net("Fragile");
  net.register_parameter("weight", (torch::arange(32 * 4) % 7 - 3).to(torch::kFloat).reshape({4, 32}) / 8,
                         false);
  net.define(R"(
def forward(self, x):
    h = torch.relu(torch.cat([x, x * 2.0], 1))
    assert not bool(torch.isnan(h).any()), "a value is not a number"
    while bool(h.max() > 1000.0) and bool(h.max() < 1.0e9):
        h = h * 1.0
    k = torch.div(h.to(4), -torch.ones_like(h, dtype=4), rounding_mode="trunc")
    return torch.linear(torch.flatten(h, 1), self.weight) + 0.0 * k.sum()
)");
  net.eval();
  net.save(path);
}

const std::string faults =
    "output:relu[0,1,1] constant(0.5)\n"
    "output:relu[0,1,2] constant(5000)\n"
    "output:relu[1,0,3] constant(1e30)\n"
    "output:relu[1,2,0] constant(nan)\n"
    "output:relu[1,3,3] constant(0.25)\n";

std::string fragile_specification(const std::string& engine, const std::string& keys = "") {
  return "model = \"net.pt\"\ninput = \"images.npy\"\nbatch = 4\nblock = 8\nengine = \"" + engine +
         "\"\nkeep = \"all\"\n" + keys + "[fault]\ndraw = \"list\"\nlist = \"faults.txt\"\n";
}

void make_fragile_campaign(const TempFolder& folder, const std::string& specification) {
  save_fragile_network(folder / "net.pt");
  save_npy(folder / "images.npy",
           (torch::arange(32) * 7 % 13 - 6).to(torch::kFloat).reshape({2, 1, 4, 4}) / 4);
  write_file(folder / "faults.txt", faults);
  write_file(folder / "spec.toml", specification);
}

/// Trials 0 and 1 are the first fault on both inputs, and so on.
void check_fragile_outcomes(const TempFolder& folder, const std::string& database) {
  const Result exported = faultwave(folder, "export " + database + " --format json");
  REQUIRE_MESSAGE(exported.code == 0, exported.err);
  const nlohmann::json trials = nlohmann::json::parse(exported.out)["trials"];
  REQUIRE(trials.size() == 10);
  for (const size_t input : {0, 1}) {
    CAPTURE(input);
    for (const size_t fault : {0, 4}) {
      CHECK(trials[2 * fault + input]["crash"].is_null());
      CHECK(trials[2 * fault + input]["hits"] == 1);
      CHECK(trials[2 * fault + input]["outcome"] != "crash");
    }
    const nlohmann::json& hang = trials[2 + input];
    CHECK(hang["outcome"] == "hang");
    CHECK(hang["top1"] == 0);
    CHECK(hang["faulty_class"].is_null());
    CHECK(!hang["golden_class"].is_null());
    CHECK(hang["fault"] == "output:relu[0,1,2] constant(5000)");
    const nlohmann::json& killed = trials[4 + input];
    CHECK(killed["outcome"] == "crash");
    CHECK(killed["crash"] == "the process was ended by SIGFPE");
    CHECK(killed["nonfinite"] == 0);
    const nlohmann::json& thrown = trials[6 + input];
    CHECK(thrown["outcome"] == "crash");
    CHECK(!thrown["crash"].get<std::string>().empty());
  }
}

TEST_CASE("a campaign passes trials that loop for ever or end the process") {
  const TempFolder folder;
  make_fragile_campaign(folder, fragile_specification("direct", "timeout = 2\n"));
  const Result run = faultwave(folder, "run spec.toml --db a.db -q");
  REQUIRE_MESSAGE(run.code == 0, run.err);
  check_contains(run.out, "crash 4 (40.00 %), hang 2 (20.00 %)");
  check_fragile_outcomes(folder, "a.db");

  const nlohmann::json stats = nlohmann::json::parse(faultwave(folder, "stats a.db --json").out);
  CHECK(stats["classes"]["crash"] == 4);
  CHECK(stats["classes"]["hang"] == 2);
  CHECK(stats["outcomes"]["crash"]["count"] == 4);
  CHECK(stats["outcomes"]["hang"]["estimate"] == doctest::Approx(0.2));
  CHECK(stats["outcomes"]["nonfinite"]["count"] == 0);

  for (const auto& [trial, outcome] : {std::pair{"2", "hang (the run did not end in its time)"},
                                       std::pair{"4", "crash (the process was ended by SIGFPE)"}}) {
    const Result replay = faultwave(folder, std::string("replay a.db ") + trial);
    CHECK_MESSAGE(replay.code == 0, replay.err);
    check_contains(replay.out, std::string("outcome   ") + outcome);
    check_contains(replay.out, std::string("recorded  ") + outcome);
  }
  const Result same = faultwave(folder, "diff a.db a.db");
  check_contains(same.out, "crash");
  check_contains(same.out, "hang");
}

TEST_CASE("so it does on the wave engine, and in several workers") {
  const TempFolder folder;
  make_fragile_campaign(folder, fragile_specification("wave", "timeout = 2\n"));
  const Result run = faultwave(folder, "run spec.toml --db a.db -q --workers 2");
  REQUIRE_MESSAGE(run.code == 0, run.err);
  check_fragile_outcomes(folder, "a.db");
}

TEST_CASE("the first signal is heeded while a forward does not end") {
  const TempFolder folder;
  make_fragile_campaign(folder, fragile_specification("direct"));
  write_file(folder / "faults.txt", "output:relu[0,1,1] constant(0.5)\noutput:relu[0,1,2] constant(5000)\n");
  std::string specification = read_file(folder / "spec.toml");
  specification.replace(specification.find("block = 8"), 9, "block = 2");
  write_file(folder / "spec.toml", specification);
  // The usual time of a forward is far from over when the first block is written.
  const Result run =
      shell(folder,
            "\"$fw\" run spec.toml --db a.db -q & main=$!; "
            "until \"$fw\" stats a.db 2>/dev/null | grep -q '^Trials      2 of'; do sleep 0.1; done; "
            "kill -TERM $main; wait $main");
  CHECK(run.code == 143);
  check_contains(run.err, "interrupted; 2 of 4 trials are in 'a.db': go on with `faultwave resume a.db`");
}

TEST_CASE("a timeout that the golden run does not keep is refused") {
  const TempFolder folder;
  make_fragile_campaign(folder, fragile_specification("direct", "timeout = 1e-9\n"));
  const Result run = faultwave(folder, "run spec.toml --db a.db -q");
  CHECK(run.code == 2);
  check_contains(run.err, "timeout is 1e-09 s, and the golden run");
  CHECK(!std::filesystem::exists(folder / "a.db"));
}

TEST_CASE("inject names the fault of a run that crashed") {
  const TempFolder folder;
  make_fragile_campaign(folder, fragile_specification("direct"));
  const std::string arguments = "inject net.pt --input images.npy --fault 'output:relu[1,2,0] constant(nan)'";
  const Result text = faultwave(folder, arguments);
  CHECK_MESSAGE(text.code == 0, text.err);
  check_contains(text.out, "fault     output:relu[1,2,0]");
  check_contains(text.out, "outcome   crash");
}

TEST_CASE("what a network prints goes to standard error, with workers too") {
  const TempFolder folder;
  make_tiny_campaign(folder);
  torch::jit::Module net("Talking");
  net.register_parameter("weight", torch::ones({4, 16}), false);
  net.define(
      "def forward(self, x):\n    print('a line of the network')\n"
      "    return torch.linear(torch.flatten(x, 1), self.weight)\n");
  net.eval();
  net.save(folder / "net.pt");
  for (const char* workers : {"1", "2"}) {
    const std::string database = std::string(workers) + ".db";
    const Result run = faultwave(folder, "run spec.toml --db " + database + " -q --workers " + workers);
    REQUIRE_MESSAGE(run.code == 0, run.err);
    CHECK(run.out.rfind("Trials      60\n", 0) == 0);
    CHECK(!contains(run.out, "a line of the network"));
    check_contains(run.err, "a line of the network\n");
  }
  CHECK(faultwave(folder, "export 1.db").out == faultwave(folder, "export 2.db").out);
  const Result inject =
      faultwave(folder, "inject net.pt --input images.npy --fault 'output:linear[0] zero' --json");
  REQUIRE_MESSAGE(inject.code == 0, inject.err);
  CHECK(nlohmann::json::accept(inject.out));
}

}  // namespace
}  // namespace faultwave
