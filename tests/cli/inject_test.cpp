// SPDX-License-Identifier: Apache-2.0
// sites, inject and perturb on the tiny network of tiny_campaign.h.
#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/inputs.h"

#include "tests/cli/program.h"
#include "tests/cli/tiny_campaign.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using nlohmann::json;

/// A folder with net.pt and one image x.npy [1, 1, 4, 4].
struct TinyFolder : TempFolder {
  TinyFolder() {
    save_tiny_network(*this / "net.pt");
    save_npy(*this / "x.npy", torch::arange(16).to(torch::kFloat).div(8).view({1, 1, 4, 4}));
  }
  Result run(const std::string& arguments) const { return faultwave(*this, arguments); }
};

json find_site(const json& sites, const std::string& kind, const std::string& name) {
  for (const json& site : sites) {
    if (site["kind"] == kind && site["name"] == name) return site;
  }
  return nullptr;
}

TEST_CASE("sites lists every place in execution order") {
  const TinyFolder folder;
  const Result result = folder.run("sites net.pt --shape 2,1,4,4 --json");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const json sites = json::parse(result.out);
  const json conv = find_site(sites, "output", "conv");
  CHECK(conv["op"] == "aten::conv2d");
  CHECK(conv["shape"] == json({2, 2, 4, 4}));
  CHECK(conv["element_shape"] == json({2, 4, 4}));
  CHECK(conv["dtype"] == "float32");
  CHECK(conv["default"] == true);
  CHECK(conv["elements"] == 32);
  CHECK(conv["bits"] == 1024);
  CHECK(find_site(sites, "weight", "fc")["shape"] == json({4, 32}));
  CHECK(find_site(sites, "bias", "fc")["default"] == true);
  CHECK(find_site(sites, "network-input", "x")["shape"] == json({2, 1, 4, 4}));
  std::vector<std::string> outputs;
  for (const json& site : sites) {
    if (site["kind"] == "output") outputs.push_back(site["op"]);
  }
  CHECK(outputs == std::vector<std::string>{"aten::conv2d", "aten::relu", "aten::flatten", "aten::linear"});
}

TEST_CASE("sites can be filtered by kind, name and operator") {
  const TinyFolder folder;
  const auto count = [&](const std::string& filter) {
    return json::parse(folder.run("sites net.pt --shape 1,1,4,4 --json " + filter).out).size();
  };
  CHECK(count("--kind weight") == 2);
  CHECK(count("--kind output --default") == 2);
  CHECK(count("--kind output --name 'fc*'") == 1);
  CHECK(count("--op 'lin*' --kind output") == 1);
  CHECK(count("--op aten::conv2d --kind input") == 1);
  CHECK(count("--kind weight --kind bias") == 4);
}

TEST_CASE("gradients are listed when asked for, and refused where no backward pass runs") {
  const TinyFolder folder;
  const json sites =
      json::parse(folder.run("sites net.pt --shape 1,1,4,4 --json --kind output-gradient").out);
  CHECK(sites.size() == 4);
  CHECK(find_site(sites, "output-gradient", "conv")["shape"] == json({1, 2, 4, 4}));
  CHECK(find_site(sites, "output-gradient", "conv")["default"] == false);
  const json all = json::parse(folder.run("sites net.pt --shape 1,1,4,4 --json").out);
  CHECK(find_site(all, "output-gradient", "conv") == nullptr);
  const Result gradient =
      folder.run("inject net.pt --input x.npy --fault 'output-gradient:conv[0,0,0] zero'");
  CHECK(gradient.code == 5);
  check_contains(gradient.err, "a trial runs no backward pass, so it has no gradients");
  const Result later = folder.run("inject net.pt --input x.npy --fault 'output:conv[0,0,0] zero%1'");
  CHECK(later.code == 5);
  check_contains(later.err, "a trial runs one forward, number 0; leave '%' out");
  CHECK(folder.run("inject net.pt --input x.npy --fault 'output:conv[0,0,0] zero%0'").code == 0);
}

TEST_CASE("TorchScript does not tell its input's shape, so one must be given") {
  const TinyFolder folder;
  const Result result = folder.run("sites net.pt");
  CHECK(result.code == 2);
  check_contains(result.err, "--shape");
  CHECK(folder.run("sites net.pt --shape 1,1,x,4").code == 2);
  CHECK(folder.run("sites net.pt --input x.npy").code == 0);
}

TEST_CASE("inject shows receipt, golden and faulty top classes, and the outcome") {
  const TinyFolder folder;
  const Result text = folder.run("inject net.pt --input x.npy --fault 'output:fc[2] constant(1000)'");
  REQUIRE_MESSAGE(text.code == 0, text.err);
  check_contains(text.out, "fault     output:fc[2] constant(1000)");
  check_contains(text.out, "class 2 (100.00 %)");
  const Result result = folder.run(
      "inject net.pt --input x.npy --fault 'output:fc[2] constant(1000)' --fault 'output:fc[0] flip(31)' "
      "--json");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const json answer = json::parse(result.out);
  CHECK(answer["outcome"] == "sdc");
  REQUIRE(answer["receipts"].size() == 2);
  CHECK(answer["receipts"][0]["victims"][0]["index"] == json({0, 2}));
  CHECK(answer["receipts"][0]["victims"][0]["after"] == 1000.0);
  CHECK(answer["receipts"][1]["victims"][0]["before"].get<double>() ==
        -answer["receipts"][1]["victims"][0]["after"].get<double>());
  CHECK(answer["elements"][0]["faulty"][0]["class"] == 2);
  CHECK(answer["elements"][0]["golden"].size() == 4);
}

TEST_CASE("inject --save writes the raw outputs") {
  const TinyFolder folder;
  const Result result = folder.run(
      "inject net.pt --input x.npy --fault 'weight:fc[1,*] zero; bias:fc[1] constant(0.5)' --save out/here");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  const at::Tensor golden = load_tensor(folder / "out/here/golden.npy");
  const at::Tensor faulty = load_tensor(folder / "out/here/faulty.npy");
  CHECK(golden.sizes() == c10::IntArrayRef({1, 4}));
  CHECK(faulty[0][1].item<float>() == 0.5f);
  at::Tensor mended = faulty.clone();
  mended[0][1] = golden[0][1];
  CHECK(mended.equal(golden));
}

TEST_CASE("inject on many inputs has a line for each, and a summary") {
  const TinyFolder folder;
  save_npy(folder / "many.npy", torch::arange(320).fmod(13).to(torch::kFloat).div(8).view({20, 1, 4, 4}));
  const Result result = folder.run("inject net.pt --input many.npy --fault 'output:fc[2] constant(1000)'");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  CHECK(std::count(result.out.begin(), result.out.end(), '\n') < 34);
  check_contains(result.out, "input 19  class ");
  int64_t others = 0;  // inputs that the network sees another class in
  for (size_t at = 0; (at = result.out.find("sdc: top1, confidence(0.2)\n", at)) != std::string::npos; ++at)
    ++others;
  CHECK(others > 0);
  check_contains(result.out, "summary   20 inputs: sdc 20; fired: top1 " + std::to_string(others) +
                                 ", confidence(0.2) 20\n");
  check_contains(result.out, "criteria  top1, confidence(0.2), nonfinite, chosen for scores of 4 classes\n");
}

TEST_CASE("inject takes a folder of images, and names each") {
  const TinyFolder folder;
  const std::string demo = environment("FAULTWAVE_DEMO_DATA");
  const Result result = folder.run("inject " + demo + "/efficientnet_lite0.pt2 --input " + demo +
                                   "/photos --fault 'output:_fc[7] constant(1000)'");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  check_contains(result.out, "\ncat.png ");
  check_contains(result.out, "summary   5 inputs: sdc 5; fired: top1 5, ");
  CHECK(result.err ==
        "faultwave: warning: images go in as values from 0 to 1, since neither mean nor std is given: give "
        "those that the network was trained with (0 and 1 if these are they)\n");
}

TEST_CASE("a file that exists is not overwritten, unless by force") {
  const TinyFolder folder;
  const std::string inject = "inject net.pt --input x.npy --fault 'output:fc[0] zero' --save out";
  REQUIRE(folder.run(inject).code == 0);
  const std::string golden = read_file(folder / "out/golden.npy");
  const Result again = folder.run(inject);
  CHECK(again.code == 6);
  check_contains(again.err, "golden.npy' exists; choose another name, or overwrite it with --force");
  CHECK(folder.run(inject + " --force").code == 0);
  CHECK(read_file(folder / "out/golden.npy") == golden);
}

TEST_CASE("a fault that changes nothing is masked") {
  const TinyFolder folder;
  const json answer =
      json::parse(folder.run("inject net.pt --input x.npy --fault 'output:conv[0,0,0] scale(1)' --json").out);
  CHECK(answer["outcome"] == "masked");
}

TEST_CASE("perturb writes a network that is faulty for good") {
  const TinyFolder folder;
  const std::string line = "'weight:fc[3,7] constant(-2.5)'";
  const Result result = folder.run("perturb net.pt --fault " + line + " -o faulty.pt");
  REQUIRE_MESSAGE(result.code == 0, result.err);
  check_contains(result.out, "written   faulty.pt");
  folder.run("inject net.pt --input x.npy --save at_run_time --fault " + line);
  folder.run("inject faulty.pt --input x.npy --save for_good --fault 'output:fc[0] scale(1)'");
  CHECK(load_tensor(folder / "for_good/golden.npy").equal(load_tensor(folder / "at_run_time/faulty.npy")));

  const Result again = folder.run("perturb net.pt --fault " + line + " -o faulty.pt");
  CHECK(again.code == 6);
  check_contains(again.err, "--force");
  CHECK(folder.run("perturb net.pt --force --fault " + line + " -o faulty.pt").code == 0);
}

TEST_CASE("mistakes get one sentence and their exit code") {
  const TinyFolder folder;
  const auto refused = [&](const std::string& arguments, int code, const std::string& part) {
    const Result result = folder.run(arguments);
    CAPTURE(arguments);
    CHECK(result.code == code);
    CHECK(std::count(result.err.begin(), result.err.end(), '\n') == 1);
    check_contains(result.err, part);
  };
  refused("inject net.pt --input x.npy --fault 'output:fc[9] zero'", 5, "fc");
  refused("inject net.pt --input x.npy --fault 'output:fx[0] zero'", 5, "did you mean fc?");
  refused("inject net.pt --input x.npy --fault 'output:fc[0] zer'", 2, "zero");
  refused("inject net.pt --input y.npy --fault 'output:fc[0] zero'", 3, "y.npy");
  refused("inject no.pt --input x.npy --fault 'output:fc[0] zero'", 3, "no.pt");
  refused("inject x.npy --input x.npy --fault 'output:fc[0] zero'", 3, "x.npy");
  refused("inject net.pt --fault 'output:fc[0] zero'", 2, "--input");
  refused("inject net.pt --input x.npy --device tpu --fault 'output:fc[0] zero'", 2, "tpu");
  refused("sites net.pt --shape 1,1,4,4 --kind neuron", 2, "neuron");
  refused("perturb net.pt --fault 'output:fc[0] zero' -o out.pt", 5, "run time");
  refused("perturb net.pt --fault 'weight:fc[0,0] zero' -o no/such/folder/out.pt", 6, "no/such/folder");
}

}  // namespace
}  // namespace faultwave
