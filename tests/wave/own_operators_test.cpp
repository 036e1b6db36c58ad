// SPDX-License-Identifier: Apache-2.0
// Operators of a program's own, described to the wave engine.
#include <torch/library.h>

#include <algorithm>

#include "faultwave/error.h"
#include "faultwave/operators.h"

#include "tests/wave/made_network.h"

namespace faultwave::test {
namespace {

at::Tensor swish(const at::Tensor& input) {
  return input * at::sigmoid(input);
}

at::Tensor swish_in_place(at::Tensor input) {
  return input.mul_(at::sigmoid(input));
}

at::Tensor blend(const at::Tensor& a, const at::Tensor& b, double share) {
  return a * share + b * (1 - share);
}

at::Tensor unit_norm(const at::Tensor& input, int64_t dim) {
  return input / (input.norm(2, {dim}, true) + 1);
}

at::Tensor centred(const at::Tensor& input, const at::Tensor& weight) {
  return (input - input.mean({-1}, true)) * weight;
}

at::Tensor halved(const at::Tensor& input) {
  return at::avg_pool2d(input, {2, 2});
}

at::Tensor scores(const at::Tensor& left, const at::Tensor& right) {
  return at::bmm(left, right.transpose(1, 2));
}

at::Tensor tokens(const at::Tensor& input) {
  return input.flatten(2);
}

at::Tensor of_maps(const at::Tensor& input) {
  TORCH_CHECK(input.dim() == 4, "expected maps");
  return input.abs();
}

int64_t number_of(const at::Tensor& input) {
  return input.numel();
}

TORCH_LIBRARY(own, library) {
  library.def("swish(Tensor input) -> Tensor", swish);
  library.def("swish_(Tensor(a!) input) -> Tensor(a!)", swish_in_place);
  library.def("unknown(Tensor input) -> Tensor", swish);
  library.def("blend(Tensor a, Tensor b, float share) -> Tensor", blend);
  library.def("unit_norm(Tensor input, int dim) -> Tensor", unit_norm);
  library.def("centred(Tensor input, Tensor weight) -> Tensor", centred);
  library.def("halved(Tensor input) -> Tensor", halved);
  library.def("scores(Tensor left, Tensor right) -> Tensor", scores);
  library.def("tokens(Tensor input) -> Tensor", tokens);
  library.def("of_maps(Tensor input) -> Tensor", of_maps);
  library.def("number_of(Tensor input) -> int", number_of);
}

template <typename... Arguments>
at::Tensor own(const char* name, const Arguments&... arguments) {
  std::vector<c10::IValue> stack{arguments...};
  c10::Dispatcher::singleton().findSchemaOrThrow(name, "").callBoxed(&stack);
  return stack.front().toTensor();
}

/// Once, however many tests need them.
void describe_own_operators() {
  [[maybe_unused]] static const bool once = [] {
    register_elementwise_operator("own::swish");
    register_elementwise_operator("own::blend");
    register_rowwise_operator("own::unit_norm", "dim");
    register_rowwise_operator("own::centred");
    register_batched_operator("own::halved");
    register_batched_operator("own::scores", {"left", "right"}, -1);
    register_reshaping_operator("own::tokens");
    return true;
  }();
}

/// A network of all of them.
struct OwnNetwork {
  std::shared_ptr<Holder> module = std::make_shared<Holder>();
  ModuleNetwork::Forward forward;

  OwnNetwork() {
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 6, 3).padding(1)));
    auto head = module->add("head", nn::Linear(12, 4));
    const at::Tensor weight = module->register_parameter("weight", torch::rand({12}));
    forward = [=](const at::Tensor& x) mutable {
      const at::Tensor maps = own("own::swish", stem(x));
      const at::Tensor both = own("own::blend", maps, own("own::unit_norm", maps, 1), 0.25);
      const at::Tensor rows = own("own::tokens", own("own::halved", both));  // [batch, 6, 12]
      const at::Tensor even = own("own::centred", rows, weight);
      const at::Tensor mixed = at::bmm(own("own::scores", even, rows), even);
      return std::vector<at::Tensor>{own("own::swish_", head(mixed))};
    };
  }
};

std::string refusal(const std::function<void()>& describe) {
  try {
    describe();
  } catch (const UserError& error) {
    CHECK((error.code() == ErrorCode::usage));
    return error.what();
  }
  return "";
}

TEST_SUITE("own operators") {
  TEST_CASE("described ones are followed by rules, as the direct engine runs them") {
    describe_own_operators();
    torch::manual_seed(5);
    OwnNetwork own;
    settle(*own.module, 3);
    Engines engines(std::make_shared<ModuleNetwork>(own.module, own.forward), images(2, 3, 8, 6));
    std::vector<Trial> trials = drawn_trials(engines, 250, 21);
    std::erase_if(trials, [](const Trial& trial) { return trial.faults.size() != 1; });
    std::vector<Trial> all_but_weight;
    for (const Trial& trial : trials) {
      if (trial.faults.front().site != "weight") all_but_weight.push_back(trial);
    }
    check_agreement(engines, all_but_weight);
    for (const auto& [op, calls] : engines.wave.report().generic) {
      CAPTURE(op);
      CHECK(calls == 0);
    }
    check_agreement(engines, trials);  // and where the weight of a norm differs

    std::map<std::string, std::vector<std::string>> rules;
    const Trial first{0, 0, {engines.injector.resolve(parse_fault("output:stem[2,3,1] constant(4)"))}};
    for (const ExplainedCall& call : engines.wave.explain({first}).calls)
      rules[call.op] = call.rules;
    CHECK(rules["own::swish"] == std::vector<std::string>{"elements"});
    CHECK(rules["own::swish_"] == std::vector<std::string>{"elements"});
    CHECK(rules["own::blend"] == std::vector<std::string>{"elements"});
    CHECK(rules["own::unit_norm"] == std::vector<std::string>{"rows"});
    CHECK(rules["own::centred"] == std::vector<std::string>{"rows"});
    CHECK(rules["own::halved"] == std::vector<std::string>{"stacked"});
    CHECK(rules["own::scores"] == std::vector<std::string>{"stacked"});
    CHECK(rules["own::tokens"] == std::vector<std::string>{"reshape"});
  }

  TEST_CASE("one that is not described goes the generic way") {
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Linear(4, 6));
    const WaveReport report = agree(
        module,
        [=](const at::Tensor& x) mutable { return std::vector<at::Tensor>{own("own::unknown", stem(x))}; },
        torch::ones({2, 4}));
    CHECK(report.generic.at("own::unknown") > 0);
  }

  TEST_CASE("what cannot be described is refused in a sentence") {
    describe_own_operators();
    CHECK(refusal([] { register_elementwise_operator("own::swich"); }) ==
          "operator own::swich cannot be described: PyTorch knows no operator of this name; expected one "
          "that is "
          "registered, as \"mine::swish\" by TORCH_LIBRARY; did you mean own::swish or own::swish_?");
    CHECK(refusal([] { register_reshaping_operator("own::swish"); }) ==
          "operator own::swish has a description already: expected one that the wave engine does not know, "
          "described once");
    CHECK(refusal([] { register_elementwise_operator("aten::relu"); }) ==
          "operator aten::relu has a description already: expected one that the wave engine does not know, "
          "described once");
    CHECK(refusal([] { register_elementwise_operator("aten::relu_"); }) ==
          "operator aten::relu_ cannot be described: it is the in-place form of aten::relu; expected that "
          "name, "
          "whose description is for both");
    CHECK(refusal([] { register_elementwise_operator("own::number_of"); }) ==
          "operator own::number_of cannot be described: expected a tensor among its arguments and one tensor "
          "as "
          "its result; its schema is own::number_of(Tensor input) -> int");
    CHECK(refusal([] { register_rowwise_operator("own::unknown", "axis"); }) ==
          "operator own::unknown cannot be described: expected a tensor as its first argument and one tensor "
          "as "
          "its result, and an integer argument \"axis\"; its schema is own::unknown(Tensor input) -> Tensor");
    CHECK(refusal([] { register_batched_operator("own::unknown", {"input", "mask"}); }) ==
          "operator own::unknown cannot be described: expected tensors as its arguments input, mask, and one "
          "tensor as its result; its schema is own::unknown(Tensor input) -> Tensor");
    CHECK(refusal([] { register_batched_operator("own::unknown", {"input", "input"}); }) ==
          "operator own::unknown cannot be described: an activation is named twice; expected each of them "
          "once");
    CHECK(refusal([] { register_batched_operator("own::unknown", {}, 0); }) ==
          "operator own::unknown cannot be described: axis 0 is the batch; expected another axis of the "
          "result as "
          "its channel axis");
  }

  TEST_CASE("an operator that cannot be called as described ends the run with a sentence") {
    [[maybe_unused]] static const bool once = (register_elementwise_operator("own::of_maps"), true);
    auto module = std::make_shared<Holder>();
    auto stem = module->add("stem", nn::Conv2d(nn::Conv2dOptions(3, 2, 1)));
    settle(*module, 3);
    const auto forward = [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{own("own::of_maps", stem(x))};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), images(1, 3, 4, 4));
    const std::vector<Trial> trials{
        {0, 0, {engines.injector.resolve(parse_fault("output:stem[1,2,3] constant(4)"))}}};
    const std::string message =
        refusal([&] { engines.wave.run(trials, [](size_t, const TrialOutputs&) {}); });
    CAPTURE(message);
    CHECK(message.starts_with("operator own::of_maps is not as it was described to the wave engine: "));
    CHECK(message.find("expected maps") != std::string::npos);
  }
}

}  // namespace
}  // namespace faultwave::test
