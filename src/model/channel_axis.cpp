// SPDX-License-Identifier: Apache-2.0
#include "src/model/channel_axis.h"

#include <algorithm>
#include <array>

#include "src/model/recorder.h"

namespace faultwave::detail {
namespace {

// Parts of operator names. "conv" also covers conv_transpose2d and quantized::conv2d_relu.
constexpr std::array<std::string_view, 8> kChannelsOnAxisOne{
    "conv", "batch_norm", "instance_norm", "group_norm",
    "pool", "upsample",   "pixel_shuffle", "channel_shuffle"};
constexpr std::array<std::string_view, 9> kChannelsLast{
    "linear", "matmul", "addmm", "bmm", "layer_norm", "rms_norm", "embedding", "attention", "::mm"};
constexpr std::array<std::string_view, 3> kRecurrent{"::lstm", "::gru", "::rnn_"};

template <size_t N>
bool holds_any(std::string_view op, const std::array<std::string_view, N>& parts) {
  return std::any_of(parts.begin(), parts.end(),
                     [&](std::string_view part) { return op.find(part) != op.npos; });
}

}  // namespace

int channel_axis_by_rank(int64_t rank) {
  return rank >= 4 ? 1 : static_cast<int>(rank) - 1;
}

int channel_axis_of_result(std::string_view op, const std::vector<int64_t>& shape,
                           const std::vector<RecordedTensor>& arguments) {
  const int rank = static_cast<int>(shape.size());
  if (rank == 0) return -1;
  if (holds_any(op, kChannelsOnAxisOne)) return std::min(1, rank - 1);
  if (holds_any(op, kChannelsLast) || holds_any(op, kRecurrent)) return rank - 1;
  for (const RecordedTensor& argument : arguments) {
    if (argument.stored == StoredTensors::none && argument.shape == shape) return argument.channel_axis;
  }
  return channel_axis_by_rank(rank);
}

}  // namespace faultwave::detail
