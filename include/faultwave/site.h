// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <c10/core/ScalarType.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// Where in a network values can be hit.
enum class SiteKind : uint8_t {
  output,         ///< a tensor that an operator returns: its neurons
  input,          ///< a tensor argument of one operator; other readers of the same tensor are not touched
  weight,         ///< a parameter other than a bias
  bias,           ///< a parameter whose name holds "bias"
  buffer,         ///< a buffer, such as the running mean of a batch norm
  network_input,  ///< an input of the whole network, seen by every operator that reads it
  // Gradients go by the name of the site whose gradient they are. Only a backward pass of the user's own has
  // them, so engines and campaigns do not.
  output_gradient,  ///< with respect to an output, summed over all that read it
  weight_gradient,  ///< with respect to a weight: what one forward adds to its `grad`, summed over its
                    ///< readers
  bias_gradient,    ///< likewise for a bias
};

/// The spelling used in fault lines: "output", "input", "weight", "bias", "buffer", "network-input",
/// "output-gradient", "weight-gradient", "bias-gradient".
std::string_view to_string(SiteKind kind);
/// The inverse; throws UserError(usage) naming the choices.
SiteKind parse_site_kind(std::string_view text);

/// Whether sites of this kind are gradients.
bool is_gradient(SiteKind kind);

/// How the elements of a batch lie in a site's tensor, found by running the network at two batch sizes.
/// dim -1: the tensor does not grow with the batch (a weight, a constant). Otherwise size(dim) = batch *
/// rows, and the elements take turns along that axis, `run` rows at a time: row r belongs to element
/// (r / run) % batch. rows is 1 nearly everywhere; after Swin's window partition rows and run are 64 (the
/// windows of one picture behind one another), and in the sequence-first attention of ViT-B/16 rows is 197
/// and run 1 (the first token of all pictures, then the second).
struct BatchAxis {
  int64_t dim = -1;
  int64_t rows = 1;
  int64_t run = 1;  ///< divides rows
};

/// A named place of a network that holds values. (kind, name) is unique within a network.
struct Site {
  std::string name;  ///< module path or path/op; #2, #3 where there are several, :1, :2 for further tensors
  SiteKind kind = SiteKind::output;
  std::string op;  ///< operator as the dispatcher names it, "aten::conv2d"; "" for tensors that are stored
  std::vector<int64_t> shape;  ///< as profiled, batch axis included
  at::ScalarType dtype = at::ScalarType::Float;
  BatchAxis batch;
  int64_t channel_axis = -1;  ///< axis of element_shape() that counts feature maps; -1 for a scalar
  bool is_default = false;    ///< among the sites that are used where none are named
  /// Axes of `shape` that have other lengths in other forwards, as far as Injector::learn has seen;
  /// ascending. The batch axis is among them where its `rows` change.
  std::vector<int64_t> free_axes;
  /// Position in Injector::sites(), behind which those of gradient_sites() count on; -1 for a site that no
  /// injector has made.
  int number = -1;

  /// The shape of one batch element: `shape` without the batch axis, or with `rows` in its place where there
  /// are more than one. Fault lines index into this shape.
  std::vector<int64_t> element_shape() const;
  /// Number of values of one batch element.
  int64_t numel() const;
  /// Bits of one value in the tensor's own type (bool counts 1).
  int64_t bits() const;
};

}  // namespace faultwave
#pragma GCC visibility pop
