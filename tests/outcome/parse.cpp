// SPDX-License-Identifier: Apache-2.0
#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

TEST_CASE("criteria print as they are written") {
  for (const char* text :
       {"top1", "top5", "confidence(0.2)", "confidence(0)", "confidence(0.05)", "nonfinite"}) {
    CHECK(parse_criterion(text)->text() == text);
  }
  CHECK(parse_criterion(" confidence ( 0.20 ) ")->text() == "confidence(0.2)");
  CHECK(parse_criterion("confidence(2e-1)")->text() == "confidence(0.2)");
}

TEST_CASE("names tell criteria apart") {
  CHECK(parse_criterion("top1")->name() == "top1");
  CHECK(parse_criterion("top5")->name() == "top5");
  CHECK(parse_criterion("nonfinite")->name() == "nonfinite");
  CHECK(parse_criterion("confidence(0.1)")->name() == "confidence");
  CHECK(parse_criterion("confidence(0.2)")->name() == "confidence");
  CHECK(criterion_names() == std::vector<std::string>{"top1", "top5", "confidence", "nonfinite"});
}

TEST_CASE("an unknown criterion is answered with the choices") {
  const std::string message = message_of(ErrorCode::usage, [] { parse_criterion("top2"); });
  CHECK(contains(message, "'top2'"));
  CHECK(contains(message, "top1, top5, confidence(x), nonfinite"));
  CHECK(contains(message, "did you mean top1"));
  CHECK_THROWS_AS(parse_criterion(""), UserError);
  CHECK_THROWS_AS(parse_criterion("(0.2)"), UserError);
}

TEST_CASE("wrong arguments are answered with the form") {
  for (const char* text : {"top1(3)", "top1()", "nonfinite(1)", "top5(", "top5)"}) {
    CHECK(contains(message_of(ErrorCode::usage, [&] { parse_criterion(text); }), text));
  }
  for (const char* text : {"confidence", "confidence()", "confidence(x)", "confidence(0.1,0.2)",
                           "confidence(0.1", "confidence 0.1)", "confidence(0.1)x"}) {
    CAPTURE(text);
    CHECK(contains(message_of(ErrorCode::usage, [&] { parse_criterion(text); }), "confidence(x)"));
  }
  for (const char* text : {"confidence(1)", "confidence(-0.1)", "confidence(20)", "confidence(nan)"}) {
    CAPTURE(text);
    CHECK(contains(message_of(ErrorCode::usage, [&] { parse_criterion(text); }), "from 0 to below 1"));
  }
}

}  // namespace
}  // namespace faultwave
