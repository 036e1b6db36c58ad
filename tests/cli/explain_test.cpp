// SPDX-License-Identifier: Apache-2.0
// explain on the tiny network of tiny_campaign.h: conv2d of 1 x 4 x 4 to 2 channels, relu, flatten, linear.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using nlohmann::json;

struct Tiny {
  Tiny() { save_tiny_network(folder / "net.pt"); }
  Result run(const std::string& arguments) const { return faultwave(folder, "explain net.pt " + arguments); }
  TempFolder folder;
};

TEST_CASE("explain says by which rule each operator follows a fault, and how many rows it dirties") {
  const Tiny tiny;
  const Result result = tiny.run("--shape 1,1,4,4 --faults 8 --json");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const json explained = json::parse(result.out);
  CHECK(explained["site"] == "conv");
  CHECK(explained["without_rule"].empty());
  CHECK(explained["left"].empty());
  const json& calls = explained["calls"];
  REQUIRE(calls.size() == 4);

  // One value of one pixel of 4 x 4.
  CHECK(calls[0]["op"] == "aten::conv2d");
  CHECK(calls[0]["has_faults"] == true);
  CHECK(calls[0]["faults"] == 8);
  CHECK(calls[0]["rows"] == 1);
  CHECK(calls[0]["all_rows"] == 16);
  CHECK(calls[0]["rules"].empty());

  CHECK(calls[1]["op"] == "aten::relu");
  CHECK(calls[1]["rules"] == json({"elements"}));
  CHECK(calls[1]["faults"] <= 8);
  CHECK(calls[2]["rules"] == json({"reshape"}));
  CHECK(calls[2]["faults"] == calls[1]["faults"]);

  // The one row of the scores, for whatever ReLU has let through.
  CHECK(calls[3]["rules"] == json({"linear"}));
  CHECK(calls[3]["site"] == "fc");
  CHECK(calls[3]["rows"] == 1);
  CHECK(calls[3]["all_rows"] == 1);
}

TEST_CASE("explain starts at the named site, and what lies before it is golden") {
  const Tiny tiny;
  const json explained = json::parse(tiny.run("--shape 1,1,4,4 --site fc --faults 3 --json").out);
  const json& calls = explained["calls"];
  CHECK(calls[0]["faults"] == 0);
  CHECK(calls[0]["has_faults"] == false);
  CHECK(calls[3]["faults"] == 3);
  CHECK(calls[3]["has_faults"] == true);
}

TEST_CASE("the table of explain has a line for each operator, and says what has no rule") {
  const Tiny tiny;
  const Result result = tiny.run("--shape 1,1,4,4");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  for (const char* text : {"16 random neurons of output:conv", "aten::conv2d", "(the faults)", "elements",
                           "No rule   none", "Dense     no convolution"})
    check_contains(result.out, text);
}

TEST_CASE("explain is drawn by its key") {
  const Tiny tiny;
  const std::string once = tiny.run("--shape 1,1,4,4 --key 5 --json").out;
  CHECK(once == tiny.run("--shape 1,1,4,4 --key 5 --json").out);
}

TEST_CASE("explain refuses what the wave engine cannot follow, and sites that are none") {
  const Tiny tiny;
  CHECK(tiny.run("--shape 2,1,4,4").code == 3);
  check_contains(tiny.run("--shape 2,1,4,4").err, "batch of one");
  CHECK(tiny.run("--shape 1,1,4,4 --site cnv").code == 5);
  check_contains(tiny.run("--shape 1,1,4,4 --site cnv").err, "conv");
  CHECK(tiny.run("--shape 1,1,4,4 --faults 0").code == 2);
}

/// A network of token numbers [1, 5] and a mask [1, 5, 3], which its embedding's values are multiplied by.
void save_masked_embedding(const std::string& path) {
  torch::jit::Module table("Embedding");
  table.register_parameter("weight", torch::arange(30).to(torch::kFloat).view({10, 3}), false);
  table.define("def forward(self, ids):\n    return torch.embedding(self.weight, ids)\n");
  torch::jit::Module net("Net");
  net.register_module("table", table);
  net.define("def forward(self, ids, mask):\n    return self.table.forward(ids) * mask\n");
  net.eval();
  net.save(path);
}

TEST_CASE("explain takes integers and several inputs, as inject does") {
  const TempFolder folder;
  save_masked_embedding(folder / "net.pt");
  save_npy(folder / "ids.npy", torch::tensor({{1, 2, 3, 4, 5}}));
  save_npy(folder / "mask.npy", torch::ones({1, 5, 3}));
  const Result result =
      faultwave(folder, "explain net.pt --input ids.npy --input mask.npy --faults 6 --json");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const json explained = json::parse(result.out);
  CHECK(explained["site"] == "table");
  CHECK(explained["left"].empty());
  REQUIRE(explained["calls"].size() == 2);
  CHECK(explained["calls"][0]["faults"] == 6);
  CHECK(explained["calls"][1]["op"] == "aten::mul");
  CHECK(explained["calls"][1]["faults"] == 6);
  const Result batch = faultwave(folder, "explain net.pt --shape 2,5 --shape 2,5,3");
  CHECK(batch.code != 0);
}

}  // namespace
}  // namespace faultwave
