// SPDX-License-Identifier: Apache-2.0
#include "src/fault/element_values.h"

#include <ATen/EmptyTensor.h>
#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <string>

#include "faultwave/error.h"

namespace faultwave::detail {
namespace {

/// Positions in memory, in elements, of row-major offsets.
std::vector<int64_t> memory_positions(const at::Tensor& tensor, const std::vector<int64_t>& offsets) {
  if (tensor.is_contiguous()) return offsets;
  std::vector<int64_t> positions;
  positions.reserve(offsets.size());
  for (int64_t offset : offsets) {
    int64_t position = 0;
    for (int64_t d = tensor.dim() - 1; d >= 0; --d) {
      position += (offset % tensor.size(d)) * tensor.stride(d);
      offset /= tensor.size(d);
    }
    positions.push_back(position);
  }
  return positions;
}

at::ScalarType integer_of_width(const at::Tensor& tensor) {
  switch (tensor.element_size()) {
    case 1:
      return at::kByte;
    case 2:
      return at::kShort;
    case 4:
      return at::kInt;
    case 8:
      return at::kLong;
    default:
      break;
  }
  throw UserError(ErrorCode::illegal_fault, std::string("values of type ") +
                                                c10::toString(tensor.scalar_type()) +
                                                " cannot be hit: expected one of 8, 16, 32 or 64 bits");
}

/// The tensor's memory as a flat integer tensor on its own device, long enough for the last position.
at::Tensor raw_memory(const at::Tensor& tensor, const std::vector<int64_t>& positions) {
  const int64_t length = positions.empty() ? 0 : *std::max_element(positions.begin(), positions.end()) + 1;
  const auto options = at::TensorOptions().dtype(integer_of_width(tensor)).device(tensor.device());
  return at::from_blob(tensor.mutable_data_ptr(), {length}, options);
}

at::Tensor index_tensor(const std::vector<int64_t>& positions, const at::Device& device) {
  return at::tensor(positions, at::kLong).to(device);
}

void require_dense(const at::Tensor& tensor) {
  if (tensor.layout() == at::kStrided && tensor.unsafeGetTensorImpl()->has_storage()) return;
  throw UserError(ErrorCode::illegal_fault, "tensors of layout " + c10::str(tensor.layout()) +
                                                " cannot be hit: expected a dense, strided one");
}

}  // namespace

at::ScalarType stored_type(at::ScalarType type) {
  return c10::toUnderlying(type);
}

at::Tensor empty_values(int64_t count, at::ScalarType type) {
  return at::detail::empty_cpu({count}, type);
}

at::Tensor read_elements(const at::Tensor& tensor, const std::vector<int64_t>& offsets) {
  require_dense(tensor);
  const std::vector<int64_t> positions = memory_positions(tensor, offsets);
  const at::ScalarType type = stored_type(tensor.scalar_type());
  if (!tensor.is_cpu()) {
    const at::Tensor raw = raw_memory(tensor, positions);
    return raw.index_select(0, index_tensor(positions, tensor.device())).cpu().view(type);
  }
  integer_of_width(tensor);
  at::Tensor values = empty_values(static_cast<int64_t>(offsets.size()), type);
  const size_t width = static_cast<size_t>(tensor.element_size());
  const auto* from = static_cast<const char*>(tensor.const_data_ptr());
  auto* to = static_cast<char*>(values.mutable_data_ptr());
  for (size_t i = 0; i < positions.size(); ++i)
    std::memcpy(to + i * width, from + positions[i] * width, width);
  return values;
}

void write_elements(const at::Tensor& tensor, const std::vector<int64_t>& offsets, const at::Tensor& values) {
  const std::vector<int64_t> positions = memory_positions(tensor, offsets);
  if (!tensor.is_cpu()) {
    const at::Tensor raw = raw_memory(tensor, positions);
    raw.index_copy_(0, index_tensor(positions, tensor.device()),
                    values.view(raw.scalar_type()).to(tensor.device()));
    return;
  }
  const size_t width = static_cast<size_t>(tensor.element_size());
  const auto* from = static_cast<const char*>(values.const_data_ptr());
  auto* to = static_cast<char*>(tensor.mutable_data_ptr());
  for (size_t i = 0; i < positions.size(); ++i)
    std::memcpy(to + positions[i] * width, from + i * width, width);
}

}  // namespace faultwave::detail
