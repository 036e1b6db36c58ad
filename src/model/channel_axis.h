// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace faultwave::detail {

struct RecordedTensor;

/// Which axis of a tensor counts feature maps where nothing but the rank is known: axis 1 for [N, C, ...] of
/// rank 4 and up, else the last ([N, C], [N, tokens, C]); -1 for a scalar.
int channel_axis_by_rank(int64_t rank);

/// The same for the result of an operator: convolutions, pooling and batch norm put feature maps on axis 1,
/// matrix products, layer norm, embeddings and attention on the last; an element-wise operator keeps the axis
/// of the first data argument of that shape; otherwise by rank.
int channel_axis_of_result(std::string_view op, const std::vector<int64_t>& shape,
                           const std::vector<RecordedTensor>& arguments);

}  // namespace faultwave::detail
