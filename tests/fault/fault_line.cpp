// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <algorithm>
#include <bit>
#include <cmath>

#include "faultwave/fault.h"
#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

namespace {

std::string line_failure(const std::string& line) {
  return error_of(ErrorCode::usage, [&] { parse_fault(line); });
}

Fault example() {
  Fault fault;
  fault.site = "features.3";
  fault.location = Location::element({17, 4, 9});
  fault.model = bit_flip({30});
  return fault;
}

// Drawn faults, for the property test below.

template <typename T>
const T& one_of(const std::vector<T>& choices, Draw& draw) {
  return choices[draw.below(choices.size())];
}

int64_t drawn_index(Draw& draw) {
  return static_cast<int64_t>(draw.below(4) == 0 ? draw.bits64() : draw.below(100)) - 2;
}

double drawn_number(Draw& draw) {
  const auto any = std::bit_cast<double>(draw.bits64());
  return draw.below(2) == 0 || std::isnan(any) ? draw.uniform() * 100 - 50 : any;
}

std::string drawn_site(Draw& draw) {
  static const std::vector<std::string> pieces = {
      "layer1", ".0", "/add", "#2", ":1", " ", "\"", "\\", "[", "]",    "@",    ";", "(x)",      "é", "層",
      "\n",     "\t", "=",    ",",  "*",  "?", "-",  "%",  "'", "\x01", "\x7f", "|", "<lambda>", "x"};
  std::string name;
  const uint64_t length = draw.below(7);
  for (uint64_t i = 0; i < length; ++i)
    name += one_of(pieces, draw);
  return name;
}

AxisPart drawn_part(Draw& draw) {
  switch (draw.below(4)) {
    case 0:
      return {AxisPart::Kind::index, drawn_index(draw), 0};
    case 1:
      return {AxisPart::Kind::range, drawn_index(draw), drawn_index(draw)};
    case 2:
      return {AxisPart::Kind::drawn, 0, 0};
    default:
      return {};
  }
}

Location drawn_location(Draw& draw) {
  Location location;
  location.kind = static_cast<Location::Kind>(draw.below(4));
  if (location.kind == Location::Kind::channel && draw.below(2) == 0) location.channel = drawn_index(draw);
  if (location.kind != Location::Kind::boxes) return location;
  const uint64_t rank = draw.below(5);
  location.boxes.resize(rank == 0 ? 1 : 1 + draw.below(3));
  for (Box& box : location.boxes) {
    for (uint64_t axis = 0; axis < rank; ++axis)
      box.axes.push_back(drawn_part(draw));
  }
  return location;
}

ErrorModelPtr drawn_model(Draw& draw) {
  static const std::vector<std::string> formats = {"fp16",     "bf16",     "fp8_e4m3",
                                                   "fp8_e5m2", "fixed8.4", "fixed32.31"};
  const double number = drawn_number(draw);
  const double magnitude = std::fabs(number) + 1e-300;
  const int bit = static_cast<int>(draw.below(70)) - 3;
  std::optional<int> some_bit;
  if (draw.below(2) == 0) some_bit = bit;
  switch (draw.below(14)) {
    case 0:
      return random_value(number / 4, number / 4 + magnitude / 4);
    case 1:
      return bit_flip();
    case 2:
      return bit_flip({bit, bit + 1, bit - 5});
    case 3:
      return random_bit_flips(1 + static_cast<int>(draw.below(64)));
    case 4:
      return burst_flip(1 + static_cast<int>(draw.below(64)), some_bit);
    case 5:
      return int8_flip(some_bit);
    case 6:
      return int8_flip(some_bit, std::min(magnitude, 1e300));
    case 7:
      return format_flip(one_of(formats, draw), some_bit);
    case 8:
      return stuck_at(static_cast<int>(draw.below(2)), some_bit);
    case 9:
      return zero();
    case 10:
      return constant(one_of<double>({number, INFINITY, -INFINITY, NAN, -0.0}, draw));
    case 11:
      return gaussian_noise(std::isfinite(magnitude) ? magnitude : 1.0);
    case 12:
      return scale_by(std::isfinite(number) ? number : 2.0);
    default:
      return parse_error_model("user(drawn.fault-line_2)");
  }
}

ForwardRange drawn_forwards(Draw& draw) {
  const auto begin = static_cast<int64_t>(draw.below(2) == 0 ? draw.bits64() >> 2 : draw.below(10));
  switch (draw.below(4)) {
    case 0:
      return {begin, begin + 1};
    case 1:
      return {begin, begin + 1 + static_cast<int64_t>(draw.below(100))};
    case 2:
      return {begin, ForwardRange::no_end};
    default:
      return {};
  }
}

Fault drawn_fault(Draw& draw) {
  Fault fault;
  fault.kind = static_cast<SiteKind>(draw.below(9));
  fault.site = drawn_site(draw);
  fault.location = drawn_location(draw);
  fault.batch.kind = static_cast<BatchPart::Kind>(draw.below(3));
  if (fault.batch.kind == BatchPart::Kind::one)
    fault.batch.element = static_cast<int64_t>(draw.bits64() >> 1);
  fault.model = drawn_model(draw);
  fault.forwards = drawn_forwards(draw);
  if (draw.below(2) == 0) fault.key = draw.below(2) == 0 ? draw.bits64() : draw.below(10);
  return fault;
}

}  // namespace

TEST_CASE("a message stays short, however long the line is") {
  const std::string message =
      error_of(ErrorCode::usage, [] { parse_fault("output:x[0] " + std::string(100'000, 'q')); });
  CHECK(message.size() < 2000);
}

TEST_CASE("the examples of the documentation") {
  const Fault fault = parse_fault("output:features.3[17,4,9] flip(30)");
  CHECK(fault == example());
  CHECK(to_string(fault) == "output:features.3[17,4,9] flip(30)");

  const Fault drawn = parse_fault("output:layer2.0/add[5,3,3]@2 random(-1,1)#8841");
  CHECK(drawn.site == "layer2.0/add");
  CHECK(drawn.batch == BatchPart{BatchPart::Kind::one, 2});
  CHECK(drawn.model->text() == "random(-1,1)");
  CHECK(drawn.key == 8841);

  for (const char* line :
       {"weight:layer1.0.conv1[3,1,0,2] flip(int8:6)", "output:features.3[ch=17] zero",
        "output:layer2.0/add#2:1[*]@each noise(0.1)#18446744073709551615", "network-input:x[?] flip#0",
        "bias:fc[7] stuck1(31)", "output:lm_head[?] flip(30)%5#7", "weight:fc[*] zero%5:8",
        "buffer:\"a b\"[] constant(nan)", "input:\"\"[*] scale(2)"}) {
    CAPTURE(line);
    CHECK(to_string(parse_fault(line)) == line);
  }
}

TEST_CASE("every batch form, and the one that is left out in print") {
  CHECK(parse_fault("output:a[*] zero").batch == BatchPart{});
  CHECK(parse_fault("output:a[*]@* zero").batch == BatchPart{});
  CHECK(parse_fault("output:a[*]@each zero").batch == BatchPart{BatchPart::Kind::each, 0});
  CHECK(parse_fault("output:a[*]@0 zero").batch == BatchPart{BatchPart::Kind::one, 0});
  CHECK(to_string(parse_fault("output:a[*]@* zero")) == "output:a[*] zero");
}

TEST_CASE("every range of forwards, and the one that is left out in print") {
  const auto forwards = [](const std::string& text) {
    return parse_fault("output:a[*] zero" + text).forwards;
  };
  CHECK(forwards("") == ForwardRange{});
  CHECK(forwards("%0:") == ForwardRange{});
  CHECK(forwards("%5") == ForwardRange{5, 6});
  CHECK(forwards("%5:8") == ForwardRange{5, 8});
  CHECK(forwards("%5:") == ForwardRange{5, ForwardRange::no_end});
  CHECK(to_string(parse_fault("output:a[*] zero%0:")) == "output:a[*] zero");
  CHECK(to_string(parse_fault("output:a[*] zero%5:6")) == "output:a[*] zero%5");
  CHECK(to_string(parse_fault("output:a[*] zero % 5 : 8 # 7")) == "output:a[*] zero%5:8#7");
  CHECK(to_string(parse_faults("output:a[*] zero%5: ; output:b[*] zero")) ==
        "output:a[*] zero%5:; output:b[*] zero");

  const ForwardRange some{5, 7};
  CHECK_FALSE(some.holds(4));
  CHECK(some.holds(5));
  CHECK(some.holds(6));
  CHECK_FALSE(some.holds(7));
}

TEST_CASE("spaces are free around what separates") {
  CHECK(to_string(parse_fault("  output:a[ 1 , 2 ]@each   random( -1 , 1 ) # 7 ")) ==
        "output:a[1,2]@each random(-1,1)#7");
}

TEST_CASE("names that need quotes") {
  Fault fault = example();
  fault.site = "a \"b\"\\[c];@\n\x7f";
  CHECK(to_string(fault) == "output:\"a \\\"b\\\"\\\\[c];@\\x0a\\x7f\"[17,4,9] flip(30)");
  CHECK(parse_fault(to_string(fault)) == fault);
  // Quotes where none are needed are no part of the name.
  CHECK(parse_fault("output:\"fc\"[0] zero").site == "fc");
  CHECK(parse_fault("output:a\\b[0] zero").site == "a\\b");
}

TEST_CASE("several faults") {
  const std::vector<Fault> faults =
      parse_faults("output:a[0] zero;weight:\"b;c\"[1] flip(3) ; bias:d[*] flip#4");
  REQUIRE(faults.size() == 3);
  CHECK(faults[1].site == "b;c");
  CHECK(to_string(faults) == "output:a[0] zero; weight:\"b;c\"[1] flip(3); bias:d[*] flip#4");
  CHECK_UNARY(parse_faults(to_string(faults)) == faults);
  CHECK(to_string(std::vector<Fault>{}).empty());
}

TEST_CASE("faults are equal where every part is") {
  CHECK(example() == example());
  const auto differs = [](const std::function<void(Fault&)>& change) {
    Fault changed = example();
    change(changed);
    return !(changed == example());
  };
  CHECK(differs([](Fault& fault) { fault.kind = SiteKind::input; }));
  CHECK(differs([](Fault& fault) { fault.site = "features.4"; }));
  CHECK(differs([](Fault& fault) { fault.location = Location::all(); }));
  CHECK(differs([](Fault& fault) { fault.batch.kind = BatchPart::Kind::each; }));
  CHECK(differs([](Fault& fault) { fault.model = bit_flip({29}); }));
  CHECK(differs([](Fault& fault) { fault.model = nullptr; }));
  CHECK(differs([](Fault& fault) { fault.key = 0; }));
  CHECK(differs([](Fault& fault) { fault.forwards = {0, 1}; }));
}

TEST_CASE("a thousand drawn faults print and parse to the identity") {
  register_user_model("drawn.fault-line_2",
                      [](const at::Tensor& values, const VictimContext&, Draw&) { return values; });
  std::vector<Fault> faults;
  for (uint64_t number = 0; number < 1000; ++number) {
    Draw draw(2024, number);
    const Fault fault = drawn_fault(draw);
    const std::string line = to_string(fault);
    CAPTURE(line);
    const Fault parsed = parse_fault(line);
    CHECK(parsed == fault);
    CHECK(to_string(parsed) == line);
    CHECK(parsed.model->is_drawn() == fault.model->is_drawn());
    CHECK(line.find('\n') == std::string::npos);
    faults.push_back(fault);
  }
  CHECK_UNARY(parse_faults(to_string(faults)) == faults);
}

TEST_CASE("a line without a location is refused with what to write") {
  const std::string message = line_failure("output:features.3 flip(30)");
  CHECK_HOLDS(
      message,
      "fault line 'output:features.3 flip(30)': at column 18, expected a location in square brackets");
  CHECK_HOLDS(message, "[*] means everything");
  CHECK_HOLDS(line_failure("output:features.3"), "[*] means everything");
  CHECK_HOLDS(line_failure("output:a b[0] zero"), "a name with spaces");
}

TEST_CASE("broken lines are refused with line, column and what was expected") {
  CHECK(line_failure("output:a[1,2 flip") ==
        "fault line 'output:a[1,2 flip': at column 14, expected ',', '|' or ']' but found 'flip'");
  CHECK_HOLDS(line_failure(""),
              "at column 1, expected a kind of site, such as output: or weight: but found the end");
  CHECK_HOLDS(line_failure("outptu:a[0] zero"),
              "at column 1, unknown kind of site 'outptu': expected output, input");
  CHECK_HOLDS(line_failure("outptu:a[0] zero"), "did you mean output");
  CHECK_HOLDS(line_failure("features.3[0] zero"), "at column 9, expected ':' after the kind of site");
  CHECK_HOLDS(line_failure("output:[0] zero"), "at column 8, expected the name of a site but found '['");
  CHECK_HOLDS(line_failure("output:\"a[0] zero"),
              "expected the closing quote of the site's name but found the end");
  CHECK_HOLDS(line_failure("output:\"a\\q\"[0] zero"),
              "at column 11, expected one of \\\" \\\\ \\x but found 'q'");
  CHECK_HOLDS(line_failure("output:\"a\\x0G\"[0] zero"),
              "at column 13, expected a digit from 0 to 9 or a to f");
  CHECK_HOLDS(line_failure("output:a[0]@ zero"),
              "at column 13, expected a batch element (0 or more), '*' or 'each'");
  CHECK_HOLDS(line_failure("output:a[0]@-1 zero"), "at column 13, expected a batch element");
  CHECK_HOLDS(line_failure("output:a[0]@eac zero"), "expected a batch element");
  CHECK_HOLDS(line_failure("output:a[0]@99999999999999999999 zero"), "expected a batch element");
  CHECK_HOLDS(line_failure("output:a[0]"),
              "at column 12, expected '@' and a batch element, or a space and an error model");
  CHECK_HOLDS(line_failure("output:a[0]zero"), "at column 12, expected '@' and a batch element, or a space");
  CHECK_HOLDS(line_failure("output:a[0] "),
              "at column 13, expected an error model, such as flip(30) but found the end");
  CHECK_HOLDS(line_failure("output:a[0] flop(3)"),
              "at column 13, unknown error model 'flop'; did you mean flip?");
  CHECK_HOLDS(line_failure("output:a[0] random(2,1)"), "at column 13, random(low,high) needs");
  CHECK_HOLDS(line_failure("output:a[0] flip(1,x)"), "at column 20, expected a whole number but found 'x'");
  CHECK_HOLDS(line_failure("output:a[0] flip#"),
              "at column 18, expected a key from 0 to 18446744073709551615");
  CHECK_HOLDS(line_failure("output:a[0] flip#-1"), "at column 18, expected a key");
  CHECK_HOLDS(line_failure("output:a[0] flip#18446744073709551616"), "at column 18, expected a key");
  CHECK_HOLDS(line_failure("output:a[0] flip(3) x"),
              "at column 21, expected '%' and a forward, '#' and a key, or the end of the line");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%"),
              "at column 21, expected the number of a forward (0 or more) after '%', or a range such as 5:8");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%-1"), "at column 21, expected the number of a forward");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%:8"), "at column 21, expected the number of a forward");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%5:x"), "at column 23, expected '%' and a forward, '#'");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%8:5"),
              "at column 21, a range of forwards begin:end, its end not included, needs begin < end");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%5:5"), "needs begin < end");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%99999999999999999999"), "expected the number of a forward");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)%9223372036854775807"),
              "at column 21, there is no such forward");
  CHECK_HOLDS(line_failure("output:a[0] flip(3)#1%5"), "at column 22, expected");
  CHECK_HOLDS(line_failure("output:a[0] zero; output:b[0] zero"),
              "at column 17, expected one fault, but ';' begins another");
}

TEST_CASE("columns count characters, not bytes") {
  CHECK_HOLDS(line_failure("output:é層 zero"), "at column 10, expected a location");
}

TEST_CASE("broken lists of faults") {
  const auto failure = [](const std::string& line) {
    return error_of(ErrorCode::usage, [&] { parse_faults(line); });
  };
  CHECK_HOLDS(failure("output:a[0] zero;"), "at column 18, expected a kind of site");
  CHECK_HOLDS(failure("output:a[0] zero;; output:b[0] zero"), "at column 18, expected a kind of site");
  CHECK_HOLDS(failure("output:a[0] zero output:b[0] zero"),
              "at column 18, expected '%' and a forward, '#' and a key, ';' and another fault");
  CHECK_HOLDS(failure(""), "expected a kind of site");
}

TEST_CASE("a fault without a model cannot be printed") {
  Fault fault = example();
  fault.model = nullptr;
  CHECK_HOLDS(error_of(ErrorCode::usage, [&] { to_string(fault); }),
              "the fault at site features.3 has no error model");
}

}  // namespace faultwave
