// SPDX-License-Identifier: Apache-2.0
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::SiteKind;
using faultwave::UserError;

at::Tensor batch_of(int64_t size) {
  return tiny::image().repeat({size, 1, 1, 1});
}

TEST_CASE("one element, all elements, and all with the same drawn value") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  const at::Tensor x = batch_of(3);
  Injector injector(net, x);
  const auto at_victim = [&](const std::string& line) {
    return injector.run(parse_fault(line), [&] { return net(x); }).select(3, 1).select(2, 0).flatten();
  };
  CHECK(at_victim("output:conv[0,0,1]@1 zero").equal(torch::tensor({7.f, 2.f, 7.f})));
  CHECK(at_victim("output:conv[0,0,1] zero").equal(torch::tensor({2.f, 2.f, 2.f})));
  CHECK(at_victim("output:conv[0,0,1]@* zero").equal(torch::tensor({2.f, 2.f, 2.f})));
  const at::Tensor same = at_victim("output:conv[0,0,1] random(-1,1)#5");
  CHECK(same[0].item<float>() == same[1].item<float>());
  CHECK(same[0].item<float>() == same[2].item<float>());
}

TEST_CASE("each element with draws of its own: values, and locations") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  const at::Tensor x = batch_of(16);
  Injector injector(net, x);
  const at::Tensor golden = net(x);
  const auto run = [&](const std::string& line, std::vector<faultwave::Receipt>* receipts = nullptr) {
    return injector.run(parse_fault(line), [&] { return net(x); }, receipts);
  };
  const at::Tensor values = run("output:conv[0,0,1]@each random(-1,1)#5").select(3, 1).select(2, 0).flatten();
  CHECK(std::get<0>(at::_unique(values)).numel() == 16);

  std::vector<faultwave::Receipt> receipts;
  const at::Tensor places = run("output:conv[?]@each zero#5", &receipts);
  const at::Tensor changed = (places != golden).flatten(1);
  CHECK(changed.sum(1).equal(torch::ones({16}, at::kLong)));
  CHECK(changed.any(0).sum().item<int64_t>() > 1);
  CHECK(places.equal(run(receipts[0].fault)));
  REQUIRE(receipts[0].victims.size() == 16);
  CHECK(receipts[0].victims[7].index[0] == 7);
}

TEST_CASE("faults written for one batch size hold at another") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  Injector injector(net, batch_of(2));
  CHECK(injector.batch_is_free());
  const at::Tensor y =
      injector.run(parse_fault("output:conv[0,0,1]@4 zero"), [&] { return net(batch_of(6)); });
  CHECK((y != net(batch_of(6))).sum().item<int64_t>() == 1);
  CHECK_THROWS_WITH_AS(
      injector.run(parse_fault("output:conv[0,0,1]@9 zero"), [&] { return net(batch_of(6)); }),
      doctest::Contains("@0 to @5"), UserError);
}

/// Windows of two positions become batch rows, as in Swin; then positions go first, as in sequence-first
/// attention.
struct AxesImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) {                          // [N, 4]
    const torch::Tensor windows = torch::relu(x.view({-1, 2}));     // [2 N, 2]
    const torch::Tensor back = windows.view({x.size(0), 4});        // [N, 4]
    const torch::Tensor first = torch::tanh(back.transpose(0, 1));  // [4, N]
    const torch::Tensor constant = torch::ones({3}) * 2;
    return first.transpose(0, 1) + constant.sum();
  }
};
TORCH_MODULE(Axes);

TEST_CASE("batch axes are found where they are") {
  torch::NoGradGuard no_grad;
  Axes net;
  const at::Tensor x = torch::tensor({{1.f, 2.f, 3.f, 4.f}});
  Injector injector(net, x);
  const faultwave::Site& windows = injector.site(SiteKind::output, "relu");
  CHECK(windows.batch.dim == 0);
  CHECK(windows.batch.rows == 2);
  CHECK(windows.batch.run == 2);
  CHECK(windows.element_shape() == std::vector<int64_t>{2, 2});
  const faultwave::Site& sequence = injector.site(SiteKind::output, "tanh");
  CHECK(sequence.batch.dim == 1);
  CHECK(sequence.element_shape() == std::vector<int64_t>{4});
  CHECK(injector.site(SiteKind::output, "mul").batch.dim == -1);

  const at::Tensor three = x.repeat({3, 1});
  const at::Tensor golden = net(three);
  at::Tensor expected = golden.clone();
  expected[1][2] = 6;
  CHECK(injector.run(parse_fault("output:relu[1,0]@1 zero"), [&] { return net(three); }).equal(expected));
  CHECK(injector.run(parse_fault("output:tanh[2]@1 zero"), [&] { return net(three); }).equal(expected));
}

/// Attention that puts positions first, then makes one matrix of positions and batch, as PyTorch's own does.
struct PositionsFirstImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) {                                            // [N, 3, 2]
    const torch::Tensor rows = x.transpose(0, 1).reshape({-1, 2});                    // [3 N, 2], N inside
    const torch::Tensor halves = x.view({x.size(0), 3, 2, 1}).permute({1, 0, 2, 3});  // [3, N, 2, 1]
    const torch::Tensor middle = torch::tanh(halves.reshape({-1, 1}));                // [3 N 2, 1]
    return torch::relu(rows).view({3, x.size(0), 2}).transpose(0, 1) +
           middle.view({3, x.size(0), 2}).transpose(0, 1);
  }
};
TORCH_MODULE(PositionsFirst);

TEST_CASE("rows that the elements of a batch take turns in are told apart by their values") {
  torch::NoGradGuard no_grad;
  PositionsFirst net;
  const at::Tensor x = torch::arange(1, 13).to(at::kFloat).view({2, 3, 2}) / 10;
  for (const int64_t profiled : {1, 2}) {
    Injector injector(net, x.narrow(0, 0, profiled));
    CHECK(injector.site(SiteKind::output, "relu").batch.rows == 3);
    CHECK(injector.site(SiteKind::output, "relu").batch.run == 1);
    CHECK(injector.site(SiteKind::output, "tanh").batch.rows == 6);
    CHECK(injector.site(SiteKind::output, "tanh").batch.run == 2);

    at::Tensor expected = net(x);
    expected[1][2][0] -= x[1][2][0];
    std::vector<faultwave::Receipt> receipts;
    const auto forward = [&] { return net(x); };
    CHECK(injector.run(parse_fault("output:relu[2,0]@1 zero"), forward, &receipts).allclose(expected));
    REQUIRE(receipts.at(0).victims.size() == 1);
    CHECK(receipts[0].victims[0].index == std::vector<int64_t>{5, 0});
    CHECK(receipts[0].victims[0].element_index == std::vector<int64_t>{2, 0});

    expected = net(x);
    expected[0][1][1] -= torch::tanh(x[0][1][1]);
    CHECK(injector.run(parse_fault("output:tanh[3,0]@0 zero"), forward, &receipts).allclose(expected));
    CHECK(receipts.at(0).victims.at(0).index == std::vector<int64_t>{5, 0});
    CHECK(receipts.at(0).victims.at(0).element_index == std::vector<int64_t>{3, 0});
  }
}

struct FixedImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) { return torch::relu(x.view({2, 3})); }
};
TORCH_MODULE(Fixed);

TEST_CASE("a network that fixes its batch size") {
  torch::NoGradGuard no_grad;
  Fixed net;
  const at::Tensor x = torch::ones({2, 3});
  Injector injector(net, x);
  CHECK_FALSE(injector.batch_is_free());
  CHECK(injector.run(parse_fault("output:relu[0]@1 zero"), [&] { return net(x); }).sum().item<float>() == 5);
  CHECK_THROWS_WITH_AS(injector.resolve(parse_fault("output:relu[0]@2 zero")), doctest::Contains("@0 to @1"),
                       UserError);
}

TEST_CASE("a forward of another rank or type than the profiled one is refused, not hit at random") {
  torch::NoGradGuard no_grad;
  tiny::Residual net;
  Injector injector(net, tiny::image());
  CHECK_THROWS_WITH_AS(
      injector.run(parse_fault("output:conv[0,0,1] zero"), [&] { return net(torch::ones({1, 3, 3})); }),
      doctest::Contains("[1, 3, 3]"), UserError);
  Axes axes;
  Injector floats(axes, torch::ones({1, 4}));
  CHECK_THROWS_WITH_AS(floats.run(parse_fault("output:relu[0,0] zero"),
                                  [&] { return axes(torch::ones({1, 4}, at::kDouble)); }),
                       doctest::Contains("in this forward it is Double[2, 2]"), UserError);
}

}  // namespace
