// SPDX-License-Identifier: Apache-2.0
// Databases whose error model this process does not know.
#include "src/campaign/recorded_extensions.h"

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/random.h"

#include "tests/support/expect_error.h"
#include "tests/support/sample_campaign.h"

namespace faultwave {
namespace {

/// A model that no text names. It chooses among three changes of FP32 values and two of others, or, where it
/// keeps its choices to itself, among all there are.
class Foreign final : public ErrorModel {
 public:
  Foreign(int number, bool is_drawn, bool lists_choices)
      : number_(number), is_drawn_(is_drawn), lists_choices_(lists_choices) {}

  std::string text() const override {
    return number_ < 0 ? "foreign.model" : "foreign.model(" + std::to_string(number_) + ")";
  }
  bool is_drawn() const override { return number_ < 0 || is_drawn_; }
  void check(const VictimContext&) const override {}
  std::vector<ErrorModelPtr> choices(const VictimContext& context) const override {
    std::vector<ErrorModelPtr> models;
    for (int i = 0; lists_choices_ && number_ < 0 && i < (context.dtype == at::kFloat ? 3 : 2); ++i)
      models.push_back(std::make_shared<Foreign>(i, is_drawn_, true));
    return models;
  }
  ErrorModelPtr resolve(const VictimContext&, Draw& draw) const override {
    if (number_ >= 0) return nullptr;
    return std::make_shared<Foreign>(static_cast<int>(draw.below(1000)), is_drawn_, lists_choices_);
  }
  void apply(at::Tensor&, const VictimContext&, Draw&) const override {}
  std::optional<BitChange> bit_change() const override {
    if (number_ < 0) return std::nullopt;
    return BitChange{BitChange::Kind::flip, number_, ""};
  }

 private:
  int number_;
  bool is_drawn_;
  bool lists_choices_;
};

std::vector<Site> sites_of(const CampaignInfo& info) {
  std::vector<Site> sites;
  for (const StoredSite& stored : info.sites) {
    Site site;
    site.kind = stored.kind;
    site.name = stored.name;
    site.op = stored.op;
    site.dtype = stored.dtype == "float32" ? at::kFloat : at::kHalf;
    site.shape = stored.shape;
    site.channel_axis = stored.channel_axis;
    sites.push_back(site);
  }
  return sites;
}

/// A campaign as it ran, and what its database says of it.
struct Recorded {
  explicit Recorded(ErrorModelPtr model)
      : info(sample_info()),
        sampler(Population(sites_of(info), DrawRule::layers, model),
                SamplingOptions{.rule = DrawRule::layers, .seed = 7, .inputs = 3}) {
    info.error = model->text();
    info.choices = sampler.population().choice_texts();
    info.extensions = describe_extensions(sampler, {});
  }
  CampaignInfo info;
  Sampler sampler;
};

TEST_CASE("what a campaign with built-in models records is nothing") {
  for (const char* text : {"flip", "flip(int8:3)", "flip(fixed8.4)", "random(-1,1)"})
    CHECK(Recorded(parse_error_model(text)).info.extensions.empty());
}

TEST_CASE("a model that is not known draws as it did") {
  for (const bool is_drawn : {false, true}) {
    const Recorded recorded(std::make_shared<Foreign>(-1, is_drawn, true));
    const Sampler sampler = recorded_sampler(recorded.info);
    CHECK(missing_extension(recorded.info).empty());
    for (int64_t trial = 0; trial < 100; ++trial) {
      CHECK(to_string(sampler.draw(trial, {}).trial.faults) ==
            to_string(recorded.sampler.draw(trial, {}).trial.faults));
    }
    const auto changes = recorded_bit_changes(recorded.info);
    REQUIRE(changes.size() == 3);
    CHECK(changes[2] == BitChange{BitChange::Kind::flip, 2, ""});
  }
}

TEST_CASE("a model that draws what it does not list is said to be missing") {
  const Recorded recorded(std::make_shared<Foreign>(-1, false, false));
  const Sampler sampler = recorded_sampler(recorded.info);
  CHECK(missing_extension(recorded.info) ==
        "the faults of trials without a row are left out: what foreign.model draws is known only to the "
        "program that "
        "made the database");
  for (int64_t trial = 0; trial < 100; ++trial) {
    const Sampler::Located there = recorded.sampler.locate(trial, {});
    const Sampler::Located here = sampler.locate(trial, {});
    CHECK(here.input == there.input);
    CHECK(here.place.site == there.place.site);
    CHECK(here.place.element == there.place.element);
  }
}

TEST_CASE("a model of a program in a database from before extensions were recorded") {
  CampaignInfo info = sample_info();
  info.error = "user(gone)";
  info.choices = {"user(gone)"};
  const Sampler sampler = recorded_sampler(info);
  const std::string line = to_string(sampler.draw(3, {}).trial.faults);
  check_contains(line, " user(gone)#");
}

TEST_CASE("plugins that are not there are named") {
  CampaignInfo info = sample_info();
  info.extensions =
      R"({"plugins":[{"name":"far","version":"2","file":"far.so","sha256":"0123456789abcdef"}]})";
  CHECK(error_of(ErrorCode::mismatch, [&] { check_plugins(info, "a.db"); }) ==
        "'a.db' was begun with the plugin far 2 (far.so), which is not loaded: pass it with --plugin");
  CampaignInfo plain = sample_info();
  check_plugins(plain, "a.db");
  check_same_extensions(plain, plain, "a.db");
  check_contains(error_of(ErrorCode::mismatch, [&] { check_same_extensions(info, plain, "a.db"); }),
                 "(far 2 (far.so) there and no plugin here)");
}

TEST_CASE("damaged records are refused") {
  const Recorded recorded(std::make_shared<Foreign>(-1, false, true));
  const auto refused = [&](const std::string& old_text, const std::string& new_text) {
    CampaignInfo info = recorded.info;
    const size_t where = info.extensions.find(old_text);
    REQUIRE(where != std::string::npos);
    info.extensions.replace(where, old_text.size(), new_text);
    check_contains(error_of(ErrorCode::store, [&] { recorded_sampler(info); }),
                   "what it says of extensions cannot be read");
  };
  refused("{", "");
  refused("\"plugins\"", "\"plugin\"");
  refused("\"float32\"", "\"float31\"");
  refused("\"float32\":3", "\"float32\":4000000000");
  refused("\"float32\":3", "\"float32\":-1");
  refused("\"is_drawn\":false", "\"is_drawn\":7");
  refused("\"kind\":\"flip\"", "\"kind\":\"flop\"");
  refused("[{\"kind\"", "[null,{\"kind\"");
}

}  // namespace
}  // namespace faultwave
