// SPDX-License-Identifier: Apache-2.0
#include "tests/outcome/outcome_test.h"

namespace faultwave {
namespace {

TEST_CASE("criteria print as they are written") {
  for (const char* text : {"top1",
                           "top5",
                           "topk(5)",
                           "topk(100000)",
                           "label_topk(1)",
                           "ranking(3)",
                           "confidence(0.2)",
                           "confidence(0)",
                           "confidence(0.05)",
                           "drop(0.1)",
                           "differs(0.001)",
                           "differs(1e+20)",
                           "differs_relative(0)",
                           "nonfinite",
                           "boxes_lost(0.5)",
                           "boxes_lost(0.5,0.3)",
                           "boxes_phantom(1)",
                           "boxes_class(0.75,0)",
                           "boxes_moved(0.9,1)",
                           "map(0.95)",
                           "map(0.5,0.25)"}) {
    CAPTURE(text);
    CHECK(parse_criterion(text)->text() == text);
  }
  CHECK(parse_criterion(" confidence ( 0.20 ) ")->text() == "confidence(0.2)");
  CHECK(parse_criterion("confidence(2e-1)")->text() == "confidence(0.2)");
  CHECK(parse_criterion("topk(1e1)")->text() == "topk(10)");
  CHECK(parse_criterion("boxes_lost( 0.7 , 0.5 )")->text() == "boxes_lost(0.7)");  // 0.5 is the usual score
}

TEST_CASE("names tell criteria apart") {
  CHECK(parse_criterion("top1")->name() == "top1");
  CHECK(parse_criterion("top5")->name() == "top5");
  CHECK(parse_criterion("nonfinite")->name() == "nonfinite");
  CHECK(parse_criterion("confidence(0.1)")->name() == "confidence");
  CHECK(parse_criterion("confidence(0.2)")->name() == "confidence");
  CHECK(parse_criterion("boxes_lost(0.5,0.3)")->name() == "boxes_lost");
  const std::vector<std::string> names = criterion_names();
  CHECK(names.size() == 15);
  for (const std::string& name : names) {
    CAPTURE(name);
    // With one number, with none, or with a whole one, each name gives the criterion of that name.
    const std::string text = name == "top1" || name == "top5" || name == "nonfinite"       ? name
                             : name == "topk" || name == "label_topk" || name == "ranking" ? name + "(2)"
                                                                                           : name + "(0.5)";
    CHECK(parse_criterion(text)->name() == name);
  }
}

TEST_CASE("an unknown criterion is answered with the choices") {
  const std::string message = message_of(ErrorCode::usage, [] { parse_criterion("top2"); });
  CHECK(contains(message, "'top2'"));
  CHECK(contains(message,
                 "top1, top5, topk(k), label_topk(k), ranking(k), confidence(x), drop(x), "
                 "differs(x), differs_relative(x), nonfinite, boxes_lost(iou[,score]), "
                 "boxes_phantom(iou[,score]), boxes_class(iou[,score]), boxes_moved(iou[,score]), "
                 "map(x[,score])"));
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

TEST_CASE("numbers out of range are answered with the range") {
  const auto refusal = [](const char* text) {
    return message_of(ErrorCode::usage, [&] { parse_criterion(text); });
  };
  for (const char* text : {"topk(0)", "topk(-1)", "topk(2.5)", "ranking(nan)", "label_topk(1e+10)"}) {
    CAPTURE(text);
    CHECK(refusal(text) ==
          "criterion " + std::string(text) + ": expected a number of classes from 1 up, such as 5");
  }
  CHECK(refusal("drop(1)") ==
        "criterion drop(1): expected a change of probability from 0 to below 1, such as 0.2");
  for (const char* text : {"differs(-1)", "differs(nan)", "differs_relative(inf)"}) {
    CAPTURE(text);
    CHECK(refusal(text) ==
          "criterion " + std::string(text) + ": expected a difference from 0 up, such as 0.001");
  }
  for (const char* text : {"boxes_lost(0)", "boxes_phantom(1.5)", "boxes_class(-0.5)", "boxes_moved(nan)"}) {
    CAPTURE(text);
    CHECK(refusal(text) ==
          "criterion " + std::string(text) + ": expected an IoU above 0 and at most 1, such as 0.5");
  }
  CHECK(refusal("map(0)") == "criterion map(0): expected a precision above 0 and at most 1, such as 0.5");
  CHECK(refusal("map(0.5,50)") ==
        "criterion map(0.5,50): expected a score from 0 to 1 as the second number, such as 0.5");
  CHECK(refusal("boxes_lost(0.5,nan)") ==
        "criterion boxes_lost(0.5,nan): expected a score from 0 to 1 as the second number, such as 0.5");
}

TEST_CASE("numbers that are missing or too many are answered with what they mean") {
  CHECK(message_of(ErrorCode::usage, [] { parse_criterion("topk"); }) ==
        "criterion 'topk': expected topk(k) with a number for k");
  for (const char* text : {"boxes_lost", "boxes_lost()", "boxes_lost(0.5,0.5,0.5)", "boxes_lost(0.5,)"}) {
    CAPTURE(text);
    CHECK(message_of(ErrorCode::usage, [&] { parse_criterion(text); }) ==
          "criterion '" + std::string(text) +
              "': expected boxes_lost(iou[,score]) with numbers for iou and if wanted score");
  }
  CHECK(contains(message_of(ErrorCode::usage, [] { parse_criterion("box_lost(0.5)"); }), "boxes_lost"));
}

}  // namespace
}  // namespace faultwave
