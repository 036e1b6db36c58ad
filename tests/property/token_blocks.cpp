// SPDX-License-Identifier: Apache-2.0
// Blocks over tokens [batch, tokens, features]: attention of several kinds, layers for each token, windows.
#include <cmath>
#include <utility>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Tensor = at::Tensor;

/// Queries, keys and values to mixed values; all [batch, heads, tokens, features of a head].
using Mixing = std::function<Tensor(const Tensor& q, const Tensor& k, const Tensor& v)>;

Tensor mask_of(int64_t tokens, bool is_causal) {
  const Tensor ahead = at::ones({tokens, tokens}).triu(1);
  const Tensor sparse = at::arange(tokens * tokens).remainder(5).eq(3).view({tokens, tokens}).to(at::kFloat);
  const Tensor hidden = (is_causal ? ahead : sparse * (1 - at::eye(tokens))) > 0;
  return hidden;
}

std::pair<std::string, Mixing> draw_mixing(NetworkBuilder& b, int64_t tokens) {
  const Tensor hidden = mask_of(tokens, b.chance(50));
  const Tensor seen = hidden.logical_not();
  const Tensor bias = at::zeros({tokens, tokens}).masked_fill(hidden, -1e4);
  switch (b.between(0, 7)) {
    case 0:
    case 1:
      return {"scaled_dot_product_attention", [](const Tensor& q, const Tensor& k, const Tensor& v) {
                return at::scaled_dot_product_attention(q, k, v);
              }};
    case 2:
      return {"causal scaled_dot_product_attention", [](const Tensor& q, const Tensor& k, const Tensor& v) {
                return at::scaled_dot_product_attention(q, k, v, {}, 0, true);
              }};
    case 3:
      return {"scaled_dot_product_attention with a boolean mask",
              [=](const Tensor& q, const Tensor& k, const Tensor& v) {
                return at::scaled_dot_product_attention(q, k, v, seen);
              }};
    case 4:
      return {"scaled_dot_product_attention with a mask that is added",
              [=](const Tensor& q, const Tensor& k, const Tensor& v) {
                return at::scaled_dot_product_attention(q, k, v, bias);
              }};
    case 5:
      return {"matmul, softmax, matmul", [](const Tensor& q, const Tensor& k, const Tensor& v) {
                const Tensor scores =
                    q.matmul(k.transpose(-2, -1)) / std::sqrt(static_cast<double>(q.size(-1)));
                return scores.softmax(-1).matmul(v);
              }};
    case 6:
      return {"matmul, masked_fill, softmax, matmul", [=](const Tensor& q, const Tensor& k, const Tensor& v) {
                const Tensor scores = (q * 0.5).matmul(k.transpose(-2, -1));
                return scores.masked_fill(hidden, -INFINITY).softmax(-1).matmul(v);
              }};
    default:
      return {"bmm, softmax, bmm", [](const Tensor& q, const Tensor& k, const Tensor& v) {
                const auto merged = [](const Tensor& x) { return x.reshape({-1, x.size(2), x.size(3)}); };
                const Tensor scores = at::bmm(merged(q), merged(k).transpose(1, 2));
                return at::bmm(scores.softmax(-1), merged(v)).view(q.sizes());
              }};
  }
}

/// [batch, tokens, features] to the same, by heads.
int attention(NetworkBuilder& b, int x) {
  const int64_t tokens = b[x].size(1);
  const int64_t features = b[x].size(2);
  const int64_t heads = b.divisor(features);
  const int64_t width = features / heads;
  const auto [text, mixing] = draw_mixing(b, tokens);
  const auto joined = [=](const Tensor& mixed) {
    return mixed.transpose(1, 2).reshape({-1, tokens, features});
  };
  const std::string with_heads = c10::str(text, ", ", heads, " heads");
  if (b.chance(60)) {
    const int packed = linear(b, x, 3 * features);
    const int mixed = b.add(with_heads + ", packed", packed, [=](const Tensor& in) {
      const std::vector<Tensor> parts =
          in.reshape({-1, tokens, 3, heads, width}).permute({2, 0, 3, 1, 4}).unbind(0);
      return joined(mixing(parts[0], parts[1], parts[2]));
    });
    return linear(b, mixed, features);
  }
  std::vector<int> parts;
  for (int i = 0; i < 3; ++i)
    parts.push_back(linear(b, x, features));
  const int mixed = b.add(with_heads, parts, [=](const std::vector<Tensor>& read) {
    const auto split = [=](const Tensor& in) { return in.view({-1, tokens, heads, width}).transpose(1, 2); };
    return std::vector<Tensor>{joined(mixing(split(read[0]), split(read[1]), split(read[2])))};
  })[0];
  return linear(b, mixed, features);
}

int added(NetworkBuilder& b, int x, int y) {
  return b.add("add", x, y, [](const Tensor& a, const Tensor& c) { return a + c; });
}

int attention_block(NetworkBuilder& b, int x) {
  const int y = attention(b, b.chance(70) ? normalised_last_axis(b, x) : x);
  return b.chance(85) ? added(b, x, y) : y;
}

int layers_block(NetworkBuilder& b, int x) {
  int y = b.chance(70) ? normalised_last_axis(b, x) : x;
  y = linear(b, y, b.between(3, 16));
  y = b.chance(30) ? activation_in_place(b, y) : activation(b, y);
  y = linear(b, y, b[x].size(2));
  return b.chance(85) ? added(b, x, y) : y;
}

int gated_block(NetworkBuilder& b, int x) {
  const int y = linear(b, x, 2 * b[x].size(2));
  if (b.chance(40)) return b.add("glu", y, [](const Tensor& in) { return at::glu(in, -1); });
  return b.add("one half times silu of the other", y, [](const Tensor& in) {
    const std::vector<Tensor> halves = in.chunk(2, -1);
    return halves[0] * at::silu(halves[1]);
  });
}

int tokens_added(NetworkBuilder& b, int x) {
  const std::string name = b.layer("tokens");
  const int64_t features = b[x].size(2);
  if (b.chance(50)) {
    const Tensor position = b.weight(name + ".position", {1, b[x].size(1), features}, 0.3);
    return b.add("add of positions " + name, x, [=](const Tensor& in) { return in + position; });
  }
  const Tensor token = b.weight(name + ".token", {1, 1, features}, 0.5);
  return b.add("cat with a class token " + name, x,
               [=](const Tensor& in) { return at::cat({token.expand({in.size(0), -1, -1}), in}, 1); });
}

/// Attention within windows of a picture that is shifted in a circle, as in Swin.
int window_block(NetworkBuilder& b, int x) {
  const int64_t tokens = b[x].size(1);
  const int64_t features = b[x].size(2);
  const int64_t height = b.divisor(tokens);
  const int64_t width = tokens / height;
  const int64_t h = b.divisor(height);  // of a window
  const int64_t w = b.divisor(width);
  const int64_t shift = b.between(0, 1);
  const auto whole = [=](const Tensor& windows) {
    const Tensor grid = windows.view({-1, height / h, width / w, h, w, features}).permute({0, 1, 3, 2, 4, 5});
    return grid.reshape({-1, height, width, features})
        .roll({shift, shift}, {1, 2})
        .view({-1, tokens, features});
  };
  int y = b.add(c10::str("windows ", h, "x", w, " of ", height, "x", width, ", shifted by ", shift), x,
                [=](const Tensor& in) {
                  const Tensor grid =
                      in.reshape({-1, height, width, features}).roll({-shift, -shift}, {1, 2});
                  const Tensor cut = grid.view({-1, height / h, h, width / w, w, features});
                  return cut.permute({0, 1, 3, 2, 4, 5}).reshape({-1, h * w, features});
                });
  y = attention(b, y);
  y = b.add("windows back", y, [=](const Tensor& in) { return whole(in); });
  return added(b, x, y);
}

int convolution_block(NetworkBuilder& b, int x) {
  int y = b.add("transpose", x, [](const Tensor& in) { return in.transpose(1, 2); });
  y = activation(b, convolution(b, y, b[x].size(2), true));
  return b.add("transpose", y, [](const Tensor& in) { return in.transpose(1, 2); });
}

/// Layers with the tokens in front of the batch.
int sequence_first_block(NetworkBuilder& b, int x) {
  int y = b.add("transpose of batch and tokens", x,
                [](const Tensor& in) { return in.transpose(0, 1).contiguous(); });
  y = activation(b, linear(b, y, b[x].size(2)));
  return b.add("transpose back", y, [](const Tensor& in) { return in.transpose(0, 1); });
}

int einsum_block(NetworkBuilder& b, int x) {
  const int64_t tokens = b[x].size(1);
  const std::string name = b.layer("mix");
  const Tensor weight =
      b.weight(name + ".weight", {tokens, tokens}, 1 / std::sqrt(static_cast<double>(tokens)));
  return b.add("einsum over tokens " + name, x,
               [=](const Tensor& in) { return at::einsum("nij,ik->nkj", {in, weight}); });
}

}  // namespace

int token_block(NetworkBuilder& b, int x) {
  using Block = int (*)(NetworkBuilder&, int);
  static const std::vector<Block> blocks{
      fused_layer,     fused_layer,     fused_attention, scripted_block,    attention_block,
      attention_block, attention_block, layers_block,    layers_block,      gated_block,
      tokens_added,    window_block,    window_block,    convolution_block, sequence_first_block,
      einsum_block,    arithmetic,      view_block,      view_block,        activation};
  return b.pick(blocks)(b, x);
}

int tokens_of_map(NetworkBuilder& b, int x) {
  return b.add("flatten of places to tokens", x,
               [](const Tensor& in) { return in.flatten(2).transpose(1, 2); });
}

}  // namespace faultwave::test
