// SPDX-License-Identifier: Apache-2.0
// What does Faultwave cost a network that runs beside it? Whole forwards at batch 1: plain, with an injector attached and
// idle, and with one fault armed, in turn in one run; and the cost of one intercepted operator call.
#include <torch/torch.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <functional>
#include <iostream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "faultwave/injector.h"
#include "src/intercept/intercept.h"
#include "zoo/zoo.h"

namespace {

using Clock = std::chrono::steady_clock;

constexpr int kWarmUp = 5;

double seconds(const std::function<void()>& work) {
  const auto start = Clock::now();
  work();
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double quantile(std::vector<double> values, double q) {
  std::sort(values.begin(), values.end());
  return values[static_cast<size_t>(q * static_cast<double>(values.size() - 1))];
}

[[noreturn]] void fail(const std::string& what) {
  std::cerr << "overhead: wrong result: " << what << "\n";
  std::exit(1);
}

struct Row {
  std::string network;
  int64_t operators;
  double plain_ms, plain_low_ms, plain_high_ms;  // median and quartiles
  double idle_percent;                           // change of the median
  double armed_percent;
};

/// Every round hits another neuron.
template <typename Net>
Row measure(const std::string& name, Net net, int rounds) {
  torch::NoGradGuard no_grad;
  net->eval();
  const at::Tensor x = torch::randn({1, 3, 224, 224});
  const at::Tensor golden = net->forward(x);
  faultwave::Injector injector(net, x);

  if (!net->forward(x).equal(golden)) fail(name + " changed by an idle injector");
  const auto last = injector.select(faultwave::SiteKind::output).back();
  const auto certain = faultwave::parse_fault("output:" + last.name + "[7] constant(1e6)");
  const at::Tensor faulty = injector.run(certain, [&] { return net->forward(x); });
  if ((faulty != golden).sum().template item<int64_t>() != 1 || faulty[0][7].template item<float>() != 1e6f) {
    fail(name + ": the armed fault did not hit its neuron alone");
  }

  // Drawn beforehand, so that every variant starts from the same caches: those that a forward leaves.
  std::vector<faultwave::Fault> faults;
  for (int round = 0; round < rounds + kWarmUp; ++round) {
    faults.push_back(injector.random_neuron(faultwave::RandomValue{-1, 1}, static_cast<uint64_t>(round)));
  }
  std::vector<double> plain, idle, armed;
  const std::vector<std::function<void(int)>> variants{
      [&](int) { plain.push_back(seconds([&] { net->forward(x); })); },
      [&](int) { idle.push_back(seconds([&] { net->forward(x); })); },
      [&](int round) {
        const faultwave::Fault& fault = faults[static_cast<size_t>(round)];
        armed.push_back(seconds([&] { injector.run(fault, [&] { return net->forward(x); }); }));
      },
  };
  for (int round = 0; round < rounds + kWarmUp; ++round) {
    // The order rotates, since what ran before warms the caches.
    for (size_t i = 0; i < variants.size(); ++i) {
      variants[(i + static_cast<size_t>(round)) % variants.size()](round);
    }
    if (round < kWarmUp) {
      plain.clear();
      idle.clear();
      armed.clear();
    }
  }
  int64_t operators = 0;
  for (const auto& site : injector.sites()) {
    operators += site.kind == faultwave::SiteKind::output ? 1 : 0;
  }
  const double median = quantile(plain, 0.5);
  return {name,
          operators,
          median * 1e3,
          quantile(plain, 0.25) * 1e3,
          quantile(plain, 0.75) * 1e3,
          (quantile(idle, 0.5) / median - 1) * 100,
          (quantile(armed, 0.5) / median - 1) * 100};
}

/// Extra seconds of a chain of `operators` tiny operators when a fault is armed in the first: median over `rounds`.
double extra_seconds(int operators, int rounds) {
  torch::NoGradGuard no_grad;
  struct Chain : torch::nn::Module {
    explicit Chain(int operators) : operators(operators) {}
    torch::Tensor forward(torch::Tensor x) {
      for (int i = 0; i < operators; ++i) x = torch::relu(x);
      return x;
    }
    int operators;
  };
  auto net = std::make_shared<Chain>(operators);
  const at::Tensor x = torch::ones({1, 1});
  faultwave::Injector injector(net, x);
  const auto fault = faultwave::parse_fault("output:relu[0] constant(2)");
  if (injector.run(fault, [&] { return net->forward(x); }).template item<float>() != 2) fail("chain of relu");
  std::vector<double> difference;
  for (int round = 0; round < rounds; ++round) {
    const double plain = seconds([&] { net->forward(x); });
    const double armed = seconds([&] { injector.run(fault, [&] { return net->forward(x); }); });
    difference.push_back(armed - plain);
  }
  return quantile(difference, 0.5);
}

}  // namespace

int main(int argc, char** argv) {
  const int rounds = argc > 1 ? std::stoi(argv[1]) : 200;
  torch::manual_seed(1);
  std::vector<Row> rows;
  rows.push_back(measure("AlexNet", faultwave::zoo::AlexNet(), rounds));
  rows.push_back(measure("ResNet-18", faultwave::zoo::ResNet18(), rounds));
  rows.push_back(measure("MobileNetV2", faultwave::zoo::MobileNetV2(), rounds));
  constexpr int kLong = 2000;
  const double arming = extra_seconds(1, rounds);
  const double cost = (extra_seconds(kLong, rounds) - arming) / (kLong - 1) * 1e9;

  nlohmann::json json{{"rounds", rounds}, {"threads", at::get_num_threads()}, {"ns_per_operator_armed", cost}, {"us_per_arming", arming * 1e6}};
  std::printf("%-12s %10s %26s %10s %10s\n", "network", "operators", "plain ms (quartiles)", "idle", "one fault");
  for (const Row& row : rows) {
    std::printf("%-12s %10lld %10.2f (%5.2f to %6.2f) %+8.2f %% %+8.2f %%\n", row.network.c_str(),
                static_cast<long long>(row.operators), row.plain_ms, row.plain_low_ms, row.plain_high_ms,
                row.idle_percent, row.armed_percent);
    json["networks"].push_back({{"network", row.network},
                                {"operators", row.operators},
                                {"plain_ms_median", row.plain_ms},
                                {"plain_ms_quartiles", {row.plain_low_ms, row.plain_high_ms}},
                                {"idle_percent", row.idle_percent},
                                {"armed_percent", row.armed_percent}});
  }
  std::printf("arming one fault and hitting it: %.1f us; each further operator call: %.0f ns\n", arming * 1e6, cost);
  if (argc > 2) std::ofstream(argv[2]) << json.dump(2) << "\n";
}
