// SPDX-License-Identifier: Apache-2.0
// What inject and run count where no criteria are named, on networks that are no classifiers.
#include <torch/script.h>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/inputs.h"

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using nlohmann::json;

/// A linear layer `fc` of 4 to `outputs` values with weights 1, 2, 3, ... over 8, and a forward of its own.
/// Inputs: x.npy [3, 4], values from 0 to 2.75 in steps of a quarter.
struct Network : TempFolder {
  Network(int64_t outputs, const std::string& body) {
    torch::jit::Module fc("Linear");
    fc.register_parameter("weight", (torch::arange(outputs * 4) + 1).to(torch::kFloat).view({outputs, 4}) / 8,
                          false);
    fc.define("def forward(self, x):\n    return torch.linear(x, self.weight)\n");
    torch::jit::Module net("Net");
    net.register_module("fc", fc);
    net.define("def forward(self, x):\n    y = self.fc.forward(x)\n    " + body + "\n");
    net.eval();
    net.save(*this / "net.pt");
    save_npy(*this / "x.npy", torch::arange(12).to(torch::kFloat).view({3, 4}) / 4);
    save_npy(*this / "one.npy", torch::arange(4).to(torch::kFloat).view({1, 4}) / 4);
  }

  Result run(const std::string& arguments) const { return faultwave(*this, arguments); }
  Result inject(const std::string& fault, const std::string& flags = "") const {
    Result result = run("inject net.pt --input one.npy --fault '" + fault + "' " + flags);
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result;
  }
  Result campaign(const std::string& more = "") const {
    write_file(*this / "s.toml",
               "model = \"net.pt\"\ninput = \"x.npy\"\ntrials = 40\n" + more + "[fault]\nerror = \"flip\"\n");
    std::filesystem::remove(*this / "a.db");
    Result result = run("run s.toml --db a.db -q");
    REQUIRE_MESSAGE(result.code == 0, result.err);
    return result;
  }
};

const char* const kDetector =
    "return torch.tensor([[0., 0., 9., 9.], [20., 20., 30., 30.]]), torch.sigmoid(y)[0], torch.tensor([1, "
    "2])";

TEST_CASE("a detector that loses a box is not benign") {
  const Network network(2, kDetector);
  const Result result = network.inject("output:fc[0] constant(-50)");
  check_contains(result.out, "box 1     class 1 (");
  check_contains(result.out, "outcome   sdc: boxes_lost(0.5)\n");
  check_contains(result.out, "criteria  boxes_lost(0.5), boxes_phantom(0.5), boxes_class(0.5), ");
  check_contains(result.out, ", chosen for boxes of a detector\n");
  CHECK(result.err.empty());
}

TEST_CASE("integer outputs are judged exactly") {
  const Network network(3, "return torch.argmax(y, 1)");
  check_contains(network.inject("output:fc[0] constant(100)").out, "outcome   sdc: differs(0)\n");
  check_contains(network.inject("output:fc[0] constant(-100)").out, "outcome   masked\n");
  const Result run = network.campaign();
  check_contains(run.out, "Criteria    differs(0) (chosen to fit the outputs)\n");
  check_contains(run.out, "benign 0 (");
}

TEST_CASE("outputs that no criterion fits are not judged, and that is said") {
  const Network network(6, "return y.view(-1, 2, 3)");
  const Result result = network.inject("weight:fc[*,*] scale(2)");
  check_contains(result.out, "output 0  [2, 3]");
  check_contains(result.out, "outcome   not judged\n");
  check_contains(
      result.out,
      "criteria  nonfinite, chosen for Float [2, 3], which no other fits: name one with --criterion");
  CHECK(json::parse(network.inject("weight:fc[*,*] scale(2)", "--json").out)["outcome"] == "not judged");
  check_contains(network.inject("weight:fc[*,*] scale(2)", "--criterion 'differs(0.1)'").out,
                 "outcome   sdc: differs(0.1)\n");
  check_contains(network.inject("weight:fc[*,*] scale(2)", "--criterion 'differs(100)'").out,
                 "outcome   benign\n");

  const Result run = network.campaign();
  check_contains(run.out,
                 "Criteria    nonfinite alone, since none was named and no other fits the outputs\n");
  check_contains(run.out, "not judged ");
  const json stats = json::parse(network.run("stats a.db --json").out);
  CHECK(stats["campaign"]["criteria_chosen"] == true);
  const int64_t moved = stats["classes"]["not judged"].get<int64_t>();
  CHECK(moved > 0);
  CHECK(!contains(network.run("export a.db").out, ",benign,"));
  check_contains(network.run("export a.db").out, ",not judged,");
}

TEST_CASE("an embedding is shown as values, not as classes") {
  const Network network(16, "return (y - torch.mean(y)) / torch.norm(y - torch.mean(y))");
  const Result result = network.inject("output:fc[3] constant(-5)");
  check_contains(result.out, "output 0  [16]: 16 of 16 values differ, by up to 0.");
  check_contains(result.out,
                 "criteria  nonfinite, chosen for an embedding of 16 values, which no other fits");
  CHECK(!contains(result.out, "class"));
}

TEST_CASE("what was chosen goes with the campaign: resume, replay and another run know it") {
  const Network network(6, "return y");
  network.campaign();
  CHECK(network.run("replay a.db 3").code == 0);
  const Result resumed = network.run("resume a.db -q");
  CHECK(resumed.code == 0);
  const Result again = network.run("run s.toml --db a.db -q");
  CHECK(again.code == 6);
  check_contains(again.err, "holds this campaign already (40 of 40 trials done): choose another name");
  write_file(network / "t.toml", "criteria = [\"top1\"]\n" + read_file(network / "s.toml"));
  check_contains(network.run("run t.toml --db a.db -q").err, "another campaign (criteria is ");
}

TEST_CASE("warnings are one line each on standard error, and once") {
  const auto warnings_of = [](const Result& result) {
    std::istringstream lines(result.err);
    std::vector<std::string> warnings;
    for (std::string line; std::getline(lines, line);) {
      CHECK(line.rfind("faultwave: warning: ", 0) == 0);
      warnings.push_back(line.substr(20));
    }
    return warnings;
  };
  const Network network(3, "return y");
  CHECK(network.campaign().err.empty());
  save_npy(network / "labels.npy", torch::tensor({0, 1, 1}));  // the network always says 2
  std::vector<std::string> warnings = warnings_of(network.campaign("labels = \"labels.npy\"\n"));
  REQUIRE(warnings.size() == 1);
  check_contains(warnings[0], "right on none of the 3 inputs looked at");
  save_npy(network / "labels.npy", torch::tensor({2, 3, 7}));
  warnings = warnings_of(network.campaign("labels = \"labels.npy\"\n"));
  REQUIRE(warnings.size() == 1);
  check_contains(warnings[0], "2 of 3 labels are no class of the network, which has 3");

  warnings = warnings_of(network.campaign("preprocess.mean = [0.5, 0.5, 0.5]\n"));
  REQUIRE(warnings.size() == 1);
  check_contains(warnings[0], "preprocessing does nothing here");
  CHECK(warnings_of(network.inject("output:fc[0] zero", "--mean 0.5,0.5,0.5")) ==
        warnings_of(network.inject("output:fc[0] zero", "--std 0.5,0.5,0.5")));

  torch::Tensor inputs = torch::ones({3, 4});
  inputs[1][2] = NAN;
  save_npy(network / "x.npy", inputs);
  warnings = warnings_of(network.campaign());
  REQUIRE(warnings.size() == 2);
  check_contains(warnings[0], "NaN or infinity is in 1 of the 3 inputs, the first of them #1");
  check_contains(warnings[1], "fault-free outputs already, of 1 of the 3 inputs looked at");

  const Network single(1, "return y");
  warnings = warnings_of(single.inject("output:fc[0] zero", "--criterion top1"));
  REQUIRE(warnings.size() == 1);
  check_contains(warnings[0], "a single number, which is always the best of its one class: top1");
}

}  // namespace
}  // namespace faultwave
