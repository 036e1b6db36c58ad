// SPDX-License-Identifier: Apache-2.0
// Networks that run at other lengths than the profile's: a decoder with a cache, and what it is made of.
#include <torch/torch.h>

#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"
#include "faultwave/random.h"

#include "tests/support/expect_error.h"

namespace {

using faultwave::Armed;
using faultwave::check_contains;
using faultwave::error_of;
using faultwave::ErrorCode;
using faultwave::Injector;
using faultwave::parse_fault;
using faultwave::parse_faults;
using faultwave::Receipt;
using faultwave::SiteKind;

struct Cache {
  at::Tensor keys, values;  // [B, tokens so far, 4]
};

/// A decoder over 4 tokens whose scores can be worked out. Tokens are one-hot; all attention scores are 0, so
/// that the attention is the mean of the values, which are the tokens so far; the head moves what it gets by
/// one class. With the token t, and a share h[c] of class c among the tokens so far, the scores are score[c +
/// 1] = [c == t] + h[c].
struct DecoderImpl : torch::nn::Module {
  /// `always_masks`: prefill and decode steps are the same operators, and the first cache is empty. Else the
  /// prefill has no cache to join, and a decode step, whose token sees all, no mask.
  explicit DecoderImpl(bool always_masks) : always_masks(always_masks) {
    embed = register_module("embed", torch::nn::Embedding(4, 4));
    query = register_module("query", torch::nn::Linear(4, 4));
    key = register_module("key", torch::nn::Linear(4, 4));
    value = register_module("value", torch::nn::Linear(4, 4));
    head = register_module("head", torch::nn::Linear(4, 4));
    torch::NoGradGuard no_grad;
    for (torch::Tensor& parameter : parameters())
      parameter.zero_();
    embed->weight.copy_(torch::eye(4));
    value->weight.copy_(torch::eye(4));
    head->weight.copy_(torch::eye(4).roll(1, 0));
  }
  torch::Tensor forward(torch::Tensor tokens, Cache& cache) {  // [B, T] -> [B, T, 4]
    const torch::Tensor x = embed(tokens);
    torch::Tensor q = query(x), k = key(x), v = value(x);
    if (cache.keys.defined()) {
      k = torch::cat({cache.keys, k}, 1);
      v = torch::cat({cache.values, v}, 1);
    }
    cache = {k, v};
    torch::Tensor scores = torch::matmul(q, k.transpose(1, 2));  // [B, T, tokens so far]
    const int64_t length = x.size(1), all = k.size(1);
    if (always_masks || length > 1) {
      const torch::Tensor later = torch::full({length, all}, -std::numeric_limits<float>::infinity());
      scores = scores + later.triu(all - length + 1);
    }
    return head(x + torch::matmul(torch::softmax(scores, -1), v));
  }
  Cache first_cache(int64_t batch) const {
    if (!always_masks) return {};
    return {torch::empty({batch, 0, 4}), torch::empty({batch, 0, 4})};
  }
  bool always_masks;
  torch::nn::Embedding embed{nullptr};
  torch::nn::Linear query{nullptr}, key{nullptr}, value{nullptr}, head{nullptr};
};
TORCH_MODULE(Decoder);

at::Tensor prompt() {
  return torch::tensor({{0, 1}}, at::kLong);
}

/// Three forwards: the prompt, then the likeliest token each time. The scores of the last token of each.
std::vector<at::Tensor> generate(Decoder& net, const at::Tensor& tokens = prompt()) {
  torch::NoGradGuard no_grad;
  Cache cache = net->first_cache(1);
  std::vector<at::Tensor> scores;
  at::Tensor next = tokens;
  for (int step = 0; step < 3; ++step) {
    scores.push_back(net(next, cache)[0][-1].clone());
    next = scores.back().argmax().view({1, 1});
  }
  return scores;
}

Injector injector_of(Decoder& net, const at::Tensor& example = prompt()) {
  return Injector(*net,
                  [net](const std::vector<c10::IValue>& inputs) mutable {
                    Cache cache = net->first_cache(inputs[0].toTensor().size(0));
                    net(inputs[0].toTensor(), cache);
                  },
                  {example});
}

bool near(const at::Tensor& scores, const std::vector<float>& expected) {
  return scores.allclose(torch::tensor(expected), 1e-6, 1e-6);
}

/// As worked out from the description of DecoderImpl, tokens 0, 1, 2, 3.
void check_golden(const std::vector<at::Tensor>& scores) {
  CHECK(near(scores[0], {0, 0.5, 1.5, 0}));
  CHECK(near(scores[1], {0, 1 / 3.f, 1 / 3.f, 4 / 3.f}));
  CHECK(near(scores[2], {1.25, 0.25, 0.25, 0.25}));
}

struct Run {
  std::vector<at::Tensor> scores;
  std::vector<Receipt> receipts;
};

Run run(Decoder& net, const Injector& injector, const std::string& line) {
  Run result;
  Armed armed(injector, parse_faults(line));
  result.scores = generate(net);
  armed.disarm();
  result.receipts = armed.receipts();
  check_golden(generate(net));
  return result;
}

TEST_CASE("the same operators at other lengths need nothing but a profile") {
  Decoder net(true);
  const Injector injector = injector_of(net);
  check_golden(generate(net));

  SUBCASE("logits of one decode step") {
    const Run faulty = run(net, injector, "output:head[0,1] constant(100)%1");
    CHECK(near(faulty.scores[0], {0, 0.5, 1.5, 0}));
    CHECK(near(faulty.scores[1], {0, 100, 1 / 3.f, 4 / 3.f}));
    CHECK(near(faulty.scores[2], {0, 0.25, 1.5, 0.25}));  // the tokens are 0, 1, 2 and 1 then
    CHECK(faulty.receipts[0].victims.at(0).index == std::vector<int64_t>{0, 0, 1});
    CHECK(faulty.receipts[0].first_forward == 1);
  }
  SUBCASE("attention of all decode steps") {
    const Run faulty = run(net, injector, "output:softmax[*] zero%1:");
    CHECK(near(faulty.scores[0], {0, 0.5, 1.5, 0}));
    CHECK(near(faulty.scores[1], {0, 0, 0, 1}));
    CHECK(near(faulty.scores[2], {1, 0, 0, 0}));
    CHECK(faulty.receipts[0].hits == 3 + 4);
    CHECK(faulty.receipts[0].fault == "output:softmax[*] zero%1:");
  }
  SUBCASE("attention scores as an input") {
    // Key 0 gets all of the attention.
    const Run faulty = run(net, injector, "input:softmax[0,0] constant(1000)%2");
    CHECK(near(faulty.scores[1], {0, 1 / 3.f, 1 / 3.f, 4 / 3.f}));
    CHECK(near(faulty.scores[2], {1, 1, 0, 0}));
  }
  SUBCASE("the cache as it is read, and as it was written") {
    // The value of token 0, of class 0, is 3 when forward 1 reads it.
    CHECK(
        near(run(net, injector, "input:matmul#2:1[0,0] constant(3)%1").scores[1], {0, 1, 1 / 3.f, 4 / 3.f}));
    // What the first forward wrote is read by all behind it.
    const Run written = run(net, injector, "output:cat#2[0,0] constant(2)%0");
    CHECK(near(written.scores[1], {0, 2 / 3.f, 1 / 3.f, 4 / 3.f}));
    CHECK(near(written.scores[2], {1.25, 0.5, 0.25, 0.25}));
  }
}

TEST_CASE("an index that lies outside of the tensor in a forward hits nothing there") {
  Decoder net(true);
  const Injector injector = injector_of(net, torch::tensor({{0, 1, 2, 3}}, at::kLong));
  // Token 1 of the forward under way: the prompt has one, a decode step has not.
  const Run second = run(net, injector, "output:head[1,0] constant(1)");
  CHECK(near(second.scores[0], {1, 0.5, 1.5, 0}));
  CHECK(second.receipts[0].forwards == 1);
  CHECK(second.receipts[0].first_forward == 0);
  // Key 2 comes with the first decode step.
  const Run key = run(net, injector, "output:softmax[0,2] zero");
  CHECK(near(key.scores[0], {0, 0.5, 1.5, 0}));
  CHECK(near(key.scores[1], {0, 1 / 3.f, 1 / 3.f, 1}));
  CHECK(near(key.scores[2], {1.25, 0.25, 0.25, 0}));
  CHECK(key.receipts[0].forwards == 2);
  CHECK(key.receipts[0].first_forward == 1);
  // Of keys 1 to 3 the prompt has one, the first step two and the last one three.
  const Run keys = run(net, injector, "output:softmax[0,1:4] zero");
  CHECK(keys.receipts[0].hits == 1 + 2 + 3);
  CHECK(keys.receipts[0].fault == "output:softmax[0,1:4] zero");

  Armed armed(injector, parse_fault("output:head[3,0] zero"));
  generate(net);
  CHECK(error_of(ErrorCode::illegal_fault, [&] { armed.disarm(); }) ==
        "armed and hit nothing: 'output:head[3,0] zero' (lay outside of the site's tensor in each forward; "
        "in the "
        "last, an element of the batch had shape [1,4])");
}

TEST_CASE("what is drawn is drawn in the shape of each forward, by the fault's own key") {
  Decoder net(true);
  const Injector injector = injector_of(net);
  for (uint64_t key = 0; key < 20; ++key) {
    const std::string line = "output:softmax[0,?] constant(0.125)#" + std::to_string(key);
    const Run faulty = run(net, injector, line);
    CHECK(faulty.receipts[0].fault == line);
    CHECK(faulty.receipts[0].hits == 3);
    for (int64_t step = 0; step < 3; ++step) {
      const std::string alone =
          line.substr(0, line.find('#')) + "%" + std::to_string(step) + line.substr(line.find('#'));
      const Receipt receipt = run(net, injector, alone).receipts.at(0);
      faultwave::Draw draw(key, uint64_t{1} << 63);  // docs/fault_lines.md
      CHECK(receipt.victims.at(0).element_index.at(1) == static_cast<int64_t>(draw.below(step + 2)));
      // In the profiled shape the line is written out; in others it draws.
      CHECK((receipt.fault.find('?') == std::string::npos) == (step == 0));
      const Receipt again = run(net, injector, receipt.fault).receipts.at(0);
      CHECK(again.victims.at(0).index == receipt.victims.at(0).index);
    }
  }
}

TEST_CASE("a decode step with other calls than the prefill is followed once it has been seen") {
  Decoder net(false);
  Injector injector = injector_of(net);
  check_golden(generate(net));
  const std::string attention = "output:softmax[*] zero%1:";
  {
    // Without the mask's three calls nobody knows which softmax it is; layers with parameters are known.
    Armed armed(injector, parse_fault(attention));
    check_golden(generate(net));
    CHECK_THROWS_AS(armed.disarm(), faultwave::UserError);
    CHECK(near(run(net, injector, "output:value[0,*] zero%1").scores[1], {0, 1 / 3.f, 1 / 3.f, 1}));
  }
  injector.learn([&] { generate(net); });
  check_golden(generate(net));
  const Run faulty = run(net, injector, attention);
  CHECK(near(faulty.scores[0], {0, 0.5, 1.5, 0}));
  CHECK(near(faulty.scores[1], {0, 0, 0, 1}));
  CHECK(near(faulty.scores[2], {1, 0, 0, 0}));
  CHECK(near(run(net, injector, "output:softmax[1,*] zero%0").scores[0], {0, 0, 1, 0}));
  // The mask is added in the prefill alone; the other sum, before the head, has its own name.
  const Run masked = run(net, injector, "output:add[1,0] constant(-inf)");
  CHECK(near(masked.scores[0], {0, 0, 2, 0}));
  CHECK(masked.receipts[0].forwards == 1);
  CHECK(run(net, injector, "output:add#2[0,0] constant(1)").receipts[0].forwards == 3);
  CHECK(near(run(net, injector, "input:matmul#2:1[0,0] constant(3)%1").scores[1], {0, 1, 1 / 3.f, 4 / 3.f}));
  CHECK(near(run(net, injector, "input:softmax[0,0] constant(1000)%2").scores[2], {1, 1, 0, 0}));
}

TEST_CASE("learning tells which axes have other lengths") {
  Decoder net(true);
  Injector injector = injector_of(net);
  const auto free_axes = [&](const char* name) { return injector.site(SiteKind::output, name).free_axes; };
  CHECK(free_axes("softmax").empty());
  check_contains(
      error_of(ErrorCode::illegal_fault, [&] { injector.resolve(parse_fault("output:softmax[0,3] zero")); }),
      "index 3 on axis 1 is out of range: legal are 0 to 1");
  CHECK(to_string(injector.resolve(parse_fault("output:softmax[?,0] zero#1"))).find('?') ==
        std::string::npos);

  injector.learn([&] { generate(net); });
  CHECK(free_axes("softmax") == std::vector<int64_t>{1, 2});
  CHECK(free_axes("head") == std::vector<int64_t>{1});
  CHECK(free_axes("cat") == std::vector<int64_t>{1});
  CHECK(injector.site(SiteKind::weight, "head").free_axes.empty());
  CHECK(injector.site(SiteKind::output, "softmax").shape == std::vector<int64_t>{1, 2, 2});
  const Run key = run(net, injector, "output:softmax[0,3] zero");
  CHECK(key.receipts[0].first_forward == 2);
  CHECK(near(key.scores[2], {1, 0.25, 0.25, 0.25}));
  CHECK(to_string(injector.resolve(parse_fault("output:softmax[?,0] flip#1"))).find("[?,0] flip(") !=
        std::string::npos);
  check_contains(
      error_of(ErrorCode::illegal_fault, [&] { injector.resolve(parse_fault("output:head[7,4] zero")); }),
      "index 4 on axis 1 is out of range: legal are 0 to 3");
}

TEST_CASE("a loop that throws is let through, and what was learnt stays") {
  Decoder net(false);
  Injector injector = injector_of(net);
  net->train();
  CHECK_THROWS_WITH_AS(injector.learn([&] {
    CHECK_FALSE(net->is_training());
    throw std::runtime_error("the user's own");
  }),
                       "the user's own", std::runtime_error);
  CHECK(net->is_training());
  injector.learn([&] { generate(net); });
  CHECK_THROWS_AS(injector.learn([] { throw std::runtime_error(""); }), std::runtime_error);
  CHECK(near(run(net, injector, "output:softmax[*] zero%1").scores[1], {0, 0, 0, 1}));
}

/// Tokens of all elements as rows of one matrix.
struct RowsImpl : torch::nn::Module {
  torch::Tensor forward(torch::Tensor x) {
    return torch::relu(x.reshape({-1, 2})).view(x.sizes());
  }  // [B, T, 2]
};
TORCH_MODULE(Rows);

TEST_CASE("where batch and tokens share an axis, one of the two must be known") {
  torch::NoGradGuard no_grad;
  Rows net;
  Injector injector(net, torch::ones({1, 4, 2}));
  const auto rows_hit = [&](const std::string& line, const at::Tensor& x) {
    const at::Tensor y = injector.run(parse_fault(line), [&] { return net(x); });
    return y.flatten(0, 1).select(1, 0).eq(0).nonzero().flatten();
  };
  const auto rows = [](std::vector<int64_t> numbers) { return torch::tensor(numbers, at::kLong); };
  CHECK(rows_hit("output:relu[3,0] zero", torch::ones({2, 4, 2})).equal(rows({3, 7})));
  CHECK(rows_hit("output:relu[2,0] zero", torch::ones({1, 3, 2})).equal(rows({2})));
  CHECK(rows_hit("output:relu[3,0] zero", torch::ones({1, 8, 2}))
            .equal(rows({3, 7})));  // a batch of two, it seems
  injector.learn([&] {
    for (const int64_t length : {1, 8})
      net(torch::ones({1, length, 2}));
  });
  CHECK(rows_hit("output:relu[3,0] zero", torch::ones({1, 8, 2})).equal(rows({3})));
  CHECK(rows_hit("output:relu[7,0] zero", torch::ones({1, 8, 2})).equal(rows({7})));

  Injector pairs(net, torch::ones({2, 4, 2}));
  CHECK(pairs.run(parse_fault("output:relu[2,0]@1 zero"), [&] { return net(torch::ones({2, 3, 2})); })
            .select(2, 0)
            .eq(0)
            .nonzero()
            .equal(torch::tensor({{1, 2}}, at::kLong)));
  CHECK_THROWS_WITH_AS(
      pairs.run(parse_fault("output:relu[2,0] zero"), [&] { return net(torch::ones({3, 3, 2})); }),
      doctest::Contains("in this forward it is Float[9, 2]"), faultwave::UserError);
}

}  // namespace
