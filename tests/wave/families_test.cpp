// SPDX-License-Identifier: Apache-2.0
// Families of operators that have a rule: no call goes the generic way.
#include "tests/wave/made_network.h"

namespace faultwave::test {
namespace {

/// Both engines agree on drawn trials, and none with a single fault took an operator the generic way.
void agree_by_rules(const std::shared_ptr<Holder>& module, ModuleNetwork::Forward forward,
                    const at::Tensor& batch) {
  settle(*module, 3);
  Engines engines(std::make_shared<ModuleNetwork>(module, std::move(forward)), batch);
  std::vector<Trial> single;
  std::vector<Trial> several;
  for (Trial& trial : drawn_trials(engines, 250, 21))
    (trial.faults.size() == 1 ? single : several).push_back(std::move(trial));
  check_agreement(engines, single);
  for (const auto& [op, calls] : engines.wave.report().generic) {
    CAPTURE(op);
    CHECK(calls == 0);
  }
  check_agreement(engines, several);
}

TEST_SUITE("families") {
  TEST_CASE("slices, splits, rolls and pads of rows and of points") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 8, 3)));
    auto branch = module->add("branch", nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1)));
    auto head = module->add("head", nn::Linear(8, 4));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor padded = at::constant_pad_nd(x, {0, 1, 1, 0});
          const at::Tensor y = torch::relu(stem(padded));
          const auto parts = y.chunk(2, 1);
          at::Tensor left = branch(at::roll(parts[0], {1, -2}, {2, 3}));
          at::Tensor right = at::pad(parts[1], {1, 1, 1, 1}, "reflect");
          right = right.slice(2, 1, -1).slice(3, 1, -1);
          const at::Tensor both = torch::cat({left, right}, 1).flip({3});
          const auto thirds = both.split_with_sizes({2, both.size(2) - 2}, 2);
          const at::Tensor sum = thirds[0].mean({2, 3}) + thirds[1].amax({2, 3});
          return std::vector<at::Tensor>{head(sum), both.select(2, 1)};
        },
        images(2, 3, 8, 7));
  }

  TEST_CASE("two maps made of the channels of one, so that a trial differs in several") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1)));
    auto each = module->add("each", nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1)));
    auto head = module->add("head", nn::Linear(8, 3));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor maps = torch::relu(stem(x)).reshape({2 * x.size(0), 4, 6, 6});
          const at::Tensor pooled = at::max_pool2d(each(maps), {2, 2});
          const at::Tensor means = at::adaptive_avg_pool2d(pooled, {1, 1});
          return std::vector<at::Tensor>{head(means.reshape({x.size(0), 8}))};
        },
        images(2, 3, 6, 6));
  }

  TEST_CASE("an attention block over tokens, with a class token") {
    auto module = std::make_shared<Holder>();
    auto embed = module->add("embed", nn::Linear(6, 8));
    auto norm = module->add("norm", nn::LayerNorm(nn::LayerNormOptions({8})));
    auto qkv = module->add("qkv", nn::Linear(8, 24));
    auto out = module->add("out", nn::Linear(8, 8));
    auto head = module->add("head", nn::Linear(8, 3));
    const at::Tensor token = module->register_parameter("token", torch::randn({1, 1, 8}));
    torch::manual_seed(12);
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const int64_t batch = x.size(0);
          const at::Tensor tokens = torch::cat({token.expand({batch, 1, 8}), embed(x)}, 1);
          const auto parts =
              qkv(norm(tokens)).reshape({batch, 6, 3, 2, 4}).permute({2, 0, 3, 1, 4}).unbind(0);
          const at::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
          const at::Tensor joined = tokens + out(mixed.transpose(1, 2).reshape({batch, 6, 8}));
          return std::vector<at::Tensor>{head(joined.select(1, 0))};
        },
        torch::randn({3, 5, 6}));
  }

  TEST_CASE("shifted windows") {
    auto module = std::make_shared<Holder>();
    auto embed = module->add("embed", nn::Conv2d(nn::Conv2dOptions(3, 8, 2).stride(2)));
    auto qkv = module->add("qkv", nn::Linear(8, 24));
    auto head = module->add("head", nn::Linear(8, 3));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          at::Tensor y = embed(x).permute({0, 2, 3, 1});  // [1, 4, 4, 8]
          y = at::roll(y, {-1, -1}, {1, 2});
          const int64_t batch = y.size(0);
          const at::Tensor windows =
              y.view({batch, 2, 2, 2, 2, 8}).permute({0, 1, 3, 2, 4, 5}).reshape({batch * 4, 4, 8});
          const at::Tensor mixed = qkv(windows).reshape({batch * 4, 4, 3, 2, 4}).permute({2, 0, 3, 1, 4});
          const at::Tensor scores =
              torch::softmax(mixed.select(0, 0).matmul(mixed.select(0, 1).transpose(-2, -1)), -1);
          at::Tensor z = scores.matmul(mixed.select(0, 2)).transpose(1, 2).reshape({batch * 4, 4, 8});
          z = z.view({batch, 2, 2, 2, 2, 8}).permute({0, 1, 3, 2, 4, 5}).reshape({batch, 4, 4, 8});
          z = at::roll(z, {1, 1}, {1, 2}) + y;
          return std::vector<at::Tensor>{head(z.mean({1, 2}))};
        },
        images(2, 3, 8, 8));
  }

  TEST_CASE("up and down again: transposed convolution, upsampling, other pools, other norms") {
    auto module = std::make_shared<Holder>();
    auto down = module->add("down", nn::Conv2d(nn::Conv2dOptions(3, 6, 3).stride(2).padding(1)));
    auto group = module->add("group", nn::GroupNorm(nn::GroupNormOptions(2, 6)));
    auto up = module->add("up", nn::ConvTranspose2d(nn::ConvTranspose2dOptions(6, 4, 2).stride(2)));
    auto head = module->add("head", nn::Conv2d(nn::Conv2dOptions(10, 2, 1)));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor low = torch::relu(group(down(x)));
          const at::Tensor near = at::upsample_nearest2d(low, {8, 8});
          const at::Tensor smooth = at::upsample_bilinear2d(up(low), {8, 8}, false);
          const at::Tensor both = torch::cat({near, smooth}, 1);
          const at::Tensor pooled = at::avg_pool2d(both, {2, 3}, {2, 1});
          return std::vector<at::Tensor>{head(pooled), at::log_softmax(head(both), 1)};
        },
        images(2, 3, 8, 8));
  }

  TEST_CASE("one and three dimensions") {
    auto module = std::make_shared<Holder>();
    auto line = module->add("line", nn::Conv1d(nn::Conv1dOptions(3, 4, 3).padding(1)));
    auto norm = module->add("norm", nn::BatchNorm1d(4));
    auto cube = module->add("cube", nn::Conv3d(nn::Conv3dOptions(1, 2, 2)));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor y = torch::relu(norm(line(x)));
          const at::Tensor z = cube(at::max_pool1d(y, 2).reshape({y.size(0), 1, 4, 2, 3}));
          return std::vector<at::Tensor>{z.flatten(1)};
        },
        torch::randn({2, 3, 12}));
  }

  TEST_CASE("an output shuffled between groups of channels") {
    auto module = std::make_shared<Holder>();
    auto left = module->add("left", nn::Conv2d(nn::Conv2dOptions(4, 4, 3).padding(1).groups(4)));
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 8, 1)));
    auto head = module->add("head", nn::Linear(8, 3));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const auto halves = stem(x).chunk(2, 1);
          at::Tensor y = torch::cat({halves[0], left(halves[1])}, 1);
          y = y.view({y.size(0), 2, 4, 6, 5}).transpose(1, 2).contiguous().view({y.size(0), 8, 6, 5});
          return std::vector<at::Tensor>{head(torch::relu(y).mean({2, 3}))};
        },
        images(2, 3, 6, 5));
  }

  TEST_CASE("squeeze and excitation: a map times a number for each channel") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 6, 3).padding(1)));
    auto squeeze = module->add("squeeze", nn::Conv2d(nn::Conv2dOptions(6, 2, 1)));
    auto excite = module->add("excite", nn::Conv2d(nn::Conv2dOptions(2, 6, 1)));
    auto head = module->add("head", nn::Linear(6, 3));
    const at::Tensor scale = module->register_parameter("scale", torch::rand({6, 1, 1}));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor y = stem(x);
          const at::Tensor gate = torch::sigmoid(excite(torch::silu(squeeze(y.mean({2, 3}, true)))));
          return std::vector<at::Tensor>{head((scale * y * gate).mean({2, 3}))};
        },
        images(2, 3, 6, 5));
  }

  TEST_CASE("few trials on each of many inputs share golden forwards") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 6, 3).padding(1)));
    auto norm = module->add("norm", nn::BatchNorm2d(6));
    auto strided = module->add("strided", nn::Conv2d(nn::Conv2dOptions(6, 8, 3).stride(2)));
    auto wide = module->add("wide", nn::Conv2d(nn::Conv2dOptions(8, 8, 3).padding(1).groups(8)));
    auto point = module->add("point", nn::Conv2d(nn::Conv2dOptions(8, 8, 1).stride(2)));
    auto head = module->add("head", nn::Linear(8, 5));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable {
      at::Tensor y = torch::max_pool2d(torch::relu(norm(stem(x))), 3, 1, 1);
      y = torch::relu(strided(y));
      y = torch::hardtanh(wide(y), 0, 6) + y;
      const at::Tensor half = torch::cat(y.chunk(2, 1), 1);
      const at::Tensor pooled = torch::adaptive_avg_pool2d(point(half), {1, 1});
      return std::vector<at::Tensor>{head(pooled.flatten(1)), torch::softmax(half.transpose(1, 3), 3)};
    };
    constexpr int64_t kInputs = 20;
    const auto network = std::make_shared<ModuleNetwork>(module, forward);
    Engines engines(network, images(kInputs, 3, 11, 9), {.fewest = 1, .inputs = 8});
    const std::vector<Trial> trials = drawn_trials(engines, 300, 31);
    check_agreement(engines, trials, Bits::rounded);
    // Trials with faults in weights have a golden forward for each input; the others share them.
    CHECK(engines.wave.report().forwards < 2 * kInputs);
    CHECK(engines.wave.report().left.empty());
  }

  TEST_CASE("dropout in place, outside of training, of a view whose other view lives on") {
    torch::NoGradGuard no_grad;
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 6, 3)));
    auto head = module->add("head", nn::Linear(6, 3));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable {
      const at::Tensor pooled = torch::relu(stem(x)).mean({2, 3}, true);
      at::Tensor flat = pooled.flatten(1);
      at::dropout_(flat, 0.5, false);
      return std::vector<at::Tensor>{head(flat), pooled};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), images(2, 3, 6, 5));
    std::vector<Trial> trials;
    for (uint64_t i = 0; i < 40; ++i) {
      const std::string line = "output:stem[*,1,2] random(-5,5)#" + std::to_string(i + 1);
      trials.push_back({i, 0, {engines.injector.resolve(parse_fault(line))}});
    }
    check_agreement(engines, trials);
    CHECK(engines.wave.report().left.empty());
  }

  TEST_CASE("weights that become Inf or NaN, beside a padding of zeros") {
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Conv3d(nn::Conv3dOptions(3, 9, 3).padding(1).groups(3)));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable { return std::vector<at::Tensor>{layer(x)}; };
    torch::manual_seed(15);
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({1, 3, 6, 4, 4}));
    check_agreement(engines, {{0, 0, {parse_fault("weight:layer[3,0,2,1,1] constant(nan)")}},
                              {1, 0, {parse_fault("weight:layer[3,0,0,1,1] constant(inf)")}},
                              {2, 0, {parse_fault("weight:layer[3,0,2,1,*] constant(-3e38)")}},
                              {3, 0, {parse_fault("weight:layer[3,0,2,1,1] constant(2)")}}});
  }

  TEST_CASE("a fault in what a view is made from, and a write through the view") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Linear(4, 6));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable {
      at::Tensor y = stem(x);
      y.slice(1, 0, 2).fill_(0.5);
      return std::vector<at::Tensor>{y * 2};
    };
    torch::manual_seed(14);
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({1, 4}));
    // Value 4 is no part of the slice; yet a slice of a copy does not lead back to what the layer has made.
    check_agreement(engines, {{0, 0, {parse_fault("input:slice[4] constant(3)")}},
                              {1, 0, {parse_fault("output:slice[1] scale(1)")}},
                              {2, 0, {parse_fault("output:stem[1] constant(3)")}}});
  }

  TEST_CASE("masks, tables, stacks and results given as out") {
    auto module = std::make_shared<Holder>();
    auto embed = module->add("embed", nn::Linear(6, 8));
    auto head = module->add("head", nn::Linear(8, 3));
    const at::Tensor table = module->register_parameter("table", torch::randn({7, 8}));
    const at::Tensor numbers = torch::tensor({0, 3, 3, 6, 1}, torch::kLong);
    const at::Tensor mask = torch::tensor({1, 0, 0, 1, 0, 1, 1, 0}, torch::kBool);
    torch::manual_seed(13);
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor y = embed(x) + at::embedding(table, numbers) + table.index({numbers});
          const at::Tensor kept = y.masked_fill(mask, -0.5).abs().pow(1.5);
          const at::Tensor chosen = at::where(mask, y, at::rsub(kept, 1));
          const at::Tensor both = at::stack({kept, at::maximum(chosen, y)}, 1);  // [batch, 2, 5, 8]
          at::Tensor sum = at::empty({0});
          at::add_out(sum, both.select(1, 0), both.select(1, 1));
          return std::vector<at::Tensor>{head(sum.mean(1)), both.neg().exp().clamp_max(3)};
        },
        torch::randn({2, 5, 6}));
  }

  TEST_CASE("in-place forms, and a number in front of a tensor") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 4, 3)));
    auto head = module->add("head", nn::Linear(4, 3));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          at::Tensor y = stem(x).sin_().expm1_();
          y.mul_(0.5).sub_(0.25);
          at::hardtanh_(y, -0.5, 2).cumsum_(3);
          const at::Tensor z = at::pow(2, y) + at::_unsafe_view(y, y.sizes());
          return std::vector<at::Tensor>{head(z.mean({2, 3})), at::softplus(z.transpose(1, 2))};
        },
        images(2, 3, 6, 5));
  }

  TEST_CASE("layers whose parameters are hit: transposed, grouped, normalised by groups and instances") {
    auto module = std::make_shared<Holder>();
    auto grouped = module->add("grouped", nn::Conv2d(nn::Conv2dOptions(4, 6, 3).groups(2)));
    auto group = module->add("group", nn::GroupNorm(nn::GroupNormOptions(3, 6)));
    auto up = module->add("up", nn::ConvTranspose2d(nn::ConvTranspose2dOptions(6, 3, 2)));
    auto instance = module->add("instance", nn::InstanceNorm2d(nn::InstanceNorm2dOptions(3).affine(true)));
    auto layer = module->add("layer", nn::LayerNorm(nn::LayerNormOptions({5})));
    auto tall = module->add("tall", nn::Conv1d(nn::Conv1dOptions(3, 2, 4)));
    agree_by_rules(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor y = layer(instance(up(torch::relu(group(grouped(x))))));
          return std::vector<at::Tensor>{tall(y.mean(2)), y};
        },
        images(2, 4, 6, 6));
  }
}

}  // namespace
}  // namespace faultwave::test
