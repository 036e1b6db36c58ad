// SPDX-License-Identifier: Apache-2.0
// A host program may have set a locale. What is written to files, and read from them, does not depend on it.
#include <iomanip>
#include <sstream>
#include <string>

#include <doctest/doctest.h>

#include "faultwave/campaign.h"
#include "faultwave/report.h"

#include "src/common/numbers.h"
#include "tests/support/german_locale.h"
#include "tests/support/sample_campaign.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

/// All that a campaign writes: database, exports, reports, its specification.
std::string written() {
  const TempFolder folder;
  CampaignInfo info = sample_info();
  info.confidence = 0.98999;
  {
    Store store = sample_store(folder / "a.db", info);
    store.write_block(sample_result({0, 0, 4}), 0);
    store.write_block(sample_result({1, 4, 4}), 0);
  }
  const Store store = Store::open(folder / "a.db", Store::Access::read);
  CHECK(store.info().confidence == 0.98999);
  std::ostringstream text;
  write_csv(store, text);
  write_json(store, text);
  const Summary summary = summarize(store);
  return text.str() + text_report(summary) + json_report(summary) + to_string(info.specification);
}

TEST_CASE("files and reports are the same in any locale") {
  const std::string expected = written();
  CHECK(expected.find("98.99") != std::string::npos);
  const GermanLocale german;
  std::ostringstream of_the_locale;
  of_the_locale << std::setprecision(6) << 1234.5;
  REQUIRE(of_the_locale.str() == "1.234,5");
  CHECK(written() == expected);
}

TEST_CASE("numbers have so many digits or decimals, in any locale") {
  const GermanLocale german;
  CHECK(format_fixed(4.2, 2) == "4.20");
  CHECK(format_fixed(-1234567.891, 1) == "-1234567.9");
  CHECK(format_fixed(1e300, 0).size() == 301);
  CHECK(format_digits(0.01234, 3) == "0.0123");
  CHECK(format_digits(4.5e-7, 3) == "4.5e-07");
  CHECK(format_number(0.98999) == "0.98999");
  CHECK(parse_number("0.98999") == 0.98999);
  CHECK_FALSE(parse_number("0,98999"));
}

}  // namespace
}  // namespace faultwave
