// SPDX-License-Identifier: Apache-2.0
// Kinds of layers and types that injectors tend to skip or to break on.
#include <torch/torch.h>

#include <cmath>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

namespace {

using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::Site;
using faultwave::SiteKind;

/// Hits the first element of an output site and checks that it, and nothing else there, has changed.
void hit_first(const Injector& injector, const Site& site, const std::function<void()>& forward) {
  CAPTURE(site.name);
  std::string location = "[";
  for (size_t d = 0; d < site.element_shape().size(); ++d)
    location += d == 0 ? "0" : ",0";
  const std::string value = site.dtype == at::kBool ? "flip(0)" : "constant(3)";
  std::vector<faultwave::Receipt> receipts;
  injector.run(parse_fault("output:\"" + site.name + "\"" + location + "] " + value), forward, &receipts);
  CHECK(receipts[0].hits == static_cast<int64_t>(receipts[0].victims.size()));
  CHECK(receipts[0].victims[0].index == std::vector<int64_t>(site.shape.size(), 0));
  if (site.dtype != at::kBool) CHECK(receipts[0].victims[0].after == 3);
}

std::vector<std::string> names(const std::vector<Site>& sites) {
  std::vector<std::string> result;
  for (const Site& site : sites)
    result.push_back(site.name);
  return result;
}

TEST_CASE("a recurrent layer returns three tensors, each of which is a site") {
  torch::NoGradGuard no_grad;
  torch::nn::LSTM lstm(torch::nn::LSTMOptions(3, 4).num_layers(2));
  const at::Tensor x = torch::ones({5, 2, 3});
  Injector injector(*lstm, [&](const auto& in) { lstm->forward(in[0].toTensor()); }, {x});
  CHECK(names(injector.select(SiteKind::output)) == std::vector<std::string>{"lstm"});
  CHECK(injector.site(SiteKind::output, "lstm").shape == std::vector<int64_t>{5, 2, 4});
  CHECK(injector.site(SiteKind::output, "lstm:1").shape == std::vector<int64_t>{2, 2, 4});
  CHECK(injector.select(SiteKind::weight).size() == 4);
  CHECK(injector.select(SiteKind::bias).size() == 4);
  const auto golden = lstm->forward(x);
  std::tuple<at::Tensor, std::tuple<at::Tensor, at::Tensor>> hit;
  injector.run(parse_fault("output:lstm:1[1,0,3] constant(3)"), [&] { hit = lstm->forward(x); });
  CHECK(std::get<0>(hit).equal(std::get<0>(golden)));
  CHECK(std::get<0>(std::get<1>(hit))[1][0][3].item<float>() == 3);
  const std::string weight = injector.select(SiteKind::weight)[1].name;
  injector.run(parse_fault("weight:" + weight + "[0,0] constant(3)"), [&] { hit = lstm->forward(x); });
  CHECK_FALSE(std::get<0>(hit).equal(std::get<0>(golden)));
  CHECK(std::get<0>(lstm->forward(x)).equal(std::get<0>(golden)));
}

TEST_CASE("chunks of one tensor are sites of their own") {
  torch::NoGradGuard no_grad;
  struct Gate : torch::nn::Module {
    torch::Tensor forward(torch::Tensor x) {
      const auto parts = x.chunk(2, 1);
      return parts[0] * parts[1];
    }
  };
  const auto gate = std::make_shared<Gate>();
  const at::Tensor x = torch::tensor({{1.f, 2.f, 3.f, 4.f}});
  Injector injector(gate, x);
  const auto run = [&](const std::string& line) {
    return injector.run(parse_fault(line), [&] { return gate->forward(x); });
  };
  CHECK(run("output:chunk[0] constant(10)").equal(torch::tensor({{30.f, 8.f}})));
  CHECK(run("output:chunk:1[1] constant(10)").equal(torch::tensor({{3.f, 20.f}})));
  CHECK(x.equal(torch::tensor({{1.f, 2.f, 3.f, 4.f}})));
}

TEST_CASE("attention, layer norm, embeddings of integer tokens") {
  torch::NoGradGuard no_grad;
  struct Encoder : torch::nn::Module {
    Encoder() {
      embed = register_module("embed", torch::nn::Embedding(10, 8));
      layer = register_module(
          "layer", torch::nn::TransformerEncoderLayer(torch::nn::TransformerEncoderLayerOptions(8, 2)));
    }
    torch::Tensor forward(torch::Tensor tokens) { return layer(embed(tokens).transpose(0, 1)); }
    torch::nn::Embedding embed{nullptr};
    torch::nn::TransformerEncoderLayer layer{nullptr};
  };
  const auto net = std::make_shared<Encoder>();
  net->eval();
  const at::Tensor tokens = torch::tensor({{1, 2, 3}, {4, 5, 6}});
  Injector injector(net, tokens);
  CHECK((injector.site(SiteKind::network_input, "0").dtype == at::kLong));
  CHECK(injector.site(SiteKind::output, "layer.self_attn/softmax").batch.dim == 0);
  CHECK(injector.site(SiteKind::output, "layer.self_attn/softmax").batch.rows == 2);
  for (const Site& site : injector.sites()) {
    if (site.kind == SiteKind::output) hit_first(injector, site, [&] { net->forward(tokens); });
  }
  const at::Tensor other =
      injector.run(parse_fault("network-input:0[1]@0 constant(9)"), [&] { return net->forward(tokens); });
  CHECK(other.equal(net->forward(torch::tensor({{1, 9, 3}, {4, 5, 6}}))));
  const auto wrong_token = [&] { return net->forward(tokens); };
  CHECK_THROWS(injector.run(parse_fault("network-input:0[1]@0 constant(10)"), wrong_token));
  CHECK(
      injector.run(parse_fault("network-input:0[1]@0 constant(2)"), wrong_token).equal(net->forward(tokens)));
}

TEST_CASE("five-dimensional tensors") {
  torch::NoGradGuard no_grad;
  torch::nn::Conv3d conv(torch::nn::Conv3dOptions(1, 2, 2));
  const at::Tensor x = torch::ones({2, 1, 3, 3, 3});
  Injector injector(conv, x);
  const at::Tensor golden = conv(x);
  const at::Tensor y = injector.run(parse_fault("output:conv3d[1,0,1,0]@1 zero"), [&] { return conv(x); });
  CHECK(y[1][1][0][1][0].item<float>() == 0);
  CHECK((y != golden).sum().item<int64_t>() == 1);
  CHECK(injector.site(SiteKind::output, "conv3d").channel_axis == 0);
}

TEST_CASE("channels-last results are indexed as [C, H, W] all the same") {
  torch::NoGradGuard no_grad;
  torch::nn::Conv2d conv(torch::nn::Conv2dOptions(3, 4, 1));
  conv->to(torch::kCPU);
  const at::Tensor x = torch::ones({1, 3, 2, 5}).contiguous(at::MemoryFormat::ChannelsLast);
  Injector injector(conv, x);
  const at::Tensor golden = conv(x);
  CHECK_FALSE(golden.is_contiguous());
  const at::Tensor y =
      injector.run(parse_fault("output:conv2d[3,1,4] constant(50)"), [&] { return conv(x); });
  CHECK(y[0][3][1][4].item<float>() == 50);
  CHECK((y != golden).sum().item<int64_t>() == 1);
}

struct CastImpl : torch::nn::Module {
  explicit CastImpl(at::ScalarType type) : type(type) {}
  torch::Tensor forward(torch::Tensor x) { return x.to(type, /*non_blocking=*/false, /*copy=*/true); }
  at::ScalarType type;
};
TORCH_MODULE(Cast);

TEST_CASE("every type of tensor can be hit, bit by bit, in its own type") {
  const at::Tensor x = torch::ones({1, 3});
  struct Row {
    at::ScalarType type;
    std::string fault;
    double expected;
    uint64_t bits;
  };
  // 1.0 in each type, with one bit flipped.
  const std::vector<Row> rows{
      {at::kDouble, "flip(62)", INFINITY, 0x7FF0000000000000},
      {at::kFloat, "flip(23)", 0.5, 0x3F000000},
      {at::kHalf, "flip(15)", -1, 0xBC00},
      {at::kBFloat16, "flip(7)", 0.5, 0x3F00},
      {at::kFloat8_e4m3fn, "flip(3)", 0.5, 0x30},
      {at::kFloat8_e5m2, "flip(2)", 0.5, 0x38},
      {at::kChar, "flip(7)", -127, 0x81},
      {at::kByte, "flip(7)", 129, 0x81},
      {at::kShort, "flip(15)", -32767, 0x8001},
      {at::kInt, "flip(4)", 17, 0x11},
      {at::kLong, "flip(40)", 1099511627777.0, 0x10000000001},
      {at::kBool, "flip(0)", 0, 0},
  };
  for (const Row& row : rows) {
    CAPTURE(std::string(c10::toString(row.type)));
    Cast net(row.type);
    Injector injector(net, x);
    std::vector<faultwave::Receipt> receipts;
    const at::Tensor y =
        injector.run(parse_fault("output:to[1] " + row.fault), [&] { return net(x); }, &receipts);
    CHECK(receipts[0].victims[0].bits_after == row.bits);
    CHECK(y.to(at::kDouble)[0][1].item<double>() == row.expected);
    CHECK(y.to(at::kDouble)[0][0].item<double>() == 1);
    CHECK(y.to(at::kDouble)[0][2].item<double>() == 1);
  }
}

TEST_CASE("quantised tensors are hit in their stored integers") {
  torch::NoGradGuard no_grad;
  struct Quantised : torch::nn::Module {
    torch::Tensor forward(torch::Tensor x) {
      return torch::relu(at::quantize_per_tensor(x, 0.5, 10, at::kQUInt8)).dequantize();
    }
  };
  const auto net = std::make_shared<Quantised>();
  const at::Tensor x = torch::tensor({{1.f, 2.f}});  // stored as 12, 14
  Injector injector(net, x);
  const at::Tensor y = injector.run(parse_fault("output:relu[0] flip(7)"), [&] { return net->forward(x); });
  CHECK(y.equal(torch::tensor({{(140 - 10) * 0.5f, 2.f}})));
  CHECK(injector.site(SiteKind::output, "relu").bits() == 8);
}

TEST_CASE("a quantised layer keeps its weights packed, and is a default site") {
  torch::NoGradGuard no_grad;
  struct Packed : torch::nn::Module {
    Packed() {
      const at::Tensor weight = at::quantize_per_tensor(torch::eye(2) * 2, 1.0, 0, at::kQInt8);
      c10::Stack stack{weight, c10::IValue()};
      c10::Dispatcher::singleton().findSchemaOrThrow("quantized::linear_prepack", "").callBoxed(&stack);
      packed = stack[0];
    }
    torch::Tensor forward(torch::Tensor x) {
      c10::Stack stack{at::quantize_per_tensor(x, 0.5, 0, at::kQUInt8), packed, 0.5, int64_t{0}};
      c10::Dispatcher::singleton().findSchemaOrThrow("quantized::linear", "").callBoxed(&stack);
      return stack[0].toTensor().dequantize();
    }
    c10::IValue packed;
  };
  const auto net = std::make_shared<Packed>();
  const at::Tensor x = torch::tensor({{1.f, 3.f}});
  Injector injector(net, x);
  CHECK(names(injector.select(SiteKind::output)) == std::vector<std::string>{"linear"});
  CHECK(net->forward(x).equal(torch::tensor({{2.f, 6.f}})));
  const at::Tensor y = injector.run(parse_fault("output:linear[1] zero"), [&] { return net->forward(x); });
  CHECK(y.equal(torch::tensor({{2.f, 0.f}})));
}

TEST_CASE("zero-dimensional tensors, and several inputs") {
  torch::NoGradGuard no_grad;
  torch::nn::Bilinear net(2, 2, 1);
  const at::Tensor a = torch::ones({1, 2});
  const at::Tensor b = torch::ones({1, 2}) * 2;
  Injector injector(*net, [&](const auto& in) { net->forward(in[0].toTensor(), in[1].toTensor()).sum(); },
                    {a, b});
  CHECK(injector.site(SiteKind::output, "sum").shape.empty());
  const at::Tensor s =
      injector.run(parse_fault("output:sum[] constant(4)"), [&] { return net->forward(a, b).sum(); });
  CHECK(s.item<float>() == 4);
  const at::Tensor y =
      injector.run(parse_fault("network-input:1[*] zero"), [&] { return net->forward(a, b); });
  CHECK(y.equal(net->forward(a, b * 0)));
}

}  // namespace
