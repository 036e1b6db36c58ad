// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

class Draw;

/// The part of one axis that a fault covers.
struct AxisPart {
  enum class Kind : uint8_t {
    index,  ///< `7`: one position, in `begin`
    range,  ///< `2:5`: positions begin to end - 1
    all,    ///< `*`: the whole axis
    drawn,  ///< `?`: one position of the axis, drawn from the fault's key
  };
  Kind kind = Kind::all;
  int64_t begin = 0;
  int64_t end = 0;
  bool operator==(const AxisPart&) const = default;
};

/// A box of a site's element shape: one AxisPart an axis.
struct Box {
  std::vector<AxisPart> axes;
  bool operator==(const Box&) const = default;
};

/// Which elements of a site a fault covers, in the coordinates of one batch element (Site::element_shape).
///
/// | text            | covers                                                         |
/// |-----------------|----------------------------------------------------------------|
/// | `[17,4,9]`      | one element                                                    |
/// | `[1,2,3|4,5,6]` | several boxes                                                  |
/// | `[17,4,*]`      | a row; `[17,*,9]` a column; `[0:4,2:5,2:5]` a block            |
/// | `[ch=17]`       | feature map 17: index 17 on the site's channel axis, all of the others |
/// | `[ch=?]`        | a feature map drawn at random                                  |
/// | `[?]`           | one element drawn at random                                    |
/// | `[17,?,?]`      | one element drawn within feature map 17                        |
/// | `[*]`           | everything                                                     |
/// | `[]`            | the only element of a zero-dimensional tensor                  |
/// | `[*,]`, `[?,]`  | as `[*]` and `[?]`, but of a one-dimensional site only         |
struct Location {
  enum class Kind : uint8_t { boxes, channel, any_element, everything };
  Kind kind = Kind::everything;
  std::vector<Box> boxes;          ///< for Kind::boxes, at least one
  std::optional<int64_t> channel;  ///< for Kind::channel; empty where it is drawn
  bool operator==(const Location&) const = default;

  static Location element(std::vector<int64_t> index);
  static Location elements(const std::vector<std::vector<int64_t>>& indices);
  static Location feature_map(int64_t channel);
  static Location random_element();
  static Location all();

  /// Whether something is left to draw.
  bool is_drawn() const;
};

/// The text with its square brackets; parse_location inverts it.
std::string to_string(const Location& location);
/// `text` includes the brackets. Throws UserError(usage) that shows the text and the column.
Location parse_location(std::string_view text);

/// Draws what is left to draw and replaces `ch=` by a box, so that only boxes without drawn parts remain.
/// `shape` is the element shape, `channel_axis` that of the site. Checks legality: throws
/// UserError(illegal_fault) with the index, the axis and the legal range; the caller adds the site.
Location resolve(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                 Draw& draw);

/// Likewise for a shape that the location was not written for: what lies outside of it is left out, so that a
/// range is cut and a box may be gone; no box at all where nothing is left. Draws as resolve() does. The
/// number of axes must fit: throws UserError(illegal_fault).
Location resolve_within(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                        Draw& draw);

/// Throws UserError(illegal_fault), as resolve() does, unless the location is legal in `shape`; on the axes
/// in `free_axes` any index from 0 on is.
void check_location(const Location& location, const std::vector<int64_t>& shape, int64_t channel_axis,
                    const std::vector<int64_t>& free_axes);

/// Row-major offsets into `shape` of all elements of a resolved location, ascending within a box, boxes in
/// the order written, an element that lies in two boxes listed once.
std::vector<int64_t> element_offsets(const Location& resolved, const std::vector<int64_t>& shape);

}  // namespace faultwave
#pragma GCC visibility pop
