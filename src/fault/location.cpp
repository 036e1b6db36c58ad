// SPDX-License-Identifier: Apache-2.0
// Locations as values and as text; location_resolve.cpp ties them to a shape.
#include "faultwave/location.h"

#include <algorithm>

#include "faultwave/error.h"

#include "src/fault/location_text.h"

namespace faultwave {
namespace {

using Part = AxisPart::Kind;

constexpr std::string_view kPartForms = "an index, a range such as 2:5, '*' or '?'";

Box box_of(const std::vector<int64_t>& index) {
  Box box;
  for (int64_t position : index)
    box.axes.push_back({Part::index, position, 0});
  return box;
}

std::string text_of(const AxisPart& part) {
  switch (part.kind) {
    case Part::index:
      return std::to_string(part.begin);
    case Part::range:
      return std::to_string(part.begin) + ":" + std::to_string(part.end);
    case Part::all:
      return "*";
    case Part::drawn:
      return "?";
  }
  throw InternalError("an axis part of unknown kind");
}

/// `[*]` and `[?]` speak of the whole site. One axis alone needs a comma to be told apart, as in Python's
/// (1,).
bool needs_comma(const std::vector<Box>& boxes) {
  if (boxes.size() != 1 || boxes[0].axes.size() != 1) return false;
  const Part kind = boxes[0].axes[0].kind;
  return kind == Part::all || kind == Part::drawn;
}

std::string text_of(const std::vector<Box>& boxes) {
  if (boxes.empty())
    throw UserError(ErrorCode::usage, "a location of boxes holds no box; use [*] for all elements");
  std::string text;
  for (size_t i = 0; i < boxes.size(); ++i) {
    if (i > 0) text += "|";
    for (size_t axis = 0; axis < boxes[i].axes.size(); ++axis) {
      if (axis > 0) text += ",";
      text += text_of(boxes[i].axes[axis]);
    }
  }
  return needs_comma(boxes) ? text + "," : text;
}

AxisPart take_part(Scanner& scanner) {
  scanner.skip_spaces();
  AxisPart part;
  if (scanner.take_if('*')) {
    part.kind = Part::all;
  } else if (scanner.take_if('?')) {
    part.kind = Part::drawn;
  } else {
    part.kind = Part::index;
    part.begin = scanner.take_integer(kPartForms);
    scanner.skip_spaces();
    if (scanner.take_if(':')) {
      scanner.skip_spaces();
      part.kind = Part::range;
      part.end = scanner.take_integer("the end of the range");
    }
  }
  scanner.skip_spaces();
  return part;
}

/// A box and what follows its parts; `ends_in_comma` tells `[*,]` from `[*]`.
Box take_box(Scanner& scanner, bool& ends_in_comma) {
  Box box;
  box.axes.push_back(take_part(scanner));
  while (scanner.take_if(',')) {
    scanner.skip_spaces();
    if (box.axes.size() == 1 && scanner.peek() == ']') {
      ends_in_comma = true;
      break;
    }
    box.axes.push_back(take_part(scanner));
  }
  return box;
}

Location take_channel(Scanner& scanner) {
  Location location;
  location.kind = Location::Kind::channel;
  scanner.skip_spaces();
  scanner.expect('=', "'=' after ch");
  scanner.skip_spaces();
  if (!scanner.take_if('?')) location.channel = scanner.take_integer("the index of a feature map, or '?'");
  scanner.skip_spaces();
  return location;
}

Location take_boxes(Scanner& scanner) {
  Location location;
  location.kind = Location::Kind::boxes;
  bool ends_in_comma = false;
  do {
    location.boxes.push_back(take_box(scanner, ends_in_comma));
  } while (!ends_in_comma && scanner.take_if('|'));
  if (ends_in_comma && location.boxes.size() > 1) scanner.fail_expected(kPartForms);
  if (ends_in_comma || !needs_comma(location.boxes)) return location;
  return location.is_drawn() ? Location::random_element() : Location::all();
}

}  // namespace

Location Location::element(std::vector<int64_t> index) {
  return elements({std::move(index)});
}

Location Location::elements(const std::vector<std::vector<int64_t>>& indices) {
  if (indices.empty()) throw UserError(ErrorCode::illegal_fault, "a location needs at least one element");
  Location location;
  location.kind = Kind::boxes;
  for (const std::vector<int64_t>& index : indices) {
    if (index.size() != indices[0].size()) {
      throw UserError(ErrorCode::illegal_fault,
                      "the elements of one location need equally many indices, but got " +
                          std::to_string(indices[0].size()) + " and " + std::to_string(index.size()));
    }
    location.boxes.push_back(box_of(index));
  }
  // The only element of a zero-dimensional tensor, however often it is named.
  if (indices[0].empty()) location.boxes.resize(1);
  return location;
}

Location Location::feature_map(int64_t channel) {
  Location location;
  location.kind = Kind::channel;
  location.channel = channel;
  return location;
}

Location Location::random_element() {
  Location location;
  location.kind = Kind::any_element;
  return location;
}

Location Location::all() {
  return {};
}

bool Location::is_drawn() const {
  if (kind == Kind::any_element) return true;
  if (kind == Kind::channel) return !channel;
  if (kind == Kind::everything) return false;
  return std::any_of(boxes.begin(), boxes.end(), [](const Box& box) {
    return std::any_of(box.axes.begin(), box.axes.end(),
                       [](const AxisPart& part) { return part.kind == Part::drawn; });
  });
}

std::string to_string(const Location& location) {
  switch (location.kind) {
    case Location::Kind::boxes:
      return std::string("[") + text_of(location.boxes) + "]";
    case Location::Kind::channel:
      return std::string("[ch=") + (location.channel ? std::to_string(*location.channel) : "?") + "]";
    case Location::Kind::any_element:
      return "[?]";
    case Location::Kind::everything:
      return "[*]";
  }
  throw InternalError("a location of unknown kind");
}

Location take_location(Scanner& scanner) {
  scanner.expect('[', "a location in square brackets");
  scanner.skip_spaces();
  Location location;
  if (scanner.peek() == ']') {
    location = Location::element({});
  } else if (is_letter(scanner.peek())) {
    const size_t begin = scanner.position();
    const std::string_view word = scanner.take_while(is_letter);
    if (word != "ch")
      scanner.fail_at(begin, "expected an index, '*', '?' or ch= but found '" + std::string(word) + "'");
    location = take_channel(scanner);
  } else {
    location = take_boxes(scanner);
  }
  scanner.expect(']', location.kind == Location::Kind::boxes ? "',', '|' or ']'" : "']'");
  return location;
}

Location parse_location(std::string_view text) {
  Scanner scanner(text, "location");
  scanner.skip_spaces();
  Location location = take_location(scanner);
  scanner.skip_spaces();
  scanner.expect_end("the end of the location");
  return location;
}

}  // namespace faultwave
