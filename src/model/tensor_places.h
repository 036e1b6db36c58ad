// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/function_schema.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <vector>

namespace faultwave::detail {

/// Where a tensor stands among the arguments or results of an operator.
struct TensorPlace {
  int position = 0;  ///< argument or result number
  int element = -1;  ///< -1: the tensor itself; otherwise its number in a list
  bool operator==(const TensorPlace&) const = default;
};

/// Calls `visit(place, tensor)` for every defined tensor among `values`, those in lists included.
template <typename Visit>
void for_each_tensor(c10::ArrayRef<c10::IValue> values, Visit&& visit) {
  for (size_t position = 0; position < values.size(); ++position) {
    const c10::IValue& value = values[position];
    const int at = static_cast<int>(position);
    if (value.isTensor()) {
      if (value.toTensor().defined()) visit(TensorPlace{at, -1}, value.toTensor());
    } else if (value.isTensorList() || value.isOptionalTensorList()) {
      const c10::ArrayRef<c10::IValue> list = value.toListRef();
      for (size_t element = 0; element < list.size(); ++element) {
        if (!list[element].isTensor() || !list[element].toTensor().defined()) continue;
        visit(TensorPlace{at, static_cast<int>(element)}, list[element].toTensor());
      }
    }
  }
}

/// All of them, in that order.
inline std::vector<at::Tensor> tensors_of(c10::ArrayRef<c10::IValue> values) {
  std::vector<at::Tensor> tensors;
  for_each_tensor(values, [&](TensorPlace, const at::Tensor& tensor) { tensors.push_back(tensor); });
  return tensors;
}

/// Whether the operator writes to this argument, or returns one that it has written to.
inline bool is_written(const c10::Argument& argument) {
  return argument.alias_info() != nullptr && argument.alias_info()->isWrite();
}

/// The tensor at a place; undefined if there is none (a shorter list, a None).
inline at::Tensor tensor_at(c10::ArrayRef<c10::IValue> values, TensorPlace place) {
  const c10::IValue& value = values[static_cast<size_t>(place.position)];
  if (place.element < 0) return value.isTensor() ? value.toTensor() : at::Tensor();
  if (!value.isTensorList() && !value.isOptionalTensorList()) return {};
  const c10::ArrayRef<c10::IValue> list = value.toListRef();
  if (static_cast<size_t>(place.element) >= list.size()) return {};
  const c10::IValue& element = list[static_cast<size_t>(place.element)];
  return element.isTensor() ? element.toTensor() : at::Tensor();
}

/// Puts `tensor` in a place. A list is copied first, since others may hold it.
inline void put_tensor(c10::IValue& value, int element, at::Tensor tensor) {
  if (element < 0) {
    value = std::move(tensor);
    return;
  }
  c10::List<c10::IValue> list = value.toList().copy();
  list.set(static_cast<size_t>(element), std::move(tensor));
  value = std::move(list);
}

}  // namespace faultwave::detail
