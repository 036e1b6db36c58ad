// SPDX-License-Identifier: Apache-2.0
#include "faultwave/location.h"

#include <set>

#include "faultwave/random.h"

#include "tests/fault/support.h"

namespace faultwave {

namespace {

using Offsets = std::vector<int64_t>;
using Shape = std::vector<int64_t>;

/// What a location covers in `shape`, drawn with `key`; feature maps on axis 0.
Offsets covered(const std::string& text, const Shape& shape, uint64_t key = 0) {
  Draw draw(key);
  return element_offsets(resolve(parse_location(text), shape, shape.empty() ? -1 : 0, draw), shape);
}

std::string resolved_text(const std::string& text, const Shape& shape, int64_t channel_axis, uint64_t key) {
  Draw draw(key);
  return to_string(resolve(parse_location(text), shape, channel_axis, draw));
}

std::string refusal(const std::string& text, const Shape& shape, int64_t channel_axis = 0) {
  return error_of(ErrorCode::illegal_fault, [&] { resolved_text(text, shape, channel_axis, 0); });
}

std::string location_failure(const std::string& text) {
  return error_of(ErrorCode::usage, [&] { parse_location(text); });
}

}  // namespace

TEST_CASE("locations print and parse to the identity") {
  for (const char* text :
       {"[17,4,9]", "[1,2,3|4,5,6]", "[17,4,*]", "[17,*,9]", "[0:4,2:5,2:5]", "[ch=17]", "[ch=?]", "[?]",
        "[17,?,?]", "[*]", "[]", "[*,]", "[?,]", "[7]", "[2:5]", "[*|3]", "[-1,0]", "[*,*]", "[?|?]"}) {
    CAPTURE(text);
    const Location location = parse_location(text);
    CHECK(to_string(location) == text);
    CHECK(parse_location(to_string(location)) == location);
  }
  CHECK(to_string(parse_location(" [ 1 , 2 : 3 | ? , * ] ")) == "[1,2:3|?,*]");
  CHECK(to_string(parse_location("[ ch = 4 ]")) == "[ch=4]");
  CHECK(to_string(parse_location("[7,]")) == "[7]");
}

TEST_CASE("the makers of locations equal their texts") {
  CHECK(Location::element({17, 4, 9}) == parse_location("[17,4,9]"));
  CHECK(Location::element({}) == parse_location("[]"));
  CHECK(Location::elements({{1, 2}, {3, 4}}) == parse_location("[1,2|3,4]"));
  CHECK(Location::elements({{}, {}}) == parse_location("[]"));
  CHECK(Location::feature_map(3) == parse_location("[ch=3]"));
  CHECK(Location::random_element() == parse_location("[?]"));
  CHECK(Location::all() == parse_location("[*]"));
  CHECK_HOLDS(error_of(ErrorCode::illegal_fault, [] { Location::elements({}); }), "at least one element");
  CHECK_HOLDS(error_of(ErrorCode::illegal_fault, [] { Location::elements({{1}, {1, 2}}); }),
              "equally many indices, but got 1 and 2");
  Location empty;
  empty.kind = Location::Kind::boxes;
  CHECK_HOLDS(error_of(ErrorCode::usage, [&] { to_string(empty); }), "holds no box");
}

TEST_CASE("what is left to draw") {
  for (const char* text : {"[?]", "[ch=?]", "[17,?,?]", "[1|?]", "[?,]"})
    CHECK(parse_location(text).is_drawn());
  for (const char* text : {"[*]", "[ch=1]", "[1,*]", "[]", "[0:2]"})
    CHECK_FALSE(parse_location(text).is_drawn());
}

TEST_CASE("offsets, row-major, worked out by hand in a shape of 2 x 3 x 4") {
  const Shape shape{2, 3, 4};
  CHECK(covered("[1,2,3]", shape) == Offsets{23});
  CHECK(covered("[1,0,*]", shape) == Offsets{12, 13, 14, 15});
  CHECK(covered("[0,*,1]", shape) == Offsets{1, 5, 9});
  CHECK(covered("[0:2,1:3,3]", shape) == Offsets{7, 11, 19, 23});
  CHECK(covered("[ch=1]", shape) == Offsets{12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23});
  CHECK(covered("[*]", shape).size() == 24);
  CHECK(covered("[*]", shape).front() == 0);
  CHECK(covered("[*]", shape).back() == 23);
  CHECK(covered("[]", {}) == Offsets{0});
  CHECK(covered("[*]", {}) == Offsets{0});
  CHECK(covered("[?]", {}) == Offsets{0});
  CHECK(covered("[*,]", {3}) == Offsets{0, 1, 2});
}

TEST_CASE("several boxes come in the order written, shared elements once") {
  const Shape shape{2, 3};
  CHECK(covered("[1,0|0,2]", shape) == Offsets{3, 2});
  CHECK(covered("[0,1:3|*,2|0,2]", shape) == Offsets{1, 2, 5});
}

TEST_CASE("draws: pinned, and only boxes remain") {
  // Key 8841 draws 39 of 60; in 3 x 4 x 5 that is [1,3,4].
  CHECK(resolved_text("[?]", {3, 4, 5}, 0, 8841) == "[1,3,4]");
  // One draw an axis, in order: 0 of 3, then 3 of 4.
  CHECK(resolved_text("[?,?,2]", {3, 4, 5}, 0, 8841) == "[0,3,2]");
  CHECK(resolved_text("[1,?,?]", {3, 4, 5}, 0, 8841) == "[1,3,1]");
  CHECK(resolved_text("[ch=?]", {3, 4, 5}, 0, 8841) == "[0,*,*]");
  CHECK(resolved_text("[ch=?]", {3, 4, 5}, 2, 8841) == "[*,*,4]");
  CHECK(resolved_text("[ch=2]", {3, 4, 5}, 1, 8841) == "[*,2,*]");
  CHECK(resolved_text("[?,]", {5}, 0, 8841) == "[4]");
  CHECK(resolved_text("[*]", {5}, 0, 8841) == "[*,]");
  CHECK(resolved_text("[*]", {}, -1, 8841) == "[]");
  CHECK(resolved_text("[?|0]", {5}, 0, 8841) == "[4|0]");
}

TEST_CASE("draws: every element comes up, none outside") {
  std::set<int64_t> seen;
  for (uint64_t key = 0; key < 200; ++key)
    seen.insert(covered("[?]", {2, 3}, key).at(0));
  CHECK(seen == std::set<int64_t>{0, 1, 2, 3, 4, 5});
}

TEST_CASE("nothing is drawn where nothing is left to draw") {
  Draw draw(1);
  resolve(parse_location("[ch=1]"), {2, 2}, 0, draw);
  resolve(parse_location("[*,0:1]"), {2, 2}, 0, draw);
  CHECK(draw.bits32() == 0xe3e80670);
}

TEST_CASE("illegal locations are refused with index, axis and legal range") {
  CHECK(refusal("[2,0,0]", {2, 3, 4}) ==
        "index 2 on axis 0 is out of range: legal are 0 to 1 (the values of one batch element have shape "
        "[2,3,4])");
  CHECK_HOLDS(refusal("[0,0,-1]", {2, 3, 4}), "index -1 on axis 2 is out of range: legal are 0 to 3");
  CHECK_HOLDS(refusal("[0,0,0|0,3,0]", {2, 3, 4}), "index 3 on axis 1 is out of range: legal are 0 to 2");
  CHECK_HOLDS(refusal("[0,1:4,0]", {2, 3, 4}),
              "range 1:4 on axis 1 is not legal: a range begin:end, its end not included, needs 0 <= begin < "
              "end <= 3");
  CHECK_HOLDS(refusal("[0,2:2,0]", {2, 3, 4}), "range 2:2 on axis 1 is not legal");
  CHECK_HOLDS(refusal("[0,-1:2,0]", {2, 3, 4}), "range -1:2 on axis 1 is not legal");
  CHECK_HOLDS(refusal("[1,2]", {2, 3, 4}), "the location has 2 axes where 3 are needed");
  CHECK_HOLDS(refusal("[1,2]", {2, 3, 4}), "have shape [2,3,4]");
  CHECK_HOLDS(refusal("[]", {7}), "the location has 0 axes where 1 is needed");
  CHECK_HOLDS(refusal("[0]", {}), "the location has 1 axis where 0 are needed");
  CHECK_HOLDS(refusal("[*,]", {2, 3}), "the location has 1 axis where 2 are needed");
  CHECK_HOLDS(refusal("[ch=2]", {2, 3, 4}), "feature map 2 does not exist: legal are 0 to 1, on axis 0");
  CHECK_HOLDS(refusal("[ch=-1]", {2, 3}), "feature map -1 does not exist: legal are 0 to 1");
  CHECK_HOLDS(refusal("[ch=0]", {}, -1), "ch= needs feature maps, and this site has none");
  CHECK_HOLDS(refusal("[?]", {0, 3}), "there is no element to draw");
  CHECK_HOLDS(refusal("[?,1]", {0, 3}), "axis 0 is empty");
  CHECK_HOLDS(refusal("[0,1]", {0, 3}), "index 0 on axis 0 is out of range: the axis is empty");
}

TEST_CASE("broken locations are refused with text and column") {
  CHECK(location_failure("[1,2") ==
        "location '[1,2': at column 5, expected ',', '|' or ']' but found the end");
  CHECK_HOLDS(location_failure("1,2"), "at column 1, expected a location in square brackets but found '1'");
  CHECK_HOLDS(location_failure("[1,x]"),
              "at column 4, expected an index, a range such as 2:5, '*' or '?' but found 'x'");
  CHECK_HOLDS(location_failure("[1,]2"), "at column 5, expected the end of the location but found '2'");
  CHECK_HOLDS(location_failure("[1,2,]"), "at column 6, expected an index");
  CHECK_HOLDS(location_failure("[|1]"), "at column 2, expected an index");
  CHECK_HOLDS(location_failure("[1|2,]"), "at column 6, expected an index");
  CHECK_HOLDS(location_failure("[1|]"), "at column 4, expected an index");
  CHECK_HOLDS(location_failure("[1:]"), "at column 4, expected the end of the range but found ']'");
  CHECK_HOLDS(location_failure("[c=1]"), "at column 2, expected an index, '*', '?' or ch= but found 'c'");
  CHECK_HOLDS(location_failure("[ch 1]"), "at column 5, expected '=' after ch but found '1'");
  CHECK_HOLDS(location_failure("[ch=*]"),
              "at column 5, expected the index of a feature map, or '?' but found '*'");
  CHECK_HOLDS(location_failure("[ch=1,2]"), "at column 6, expected ']' but found ','");
  CHECK_HOLDS(location_failure("[99999999999999999999]"), "expected an index");
  CHECK_HOLDS(location_failure("[*]*"), "expected the end of the location");
}

TEST_CASE("offsets of a location that is not resolved are a mistake of ours") {
  CHECK_THROWS_AS(element_offsets(Location::all(), {2}), InternalError);
  CHECK_THROWS_AS(element_offsets(parse_location("[?,]"), {2}), InternalError);
  CHECK_THROWS_AS(element_offsets(Location::element({1}), {2, 2}), InternalError);
}

TEST_CASE("in a shape that a location was not written for, what lies outside is left out") {
  const auto within = [](const std::string& text, const Shape& shape, uint64_t key = 0) {
    Draw draw(key);
    return element_offsets(resolve_within(parse_location(text), shape, 0, draw), shape);
  };
  CHECK(within("[1,2]", {2, 3}) == Offsets{5});
  CHECK(within("[2,0]", {2, 3}).empty());
  CHECK(within("[1,3]", {2, 3}).empty());
  CHECK(within("[1:9,2]", {3, 3}) == Offsets{5, 8});
  CHECK(within("[3:9,2]", {3, 3}).empty());
  CHECK(within("[0,0|5,5|1,1]", {2, 2}) == Offsets{0, 3});
  CHECK(within("[ch=1]", {2, 2}) == Offsets{2, 3});
  CHECK(within("[ch=2]", {2, 2}).empty());
  CHECK(within("[*]", {2, 2}) == Offsets{0, 1, 2, 3});
  // A cache that holds nothing yet.
  for (const char* text : {"[*]", "[?]", "[ch=?]", "[0,0]", "[*,0]", "[?,0]", "[0:2,*]"}) {
    CAPTURE(text);
    CHECK(within(text, {0, 2}).empty());
  }
  for (const char* text : {"[?]", "[ch=?]", "[1,?]", "[?,?|0,0]", "[*]", "[0:2,1]"}) {
    CAPTURE(text);
    for (uint64_t key = 0; key < 20; ++key)
      CHECK(within(text, {2, 3}, key) == covered(text, {2, 3}, key));
  }
}

TEST_CASE("a part that lies outside takes no draw from those behind it") {
  Draw draw(7);
  Draw same(7);
  const Location two = parse_location("[?,9|?,?]");
  const Location one = resolve_within(two, {4, 5}, 0, draw);
  const Location both = resolve(two, {4, 10}, 0, same);
  REQUIRE(one.boxes.size() == 1);
  CHECK(one.boxes[0].axes[0] == both.boxes[1].axes[0]);
}

TEST_CASE("a location is checked but for the axes that may have any length") {
  const auto refused = [](const std::string& text, const std::vector<int64_t>& free) {
    return error_of(ErrorCode::illegal_fault, [&] { check_location(parse_location(text), {2, 3}, 1, free); });
  };
  check_location(parse_location("[1,99|1,5:7]"), {2, 3}, 1, {1});
  check_location(parse_location("[ch=99]"), {2, 3}, 1, {1});
  check_location(parse_location("[?]"), {2, 3}, 1, {});
  CHECK_HOLDS(refused("[2,0]", {1}), "index 2 on axis 0 is out of range: legal are 0 to 1");
  CHECK_HOLDS(refused("[2,0]", {1}), "have shape [2,any]");
  CHECK_HOLDS(refused("[1,-1]", {1}), "index -1 on axis 1 is out of range: legal are 0 and up");
  CHECK_HOLDS(refused("[1,3]", {0}), "legal are 0 to 2");
  CHECK_HOLDS(refused("[1,3:2]", {1}), "needs 0 <= begin < end (the");
  CHECK_HOLDS(refused("[1]", {0, 1}), "the location has 1 axis where 2 are needed");
  CHECK_HOLDS(refused("[ch=3]", {0}), "feature map 3 does not exist");
  CHECK_HOLDS(refused("[ch=-1]", {1}), "feature map -1 does not exist: legal are 0 and up");
}

}  // namespace faultwave
