// SPDX-License-Identifier: Apache-2.0
// Layers with parameters: convolutions, matrix products, norms.
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

using Gives = Stacking::Gives;
using Kind = Layer::Kind;

constexpr NamedRule kConvolution{"convolution", convolution_rule, Takes::scaled};
constexpr NamedRule kProduct{"linear", product_rule, Takes::scaled};
constexpr NamedRule kBatchNorm{"batch norm", batch_norm_rule, Takes::scaled};
constexpr NamedRule kLayerNorm{"layer norm", whole_rows_rule, Takes::scaled};

bool is_in_eval_mode(const Call& call) {
  return !call.argument("training").toBool();
}

bool spares_axis_0(const Call& call) {
  return static_cast<int64_t>(call.argument("normalized_shape").toIntVector().size()) < call.tensor(0).dim();
}

/// Both tensors, the first arguments, have axes in front of those of a matrix.
bool has_batches(const Call& call) {
  return call.tensor(0).dim() >= 3 && call.tensor(0).dim() == call.tensor(1).dim();
}

/// Nothing is dropped out, and a mask is the same for all of axis 0.
bool is_plain_attention(const Call& call) {
  const int64_t axes = call.tensor("query").dim();
  if (call.argument("dropout_p").toDouble() != 0 || axes < 3) return false;
  if (!call.argument("attn_mask").isTensor()) return true;
  const at::Tensor mask = call.tensor("attn_mask");
  return mask.dim() < axes || mask.size(0) == 1;
}

Operator convolution(const char* name, std::optional<NamedRule> rule = std::nullopt) {
  return {.name = name,
          .rule = rule,
          .layer = Layer{Kind::convolution, "input", 1, {{"weight", 0}, {"bias", 0}}, "groups"},
          .stacking = by_channel(Gives::changes),
          .window = "weight"};
}

Operator transposed_convolution(const char* name) {
  return {.name = name,
          .layer = Layer{Kind::transposed_convolution, "input", 1, {{"weight", 1}, {"bias", 0}}, "groups"},
          .stacking = by_channel(Gives::changes),
          .window = "weight"};
}

std::vector<Operator> convolutions() {
  return {
      convolution("aten::conv1d"),
      convolution("aten::conv2d", kConvolution),
      convolution("aten::conv3d"),
      transposed_convolution("aten::conv_transpose1d"),
      transposed_convolution("aten::conv_transpose2d"),
      transposed_convolution("aten::conv_transpose3d"),
      {.name = "aten::convolution", .window = "weight"},
  };
}

std::vector<Operator> products() {
  return {
      {.name = "aten::linear",
       .rule = kProduct,
       .layer = Layer{Kind::matrix, "input", -1, {{"weight", 0}, {"bias", 0}}},
       .product = Product{"input", "weight", true}},
      {.name = "aten::addmm",  // self is the bias
       .rule = kProduct,
       .layer = Layer{.kind = Kind::matrix,
                      .activation = "mat1",
                      .channel_axis = -1,
                      .parameters = {{"mat2", 1}, {"self", -1}},
                      .factor = "alpha"},
       .product = Product{"mat1", "mat2", false, "alpha"}},
      {.name = "aten::mm",
       .rule = kProduct,
       .layer = Layer{Kind::matrix, "self", -1, {{"mat2", 1}}},
       .product = Product{"self", "mat2"}},
      {.name = "aten::matmul",
       .rule = kProduct,
       .layer = Layer{Kind::matrix, "self", -1, {{"other", 1}}},
       .stacking = Stacking{Gives::changes, -1, {"self", "other"}, has_batches},
       .product = Product{"self", "other"}},
      {.name = "aten::bmm", .stacking = Stacking{Gives::changes, -1, {"self", "mat2"}, has_batches}},
      {.name = "aten::scaled_dot_product_attention",
       .stacking = Stacking{Gives::changes, -1, {"query", "key", "value"}, is_plain_attention}},
  };
}

std::vector<Parameter> affine_and_statistics() {
  return {{"weight", 0}, {"bias", 0}, {"running_mean", 0}, {"running_var", 0}};
}

std::vector<Operator> norms() {
  return {
      {.name = "aten::batch_norm",
       .rule = kBatchNorm,
       .layer = Layer{.kind = Kind::channel_norm,
                      .activation = "input",
                      .channel_axis = 1,
                      .parameters = affine_and_statistics(),
                      .training = "training"},
       .stacking = Stacking{Gives::values, 1, {}, is_in_eval_mode}},
      {.name = "aten::instance_norm",
       .layer = Layer{Kind::channel_norm, "input", 1, affine_and_statistics()},
       .stacking = by_channel(Gives::values)},
      {.name = "aten::group_norm",
       .layer = Layer{Kind::group_norm, "input", 1, {{"weight", 0}, {"bias", 0}}, "num_groups"},
       .stacking = by_channel(Gives::values)},
      {.name = "aten::layer_norm",
       .rule = kLayerNorm,
       .layer = Layer{.kind = Kind::row_norm,
                      .activation = "input",
                      .channel_axis = -1,
                      .parameters = {{"weight", 0}, {"bias", 0}},
                      .shape = "normalized_shape"},
       .stacking = Stacking{Gives::values, -1, {}, spares_axis_0},
       .rows = WholeRows{.shape = "normalized_shape"}},
      {.name = "aten::prelu", .stacking = by_channel(Gives::values)},
  };
}

}  // namespace

std::vector<Operator> layer_operators() {
  std::vector<Operator> operators;
  for (std::vector<Operator> family : {convolutions(), products(), norms()})
    operators.insert(operators.end(), family.begin(), family.end());
  return operators;
}

}  // namespace faultwave::wave
