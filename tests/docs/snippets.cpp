// SPDX-License-Identifier: Apache-2.0
// The C++ that README.md and docs/ show, compiled and run. A document names a piece with
// `<!-- snippet: NAME -->`; here it stands between `// snippet NAME` and `// end snippet`, and
// tools/check_docs.py says where the two differ.
#include <torch/library.h>
#include <torch/torch.h>

#include <iostream>
#include <memory>
#include <string>
#include <vector>

#include <doctest/doctest.h>
#include <faultwave/faultwave.h>

#include "tests/support/temp_folder.h"

namespace {

torch::nn::Sequential small_net() {
  torch::manual_seed(1);
  torch::nn::Sequential net(torch::nn::Conv2d(1, 2, 3), torch::nn::ReLU(), torch::nn::Flatten(),
                            torch::nn::Linear(2 * 4 * 4, 5));
  net->eval();
  return net;
}

struct TwoInputsImpl : torch::nn::Module {
  TwoInputsImpl() : linear(register_module("linear", torch::nn::Linear(4, 3))) {}
  at::Tensor forward(const at::Tensor& a, const at::Tensor& b) { return linear(a + b); }
  torch::nn::Linear linear;
};
TORCH_MODULE(TwoInputs);

/// A network with one tensor input, saved as TorchScript.
std::string saved_network(const faultwave::TempFolder& folder) {
  torch::jit::Module module("double");
  module.register_parameter("weight", torch::full({4}, 2.0), false);
  module.define("def forward(self, x):\n    return x * self.weight\n");
  module.eval();
  const std::string path = folder / "net.pt";
  module.save(path);
  return path;
}

/// Outputs of a detector: one box of a class.
std::vector<at::Tensor> one_box(int64_t number) {
  return {torch::tensor({{0.0, 0.0, 10.0, 10.0}}), torch::tensor({0.9}), torch::tensor({number})};
}

// snippet extension model
/// Values drift up or down.
class Drift final : public faultwave::ErrorModel {
 public:
  explicit Drift(const faultwave::Arguments& arguments) : arguments_(arguments) {}

  std::string text() const override { return arguments_.text(); }
  void check(const faultwave::VictimContext&) const override {}
  void apply(at::Tensor& values, const faultwave::VictimContext&, faultwave::Draw&) const override {
    values.add_(arguments_.word("way") == "up" ? arguments_.number("by") : -arguments_.number("by"));
  }

 private:
  faultwave::Arguments arguments_;
};

void add(faultwave::Extensions& extensions) {
  using Type = faultwave::Parameter::Type;
  extensions.add(faultwave::ErrorModelType{
      .name = "mine.drift",
      .parameters = {{.name = "by", .lowest = 0},
                     {.name = "way", .type = Type::word, .words = {"up", "down"}, .otherwise = "up"}},
      .make = [](const faultwave::Arguments& arguments) { return std::make_shared<Drift>(arguments); }});
}
// end snippet

}  // namespace

// snippet plugin
extern "C" FAULTWAVE_PLUGIN const faultwave::Plugin* faultwave_plugin() {
  static const faultwave::Plugin plugin{.name = "mine", .version = "1.0", .add = add};
  return &plugin;
}
// end snippet

namespace {

/// Scores of the next token; attention is the mean of what the cache holds.
struct SmallDecoderImpl : torch::nn::Module {
  SmallDecoderImpl()
      : embed(register_module("embed", torch::nn::Embedding(9, 9))),
        head(register_module("head", torch::nn::Linear(9, 9))) {}
  at::Tensor forward(const at::Tensor& tokens, at::Tensor& cache) {
    const at::Tensor x = embed(tokens);
    cache = torch::cat({cache, x}, 1);
    return head(torch::matmul(torch::softmax(torch::matmul(x, cache.transpose(1, 2)), -1), cache));
  }
  torch::nn::Embedding embed;
  torch::nn::Linear head;
};
TORCH_MODULE(SmallDecoder);

}  // namespace

TEST_CASE("guide: a sequence that grows") {
  const torch::NoGradGuard no_grad;
  SmallDecoder net;
  const at::Tensor prompt = torch::tensor({{1, 2, 3}}, at::kLong);
  const at::Tensor longest_prompt = prompt;
  const auto prefill = [net](const std::vector<c10::IValue>& in) mutable {
    at::Tensor cache = torch::empty({in[0].toTensor().size(0), 0, 9});
    net(in[0].toTensor(), cache);
  };
  auto generate = [net](at::Tensor next) mutable {
    at::Tensor cache = torch::empty({1, 0, 9});
    std::vector<int64_t> tokens;
    for (int step = 0; step < 4; ++step) {
      next = net(next, cache).select(1, -1).argmax(-1, true);
      tokens.push_back(next.item<int64_t>());
    }
    return tokens;
  };
  // snippet sequence
  faultwave::Injector injector(*net, prefill, {longest_prompt});
  injector.learn([&] { generate(prompt); });  // your loop, without faults
  faultwave::Armed armed(injector, faultwave::parse_faults("output:head[*,7] constant(1e9)%2; "
                                                           "output:softmax[?] zero%1:#7"));
  auto tokens = generate(prompt);
  armed.disarm();
  // end snippet
  CHECK(tokens.at(2) == 7);
  CHECK(armed.receipts().at(1).first_forward == 1);
}

TEST_CASE("guide: gradients") {
  torch::nn::Sequential net = small_net();
  const at::Tensor batch = torch::rand({4, 1, 6, 6});
  const at::Tensor target = torch::tensor({0, 1, 2, 3}, at::kLong);
  torch::optim::SGD optimizer(net->parameters(), 0.01);
  faultwave::Injector injector(net, batch);
  // snippet gradient
  faultwave::Armed armed(injector, faultwave::parse_faults("weight-gradient:3[*,0] scale(100)%2; "
                                                           "output-gradient:0[?]@each flip(30)#5"));
  for (int step = 0; step < 4; ++step) {
    optimizer.zero_grad();
    torch::nn::functional::cross_entropy(net->forward(batch), target).backward();
    optimizer.step();
  }
  armed.disarm();
  // end snippet
  CHECK(armed.receipts().at(0).first_forward == 2);
  CHECK(armed.receipts().at(1).hits == 16);
}

TEST_CASE("guide: three lines") {
  const torch::NoGradGuard no_grad;
  torch::nn::Sequential net = small_net();
  const at::Tensor example = torch::rand({1, 1, 6, 6});
  const at::Tensor image = example;
  // snippet three lines
  faultwave::Injector injector(net, example);  // one dummy inference: sites, shapes, types
  auto fault = injector.random_neuron(faultwave::RandomValue{-1, 1});
  auto y = injector.run(fault, [&] { return net->forward(image); });
  // end snippet
  CHECK(y.sizes() == net->forward(image).sizes());
}

TEST_CASE("guide: other forwards, and a network from a file") {
  TwoInputs net;
  const at::Tensor a = torch::rand({2, 4});
  const at::Tensor b = torch::rand({2, 4});
  // snippet other forwards
  faultwave::Injector injector(
      *net, [&](const auto& in) { net->forward(in[0].toTensor(), in[1].toTensor()); }, {a, b});
  // end snippet
  CHECK(injector.site(faultwave::SiteKind::output, "linear").numel() == 3);
}

TEST_CASE("guide: a network from a file") {
  const faultwave::TempFolder folder;
  const std::string path = saved_network(folder);
  const at::Tensor example = torch::rand({2, 4});
  // snippet from a file
  auto network = faultwave::Network::open(path);
  faultwave::Injector injector(network, {example});
  // end snippet
  CHECK(injector.site(faultwave::SiteKind::weight, "weight").numel() == 4);
}

TEST_CASE("guide: training with faults") {
  torch::nn::Sequential net = small_net();
  const at::Tensor example = torch::rand({2, 1, 6, 6});
  faultwave::Injector injector(net, example);
  torch::optim::SGD optimizer(net->parameters(), 0.1);
  const std::vector<torch::data::Example<>> batches{{example, torch::tensor({1, 3})}};
  const auto* loader = &batches;
  uint64_t step = 0;
  const at::Tensor before = net->parameters()[0].clone();
  // snippet training
  for (auto& batch : *loader) {
    faultwave::Armed armed(
        injector, faultwave::parse_faults("output:0[?]@each random(-1,1)#" + std::to_string(step++)));
    optimizer.zero_grad();
    auto loss = torch::nn::functional::cross_entropy(net->forward(batch.data), batch.target);
    loss.backward();  // gradients flow through the faulty values
    optimizer.step();
    armed.disarm();  // throws if a fault hit nothing
  }
  // end snippet
  CHECK_FALSE(net->parameters()[0].equal(before));
}

TEST_CASE("guide: offline weights, and an error model of one's own") {
  const torch::NoGradGuard no_grad;
  torch::nn::Sequential net = small_net();
  const at::Tensor image = torch::rand({1, 1, 6, 6});
  faultwave::Injector injector(net, image);
  // snippet own model
  auto halve =
      faultwave::user_model("halve", [](const at::Tensor& values, const auto&, auto&) { return values / 2; });
  injector.run(injector.random_neuron(halve), [&] { return net->forward(image); });
  // end snippet
  CHECK(halve->text() == "user(halve)");
}

TEST_CASE("error models: registered by name") {
  // snippet registered model
  faultwave::register_user_model("salt", [](const at::Tensor& values, const faultwave::VictimContext& context,
                                            faultwave::Draw& draw) { return values.clamp_max(1.0); });
  auto model = faultwave::parse_error_model("user(salt)");  // or "salt"
  // end snippet
  CHECK(model->text() == "user(salt)");
}

TEST_CASE("extending: a model of one's own, in a program and in a plugin") {
  const torch::NoGradGuard no_grad;
  torch::nn::Sequential net = small_net();
  const at::Tensor image = torch::rand({1, 1, 6, 6});
  faultwave::Injector injector(net, image);
  // snippet extension in a program
  add(faultwave::extensions());
  auto fault = faultwave::parse_fault("output:0[1,2,2] mine.drift(0.5,down)");
  // end snippet
  std::vector<faultwave::Receipt> receipts;
  injector.run({fault}, [&] { return net->forward(image); }, &receipts);
  CHECK(receipts.at(0).victims.at(0).after == doctest::Approx(receipts.at(0).victims.at(0).before - 0.5));
  CHECK(std::string(faultwave_plugin()->name) == "mine");
}

TEST_CASE("outcomes: mean average precision over images") {
  const std::vector<std::vector<at::Tensor>> faulty_outputs{one_box(1), one_box(2)};
  const std::vector<faultwave::Detection> truth = faultwave::detections_of(one_box(1));
  // snippet precision
  faultwave::MeanAveragePrecision precision;
  for (const std::vector<at::Tensor>& faulty : faulty_outputs)
    precision.add(faultwave::detections_of(faulty), truth);
  precision.at(0.5);  // at one IoU
  precision.coco();   // mean over 0.50 to 0.95
  // end snippet
  // One class with two boxes, of which one is found: precision 1 up to a recall of 0.5, which are 51 of the
  // 101 recalls, and 0 behind.
  CHECK(precision.at(0.5) == doctest::Approx(51.0 / 101));
}

TEST_CASE("outcomes: a criterion of one's own") {
  using faultwave::judge;
  using faultwave::make_criterion;
  using faultwave::OutputPair;
  using faultwave::parse_criterion;
  const std::vector<at::Tensor> golden{torch::tensor({0.5})};
  const std::vector<at::Tensor> faulty{torch::tensor({-0.5})};
  // snippet own criterion
  auto sign = make_criterion("steering_sign", [](const OutputPair& outputs) {
    return outputs.golden[0].item<float>() * outputs.faulty[0].item<float>() < 0;
  });
  auto outcome = judge({golden, faulty}, {parse_criterion("differs(0.1)"), sign});
  // end snippet
  CHECK(outcome.fired == 3);
}

TEST_CASE("guide: an experiment in memory") {
  torch::manual_seed(1);
  TwoInputs net;
  const at::Tensor a = torch::rand({5, 4});
  const at::Tensor b = torch::rand({5, 4});
  const std::vector<int64_t> labels{0, 1, 2, 0, 1};
  // snippet in memory
  auto forward = [=](const auto& in) mutable { return net->forward(in[0].toTensor(), in[1].toTensor()); };
  faultwave::Experiment experiment{
      .network = faultwave::network_of(net.ptr(), forward),  // any tree of outputs will do
      .inputs = faultwave::inputs_from_tensors({a, b}),      // tensor by tensor, inputs along axis 0
      .labels = labels};
  auto campaign = faultwave::open_campaign(experiment, {.trials = 1000, .error = "flip"});
  auto results = campaign.run();
  std::cout << text_report(summarize(results));
  auto columns = trial_columns(results, *campaign.parts().sampler);  // .outcome[i], .fault[i], ...
  // end snippet
  CHECK(columns.trial.size() == 1000);
}

namespace {

at::Tensor swish(const at::Tensor& input) {
  return input * at::sigmoid(input);
}
at::Tensor unit_norm(const at::Tensor& input, int64_t dim) {
  return input / input.norm(2, {dim}, true);
}
at::Tensor resize(const at::Tensor& maps) {
  return at::upsample_bilinear2d(maps, {8, 8}, false);
}
at::Tensor as_tokens(const at::Tensor& maps) {
  return maps.flatten(2);
}

TORCH_LIBRARY(mine, library) {
  library.def("swish(Tensor input) -> Tensor", swish);
  library.def("unit_norm(Tensor input, int dim) -> Tensor", unit_norm);
  library.def("resize(Tensor maps) -> Tensor", resize);
  library.def("as_tokens(Tensor maps) -> Tensor", as_tokens);
}

}  // namespace

TEST_CASE("wave: operators of a program's own") {
  // snippet own operators
  faultwave::register_elementwise_operator("mine::swish");         // each value on its own
  faultwave::register_rowwise_operator("mine::unit_norm", "dim");  // rows along the axis that `dim` names
  faultwave::register_batched_operator("mine::resize", {"maps"});  // each element of the batch
  faultwave::register_reshaping_operator("mine::as_tokens");       // the same values in another shape
  // end snippet
  CHECK_THROWS_AS(faultwave::register_reshaping_operator("mine::swish"), faultwave::UserError);
}

TEST_CASE("wave: the engine on its own") {
  const faultwave::TempFolder folder;
  const auto network = faultwave::Network::open(saved_network(folder));
  const std::shared_ptr<const faultwave::InputSet> inputs =
      faultwave::inputs_from_tensor(torch::rand({3, 4}));
  const std::vector<faultwave::Trial> trials{
      {.number = 0, .input = 1, .faults = faultwave::parse_faults("weight:weight[2] zero")}};
  // snippet wave engine
  auto workload = std::make_shared<faultwave::Workload>(network, inputs);
  auto direct = std::make_shared<faultwave::DirectEngine>(workload);
  faultwave::WaveEngine engine(workload, direct);
  engine.run(trials, [](size_t index, const faultwave::TrialOutputs& outputs) { /* judge */ });
  // end snippet
}
