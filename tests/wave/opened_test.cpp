// SPDX-License-Identifier: Apache-2.0
// Operators that open up, in every way in which they may come to their result.
#include <torch/library.h>

#include <optional>

#include "src/intercept/intercept.h"
#include "tests/wave/made_network.h"

namespace faultwave::test {
namespace {

using Tensor = at::Tensor;

/// Past the dispatcher, as a kernel of a library may do it.
void double_unseen(const Tensor& x) {
  auto* values = static_cast<float*>(x.data_ptr());
  for (int64_t i = 0; i < x.numel(); ++i)
    values[i] *= 2;
}

/// Another tensor in the same memory, which no operator has made.
Tensor unseen_alias(const Tensor& x) {
  return Tensor(
      x.unsafeGetTensorImpl()->shallow_copy_and_detach(x.unsafeGetTensorImpl()->version_counter(), true));
}

// Each takes [batch, features] and a weight [features, features].
Tensor inner_result(const Tensor& x, const Tensor& weight) {
  return at::relu(at::mm(x, weight.t()));
}
Tensor argument_or_result(const Tensor& x, const Tensor& weight) {
  return at::mm(x, weight.t()).add_(x);
}
Tensor inner_view(const Tensor& x, const Tensor& weight) {
  const Tensor both = at::cat({x, at::mm(x, weight)}, 1);
  return both.narrow(1, x.size(1) / 2, x.size(1));
}
Tensor own_alias(const Tensor& x, const Tensor& weight) {
  return unseen_alias(at::sigmoid(at::mm(x, weight.t())));
}
Tensor fresh(const Tensor& x, const Tensor& weight) {
  const Tensor inner = at::mm(x, weight.t()).contiguous();
  const Tensor result = at::zeros_like(inner);
  std::memcpy(result.data_ptr(), inner.const_data_ptr(), inner.nbytes());
  return result;
}
Tensor changed_on_the_way(const Tensor& x, const Tensor& weight) {
  const Tensor inner = at::mm(x, weight.t());
  double_unseen(inner);
  return at::tanh(inner);
}
Tensor changed_at_the_end(const Tensor& x, const Tensor& weight) {
  const Tensor inner = at::mm(x, weight.t());
  double_unseen(inner);
  return inner;
}
Tensor nothing_inside(const Tensor& x, const Tensor& weight) {
  return at::native::matmul(x, weight);
}
Tensor memory_used_again(const Tensor& x, const Tensor& weight) {
  const Tensor q = at::mm(x, weight.t());
  Tensor again = q.view({-1, q.size(1)});
  const Tensor scores = at::mm(q, weight);
  at::softmax_out(again, scores, 1);
  at::mm_out(again, scores, weight);
  return again.mul_(again);
}
Tensor view_read_late(const Tensor& x, const Tensor& weight) {
  const Tensor inner = at::mm(x, weight.t());
  const Tensor half = inner.narrow(1, 0, inner.size(1) / 2);
  half.add_(1);
  return at::relu(inner);
}

/// As attention does where queries, keys and values are one tensor.
Tensor three(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& weight) {
  if (q.is_same(k) && k.is_same(v)) return at::mm(q, weight.t()) * 3;
  return at::mm(q, weight.t()) + at::mm(k, weight.t()) + at::mm(v, weight.t());
}

Tensor call_two(const char* name, const Tensor& x, const Tensor& weight) {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow(name, "");
  return op.typed<Tensor(const Tensor&, const Tensor&)>().call(x, weight);
}
Tensor call_three(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& weight) {
  const auto op = c10::Dispatcher::singleton().findSchemaOrThrow("opened::three", "");
  return op.typed<Tensor(const Tensor&, const Tensor&, const Tensor&, const Tensor&)>().call(q, k, v, weight);
}

/// One within the other, and both within a third.
Tensor nested(const Tensor& x, const Tensor& weight) {
  const Tensor y = call_two("opened::inner_view", x, weight);
  const Tensor z = call_two("opened::fresh", y, weight);
  return call_three(z, z, x, weight).add_(y);
}

constexpr const char* kNames[] = {"inner_result",
                                  "argument_or_result",
                                  "inner_view",
                                  "own_alias",
                                  "fresh",
                                  "changed_on_the_way",
                                  "changed_at_the_end",
                                  "nothing_inside",
                                  "memory_used_again",
                                  "view_read_late",
                                  "nested"};

TORCH_LIBRARY(opened, library) {
  for (const char* name : kNames)
    library.def((std::string(name) + "(Tensor x, Tensor weight) -> Tensor").c_str());
  library.def("three(Tensor q, Tensor k, Tensor v, Tensor weight) -> Tensor");
}
TORCH_LIBRARY_IMPL(opened, CPU, library) {
  library.impl("inner_result", inner_result);
  library.impl("argument_or_result", argument_or_result);
  library.impl("inner_view", inner_view);
  library.impl("own_alias", own_alias);
  library.impl("fresh", fresh);
  library.impl("changed_on_the_way", changed_on_the_way);
  library.impl("changed_at_the_end", changed_at_the_end);
  library.impl("nothing_inside", nothing_inside);
  library.impl("memory_used_again", memory_used_again);
  library.impl("view_read_late", view_read_late);
  library.impl("nested", nested);
  library.impl("three", three);
}

void open_up_all() {
  static const bool once = [] {
    for (const char* name : kNames)
      intercept::open_up(std::string("opened::") + name);
    intercept::open_up("opened::three");
    return true;
  }();
  (void)once;
}

/// A layer of torch's fused kernel, with the parameters of nn.TransformerEncoderLayer.
class FusedLayer {
 public:
  FusedLayer(Holder& module, const std::string& name, bool norm_first, bool gelu)
      : norm_first_(norm_first), gelu_(gelu) {
    auto layer = module.add(name, std::make_shared<Holder>());
    const auto add = [&](Holder& owner, const std::string& part, at::IntArrayRef shape) {
      return owner.register_parameter(part, torch::randn(shape) * 0.4);
    };
    auto attention = layer->add("self_attn", std::make_shared<Holder>());
    in_ = add(*attention, "in_proj_weight", {24, 8});
    in_bias_ = add(*attention, "in_proj_bias", {24});
    out_ = attention->add("out_proj", nn::Linear(8, 8));
    first_ = layer->add("linear1", nn::Linear(8, 12));
    second_ = layer->add("linear2", nn::Linear(12, 8));
    norm1_ = layer->add("norm1", nn::LayerNorm(nn::LayerNormOptions({8})));
    norm2_ = layer->add("norm2", nn::LayerNorm(nn::LayerNormOptions({8})));
  }

  Tensor operator()(const Tensor& x, const std::optional<Tensor>& mask) const {
    const std::optional<int64_t> mask_type = mask ? std::make_optional(int64_t{1}) : std::nullopt;
    return at::_transformer_encoder_layer_fwd(x, 8, 2, in_, in_bias_, out_->weight, out_->bias, gelu_,
                                              norm_first_, 1e-5, norm1_->weight, norm1_->bias, norm2_->weight,
                                              norm2_->bias, first_->weight, first_->bias, second_->weight,
                                              second_->bias, mask, mask_type);
  }

 private:
  bool norm_first_, gelu_;
  Tensor in_, in_bias_;
  nn::Linear out_{nullptr}, first_{nullptr}, second_{nullptr};
  nn::LayerNorm norm1_{nullptr}, norm2_{nullptr};
};

WaveReport agree_on_encoder(bool norm_first, bool gelu, bool masked) {
  torch::manual_seed(4);
  auto module = std::make_shared<Holder>();
  const FusedLayer one(*module, "one", norm_first, gelu);
  const FusedLayer two(*module, "two", norm_first, gelu);
  auto head = module->add("head", nn::Linear(8, 3));
  return agree(
      module,
      [=](const Tensor& x) mutable {
        // Padding is told by the first feature, as a tokenizer's mask would be.
        std::optional<Tensor> mask;
        if (masked) mask = x.select(2, 0) > 0.8;
        return std::vector<Tensor>{head(two(one(x, mask), mask).select(1, 0))};
      },
      torch::randn({4, 5, 8}), 250);
}

TEST_SUITE("opened") {
  TEST_CASE("results that inner calls make, hand on, or know nothing of") {
    open_up_all();
    for (const char* name : kNames) {
      CAPTURE(name);
      const std::string full = std::string("opened::") + name;
      auto module = std::make_shared<Holder>();
      auto stem = module->add("stem", nn::Linear(5, 6));
      auto layer = module->add("layer", nn::Linear(6, 6));
      auto last = module->add("last", nn::Linear(6, 6));
      auto head = module->add("head", nn::Linear(6, 3));
      agree(
          module,
          [=](const Tensor& x) mutable {
            Tensor y = call_two(full.c_str(), stem(x), layer->weight);
            y = call_two(full.c_str(), y, last->weight) + y;
            return std::vector<Tensor>{head(y)};
          },
          torch::randn({3, 5}), 200);
    }
  }

  TEST_CASE("an operator that looks at whether its arguments are one tensor") {
    open_up_all();
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Linear(5, 6));
    auto layer = module->add("layer", nn::Linear(6, 6));
    auto last = module->add("last", nn::Linear(6, 6));
    auto head = module->add("head", nn::Linear(6, 3));
    settle(*module, 3);
    const auto forward = [=](const Tensor& x) mutable {
      const Tensor y = stem(x);
      const Tensor z = call_three(y, y, y, layer->weight);
      return std::vector<Tensor>{head(call_three(z, y, z, last->weight))};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({3, 5}));
    // Single faults: where one sends the operator another way, another one would find no place.
    std::vector<Trial> trials = drawn_trials(engines, 300, 21);
    std::erase_if(trials, [](const Trial& trial) { return trial.faults.size() > 1; });
    check_agreement(engines, trials);
  }

  TEST_CASE("inner calls account for the fused layers of libtorch: nothing goes as a whole") {
    for (const bool masked : {false, true}) {
      const WaveReport report = agree_on_encoder(false, false, masked);
      CHECK(report.generic.count("aten::_transformer_encoder_layer_fwd") <= 1);
      CHECK(report.trials > 150);
    }
  }

  TEST_CASE("a fused layer goes by the module that owns all its tensors") {
    auto module = std::make_shared<Holder>();
    const FusedLayer one(*module, "one", false, false);
    const auto forward = [=](const Tensor& x) { return std::vector<Tensor>{one(x, {})}; };
    const Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({2, 5, 8}));
    CHECK(engines.injector.site(SiteKind::output, "one").op == "aten::_transformer_encoder_layer_fwd");
    CHECK(engines.injector.site(SiteKind::output, "one.self_attn").op ==
          "aten::_native_multi_head_attention");
    CHECK(engines.injector.site(SiteKind::output, "one.self_attn.out_proj").op == "aten::addmm");
  }

  TEST_CASE("faults in a network input are there once, inside of an operator that opens up as well") {
    open_up_all();
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Linear(4, 4));
    const auto forward = [=](const Tensor& x) {
      return std::vector<Tensor>{call_two("opened::argument_or_result", x, layer->weight)};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({3, 4}));
    std::vector<Trial> trials;
    for (int64_t i = 0; i < 6; ++i) {
      const std::string line = "network-input:x[" + std::to_string(i % 4) + "] constant(2)";
      trials.push_back({static_cast<uint64_t>(i), i % 3, {parse_fault(line)}});
    }
    DirectEngine together(engines.workload, DirectOptions{4});
    torch::NoGradGuard no_grad;
    for (const auto& [index, outputs] : outputs_of(together, trials)) {
      Tensor x = engines.workload->inputs().get(trials[index].input).at(0);
      x[static_cast<int64_t>(index % 4)] = 2;
      CHECK(at::allclose(outputs.faulty[0], at::mv(layer->weight, x) + x));
      CHECK(outputs.receipts[0].hits == 1);
    }
  }

  TEST_CASE("fused layers with the norm in front, and GELU") {
    agree_on_encoder(true, true, true);
    agree_on_encoder(true, false, false);
  }

  TEST_CASE("fused attention alone: of one tensor, of two, of three, and its weights") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Linear(8, 8));
    // Weights of their own: calls are known by them where a fault makes an operator go another way.
    const auto weight = [&](const char* name, at::IntArrayRef shape) {
      return module->register_parameter(name, torch::randn(shape) * 0.4);
    };
    const std::vector<Tensor> in{weight("a", {24, 8}), weight("b", {24, 8}), weight("c", {24, 8})};
    const Tensor in_bias = weight("in_bias", {24});
    auto out = module->add("out", nn::Linear(8, 8));
    auto head = module->add("head", nn::Linear(8, 3));
    agree(
        module,
        [=](const Tensor& x) mutable {
          const auto attend = [&](size_t i, const Tensor& q, const Tensor& k, const Tensor& v) {
            return at::_native_multi_head_attention(q, k, v, 8, 2, in[i], in_bias, out->weight, out->bias);
          };
          const Tensor y = stem(x);
          const auto [one, weights] = attend(0, y, y, y);
          const Tensor two = std::get<0>(attend(1, one, y, y));
          const Tensor all = std::get<0>(attend(2, two, one, y));
          return std::vector<Tensor>{head(all.mean(1)), weights};
        },
        torch::randn({3, 5, 8}), 300);
  }

  TEST_CASE("a tensor that is changed by itself in place") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Linear(5, 6));
    auto head = module->add("head", nn::Linear(6, 3));
    agree(
        module,
        [=](const Tensor& x) mutable {
          Tensor y = stem(x);
          y.mul_(y);
          y.add_(y.view({-1, 6}));
          return std::vector<Tensor>{head(y)};
        },
        torch::randn({3, 5}));
  }
}

}  // namespace
}  // namespace faultwave::test
