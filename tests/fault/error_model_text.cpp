// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support.h"

namespace faultwave {

namespace {

std::string parse_failure(const std::string& text) {
  return error_of(ErrorCode::usage, [&] { parse_error_model(text); });
}

}  // namespace

TEST_CASE("the text of every model parses back to it") {
  const std::vector<ErrorModelPtr> models = {random_value(-1, 1),
                                             random_value(0.1, 1e20),
                                             bit_flip(),
                                             bit_flip({0}),
                                             bit_flip({3, 30}),
                                             random_bit_flips(2),
                                             random_bit_flips(64),
                                             burst_flip(4),
                                             burst_flip(4, 20),
                                             int8_flip(),
                                             int8_flip(6),
                                             int8_flip(6, 0.05),
                                             int8_flip({}, 1e-12),
                                             stuck_at(0),
                                             stuck_at(1),
                                             stuck_at(0, 7),
                                             stuck_at(1, 63),
                                             zero(),
                                             constant(10000),
                                             constant(-0.0),
                                             constant(1.0 / 3),
                                             gaussian_noise(0.1),
                                             scale_by(2),
                                             scale_by(-1e-300),
                                             format_flip("fp16", 14),
                                             format_flip("bf16"),
                                             format_flip("fp8_e4m3"),
                                             format_flip("fp8_e5m2", 0),
                                             format_flip("fixed16.8", 3)};
  for (const ErrorModelPtr& model : models) {
    CAPTURE(model->text());
    const ErrorModelPtr parsed = parse_error_model(model->text());
    CHECK(parsed->text() == model->text());
    CHECK(parsed->is_drawn() == model->is_drawn());
    CHECK(parsed->gradient() == model->gradient());
  }
}

TEST_CASE("texts are read loosely and printed in one way") {
  CHECK(parse_error_model("  flip( 30 , 3 )  ")->text() == "flip(3,30)");
  CHECK(parse_error_model("random(-1.0, 1e0)")->text() == "random(-1,1)");
  CHECK(parse_error_model("burst(start = 20, 4)")->text() == "burst(4,start=20)");
  CHECK(parse_error_model("flip(any=1)")->text() == "flip");
  CHECK(parse_error_model("flip(int8, scale=0.50)")->text() == "flip(int8,scale=0.5)");
  CHECK(parse_error_model("flip(fixed08.4:1)")->text() == "flip(fixed8.4:1)");
  CHECK(parse_error_model("constant(-inf)")->text() == "constant(-inf)");
  CHECK(parse_error_model("constant(nan)")->text() == "constant(nan)");
}

TEST_CASE("an unknown model is refused with the nearest and the choices") {
  const std::string message = parse_failure("flp(3)");
  CHECK_HOLDS(message, "error model 'flp(3)': at column 1, unknown error model 'flp'; did you mean flip?");
  CHECK_HOLDS(message, "there are random, flip, burst, stuck0, stuck1, zero, constant, noise, scale, user");
  CHECK_HOLDS(parse_failure(""), "at column 1, expected an error model, such as flip(30) but found the end");
  CHECK_HOLDS(parse_failure("(3)"), "at column 1, expected an error model");
}

TEST_CASE("wrong arguments are refused with their column") {
  CHECK(parse_failure("random(0,x)") ==
        "error model 'random(0,x)': at column 10, expected a number for high but found 'x' in random");
  CHECK_HOLDS(parse_failure("random(1)"), "at column 7, random expects random(low,high) but got 1 argument");
  CHECK_HOLDS(parse_failure("random"), "random expects random(low,high) but got 0 arguments");
  CHECK_HOLDS(parse_failure("random(2,1)"),
              "at column 1, random(low,high) needs two finite numbers, low below high");
  CHECK_HOLDS(parse_failure("flip(3.5)"), "at column 6, expected a whole number but found '3.5' in flip");
  CHECK_HOLDS(parse_failure("flip(99999999999)"), "expected a whole number");
  CHECK_HOLDS(parse_failure("flip(3,3)"), "bit 3 of a flip is given twice");
  CHECK_HOLDS(parse_failure("flip(all=2)"),
              "at column 6, flip has no argument 'all=': expected flip, flip(bit, ...)");
  CHECK_HOLDS(parse_failure("flip(3,any=2)"), "flip expects flip, flip(bit, ...)");
  CHECK_HOLDS(parse_failure("flip(any=2,any=3)"), "at column 12, any= is given twice");
  CHECK_HOLDS(parse_failure("flip(int9:3)"), "unknown number format 'int9'");
  CHECK_HOLDS(parse_failure("flip(int8:)"),
              "expected a format and one of its bits, such as int8:6, but found 'int8:'");
  CHECK_HOLDS(parse_failure("flip(int8:3,4)"), "flip expects flip(format), flip(format:bit)");
  CHECK_HOLDS(parse_failure("flip(int8:3,scale=0)"), "must be finite and above 0, not 0");
  CHECK_HOLDS(parse_failure("burst(3,5)"),
              "burst expects burst(length) or burst(length,start=bit) but got 2");
  CHECK_HOLDS(parse_failure("stuck1(1,2)"), "stuck1 expects stuck1 or stuck1(bit) but got 2");
  CHECK_HOLDS(parse_failure("zero(0)"), "zero expects no arguments but got 1");
  CHECK_HOLDS(parse_failure("noise(-1)"), "needs a finite standard deviation");
  CHECK_HOLDS(parse_failure("constant(1e999)"), "expected a number for value but found '1e999'");
}

TEST_CASE("broken texts are refused with their column") {
  CHECK(parse_failure("flip(30") ==
        "error model 'flip(30': at column 8, expected ',' or ')' but found the end");
  CHECK_HOLDS(parse_failure("flip()"), "at column 6, expected an argument of flip but found ')'");
  CHECK_HOLDS(parse_failure("flip(3,)"), "at column 8, expected an argument of flip but found ')'");
  CHECK_HOLDS(parse_failure("flip(any=)"), "at column 10, expected a value after '='");
  CHECK_HOLDS(parse_failure("flip 30"), "at column 6, expected the end of the error model but found '30'");
}

TEST_CASE("every form in the help is one that parses, up to its placeholders") {
  const std::vector<ErrorModelHelp> help = error_model_help();
  CHECK(help.size() >= 10);
  for (const ErrorModelHelp& row : help) {
    CHECK_FALSE(row.summary.empty());
    const std::string name = row.form.substr(0, row.form.find('('));
    // A known name gets past "unknown error model", whatever its arguments.
    try {
      parse_error_model(name);
    } catch (const UserError& error) {
      CHECK_MESSAGE(std::string(error.what()).find("unknown error model") == std::string::npos, error.what());
    }
  }
}

}  // namespace faultwave
