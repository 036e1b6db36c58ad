// SPDX-License-Identifier: Apache-2.0
// Drawn faults in networks made of one family of operators each.
#include <utility>

#include "faultwave/population.h"
#include "faultwave/random.h"

#include "src/common/memory_pool.h"
#include "tests/wave/made_network.h"

namespace faultwave::test {

TEST_SUITE("agreement") {
  TEST_CASE("convolutions of every kind, in a chain with activations in place") {
    auto module = std::make_shared<Holder>();
    auto plain = module->add("plain", nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1)));
    auto norm = module->add("norm", nn::BatchNorm2d(8));
    auto strided =
        module->add("strided", nn::Conv2d(nn::Conv2dOptions(8, 12, {3, 2}).stride({2, 1}).bias(false)));
    auto depthwise = module->add("depthwise", nn::Conv2d(nn::Conv2dOptions(12, 12, 3).padding(1).groups(12)));
    auto dilated = module->add("dilated", nn::Conv2d(nn::Conv2dOptions(12, 8, 3).padding(2).dilation(2)));
    auto grouped = module->add("grouped", nn::Conv2d(nn::Conv2dOptions(8, 6, 1).groups(2)));
    auto head = module->add("head", nn::Linear(6, 5));
    agree(
        module,
        [=](at::Tensor x) mutable {
          x = relu_in_place(norm(plain(x)));
          x = torch::hardtanh(strided(x), 0, 6);
          x = torch::silu(depthwise(x));
          x = torch::gelu(dilated(x));
          x = torch::adaptive_avg_pool2d(grouped(x), {1, 1});
          return std::vector<at::Tensor>{head(torch::flatten(x, 1))};
        },
        images(3, 3, 11, 9), 300);
  }

  TEST_CASE("a residual network with pooling") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 8, 3).padding(1).stride(2)));
    auto first = module->add("first", nn::Conv2d(nn::Conv2dOptions(8, 8, 3).padding(1).bias(false)));
    auto norm = module->add("norm", nn::BatchNorm2d(8));
    auto second = module->add("second", nn::Conv2d(nn::Conv2dOptions(8, 8, 3).padding(1)));
    auto head = module->add("head", nn::Linear(8 * 4 * 4, 5));
    agree(
        module,
        [=](at::Tensor x) mutable {
          x = torch::max_pool2d(torch::relu(stem(x)), 3, 2, 1);
          at::Tensor y = second(relu_in_place(norm(first(x))));
          y += x;
          y = relu_in_place(y);
          return std::vector<at::Tensor>{head(y.view({y.size(0), -1}))};
        },
        images(2, 3, 16, 16), 300);
  }

  TEST_CASE("branches that are joined, gates that are broadcast") {
    auto module = std::make_shared<Holder>();
    auto left = module->add("left", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).padding(1)));
    auto right = module->add("right", nn::Conv2d(nn::Conv2dOptions(3, 4, 1)));
    auto gate = module->add("gate", nn::Conv2d(nn::Conv2dOptions(8, 8, 1)));
    auto head = module->add("head", nn::Linear(8, 4));
    agree(
        module,
        [=](const at::Tensor& x) mutable {
          const at::Tensor both = torch::cat({torch::relu(left(x)), torch::tanh(right(x))}, 1);
          const at::Tensor scale = torch::sigmoid(gate(both.mean({2, 3}, true)));
          const at::Tensor scores = head((both * scale).mean({2, 3}));
          return std::vector<at::Tensor>{scores, torch::softmax(scores, 1)};
        },
        images(2, 3, 6, 6), 200);
  }

  TEST_CASE("two branches of rows are joined, and normalised as a whole") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 4, 3).padding(1)));
    auto left = module->add("left", nn::Conv2d(nn::Conv2dOptions(4, 3, 3).padding(1)));
    auto right = module->add("right", nn::Conv2d(nn::Conv2dOptions(4, 5, 1)));
    auto norm = module->add("norm", nn::LayerNorm(nn::LayerNormOptions({8})));
    auto head = module->add("head", nn::Linear(8, 4));
    const auto forward = [=](const at::Tensor& x) mutable {
      const at::Tensor y = torch::relu(stem(x));
      const at::Tensor both = torch::cat({left(y), right(y)}, 1);
      const at::Tensor tokens = norm(both.permute({0, 2, 3, 1}));
      const at::Tensor scores = head(torch::softmax(tokens, 3).transpose(1, 2));
      return std::vector<at::Tensor>{scores.sum({1, 2})};
    };
    settle(*module, 3);
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), images(2, 3, 6, 5));
    check_agreement(engines, drawn_trials(engines, 200, 25));

    // Faults of the stem alone go through rules all the way to the sum.
    const Population population(engines.injector.select(SiteKind::output, {"stem"}), DrawRule::bits,
                                bit_flip());
    std::vector<Trial> trials;
    for (uint64_t number = 0; number < 40; ++number) {
      Draw draw(26, number);
      trials.push_back({number, 0, {population.fault(population.draw(draw), draw)}});
    }
    WaveEngine wave(engines.workload, engines.direct, WaveOptions{.fewest = 1, .inputs = 1});
    outputs_of(wave, trials);
    CHECK(wave.report().generic.empty());
  }

  TEST_CASE("attention over tokens") {
    auto module = std::make_shared<Holder>();
    auto embed = module->add("embed", nn::Linear(6, 8));
    auto norm = module->add("norm", nn::LayerNorm(nn::LayerNormOptions({8})));
    auto qkv = module->add("qkv", nn::Linear(8, 24));
    auto out = module->add("out", nn::Linear(8, 8));
    auto head = module->add("head", nn::Linear(8, 3));
    torch::manual_seed(12);
    agree(
        module,
        [=](const at::Tensor& x) mutable {
          const int64_t batch = x.size(0);
          const at::Tensor tokens = embed(x);
          const auto parts =
              qkv(norm(tokens)).reshape({batch, 5, 3, 2, 4}).permute({2, 0, 3, 1, 4}).unbind(0);
          const at::Tensor mixed = at::scaled_dot_product_attention(parts[0], parts[1], parts[2]);
          const at::Tensor joined = tokens + out(mixed.transpose(1, 2).reshape({batch, 5, 8}));
          return std::vector<at::Tensor>{head(joined.select(1, 0))};
        },
        torch::randn({3, 5, 6}), 200);
  }

  TEST_CASE("what cannot be followed is run by the other engine") {
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Linear(4, 6));
    auto forward = [=](const at::Tensor& x) mutable {
      at::Tensor hidden = layer(x);
      const at::Tensor pairs = hidden.view({-1, 2, 3});
      hidden.relu_();  // seen through `pairs` as well
      const at::Tensor best = pairs.sum(1).argmax(1);
      const at::Tensor scores = pairs.sum(1);
      const double factor = scores.sum().item<float>() > 1 ? 2 : 1;
      return std::vector<at::Tensor>{scores * factor, best};
    };
    torch::manual_seed(13);
    settle(*module, 3);
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({2, 4}));
    check_agreement(engines, drawn_trials(engines, 100, 22));
    int64_t left = 0;
    for (const auto& [reason, trials] : engines.wave.report().left)
      left += trials;
    CHECK(left > 0);
    CHECK(left + engines.wave.report().trials == 100);
  }

  TEST_CASE("a memory budget splits a wave, and changes nothing") {
    auto module = std::make_shared<Holder>();
    auto conv = module->add("conv", nn::Conv2d(nn::Conv2dOptions(1, 8, 3).padding(1)));
    auto head = module->add("head", nn::Conv2d(nn::Conv2dOptions(8, 2, 3)));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{head(torch::relu(conv(x)))};
    };
    const at::Tensor batch = images(1, 1, 8, 8);
    const auto network = std::make_shared<ModuleNetwork>(module, forward);
    Engines whole(network, batch);
    Engines split(network, batch, {.trials = 64, .budget_bytes = 4096, .fewest = 1, .inputs = 1});
    const std::vector<Trial> trials = drawn_trials(whole, 64, 23);
    const auto expected = outputs_of(whole.wave, trials);
    const auto found = outputs_of(split.wave, trials);
    CHECK(split.wave.report().forwards > 2);
    for (const auto& [index, outputs] : expected)
      check_same(found.at(index).faulty[0], outputs.faulty[0], outputs.golden[0]);
  }

  TEST_CASE("a call that takes more than was expected is followed again with fewer trials") {
    auto module = std::make_shared<Holder>();
    auto conv = module->add("conv", nn::Conv2d(nn::Conv2dOptions(1, 16, 3).padding(1)));
    auto head = module->add("head", nn::Linear(1024, 3));
    settle(*module, 3);
    // One value of a map changes all of its shares.
    const auto forward = [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{head(torch::softmax(conv(x).flatten(2), 2)).sum(1)};
    };
    const at::Tensor batch = images(1, 1, 32, 32);
    const auto network = std::make_shared<ModuleNetwork>(module, forward);
    constexpr int64_t kBudget = 1 << 20;
    Engines whole(network, batch);
    Engines split(network, batch, {.trials = 512, .budget_bytes = kBudget, .fewest = 1, .inputs = 1});
    const std::vector<Trial> trials = drawn_trials(whole, 512, 23);
    const auto expected = outputs_of(whole.wave, trials);
    detail::MemoryPool::instance().release_kept();
    const auto found = outputs_of(split.wave, trials);
    CHECK(split.wave.report().forwards > 2);
    CHECK(detail::MemoryPool::instance().kept() > 0);
    CHECK(detail::MemoryPool::instance().kept() <= kBudget);
    for (const auto& [index, outputs] : expected)
      check_same(found.at(index).faulty[0], outputs.faulty[0], outputs.golden[0]);
  }

  TEST_CASE("the report says how much of each output differed") {
    auto module = std::make_shared<Holder>();
    auto first = module->add("first", nn::Conv2d(nn::Conv2dOptions(1, 2, 1)));
    auto second = module->add("second", nn::Conv2d(nn::Conv2dOptions(2, 3, 3)));
    const auto forward = [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{second(first(x))};
    };
    settle(*module, 3);
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), images(1, 1, 6, 6));
    // One of 2 x 6 x 6 values differs. Of the 4 x 4 windows, 9 hold the first trial's pixel, and one the
    // corner.
    std::vector<Trial> trials;
    for (const char* place : {"[0,2,2]", "[0,0,0]"})
      trials.push_back(
          {trials.size(), 0, parse_faults(std::string("output:first") + place + " constant(1000)")});
    outputs_of(engines.wave, trials);
    const auto& dirty = engines.wave.report().dirty;
    CHECK(dirty.at("first").trials == 2);
    CHECK(dirty.at("first").tensors == doctest::Approx(2.0 / 72));
    CHECK(dirty.at("second").trials == 2);
    CHECK(dirty.at("second").tensors == doctest::Approx(10.0 / 16));
  }

  TEST_CASE("a fault that nothing reads leaves every output golden, bit for bit") {
    auto module = std::make_shared<Holder>();
    auto conv = module->add("conv", nn::Conv2d(nn::Conv2dOptions(1, 4, 3)));
    auto head = module->add("head", nn::Linear(4, 3));
    {
      torch::NoGradGuard no_grad;
      conv->bias.fill_(-100);  // ReLU kills everything
    }
    const auto forward = [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{head(torch::relu(conv(x)).mean({2, 3}))};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), images(1, 1, 5, 5));
    const std::vector<Trial> trials{{0, 0, {parse_fault("output:conv[1,1,1] random(-1,0)#3")}}};
    const auto outputs = outputs_of(engines.wave, trials);
    CHECK(at::equal(outputs.at(0).faulty[0], outputs.at(0).golden[0]));
    CHECK(outputs.at(0).receipts.at(0).hits == 1);
  }
}

}  // namespace faultwave::test
