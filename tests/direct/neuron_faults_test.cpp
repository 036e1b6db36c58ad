// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <cmath>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::parse_faults;
using faultwave::Receipt;

std::vector<float> values(const at::Tensor& tensor) {
  const at::Tensor flat = tensor.to(at::kFloat).contiguous().view(-1);
  return {flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel()};
}

/// The network's output under a fault line; checks that the run afterwards is golden again.
template <typename Net>
std::vector<float> faulty(Net& net, const at::Tensor& x, const std::string& line) {
  torch::NoGradGuard no_grad;
  const at::Tensor golden = net->forward(x.clone());
  Injector injector(net, x);
  const at::Tensor output = injector.run(parse_faults(line), [&] { return net->forward(x.clone()); });
  CHECK(net->forward(x.clone()).equal(golden));
  return values(output);
}

TEST_CASE("an output fault hits its element and nothing else") {
  tiny::Residual net;
  CHECK(faulty(net, tiny::image(), "output:conv[0,1,0] zero") == std::vector<float>{4, 7, 3, 13});
  CHECK(faulty(net, tiny::image(), "output:conv[0,0,1] constant(100)") == std::vector<float>{4, 102, 10, 13});
  CHECK(faulty(net, tiny::image(), "output:add[0,1,1] scale(-2)") == std::vector<float>{4, 7, 10, -26});
  // 9 is 0x41100000; its sign bit is 31.
  CHECK(faulty(net, tiny::image(), "output:conv[0,1,1] flip(31)") == std::vector<float>{4, 7, 10, -5});
}

TEST_CASE("rows, columns, feature maps, blocks and everything") {
  tiny::Residual net;
  CHECK(faulty(net, tiny::image(), "output:conv[0,0,*] zero") == std::vector<float>{1, 2, 10, 13});
  CHECK(faulty(net, tiny::image(), "output:conv[0,*,1] zero") == std::vector<float>{4, 2, 10, 4});
  CHECK(faulty(net, tiny::image(), "output:conv[ch=0] zero") == std::vector<float>{1, 2, 3, 4});
  CHECK(faulty(net, tiny::image(), "output:conv[0:1,0:1,0:2] zero") == std::vector<float>{1, 2, 10, 13});
  CHECK(faulty(net, tiny::image(), "output:conv[0,0,0|0,1,1] zero") == std::vector<float>{1, 7, 10, 4});
  CHECK(faulty(net, tiny::image(), "output:add[*] zero") == std::vector<float>{0, 0, 0, 0});
}

TEST_CASE("several faults in several sites act together, in order") {
  tiny::Residual net;
  CHECK(faulty(net, tiny::image(), "output:conv[0,0,0] zero; output:add[0,1,1] zero") ==
        std::vector<float>{1, 7, 10, 0});
  CHECK(faulty(net, tiny::image(), "output:conv[0,0,0] constant(7); output:conv[0,0,0] scale(2)") ==
        std::vector<float>{15, 7, 10, 13});
}

TEST_CASE("a layer that reads a faulty view of its weight is still known by it") {
  tiny::InPlace net;
  CHECK(faulty(net, tiny::pair(), "output:second/t[0,0] zero; bias:second[0] constant(7)") ==
        std::vector<float>{7});
}

TEST_CASE("an input fault is seen by its operator alone, a network-input fault by every reader") {
  tiny::Residual net;
  CHECK(faulty(net, tiny::image(), "input:conv[0,1,1] zero") == std::vector<float>{4, 7, 10, 5});
  CHECK(faulty(net, tiny::image(), "network-input:0[0,1,1] zero") == std::vector<float>{4, 7, 10, 1});
  CHECK(faulty(net, tiny::image(), "input:add:1[0,1,1] zero") == std::vector<float>{4, 7, 10, 9});
}

TEST_CASE("the user's own input tensor is not written to") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  injector.run(parse_fault("network-input:0[*] zero"), [&] { return net->forward(x); });
  CHECK(x.equal(tiny::image()));
}

TEST_CASE("a fault in the result of an in-place operator reaches callers that keep their own tensor") {
  tiny::InPlace net;
  CHECK(faulty(net, tiny::pair(), "output:relu[1] constant(2)") == std::vector<float>{235});
  CHECK(faulty(net, tiny::pair(), "input:relu[1] constant(7)") == std::vector<float>{735});
  CHECK(faulty(net, tiny::pair(), "output:first[0] constant(-1)") == std::vector<float>{5});
}

/// Returns a view's sum beside the sum of what it views.
struct ViewsImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) {
    const torch::Tensor doubled = x * 2;
    const torch::Tensor flat = doubled.flatten(1);
    const torch::Tensor kept = torch::dropout(doubled, 0.5, /*train=*/false);
    return torch::stack({doubled.sum(), flat.sum(), kept.sum()}).unsqueeze(0);
  }
};
TORCH_MODULE(Views);

TEST_CASE("a fault in a view does not reach the tensor that it views") {
  Views net;
  const at::Tensor x = torch::ones({1, 2, 2});
  CHECK(faulty(net, x, "output:flatten[0] constant(102)") == std::vector<float>{8, 108, 8});
  CHECK(faulty(net, x, "output:dropout[0,0] constant(102)") == std::vector<float>{8, 8, 108});
  CHECK(faulty(net, x, "output:mul[0,0] constant(102)") == std::vector<float>{108, 108, 108});
}

/// A non-contiguous result: a transposed copy keeps its strides through relu.
struct StridedImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) { return torch::relu(x.transpose(1, 2)); }
};
TORCH_MODULE(Strided);

TEST_CASE("strided results are indexed by their logical shape") {
  Strided net;
  const at::Tensor x = torch::arange(1, 7, at::kFloat).view({1, 2, 3});
  CHECK(faulty(net, x, "output:relu[2,0] zero") == std::vector<float>{1, 4, 2, 5, 0, 6});
}

TEST_CASE("the receipt shows site, index, value and bits before and after") {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  std::vector<Receipt> receipts;
  injector.run(
      parse_fault("output:conv[0,1,1] flip(31)"), [&] { return net->forward(tiny::image()); }, &receipts);
  REQUIRE(receipts.size() == 1);
  const Receipt& receipt = receipts[0];
  CHECK(receipt.fault == "output:conv[0,1,1] flip(31)");
  CHECK(receipt.site == "conv");
  CHECK(receipt.forwards == 1);
  CHECK(receipt.hits == 1);
  REQUIRE(receipt.victims.size() == 1);
  CHECK(receipt.victims[0].index == std::vector<int64_t>{0, 0, 1, 1});
  CHECK(receipt.victims[0].before == 9);
  CHECK(receipt.victims[0].after == -9);
  CHECK(receipt.victims[0].bits_before == 0x41100000);
  CHECK(receipt.victims[0].bits_after == 0xC1100000);
}

TEST_CASE("drawn faults are the same for the same key, and their receipt line replays them") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  for (uint64_t key = 0; key < 50; ++key) {
    const std::string line = "output:conv[?] random(-1,1)#" + std::to_string(key);
    std::vector<Receipt> receipts;
    const at::Tensor first = injector.run(parse_fault(line), [&] { return net->forward(x); }, &receipts);
    const at::Tensor again = injector.run(parse_fault(line), [&] { return net->forward(x); });
    const at::Tensor replayed = injector.run(parse_fault(receipts[0].fault), [&] { return net->forward(x); });
    CHECK(receipts[0].fault.find('?') == std::string::npos);
    CHECK(first.equal(again));
    CHECK(first.equal(replayed));
    CHECK(std::abs(receipts[0].victims[0].after) <= 1);
  }
}

TEST_CASE("three lines are enough") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  const auto fault = injector.random_neuron(faultwave::RandomValue{-1, 1}, 7);
  const at::Tensor y = injector.run(fault, [&] { return net->forward(x); });
  CHECK(fault.site == "conv");
  CHECK((y != net->forward(x)).sum().item<int64_t>() == 1);
}

TEST_CASE("a random weight is one of the default ones, and the model keeps its own") {
  tiny::Residual net;
  const at::Tensor x = tiny::image();
  Injector injector(net, x);
  const auto fault = injector.random_weight(faultwave::Constant{10}, 7);
  CHECK(fault.kind == faultwave::SiteKind::weight);
  const at::Tensor y = injector.run(fault, [&] { return net->forward(x); });
  CHECK_FALSE(y.equal(net->forward(x)));
}

TEST_CASE("INT8 emulation uses the scale of the profile and writes it into the line") {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  CHECK(*injector.int8_scale(injector.site(faultwave::SiteKind::output, "conv")) ==
        doctest::Approx(9.0 / 127));
  std::vector<Receipt> receipts;
  injector.run(
      parse_fault("output:conv[0,1,1] flip(int8:7)"), [&] { return net->forward(tiny::image()); }, &receipts);
  // 9 is 127 steps; without the sign bit's complement 127 - 128 = -1 step.
  CHECK(receipts[0].victims[0].after == doctest::Approx(-9.0 / 127));
  CHECK(receipts[0].fault.find("scale=") != std::string::npos);
  injector.calibrate({{tiny::image() * 10}});
  CHECK(*injector.int8_scale(injector.site(faultwave::SiteKind::output, "conv")) ==
        doctest::Approx(81.0 / 127));
}

template <typename Check>
void expect_refusal(const std::string& line, Check&& holds) {
  tiny::Residual net;
  Injector injector(net, tiny::image());
  try {
    injector.run(parse_fault(line), [&] { return net->forward(tiny::image()); });
    FAIL("not refused: " << line);
  } catch (const faultwave::UserError& error) {
    INFO(error.what());
    CHECK(error.code() == faultwave::ErrorCode::illegal_fault);
    CHECK(holds(std::string(error.what())));
  }
}

bool has(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("illegal faults are refused with site, index, legal range and near names") {
  expect_refusal("output:conv[0,2,0] zero",
                 [](const std::string& m) { return has(m, "conv") && has(m, "2"); });
  expect_refusal("output:conv[0,-1,0] zero", [](const std::string& m) { return has(m, "-1"); });
  expect_refusal("output:conv[0,0] zero", [](const std::string& m) { return has(m, "conv"); });
  expect_refusal("output:conf[0,0,0] zero",
                 [](const std::string& m) { return has(m, "did you mean conv?"); });
  expect_refusal("weight:add[0,0,0] zero", [](const std::string& m) { return has(m, "output"); });
  expect_refusal("output:conv[0,0,0] flip(32)", [](const std::string& m) { return has(m, "31"); });
  expect_refusal("output:conv[ch=1] zero", [](const std::string& m) { return has(m, "conv"); });
  expect_refusal("weight:conv[0,0,0,0]@0 zero", [](const std::string& m) { return has(m, "batch"); });
}

}  // namespace
