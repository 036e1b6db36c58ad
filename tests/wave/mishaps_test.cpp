// SPDX-License-Identifier: Apache-2.0
// What is no outcome of a fault: too little memory, and an error model that fails. On both engines.
#include <fstream>
#include <stdexcept>
#include <string>

#include <sys/resource.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "tests/wave/made_network.h"

namespace faultwave::test {
namespace {

/// While it lives, this process gets little more memory than it has.
class LittleMemory {
 public:
  LittleMemory() { ::getrlimit(RLIMIT_AS, &before_); }
  ~LittleMemory() { relieve(); }
  void begin(int64_t more) {
    rlimit limit = before_;
    limit.rlim_cur = static_cast<rlim_t>(bytes_in_use() + more);
    ::setrlimit(RLIMIT_AS, &limit);
    is_short = true;
  }
  void relieve() {
    ::setrlimit(RLIMIT_AS, &before_);
    is_short = false;
  }
  bool is_short = false;

 private:
  static int64_t bytes_in_use() {
    std::ifstream file("/proc/self/statm");
    int64_t pages = 0;
    file >> pages;
    return pages * ::sysconf(_SC_PAGESIZE);
  }
  rlimit before_{};
};

constexpr int64_t kMegabyte = 1 << 20;

/// Memory that no compiler leaves out.
struct Work {
  Work() : memory(::operator new(64 * kMegabyte)) {}
  ~Work() { ::operator delete(memory); }
  Work(const Work&) = delete;
  Work& operator=(const Work&) = delete;
  void* memory;
};

/// A network whose every forward takes 64 MB of memory for a while.
class HungryNetwork : public ModuleNetwork {
 public:
  using ModuleNetwork::ModuleNetwork;
  std::vector<at::Tensor> forward(const std::vector<c10::IValue>& inputs) override {
    ++forwards;
    if (before_forward) before_forward();
    try {
      const Work work;
      return ModuleNetwork::forward(inputs);
    } catch (const std::bad_alloc&) {
      ++failures;
      if (after_failure) after_failure();
      throw;
    }
  }
  std::function<void()> before_forward;
  std::function<void()> after_failure;
  int forwards = 0;
  int failures = 0;
};

struct Hungry {
  explicit Hungry(int64_t batch = 4) {
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Linear(4, 6));
    auto head = module->add("head", nn::Linear(6, 3));
    settle(*module, 3);
    network = std::make_shared<HungryNetwork>(module, [=](const at::Tensor& x) mutable {
      return std::vector<at::Tensor>{head(torch::relu(layer(x)))};
    });
    engines.emplace(network, torch::randn({3, 4}), WaveOptions{.fewest = 2, .inputs = 2, .own_wave = 64});
    direct = std::make_shared<DirectEngine>(engines->workload, DirectOptions{batch});
    trials = drawn_trials(*engines, 40, 9);
    expected = outputs_of(*direct, trials);
  }
  void check(const std::map<size_t, TrialOutputs>& found) const {
    for (const auto& [index, outputs] : expected) {
      CAPTURE(to_string(trials[index].faults));
      CHECK(found.at(index).crash == outputs.crash);
      REQUIRE(found.at(index).faulty.size() == 1);
      check_same(found.at(index).faulty[0], outputs.faulty[0], outputs.golden[0]);
    }
  }
  std::shared_ptr<HungryNetwork> network;
  std::optional<Engines> engines;
  std::shared_ptr<DirectEngine> direct;
  std::vector<Trial> trials;
  std::map<size_t, TrialOutputs> expected;
};

void check_memory_is_asked_for_again(Engine& engine, Hungry& hungry) {
  LittleMemory memory;
  const int start = hungry.network->forwards;
  hungry.network->before_forward = [&] {
    if (hungry.network->forwards == start + 3) memory.begin(32 * kMegabyte);
  };
  hungry.network->after_failure = [&] {
    if (hungry.network->failures == 2) memory.relieve();
  };
  const auto found = outputs_of(engine, hungry.trials);
  CHECK(hungry.network->failures == 2);
  hungry.check(found);
}

void check_run_ends_without_memory(Engine& engine, Hungry& hungry) {
  LittleMemory memory;
  size_t handed_over = 0;
  hungry.network->before_forward = [&] {
    if (handed_over > 10 && !memory.is_short) memory.begin(32 * kMegabyte);
  };
  std::string message;
  try {
    engine.run(hungry.trials, [&](size_t, const TrialOutputs& outputs) {
      ++handed_over;
      CHECK(outputs.crash.empty());
    });
  } catch (const UserError& error) {
    memory.relieve();
    message = error.what();
  }
  CHECK(message.find("not enough memory for trial") != std::string::npos);
  CHECK(handed_over > 10);
  CHECK(handed_over < hungry.trials.size());
  hungry.network->before_forward = {};
  memory.relieve();
  hungry.check(outputs_of(engine, hungry.trials));
}

TEST_SUITE("mishaps") {
  TEST_CASE("a trial without memory is run again with fewer beside it: on the direct engine") {
    Hungry hungry;
    // Those that share a forward; a trial that is alone at once has nothing to run with less of.
    std::erase_if(hungry.trials, [](const Trial& trial) {
      return std::any_of(trial.faults.begin(), trial.faults.end(),
                         [](const Fault& fault) { return fault.kind != SiteKind::output; });
    });
    hungry.expected = outputs_of(*hungry.direct, hungry.trials);
    check_memory_is_asked_for_again(*hungry.direct, hungry);
  }
  TEST_CASE("a trial without memory is run again with fewer beside it: on the wave engine") {
    Hungry hungry;
    WaveEngine wave(hungry.engines->workload, hungry.direct, {.trials = 5, .fewest = 2, .inputs = 2});
    check_memory_is_asked_for_again(wave, hungry);
  }
  TEST_CASE("where there is none even alone, the run ends, and the engine can be used again") {
    Hungry hungry;
    check_run_ends_without_memory(*hungry.direct, hungry);
    WaveEngine wave(hungry.engines->workload, hungry.direct, {.trials = 5, .fewest = 2, .inputs = 2});
    check_run_ends_without_memory(wave, hungry);
  }

  TEST_CASE("memory that a fault itself asks for is a crash") {
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Linear(2, 2));
    const auto forward = [=](const at::Tensor& x) mutable {
      const auto size = static_cast<int64_t>(1 + std::abs(layer(x).select(1, 0).sum().item<float>()));
      return std::vector<at::Tensor>{layer(x) + at::zeros({size}).sum()};
    };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({2, 2}));
    const auto trial_with = [](const std::string& value) {
      return Trial{0, 0, {parse_fault("output:layer[0] constant(" + value + ")")}};
    };
    LittleMemory memory;
    memory.begin(512 * kMegabyte);
    // 2^59 values, which no machine has; and 4 GB, which there may be, but not here and now.
    for (const char* value : {"576460752303423488", "1e9"}) {
      for (Engine* engine :
           {static_cast<Engine*>(engines.direct.get()), static_cast<Engine*>(&engines.wave)}) {
        CAPTURE(value);
        const auto outputs = outputs_of(*engine, {trial_with(value)});
        CHECK(outputs.at(0).crash.find("tried to allocate") != std::string::npos);
      }
    }
  }

  TEST_CASE("an error model that fails ends the run of either engine with model, fault line and message") {
    const ErrorModelPtr model =
        user_model("broken", [](const at::Tensor&, const VictimContext&, Draw&) -> at::Tensor {
          throw std::runtime_error("the table has no such row");
        });
    auto module = std::make_shared<Holder>();
    auto layer = module->add("layer", nn::Linear(2, 2));
    const auto forward = [=](const at::Tensor& x) mutable { return std::vector<at::Tensor>{layer(x)}; };
    Engines engines(std::make_shared<ModuleNetwork>(module, forward), torch::randn({2, 2}));
    Fault fault = parse_fault("output:layer[1] zero");
    fault.model = model;
    for (Engine* engine : {static_cast<Engine*>(engines.direct.get()), static_cast<Engine*>(&engines.wave)}) {
      std::string message;
      try {
        engine->run({{0, 0, {fault}}}, [](size_t, const TrialOutputs&) { FAIL("it has an outcome"); });
      } catch (const UserError& error) {
        message = error.what();
      }
      for (const char* part : {"output:layer[1] user(broken)", "the table has no such row"})
        CHECK(message.find(part) != std::string::npos);
    }
  }
}

}  // namespace
}  // namespace faultwave::test
