// SPDX-License-Identifier: Apache-2.0
// Views of values, writes through them, and copies from one place to another; over any shape of three axes or
// more.
#include <utility>

#include "tests/property/blocks.h"

namespace faultwave::test {
namespace {

using Tensor = at::Tensor;

/// Writes to a part of x, and goes on with x.
int written_part(NetworkBuilder& b, int x) {
  const int64_t axis = b.between(1, b[x].dim() - 1);
  const int64_t begin = b.between(0, b[x].size(axis) - 1);
  const int64_t end = b.between(begin + 1, b[x].size(axis));
  // A write that hits x itself changes what others read of it too, as it does in a network that people write.
  const bool is_copy = b.chance(50);
  if (is_copy) x = b.add("clone", x, [](const Tensor& in) { return in.clone(); });
  const int part = b.add(c10::str("slice ", begin, ":", end, " of axis ", axis), x,
                         [=](const Tensor& in) { return in.slice(axis, begin, end); });
  int written = part;
  switch (b.between(0, 3)) {
    case 0:
      written = activation_in_place(b, part);
      break;
    case 1:
      written = b.add("fill_ 0.5", part, [](Tensor in) { return in.fill_(0.5); });
      break;
    case 2:
      written = b.add("copy_ of its negative", part, [](Tensor in) { return in.copy_(-in); });
      break;
    default:
      written = b.add("mul_ -0.75", part, [](Tensor in) { return in.mul_(-0.75); });
  }
  // The second argument keeps the view alive until here.
  return b.add("x after the write", x, written, [](const Tensor& in, const Tensor&) { return in * 1.0; });
}

/// A new tensor, filled part by part.
int filled_by_parts(NetworkBuilder& b, int x) {
  const int64_t axis = b.between(1, b[x].dim() - 1);
  const int64_t size = b[x].size(axis);
  return b.add(c10::str("zeros, into whose axis ", axis, " x is copied behind one place"), x,
               [=](const Tensor& in) {
                 std::vector<int64_t> sizes = in.sizes().vec();
                 sizes[static_cast<size_t>(axis)] = size + 1;
                 Tensor whole = at::zeros(sizes);
                 whole.slice(axis, 1, size + 1).copy_(in);
                 whole.select(axis, 0).copy_(in.select(axis, 0) * 0.5);
                 return whole;
               });
}

int read_through_two_views(NetworkBuilder& b, int x) {
  return b.add("sum of two views of x", x, [](const Tensor& in) {
    const Tensor flat = in.flatten(1);
    return (flat.unsqueeze(1).expand({-1, 2, -1}).mean(1) + flat).view(in.sizes());
  });
}

int moved(NetworkBuilder& b, int x) {
  const int64_t axis = b.between(1, b[x].dim() - 1);
  const int64_t size = b[x].size(axis);
  const int64_t step = b.between(1, 2);
  std::vector<int64_t> order;
  for (int64_t i = 0; i < size; ++i)
    order.push_back(b.between(0, size - 1));
  const Tensor numbers = at::tensor(order, at::kLong);
  const std::vector<std::pair<std::string, NetworkBuilder::Unary>> list{
      {"flip", [=](const Tensor& in) { return in.flip({axis}); }},
      {"roll by 2", [=](const Tensor& in) { return in.roll(2, axis); }},
      {c10::str("every ", step), [=](const Tensor& in) { return in.slice(axis, 0, size, step); }},
      {"all but the first", [=](const Tensor& in) { return in.narrow(axis, 1, size - 1); }},
      {"index_select " + c10::str(c10::IntArrayRef(order)),
       [=](const Tensor& in) { return in.index_select(axis, numbers); }},
      {"two copies", [=](const Tensor& in) { return at::cat({in, in.flip({axis})}, axis); }},
      {"stack and unbind",
       [=](const Tensor& in) {
         const std::vector<Tensor> parts = at::stack({in, in * 2, in - 1}, axis).unbind(axis);
         return parts[0] + parts[2] * 0.5;
       }},
      {"split_with_sizes and cat in the other order",
       [=](const Tensor& in) {
         const std::vector<Tensor> parts = in.split_with_sizes({1, size - 1}, axis);
         return at::cat({parts[1], parts[0]}, axis);
       }},
      {"repeat_interleave", [=](const Tensor& in) { return at::repeat_interleave(in, 2, axis); }},
      {"repeat", [=](const Tensor& in) {
         std::vector<int64_t> repeats(static_cast<size_t>(in.dim()), 1);
         repeats[static_cast<size_t>(axis)] = 2;
         return in.repeat(repeats);
       }}};
  const auto drawn = b.pick(list);
  return b.add(c10::str(drawn.first, " along axis ", axis), x, drawn.second);
}

int padded(NetworkBuilder& b, int x) {
  const std::string mode =
      b.pick(std::vector<std::string>{"constant", "constant", "reflect", "replicate", "circular"});
  const int64_t axes = mode == "constant" ? b.between(1, b[x].dim() - 2) : b[x].dim() - 2;
  std::vector<int64_t> widths;
  for (int64_t i = 0; i < 2 * axes; ++i)
    widths.push_back(b.between(mode == "constant" ? -1 : 0, 2));
  return b.add(c10::str("pad ", mode, " ", c10::IntArrayRef(widths)), x,
               [=](const Tensor& in) { return at::pad(in, widths, mode); });
}

/// Axes in another order, elements of the batch first as before.
int permuted(NetworkBuilder& b, int x) {
  std::vector<int64_t> order{0};
  for (int64_t axis = 1; axis < b[x].dim(); ++axis)
    order.insert(order.begin() + b.between(1, static_cast<int64_t>(order.size())), axis);
  const bool is_copied = b.chance(50);
  return b.add(
      c10::str("permute ", c10::IntArrayRef(order), is_copied ? ", contiguous" : ""), x,
      [=](const Tensor& in) { return is_copied ? in.permute(order).contiguous() : in.permute(order); });
}

/// A chain of writes to a view of all of x, and x is read by another.
int chain_in_place(NetworkBuilder& b, int x) {
  int y = b.add("clone", x, [](const Tensor& in) { return in.clone(); });
  const int64_t writes = b.between(2, 4);
  for (int64_t i = 0; i < writes; ++i) {
    if (b.chance(30))
      y = b.add("add_ of x", y, x, [](Tensor a, const Tensor& c) { return a.add_(c); });
    else
      y = activation_in_place(b, y);
  }
  return y;
}

int flat_and_back(NetworkBuilder& b, int x) {
  const bool writes = b.chance(30);
  return b.add(writes ? "flatten, relu_, view as before" : "flatten, view as before", x,
               [=](const Tensor& in) {
                 Tensor flat = in.flatten(1);
                 if (writes) flat.relu_();
                 return flat.view(in.sizes());
               });
}

}  // namespace

int view_block(NetworkBuilder& b, int x) {
  using Block = int (*)(NetworkBuilder&, int);
  static const std::vector<Block> blocks{
      written_part, written_part, filled_by_parts, read_through_two_views, moved,        moved, moved, padded,
      padded,       permuted,     chain_in_place,  chain_in_place,         flat_and_back};
  return b.pick(blocks)(b, x);
}

}  // namespace faultwave::test
