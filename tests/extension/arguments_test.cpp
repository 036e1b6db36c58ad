// SPDX-License-Identifier: Apache-2.0
// Arguments of extensions: how they are read, refused and printed.
#include <doctest/doctest.h>

#include "faultwave/extension.h"

#include "src/fault/parameters.h"
#include "src/fault/scanner.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

using Type = Parameter::Type;

const std::vector<Parameter> parameters = {
    {.name = "bit", .type = Type::integer, .lowest = 0, .highest = 7},
    {.name = "share", .lowest = 0, .otherwise = "0.5"},
    {.name = "level", .type = Type::word, .words = {"low", "middle", "high"}, .otherwise = "low"},
    {.name = "note", .type = Type::word, .otherwise = ""}};

Arguments read(const std::string& text) {
  Scanner scanner(text, "error model");
  const auto name = scanner.take_while(is_letter);
  return read_arguments(ArgumentTexts(name, scanner), parameters);
}

std::string refusal(const std::string& text) {
  try {
    read(text);
  } catch (const ArgumentError& error) {
    return error.what();
  }
  return "";
}

TEST_CASE("arguments by place and by name, and what is left out") {
  const Arguments all = read("x(3, 0.25, high, hello-1)");
  CHECK(all.integer("bit") == 3);
  CHECK(all.number("share") == 0.25);
  CHECK(all.word("level") == "high");
  CHECK(all.word("note") == "hello-1");
  const Arguments some = read("x(level=middle, bit=7)");
  CHECK(some.integer("bit") == 7);
  CHECK(some.number("share") == 0.5);
  CHECK(some.word("level") == "middle");
  CHECK_FALSE(some.has("note"));
}

TEST_CASE("one text for the same arguments, which reads back") {
  const std::vector<std::pair<const char*, const char*>> texts = {
      {"x(3)", "x(3)"},
      {"x(bit=3)", "x(3)"},
      {"x(3,0.50,low)", "x(3)"},
      {"x(3, 2.5e-1)", "x(3,0.25)"},
      {"x(3,0.5,high)", "x(3,level=high)"},
      {"x(note=a,bit=3)", "x(3,note=a)"},
      {"x(3,1,high,a)", "x(3,1,high,a)"},
  };
  for (const auto& [written, printed] : texts) {
    CAPTURE(written);
    CHECK(read(written).text() == printed);
    CHECK(read(printed).text() == printed);
  }
  CHECK(read("x(3)").with("bit", int64_t{5}).text() == "x(5)");
  CHECK(read("x(3,level=high)").with("level", std::string("low")).text() == "x(3)");
}

TEST_CASE("wrong arguments are refused with their name and what was expected") {
  CHECK(refusal("x(8)") == "expected a whole number from 0 to 7 for bit but found '8' in x");
  CHECK(refusal("x(1.5)") == "expected a whole number from 0 to 7 for bit but found '1.5' in x");
  CHECK(refusal("x(1,-1)") == "expected a number of at least 0 for share but found '-1' in x");
  CHECK(refusal("x(1,nan)") == "expected a number of at least 0 for share but found 'nan' in x");
  CHECK(refusal("x(1,level=up)") == "expected low, middle or high for level but found 'up' in x");
  CHECK(refusal("x") == "x expects x(bit[,share][,level][,note]) but got 0 arguments");
  CHECK(refusal("x(share=1)") == "x expects x(bit[,share][,level][,note]) but got 0 arguments");
  CHECK(refusal("x(1,2,low,a,b)") == "x expects x(bit[,share][,level][,note]) but got 5 arguments");
  CHECK(refusal("x(1,bits=2)") == "x has no argument 'bits=': expected x(bit[,share][,level][,note])");
  CHECK(refusal("x(1,bit=2)") == "bit of x is given twice");
}

TEST_CASE("what the author of an extension asks for and has not declared") {
  const Arguments arguments = read("x(1)");
  for (const char* name : {"bits", ""})
    check_contains(error_of(ErrorCode::usage, [&] { arguments.has(name); }), "none of its parameters");
  check_contains(error_of(ErrorCode::usage, [&] { arguments.number("bit"); }),
                 "x was asked for bit as a number");
  check_contains(error_of(ErrorCode::usage, [&] { arguments.word("note"); }), "which it is not");
}

TEST_CASE("parameters that make no sense cannot be registered") {
  const auto refused = [](std::vector<Parameter> senseless) {
    return error_of(ErrorCode::usage, [&] {
      extensions().add(ErrorModelType{.name = "test.senseless",
                                      .parameters = std::move(senseless),
                                      .make = [](const Arguments&) { return zero(); }});
    });
  };
  check_contains(refused({{.name = "2nd"}}),
                 "the error model 'test.senseless' has parameters that make no sense: '2nd'");
  check_contains(refused({{.name = "a"}, {.name = "a"}}), "there are two of the name a");
  check_contains(refused({{.name = "a", .lowest = 2, .highest = 1}}), "the range of a is empty");
  check_contains(refused({{.name = "a", .highest = 1, .otherwise = "2"}}),
                 "expected a number of at most 1 for a, and left out it is '2'");
  check_contains(refused({{.name = "a", .otherwise = ""}, {.name = "b"}}),
                 "b stands behind one that can be left out");
  check_contains(refused({{.name = "a", .type = Type::word, .words = {"b c"}}}),
                 "a word of a cannot be written");
}

}  // namespace
}  // namespace faultwave
