// SPDX-License-Identifier: Apache-2.0
// Networks that change between forwards, draw random numbers, or take no single input, through the program.
#include <torch/script.h>

#include <sstream>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/refusal.h"

namespace faultwave {
namespace {

using nlohmann::json;

/// A linear layer of 4 values and whatever code; attributes h, n and seen to keep something in.
void save_network(const std::string& path, const std::string& code) {
  torch::jit::Module net("Net");
  net.register_parameter("weight", (torch::arange(16) * 5 % 7 - 3).to(torch::kFloat).reshape({4, 4}) / 4,
                         false);
  net.register_buffer("h", torch::zeros({4}));
  net.register_attribute("n", c10::IntType::get(), 0);
  net.register_attribute("seen", c10::ListType::ofTensors(), c10::List<at::Tensor>());
  net.define("def forward(self, x):\n" + code);
  net.eval();
  net.save(path);
}

const std::string remembers =
    "    y = torch.linear(x, self.weight) + self.h + self.n + len(self.seen)\n"
    "    self.n = self.n + 1\n    self.seen.append(y)\n    self.h = torch.tanh(y).sum(0)\n"
    "    return y + self.h\n";

struct Campaign : TempFolder {
  explicit Campaign(const std::string& code, const std::string& more = "") {
    save_network(*this / "net.pt", code);
    save_npy(*this / "x.npy", (torch::arange(24) * 7 % 13 - 6).to(torch::kFloat).reshape({6, 4}) / 4);
    write_file(*this / "spec.toml", "model = 'net.pt'\ninput = 'x.npy'\ntrials = 120\n" + more +
                                        "criteria = ['differs(0.01)', 'nonfinite']\n"
                                        "[fault]\nsites = ['*']\nerror = 'flip'\ndraw = 'layers'\n");
  }
  Result run(const std::string& arguments) const { return faultwave(*this, arguments); }
  std::vector<std::string> outcomes(const std::string& database) const {
    const Result exported = run("export " + database + " --format json");
    REQUIRE_MESSAGE(exported.code == 0, exported.err);
    std::vector<std::string> outcomes;
    const json rows = json::parse(exported.out);
    for (const json& trial : rows["trials"])
      outcomes.push_back(trial["outcome"]);
    return outcomes;
  }
};

TEST_CASE("state in attributes: both engines and replay agree") {
  const Campaign campaign(remembers);
  for (const std::string engine : {"wave", "direct"}) {
    const Result run = campaign.run("run spec.toml --quiet --db " + engine + ".db --engine " + engine);
    REQUIRE_MESSAGE(run.code == 0, run.err);
  }
  const std::vector<std::string> outcomes = campaign.outcomes("wave.db");
  CHECK(outcomes == campaign.outcomes("direct.db"));
  CHECK(std::count(outcomes.begin(), outcomes.end(), "sdc") > 0);
  CHECK(std::count(outcomes.begin(), outcomes.end(), "masked") > 0);
  for (const int trial : {0, 31, 119})
    CHECK(campaign.run("replay wave.db " + std::to_string(trial)).code == 0);
}

TEST_CASE("code that asks for a number: a NaN of one trial changes no other") {
  const Campaign campaign(
      "    y = torch.linear(x, self.weight)\n    if bool(y.isnan().any()):\n        y = y * 0 + 7\n"
      "    return y * 2\n");
  for (const std::string engine : {"wave", "direct"})
    REQUIRE(campaign.run("run spec.toml --quiet --db " + engine + ".db --engine " + engine).code == 0);
  CHECK(campaign.outcomes("wave.db") == campaign.outcomes("direct.db"));
}

TEST_CASE("a network that draws random numbers is refused, and runs by a key") {
  const std::string drops = "    return torch.dropout(torch.linear(x, self.weight), 0.5, True)\n";
  const Campaign campaign(drops);
  check_refused(campaign.run("run spec.toml --db a.db"), 4, "aten::dropout");
  check_refused(campaign.run("explain net.pt --shape 1,4"), 4, "random_key");
  const std::string inject = "inject net.pt --input x.npy --fault 'output:linear[*] scale(1)' ";
  check_refused(campaign.run(inject), 4, "aten::dropout");
  const Result injected = campaign.run(inject + "--random-key 3 --json");
  REQUIRE_MESSAGE(injected.code == 0, injected.err);
  CHECK(json::parse(injected.out)["outcome"] == "masked");

  const Campaign keyed(drops, "random_key = 3\n");
  REQUIRE(keyed.run("run spec.toml --quiet --db a.db").code == 0);
  REQUIRE(keyed.run("run spec.toml --quiet --db b.db").code == 0);
  CHECK(keyed.outcomes("a.db") == keyed.outcomes("b.db"));
  CHECK(keyed.run("replay a.db 17").code == 0);
}

TEST_CASE("a network that begins with a copy is hit in the network alone") {
  const Campaign campaign("    return x.clone()\n");
  const Result result =
      campaign.run("inject net.pt --input x.npy --fault 'output:clone[0]@0 flip(31)' --save out --json");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(json::parse(result.out)["receipts"][0]["forwards"] == 1);
  const at::Tensor golden = load_tensor(campaign / "out/golden.npy");
  const at::Tensor faulty = load_tensor(campaign / "out/faulty.npy");
  CHECK(faulty[0][0].item<float>() == 1.5f);
  CHECK((faulty != golden).sum().item<int64_t>() == 1);
}

TEST_CASE("a fault-free run that throws names the input in one sentence") {
  const Campaign campaign("    return torch.linear(x, self.weight) + self.h[int(x.max() * 3)]\n");
  // The largest value, 1.5, is the last of the third input; all others stay below 4 / 3.
  check_refused(campaign.run("run spec.toml --db a.db"), 4, "input 2:");
  check_refused(campaign.run("run spec.toml --db b.db --engine direct"), 4, "input 2:");
  check_refused(campaign.run("inject net.pt --input x.npy --fault 'output:linear[0] zero'"), 4, "x.npy");
}

TEST_CASE("an export that takes no single input is campaigned, listed and explained") {
  const std::string data = environment("FAULTWAVE_TEST_DATA");
  TempFolder folder;
  save_npy(folder / "x.npy",
           (torch::arange(6 * 192) * 7 % 13 - 6).to(torch::kFloat).reshape({6, 3, 8, 8}) / 4);
  const std::string spec =
      "model = '" + data + "/least_two.pt2'\ninput = 'x.npy'\ntrials = 60\n[fault]\nkind = '";
  for (const std::string kind : {"output", "weight"}) {
    write_file(folder / "spec.toml", spec + kind + "'\nerror = 'flip'\ndraw = 'layers'\n");
    std::vector<std::string> tables;
    for (const std::string engine : {"wave", "direct"}) {
      const Result run =
          faultwave(folder, "run spec.toml --quiet --db " + kind + engine + ".db --engine " + engine);
      REQUIRE_MESSAGE(run.code == 0, run.err);
      const json stats = json::parse(faultwave(folder, "stats --json " + kind + engine + ".db").out);
      tables.push_back(stats["classes"].dump());
    }
    CHECK(tables[0] == tables[1]);
    CHECK(faultwave(folder, "replay " + kind + "wave.db 5").code == 0);
  }
  const Result sites = faultwave(folder, "sites '" + data + "/least_two.pt2' --json");
  REQUIRE_MESSAGE(sites.code == 0, sites.err);
  CHECK(json::parse(sites.out)[0]["shape"] == json({2, 3, 8, 8}));
  CHECK(faultwave(folder, "sites '" + data + "/dynamic_int.pt2'").code == 0);
  CHECK(faultwave(folder, "explain '" + data + "/least_two.pt2'").code == 0);
}

}  // namespace
}  // namespace faultwave
