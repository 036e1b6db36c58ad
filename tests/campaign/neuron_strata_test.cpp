// SPDX-License-Identifier: Apache-2.0
// Stratified campaigns whose strata go by neurons, against the truth by enumeration.
#include <cmath>
#include <filesystem>
#include <map>

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "src/store/database.h"
#include "tests/campaign/fake_engine.h"
#include "tests/campaign/small_campaigns.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

constexpr int64_t kInputs = 7;

/// Even inputs have level 0, odd ones level 1.
int level_of(int64_t input) {
  return static_cast<int>(input % 2);
}

/// "conv" has negative values (class 4) at every third element, shifted by the input, and small positive ones
/// (class 1) else; "fc" has large values (class 3).
uint8_t class_of_neuron(const std::string& site, int64_t element, int64_t input) {
  if (site == "fc") return 3;
  return (element + input) % 3 == 0 ? 4 : 1;
}

std::shared_ptr<const NeuronClasses> classes() {
  const std::vector<Site> sites = fake_sites();
  const auto made = std::make_shared<NeuronClasses>(std::vector<int64_t>{sites[0].numel(), sites[1].numel()});
  for (const int64_t input : {0, 2, 4, 6, 1, 3, 5}) {
    std::vector<NeuronClasses::Packed> packed;
    for (const Site& site : sites) {
      std::vector<uint8_t> values;
      for (int64_t element = 0; element < site.numel(); ++element)
        values.push_back(class_of_neuron(site.name, element, input));
      packed.push_back(NeuronClasses::pack(values));
    }
    made->add_input(input, level_of(input), std::move(packed));
  }
  return made;
}

/// Flips of bit 30 harm where the value in "conv" is not negative, those of bit 24 in "fc" on odd inputs, but
/// of these each for itself: at even elements.
bool is_sdc(const std::string& site, int64_t element, int64_t choice, int64_t input) {
  if (site == "fc") return choice == 24 && level_of(input) == 1 && element % 2 == 0;
  return choice == 30 && class_of_neuron(site, element, input) == 1;
}

class NeuronEngine : public Engine {
 public:
  void run(const std::vector<Trial>& trials, const TrialSink& sink) override {
    static const at::Tensor golden = at::tensor({4.0, 0.0});
    static const at::Tensor changed = at::tensor({4.0, 8.0});
    for (size_t i = 0; i < trials.size(); ++i) {
      TrialOutputs outputs;
      outputs.golden = {golden};
      outputs.faulty = {hits(trials[i].faults[0], trials[i].input) ? changed : golden};
      sink(i, outputs);
    }
  }

 private:
  static bool hits(const Fault& fault, int64_t input) {
    const auto& axes = fault.location.boxes[0].axes;
    const int64_t element =
        fault.site == "fc" ? axes[0].begin : (axes[0].begin * 3 + axes[1].begin) * 4 + axes[2].begin;
    const std::string text = fault.model->text();  // flip(24)
    return is_sdc(fault.site, element, std::stoll(text.substr(5)), input);
  }
};

/// The rate over all faults for which `within` holds.
template <typename Within>
double truth(Within within) {
  double places = 0;
  double events = 0;
  for (int64_t input = 0; input < kInputs; ++input) {
    for (const Site& site : fake_sites()) {
      for (int64_t element = 0; element < site.numel(); ++element) {
        for (int64_t choice = 0; choice < 32; ++choice) {
          if (!within(site.name, element, choice, input)) continue;
          ++places;
          events += is_sdc(site.name, element, choice, input) ? 1 : 0;
        }
      }
    }
  }
  return events / places;
}

double truth_of_all() {
  return truth([](const std::string&, int64_t, int64_t, int64_t) { return true; });
}

Specification specification(int64_t trials, uint64_t seed = 1) {
  return small_blocks(DrawRule::stratified, trials, seed);
}

Campaign campaign_of(const Specification& spec, bool by_neurons = true) {
  return fake_campaign(std::make_shared<NeuronEngine>(), spec, by_neurons ? classes() : nullptr);
}

Store run(const TempFolder& folder, const Specification& spec, bool by_neurons = true) {
  static int number = 0;
  const Campaign campaign = campaign_of(spec, by_neurons);
  Store store = Store::create(folder / (std::to_string(number++) + ".db"), campaign.info(spec, ""));
  REQUIRE(campaign.run(store, never, {}));
  return store;
}

TEST_CASE("strata by neuron estimate the mean over bits, and cover it") {
  const TempFolder folder;
  constexpr int kCampaigns = 60;
  double sum = 0;
  double squares = 0;
  int covered = 0;
  for (int seed = 1; seed <= kCampaigns; ++seed) {
    const Store store = run(folder, specification(1024, static_cast<uint64_t>(seed)));
    const Interval rate = summarize(store).overall.rates[0];
    sum += rate.estimate;
    squares += rate.estimate * rate.estimate;
    covered += rate.low <= truth_of_all() && truth_of_all() <= rate.high;
  }
  const double mean = sum / kCampaigns;
  const double error = std::sqrt((squares / kCampaigns - mean * mean) / kCampaigns);
  CAPTURE(mean);
  CHECK(std::abs(mean - truth_of_all()) < 4 * error);
  CHECK(error < truth_of_all() / 4);  // otherwise the check above says nothing
  CHECK(covered >= kCampaigns - 3);
}

TEST_CASE("strata by neuron give a part the weights that it has: layer, bit, feature map, input") {
  const TempFolder folder;
  const Store store = run(folder, specification(40'000));
  const auto holds = [](const RateGroup& group, double expected) {
    CAPTURE(group.name);
    CAPTURE(expected);
    CHECK(group.rates[0].low <= expected);
    CHECK(group.rates[0].high >= expected);
    CHECK(std::abs(group.rates[0].estimate - expected) < 0.1 * expected + 0.002);
  };
  const Summary by_layer = summarize(store, GroupBy::layer);
  holds(by_layer.overall, truth_of_all());
  for (size_t i = 0; i < 2; ++i) {
    const std::string name = fake_sites()[i].name;
    holds(by_layer.groups[i],
          truth([&](const std::string& site, int64_t, int64_t, int64_t) { return site == name; }));
  }
  const Summary by_bit = summarize(store, GroupBy::bit);
  for (const int64_t bit : {24, 30, 31}) {
    holds(by_bit.groups[static_cast<size_t>(bit)],
          truth([&](const std::string&, int64_t, int64_t choice, int64_t) { return choice == bit; }));
  }
  const Summary by_input = summarize(store, GroupBy::input);
  REQUIRE(by_input.groups.size() == kInputs);
  for (int64_t input = 0; input < kInputs; ++input) {
    holds(by_input.groups[static_cast<size_t>(input)],
          truth([&](const std::string&, int64_t, int64_t, int64_t at) { return at == input; }));
  }
  const Summary by_channel = summarize(store, GroupBy::channel);
  for (int64_t channel = 0; channel < 2; ++channel) {
    const auto within = [&](const std::string& site, int64_t element, int64_t, int64_t) {
      return site == "conv" && element / 12 == channel;
    };
    const RateGroup& group = by_channel.groups[static_cast<size_t>(channel)];
    CHECK(group.name == "output:conv[ch=" + std::to_string(channel) + "]");
    holds(group, truth(within));
  }
}

TEST_CASE("strata by neuron need fewer trials than those of layer and bit") {
  const TempFolder folder;
  Specification spec = specification(0);
  spec.stop.half_width = 0.0002;
  spec.block = 1024;
  spec.batch = 1024;
  const Summary by_neuron = summarize(run(folder, spec));
  const Summary by_bit = summarize(run(folder, spec, /*by_neurons=*/false));
  for (const Summary& summary : {by_neuron, by_bit}) {
    CHECK(summary.ended == "half width");
    CHECK(summary.overall.rates[0].low <= truth_of_all());
    CHECK(summary.overall.rates[0].high >= truth_of_all());
  }
  CHECK(by_neuron.overall.tally.trials * 3 < by_bit.overall.tally.trials * 2);
  check_contains(text_report(by_neuron), "of layer, class of bit, value and margin");
}

TEST_CASE("cancelled again and again, a campaign by neuron ends as an unbroken one, from its file alone") {
  const TempFolder folder;
  Specification spec = specification(2'000);
  spec.batch = 16;
  const Store unbroken = run(folder, spec);
  {
    const Campaign first = campaign_of(spec);
    Store::create(folder / "b.db", first.info(spec, ""));
  }
  int runs = 0;
  for (bool is_done = false; !is_done; ++runs) {
    Store store = Store::open(folder / "b.db", Store::Access::write);
    const Campaign again = fake_campaign(std::make_shared<NeuronEngine>(), spec, store.neuron_classes());
    std::atomic<bool> cancel{false};
    int calls = 0;
    is_done = again.run(store, when(cancel), [&](const Progress&) { cancel = ++calls > runs % 3; });
  }
  CHECK(runs > 10);
  CHECK(text_of(Store::open(folder / "b.db", Store::Access::read)) == text_of(unbroken));
}

TEST_CASE("blocks by neuron that ran elsewhere and out of order give the same campaign") {
  const Specification spec = specification(2'000);
  check_same_out_of_order(campaign_of(spec), spec);
}

TEST_CASE("classes of neurons come back from the file as they went in, and damage is seen") {
  const TempFolder folder;
  const Specification spec = specification(100);
  const std::string path = folder / "a.db";
  Store::create(path, campaign_of(spec).info(spec, ""));
  {
    const Store store = Store::open(path, Store::Access::read);
    const auto made = classes();
    const auto read = store.neuron_classes();
    REQUIRE(read != nullptr);
    REQUIRE(read->inputs() == kInputs);
    for (int64_t position = 0; position < kInputs; ++position) {
      CHECK(read->number(position) == made->number(position));
      CHECK(read->level(position) == made->level(position));
      for (const size_t site : {size_t{0}, size_t{1}})
        CHECK(read->packed(position, site) == made->packed(position, site));
    }
    const Campaign without = campaign_of(spec, /*by_neurons=*/false);
    CHECK(Store::create(folder / "n.db", without.info(spec, "")).neuron_classes() == nullptr);
  }
  const auto after = [&](const char* sql) {
    std::filesystem::remove(folder / "c.db");
    std::filesystem::copy_file(path, folder / "c.db");
    Database(folder / "c.db", Database::Mode::write).execute(sql);
    return error_of(ErrorCode::store,
                    [&] { Store::open(folder / "c.db", Store::Access::read).neuron_classes(); });
  };
  check_contains(after("DELETE FROM neuron_classes WHERE position = 2 AND site = 1"), "do not fit its sites");
  check_contains(after("UPDATE neuron_classes SET classes = zeroblob(12) WHERE position = 2 AND site = 0"),
                 "do not fit its strata");
}

}  // namespace
}  // namespace faultwave
