// SPDX-License-Identifier: Apache-2.0
#include <sstream>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/report.h"

#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

/// The sample campaign with its first five trials: one of each kind.
Store five_trials(const std::string& path) {
  CampaignInfo info = sample_info();
  info.block = 5;
  Store store = sample_store(path, info);
  store.write_block(sample_result({0, 0, 5}), 0);
  return store;
}

TEST_CASE("CSV: one row a trial, quoted where needed, absent cells empty") {
  const TempFolder folder;
  std::ostringstream out;
  write_csv(five_trials(folder / "a.db"), out);
  CHECK(
      out.str() ==
      "trial,input,fault,kind,site,index,dtype,value_before,value_after,bits_before,bits_after,forwards,hits,"
      "outcome,crash,label,golden_class,golden_probability,faulty_class,faulty_probability,top1,nonfinite\n"
      "0,0,\"output:conv[1,2,0] "
      "flip(30)\",output,conv,\"[1,2,0]\",float32,0.5,-1.25,0x3f000000,0xbfa00000,1,1,"
      "masked,,,2,0.75,2,0.5,0,0\n"
      "1,1,\"output:fc, last[3] flip(15)\",output,\"fc, "
      "last\",[3],float16,0.5,-1.25,0x3f000000,0xbfa00000,1,1,"
      "benign,,,2,0.75,2,0.5,0,0\n"
      "2,2,\"output:conv[1,2,0] "
      "flip(30)\",output,conv,\"[1,2,0]\",float32,0.5,-1.25,0x3f000000,0xbfa00000,1,1,"
      "sdc,,,2,0.75,0,0.5,1,0\n"
      "3,0,\"output:fc, last[3] flip(15)\",output,\"fc, "
      "last\",[3],float16,0.5,nan,0x3f000000,0xffffffffffffffff,"
      "1,1,due,,,2,0.75,2,nan,1,1\n"
      "4,1,\"output:conv[1,2,0] flip(30)\",output,conv,,float32,,,,,1,0,crash,"
      "\"index \"\"9\"\", out of range\nin line 2\",,2,0.75,,,0,0\n");
}

TEST_CASE("JSON: the same cells, by name") {
  const TempFolder folder;
  std::ostringstream out;
  write_json(five_trials(folder / "a.db"), out);
  const nlohmann::json json = nlohmann::json::parse(out.str());
  CHECK(json["criteria"] == nlohmann::json({"top1", "nonfinite"}));
  REQUIRE(json["trials"].size() == 5);
  const nlohmann::json& nan_trial = json["trials"][3];
  CHECK(nan_trial["trial"] == 3);
  CHECK(nan_trial["index"] == "[3]");
  CHECK(nan_trial["value_before"] == 0.5);
  CHECK(nan_trial["value_after"] == "nan");
  CHECK(nan_trial["top1"] == 1);
  const nlohmann::json& crash = json["trials"][4];
  CHECK(crash["crash"] == "index \"9\", out of range\nin line 2");
  CHECK(crash["value_before"].is_null());
  CHECK(crash["faulty_class"].is_null());
}

TEST_CASE("a crash message that is no UTF-8 still makes valid JSON") {
  const TempFolder folder;
  CampaignInfo info = sample_info();
  info.trials = info.block = 1;
  Store store = sample_store(folder / "a.db", info);
  TrialRow row = sample_row(4);
  row.trial = 0;
  row.crash = "bad \xff byte";
  store.write_block({.block = {0, 0, 1}, .outcomes = {outcome_of(row)}, .rows = {row}, .golden_classes = {}},
                    0);
  std::ostringstream out;
  write_json(store, out);
  CHECK(nlohmann::json::accept(out.str()));
}

TEST_CASE("an export of no trials is a row of names") {
  const TempFolder folder;
  const Store store = Store::create(folder / "a.db", sample_info());
  std::ostringstream csv;
  write_csv(store, csv);
  const std::string text = csv.str();
  CHECK(std::count(text.begin(), text.end(), '\n') == 1);
  std::ostringstream json;
  write_json(store, json);
  CHECK(nlohmann::json::parse(json.str())["trials"].empty());
}

}  // namespace
}  // namespace faultwave
