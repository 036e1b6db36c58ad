// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cstdint>
#include <optional>
#include <unordered_set>

#include "faultwave/error.h"
#include "faultwave/location.h"
#include "faultwave/random.h"

namespace faultwave {
namespace {

using Part = AxisPart::Kind;

/// The size of an axis that has other lengths in other forwards.
constexpr int64_t kAnySize = INT64_MAX;

std::string text_of_shape(const std::vector<int64_t>& shape) {
  std::string text;
  for (const int64_t size : shape)
    text += (text.empty() ? "" : ",") + (size == kAnySize ? "any" : std::to_string(size));
  return text;
}

[[noreturn]] void refuse(const std::string& message, const std::vector<int64_t>& shape) {
  throw UserError(ErrorCode::illegal_fault,
                  message + " (the values of one batch element have shape [" + text_of_shape(shape) + "])");
}

std::string legal_indices(int64_t size) {
  if (size == 0) return "the axis is empty";
  if (size == kAnySize) return "legal are 0 and up";
  return "legal are 0 to " + std::to_string(size - 1);
}

void check_index(int64_t index, int64_t axis, const std::vector<int64_t>& shape) {
  if (index >= 0 && index < shape[axis]) return;
  refuse("index " + std::to_string(index) + " on axis " + std::to_string(axis) +
             " is out of range: " + legal_indices(shape[axis]),
         shape);
}

void check_range(const AxisPart& part, int64_t axis, const std::vector<int64_t>& shape) {
  if (part.begin >= 0 && part.begin < part.end && part.end <= shape[axis]) return;
  refuse("range " + std::to_string(part.begin) + ":" + std::to_string(part.end) + " on axis " +
             std::to_string(axis) +
             " is not legal: a range begin:end, its end not included, needs 0 <= begin < end" +
             (shape[axis] == kAnySize ? "" : " <= " + std::to_string(shape[axis])),
         shape);
}

int64_t draw_index(int64_t axis, const std::vector<int64_t>& shape, Draw& draw) {
  if (shape[axis] == 0)
    refuse("axis " + std::to_string(axis) + " is empty, nothing can be drawn on it", shape);
  return static_cast<int64_t>(draw.below(shape[axis]));
}

void check_rank(const Box& box, const std::vector<int64_t>& shape) {
  const size_t rank = box.axes.size();
  if (rank == shape.size()) return;
  refuse("the location has " + std::to_string(rank) + (rank == 1 ? " axis" : " axes") + " where " +
             std::to_string(shape.size()) + (shape.size() == 1 ? " is" : " are") + " needed",
         shape);
}

Box resolve_box(const Box& box, const std::vector<int64_t>& shape, Draw& draw) {
  check_rank(box, shape);
  Box resolved = box;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    AxisPart& part = resolved.axes[axis];
    if (part.kind == Part::index) check_index(part.begin, axis, shape);
    if (part.kind == Part::range) check_range(part, axis, shape);
    if (part.kind == Part::drawn) part = {Part::index, draw_index(axis, shape, draw), 0};
  }
  return resolved;
}

Box whole(const std::vector<int64_t>& shape) {
  return {std::vector<AxisPart>(shape.size())};
}

void check_channel(const std::optional<int64_t>& channel, const std::vector<int64_t>& shape,
                   int64_t channel_axis) {
  if (channel_axis < 0) refuse("ch= needs feature maps, and this site has none", shape);
  if (channel_axis >= static_cast<int64_t>(shape.size()))
    throw InternalError("channel axis outside the shape");
  if (channel && (*channel < 0 || *channel >= shape[channel_axis])) {
    refuse("feature map " + std::to_string(*channel) + " does not exist: " +
               legal_indices(shape[channel_axis]) + ", on axis " + std::to_string(channel_axis),
           shape);
  }
}

Box resolve_channel(const std::optional<int64_t>& channel, const std::vector<int64_t>& shape,
                    int64_t channel_axis, Draw& draw) {
  check_channel(channel, shape, channel_axis);
  Box box = whole(shape);
  box.axes[channel_axis] = {Part::index, channel ? *channel : draw_index(channel_axis, shape, draw), 0};
  return box;
}

Box draw_element(const std::vector<int64_t>& shape, Draw& draw) {
  int64_t count = 1;
  for (int64_t size : shape)
    count *= size;
  if (count == 0) refuse("there is no element to draw", shape);
  auto offset = static_cast<int64_t>(draw.below(count));
  Box box = whole(shape);
  for (size_t axis = shape.size(); axis-- > 0;) {
    box.axes[axis] = {Part::index, offset % shape[axis], 0};
    offset /= shape[axis];
  }
  return box;
}

/// The part of a box that lies inside the shape; none if nothing does.
std::optional<Box> box_within(const Box& box, const std::vector<int64_t>& shape, Draw& draw) {
  check_rank(box, shape);
  Box inside = box;
  bool is_empty = false;
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    AxisPart& part = inside.axes[axis];
    const int64_t size = shape[axis];
    if (part.kind == Part::drawn && size > 0) part = {Part::index, draw_index(axis, shape, draw), 0};
    if (part.kind == Part::range) {
      part.begin = std::max<int64_t>(part.begin, 0);
      part.end = std::min(part.end, size);
      is_empty |= part.begin >= part.end;
    }
    is_empty |= size == 0 || (part.kind == Part::index && (part.begin < 0 || part.begin >= size));
  }
  if (is_empty) return std::nullopt;
  return inside;
}

bool holds_values(const std::vector<int64_t>& shape) {
  return std::find(shape.begin(), shape.end(), 0) == shape.end();
}

/// First position of a part, and how many.
std::pair<int64_t, int64_t> extent(const AxisPart& part, int64_t size) {
  switch (part.kind) {
    case Part::index:
      return {part.begin, 1};
    case Part::range:
      return {part.begin, part.end - part.begin};
    case Part::all:
      return {0, size};
    case Part::drawn:
      break;
  }
  throw InternalError("element_offsets needs a resolved location");
}

std::vector<int64_t> offsets_of(const Box& box, const std::vector<int64_t>& shape) {
  if (box.axes.size() != shape.size())
    throw InternalError("element_offsets needs a location of the shape's rank");
  std::vector<int64_t> offsets{0};
  for (size_t axis = 0; axis < shape.size(); ++axis) {
    const auto [first, count] = extent(box.axes[axis], shape[axis]);
    std::vector<int64_t> next;
    next.reserve(offsets.size() * count);
    for (int64_t offset : offsets) {
      for (int64_t i = 0; i < count; ++i)
        next.push_back(offset * shape[axis] + first + i);
    }
    offsets = std::move(next);
  }
  return offsets;
}

}  // namespace

Location resolve(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                 Draw& draw) {
  Location resolved;
  resolved.kind = Location::Kind::boxes;
  switch (location.kind) {
    case Location::Kind::everything:
      resolved.boxes = {whole(shape)};
      break;
    case Location::Kind::any_element:
      resolved.boxes = {draw_element(shape, draw)};
      break;
    case Location::Kind::channel:
      resolved.boxes = {resolve_channel(location.channel, shape, channel_axis, draw)};
      break;
    case Location::Kind::boxes:
      for (const Box& box : location.boxes)
        resolved.boxes.push_back(resolve_box(box, shape, draw));
      break;
  }
  return resolved;
}

Location resolve_within(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                        Draw& draw) {
  Location inside;
  inside.kind = Location::Kind::boxes;
  if (location.kind == Location::Kind::boxes) {
    for (const Box& box : location.boxes) {
      if (const std::optional<Box> part = box_within(box, shape, draw)) inside.boxes.push_back(*part);
    }
    return inside;
  }
  const bool is_beyond = location.channel && channel_axis >= 0 && *location.channel >= shape[channel_axis];
  if (!holds_values(shape) || (location.kind == Location::Kind::channel && is_beyond)) return inside;
  return resolve(location, shape, channel_axis, draw);
}

void check_location(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                    const std::vector<int64_t>& free_axes) {
  std::vector<int64_t> widened = shape;
  for (const int64_t axis : free_axes)
    widened.at(static_cast<size_t>(axis)) = kAnySize;
  if (location.kind == Location::Kind::channel) check_channel(location.channel, widened, channel_axis);
  if (location.kind != Location::Kind::boxes) return;
  for (const Box& box : location.boxes) {
    check_rank(box, widened);
    for (size_t axis = 0; axis < widened.size(); ++axis) {
      const AxisPart& part = box.axes[axis];
      if (part.kind == Part::index) check_index(part.begin, axis, widened);
      if (part.kind == Part::range) check_range(part, axis, widened);
    }
  }
}

std::vector<int64_t> element_offsets(const Location& resolved, const std::vector<int64_t>& shape) {
  if (resolved.kind != Location::Kind::boxes)
    throw InternalError("element_offsets needs a resolved location");
  if (resolved.boxes.size() == 1) return offsets_of(resolved.boxes[0], shape);
  std::vector<int64_t> offsets;
  std::unordered_set<int64_t> seen;
  for (const Box& box : resolved.boxes) {
    for (int64_t offset : offsets_of(box, shape)) {
      if (seen.insert(offset).second) offsets.push_back(offset);
    }
  }
  return offsets;
}

}  // namespace faultwave
