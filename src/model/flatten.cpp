// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <vector>

#include "faultwave/error.h"
#include "faultwave/network.h"

namespace faultwave {
namespace {

void append_flat(const c10::IValue& output, std::vector<at::Tensor>& tensors) {
  if (output.isTensor()) {
    if (output.toTensor().defined()) tensors.push_back(output.toTensor());
  } else if (output.isInt()) {
    tensors.push_back(at::scalar_tensor(output.toInt(), at::kLong));
  } else if (output.isDouble()) {
    tensors.push_back(at::scalar_tensor(output.toDouble(), at::kDouble));
  } else if (output.isBool()) {
    tensors.push_back(at::scalar_tensor(output.toBool(), at::kBool));
  } else if (output.isList()) {
    for (const c10::IValue& element : output.toListRef())
      append_flat(element, tensors);
  } else if (output.isTuple()) {
    for (const c10::IValue& element : output.toTupleRef().elements())
      append_flat(element, tensors);
  } else if (output.isGenericDict()) {
    for (const auto& entry : output.toGenericDict())
      append_flat(entry.value(), tensors);
  } else if (!output.isNone() && !output.isString()) {
    throw UserError(ErrorCode::bad_network, "the network returns " + output.tagKind() +
                                                ", which is neither a tensor nor a container of them");
  }
}

}  // namespace

std::vector<at::Tensor> flatten(const c10::IValue& value) {
  std::vector<at::Tensor> tensors;
  append_flat(value, tensors);
  return tensors;
}

}  // namespace faultwave
