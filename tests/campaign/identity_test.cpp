// SPDX-License-Identifier: Apache-2.0
// Whether a database belongs to the campaign at hand.
#include <functional>

#include <doctest/doctest.h>

#include "src/store/database.h"
#include "tests/campaign/fake_engine.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

CampaignInfo fake_info() {
  return fake_campaign(std::make_shared<FakeEngine>()).info(fake_specification(), "");
}

/// The refusal of a campaign changed by `change`.
std::string refusal(const std::function<void(CampaignInfo&)>& change) {
  CampaignInfo now = fake_info();
  change(now);
  return error_of(ErrorCode::mismatch, [&] { check_same_campaign(fake_info(), now, "a.db"); });
}

TEST_CASE("the same campaign passes, wherever its file lies") {
  CampaignInfo now = fake_info();
  now.specification_path = "/elsewhere/spec.toml";
  CHECK_NOTHROW(check_same_campaign(fake_info(), now, "a.db"));
}

TEST_CASE("whatever differs is named") {
  check_contains(refusal([](CampaignInfo& now) { now.program_version = "9.9"; }),
                 "another version of Faultwave");
  check_contains(refusal([](CampaignInfo& now) { now.torch_version = "9.9"; }),
                 "another version of libtorch");
  check_contains(refusal([](CampaignInfo& now) { now.model_fingerprint = "m1"; }),
                 "the network 'fake.pt2' changed");
  check_contains(refusal([](CampaignInfo& now) { now.inputs_fingerprint = "i1"; }),
                 "the input 'fake.npy' changed");
  check_contains(refusal([](CampaignInfo& now) { now.labels_fingerprint = "l1"; }), "the labels changed");
  check_contains(refusal([](CampaignInfo& now) { now.sites.pop_back(); }),
                 "number of sites: 2 there and 1 here");
  check_contains(refusal([](CampaignInfo& now) { now.sites[1].shape = {7}; }), "other sites: number 1");
  check_contains(refusal([](CampaignInfo& now) { now.list = {"output:fc[0] zero"}; }),
                 "the faults of list changed");
  check_contains(refusal([](CampaignInfo& now) { now.eligible_inputs = {1, 2}; }),
                 "right on other inputs (0 there and 2 here)");
  Specification other = fake_specification();
  other.seed = 6;
  check_contains(refusal([&](CampaignInfo& now) { now.specification = other; }),
                 "another campaign: seed is 5 there and 6 here");
}

TEST_CASE("the recorded specification is read back with its folder") {
  const TempFolder folder;
  const Specification spec = fake_specification();
  write_file(folder / "spec.toml", to_string(spec));
  const Campaign campaign = fake_campaign(std::make_shared<FakeEngine>());
  const Store store = Store::create(folder / "a.db", campaign.info(spec, folder / "spec.toml"));
  const Specification recorded = recorded_specification(store);
  CHECK(to_string(recorded) == to_string(spec));
  CHECK(recorded.resolve("x") == folder / "x");

  SUBCASE("a comment in the file changes nothing") {
    write_file(folder / "spec.toml", "# a comment\n" + to_string(spec));
    CHECK_NOTHROW(recorded_specification(store));
  }
  SUBCASE("a changed file is refused with what changed") {
    Specification changed = spec;
    changed.trials = 60;
    write_file(folder / "spec.toml", to_string(changed));
    check_contains(error_of(ErrorCode::mismatch, [&] { recorded_specification(store); }),
                   "trials is 50 there and 60 here");
  }
  SUBCASE("a file that is gone is not needed") {
    std::filesystem::remove(folder / "spec.toml");
    CHECK(to_string(recorded_specification(store)) == to_string(spec));
  }
  SUBCASE("a file that was moved is followed") {
    std::filesystem::create_directory(folder / "sub");
    std::filesystem::rename(folder / "spec.toml", folder / "sub/moved.toml");
    CHECK(recorded_specification(store, folder / "sub/moved.toml").resolve("x") == folder / "sub/x");
    check_contains(error_of(ErrorCode::bad_input, [&] { recorded_specification(store, folder / "no.toml"); }),
                   "cannot read");
  }
}

TEST_CASE("a new database is refused where there is one, with what it is") {
  const TempFolder folder;
  const Specification spec = fake_specification();
  const auto message = [&](const Specification& wanted) {
    return error_of(ErrorCode::store, [&] { check_new_database(folder / "a.db", wanted); });
  };
  CHECK_NOTHROW(check_new_database(folder / "a.db", spec));
  write_file(folder / "a.db", std::string(5000, 'x'));
  check_contains(message(spec), "is not an SQLite database");
  std::filesystem::remove(folder / "a.db");
  Store::create(folder / "a.db", fake_campaign(std::make_shared<FakeEngine>()).info(spec, ""));
  check_contains(message(spec),
                 "holds this campaign already (0 of 50 trials done): go on with `faultwave resume`");
  Specification other = spec;
  other.seed = 6;
  check_contains(message(other),
                 "belongs to another campaign (seed is 5 there and 6 here): choose another name");
}

}  // namespace
}  // namespace faultwave
