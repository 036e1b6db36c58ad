// SPDX-License-Identifier: Apache-2.0
// Drawn faults in drawn networks: the wave engine hands over what real faulty runs give.
//
// Network k is that of key k. The environment may name others than the usual few:
//   FAULTWAVE_PROPERTY_KEY       the first key
//   FAULTWAVE_PROPERTY_NETWORKS  how many networks, one key after the other
//   FAULTWAVE_PROPERTY_TRIALS    how many trials of each
//   FAULTWAVE_PROPERTY_VALUES    numbers of values that are outputs too, "3,4", to find where a difference
//   begins
#include <ATen/Context.h>

#include <cstdlib>
#include <exception>
#include <map>
#include <sstream>

#include <doctest/doctest.h>

#include "faultwave/direct_engine.h"
#include "faultwave/random.h"
#include "faultwave/wave_engine.h"

#include "tests/property/comparison.h"
#include "tests/property/drawn_network.h"
#include "tests/property/drawn_trials.h"

namespace faultwave::test {
namespace {

// Networks may blow up rounding themselves: two right answers then lie further apart than what is promised
// for the rest. How far, a few real runs tell whose values are each moved by one spacing, every other one
// without oneDNN, which adds in another order.
constexpr int kNoisyRuns = 6;
constexpr double kSpacings = 32;
// Products of such values, squares within a norm say, come close to what FP32 holds. There a sum overflows in
// one order of its terms and not in another.
constexpr double kNearOverflow = 0x1p60;

constexpr int64_t kInputs = 3;
constexpr int kShownTrials = 4;  // of a network

int64_t from_environment(const char* name, int64_t usual) {
  const char* text = std::getenv(name);
  return text == nullptr ? usual : std::atoll(text);
}

/// What all networks together came to.
struct Totals {
  int64_t networks = 0;
  int64_t trials = 0;
  int64_t disagreements = 0;
  int64_t decided_again = 0;
  int64_t ill_conditioned = 0;
  int64_t near_overflow = 0;
  double largest_rounding = 0;  // of the other trials
  WaveReport wave;

  void add(const WaveReport& report) {
    wave.forwards += report.forwards;
    wave.trials += report.trials;
    for (const auto& [reason, count] : report.left)
      wave.left[reason] += count;
    for (const auto& [op, calls] : report.generic)
      wave.generic[op] += calls;
    for (const auto& [op, seconds] : report.seconds)
      wave.seconds[op] += seconds;
  }

  std::string text() const {
    std::ostringstream text;
    text << networks << " networks, " << trials << " trials, " << disagreements << " disagreements\n"
         << wave.trials << " trials stayed in the wave, over " << wave.seconds.size() << " operators; "
         << decided_again << " would be decided again; largest rounding " << largest_rounding << "\n"
         << "apart, as real runs are: " << ill_conditioned
         << " in networks that blow up rounding themselves, " << near_overflow
         << " with values near overflow\n";
    for (const auto& [reason, count] : wave.left)
      text << "left: " << count << " " << reason << "\n";
    for (const auto& [op, calls] : wave.generic)
      text << "without a rule: " << calls << " calls of " << op << "\n";
    return text.str();
  }
};

/// One network, its inputs and both engines.
class Comparison {
 public:
  Comparison(uint64_t key, int trials, Totals& totals)
      : key_(key),
        totals_(totals),
        network_(drawn(key)),
        workload_(std::make_shared<Workload>(network_, inputs_from_tensor(draw_inputs(key)))),
        trials_(draw_trials(workload_->injector(), kInputs, trials, key)) {}

  void run() {
    const std::shared_ptr<DirectEngine> direct = direct_engine();
    WaveEngine wave(workload_, direct, draw_options());
    const auto expected = outputs_of(*direct);
    const auto found = outputs_of(wave);
    criteria_ = criteria_for(expected.begin()->second.golden);
    for (const auto& [index, outputs] : expected)
      compare(trials_[index], found.at(index), outputs);
    ++totals_.networks;
    totals_.trials += static_cast<int64_t>(trials_.size());
    totals_.add(wave.report());
  }

  std::string text() const { return "network of key " + std::to_string(key_) + "\n" + network_->text(); }

 private:
  static std::shared_ptr<DrawnNetwork> drawn(uint64_t key) {
    std::shared_ptr<DrawnNetwork> network = draw_network(key);
    const char* values = std::getenv("FAULTWAVE_PROPERTY_VALUES");
    std::istringstream list(values == nullptr ? "" : values);
    for (std::string number; std::getline(list, number, ',');)
      network->give_out({std::stoi(number)});
    return network;
  }

  at::Tensor draw_inputs(uint64_t key) const {
    std::vector<int64_t> shape = network_->input_shape();
    shape[0] = kInputs;
    at::Tensor inputs = at::empty(shape);
    Draw draw(key, 2);
    for (int64_t i = 0; i < inputs.numel(); ++i)
      inputs.mutable_data_ptr<float>()[i] = static_cast<float>(draw.normal());
    return inputs;
  }

  /// Waves of several sizes, some of them with too little memory.
  WaveOptions draw_options() const {
    Draw draw(key_, 3);
    const std::vector<int64_t> trials{5, 32, 1024, 1024};
    const std::vector<int64_t> budgets{0, 0, 0, 20000};
    return {
        .trials = trials[draw.below(4)], .budget_bytes = budgets[draw.below(4)], .fewest = 1, .inputs = 1};
  }

  std::shared_ptr<DirectEngine> direct_engine() const {
    return std::make_shared<DirectEngine>(workload_, DirectOptions{1});
  }

  std::map<size_t, TrialOutputs> outputs_of(Engine& engine) const {
    std::map<size_t, TrialOutputs> kept;
    engine.run(trials_, [&](size_t index, const TrialOutputs& outputs) {
      TrialOutputs& copy = kept.emplace(index, outputs).first->second;
      for (std::vector<at::Tensor>* list : {&copy.golden, &copy.faulty}) {
        for (at::Tensor& tensor : *list)
          tensor = tensor.clone();
      }
    });
    REQUIRE(kept.size() == trials_.size());
    return kept;
  }

  void compare(const Trial& trial, const TrialOutputs& wave, const TrialOutputs& direct) {
    Difference difference = difference_of(wave, direct);
    const bool is_again = is_decided_again(wave, criteria_);
    totals_.decided_again += is_again ? 1 : 0;
    const std::string found = outcome_text(wave, criteria_);
    const std::string expected = outcome_text(direct, criteria_);
    const bool has_other_outcome = !is_again && found != expected;
    // The best of scores that are equal but for rounding: a campaign takes it from a real run.
    if (difference.is_of_integers && is_again) difference.what.clear();
    const bool is_as_promised =
        difference.what.empty() && difference.rounding <= kWaveRounding && !has_other_outcome;
    if (is_as_promised) {
      totals_.largest_rounding = std::max(totals_.largest_rounding, difference.rounding);
      return;
    }
    const Instability instability = instability_of(trial, direct);
    if (instability.covers(difference)) {
      ++totals_.ill_conditioned;
      return;
    }
    if (instability.largest_value > kNearOverflow) {
      ++totals_.near_overflow;
      return;
    }
    if (has_other_outcome) difference.what += " (outcome " + found + " in place of " + expected + ")";
    show(trial, difference);
  }

  /// How real runs of one trial differ from each other.
  struct Instability {
    bool has_other_form = false;  // NaN or Inf elsewhere
    double rounding = 0;
    double largest_value = 0;  // of any finite value on the way

    bool covers(const Difference& found) const {
      return found.what.empty() ? found.rounding <= kSpacings * rounding : has_other_form;
    }
  };
  Instability instability_of(const Trial& trial, const TrialOutputs& direct) const {
    Instability instability;
    for (int i = 1; i <= kNoisyRuns; ++i) {
      network_->set_rounding_noise(static_cast<uint64_t>(i));
      at::globalContext().setUserEnabledMkldnn(i % 2 == 0);
      direct_engine()->run({trial}, [&](size_t, const TrialOutputs& noisy) {
        TrialOutputs outputs = noisy;
        outputs.receipts = direct.receipts;
        const Difference difference = difference_of(outputs, direct);
        instability.rounding = std::max(instability.rounding, difference.rounding);
        instability.has_other_form |= !difference.what.empty();
      });
      instability.largest_value = std::max(instability.largest_value, network_->largest_made());
    }
    at::globalContext().setUserEnabledMkldnn(true);
    network_->set_rounding_noise({});
    return instability;
  }

  void show(const Trial& trial, const Difference& difference) {
    ++totals_.disagreements;
    ++shown_;
    if (shown_ > kShownTrials) return;
    std::ostringstream text;
    if (shown_ == 1) text << this->text();
    text << "trial " << trial.number << " of input " << trial.input << ": " << to_string(trial.faults)
         << "\n  " << difference.what << " rounding " << difference.rounding;
    const std::string message = text.str();
    FAIL_CHECK(message);
  }

  uint64_t key_;
  Totals& totals_;
  std::shared_ptr<DrawnNetwork> network_;
  std::shared_ptr<Workload> workload_;
  std::vector<Trial> trials_;
  std::vector<CriterionPtr> criteria_;
  int shown_ = 0;
};

TEST_CASE("the wave engine agrees with real faulty runs of drawn networks") {
  const auto first = static_cast<uint64_t>(from_environment("FAULTWAVE_PROPERTY_KEY", 1));
  const int64_t networks = from_environment("FAULTWAVE_PROPERTY_NETWORKS", 16);
  const auto trials = static_cast<int>(from_environment("FAULTWAVE_PROPERTY_TRIALS", 40));
  Totals totals;
  for (uint64_t key = first; key < first + static_cast<uint64_t>(networks); ++key) {
    Comparison comparison(key, trials, totals);
    try {
      comparison.run();
    } catch (const std::exception& error) {
      ++totals.disagreements;
      const std::string message = comparison.text() + "threw " + error.what();
      FAIL_CHECK(message);
    }
  }
  const std::string summary = totals.text();
  MESSAGE(summary);
  CHECK(totals.wave.trials > totals.trials / 2);
}

TEST_CASE("a key draws the same network each time, and another key another one") {
  CHECK(draw_network(5)->text() == draw_network(5)->text());
  CHECK(draw_network(5)->text() != draw_network(6)->text());
  const auto a = draw_network(7)->parameters();
  const auto b = draw_network(7)->parameters();
  REQUIRE(a.size() == b.size());
  for (size_t i = 0; i < a.size(); ++i) {
    CHECK(a[i].name == b[i].name);
    CHECK(at::equal(a[i].tensor, b[i].tensor));
  }
}

}  // namespace
}  // namespace faultwave::test
