// SPDX-License-Identifier: Apache-2.0
#include "src/common/torch_names.h"

#include <torch/cuda.h>

#include <optional>

#include "faultwave/error.h"

namespace faultwave {

std::string dtype_name(at::ScalarType dtype) {
  return std::string(c10::getDtypeNames(dtype).first);
}

at::ScalarType dtype_named(std::string_view name) {
  for (int number = 0; number < static_cast<int>(at::ScalarType::NumOptions); ++number) {
    const auto dtype = static_cast<at::ScalarType>(number);
    if (dtype != at::ScalarType::Undefined && c10::getDtypeNames(dtype).first == name) return dtype;
  }
  return at::ScalarType::Undefined;
}

at::ScalarType parse_dtype(std::string_view text) {
  for (const at::ScalarType dtype : {at::kDouble, at::kFloat, at::kHalf, at::kBFloat16}) {
    const auto [name, short_name] = c10::getDtypeNames(dtype);
    if (text == name || (text == short_name && !text.empty())) return dtype;
  }
  throw UserError(ErrorCode::usage, "unknown dtype '" + std::string(text) +
                                        "': expected float64, float32, float16 or bfloat16");
}

at::Device parse_device(std::string_view text) {
  const std::string name(text);
  std::optional<at::Device> device;
  try {
    device.emplace(name);
  } catch (const c10::Error&) {
    device.reset();
  }
  if (!device || !(device->is_cpu() || device->is_cuda())) {
    throw UserError(ErrorCode::usage, "unknown device '" + name + "': expected cpu, cuda or cuda:n");
  }
  return *device;
}

void check_device_present(at::Device device) {
  if (!device.is_cuda()) return;
  const auto count = static_cast<int64_t>(torch::cuda::device_count());
  if (count == 0) {
    throw UserError(ErrorCode::usage,
                    "device " + device.str() + ": this machine, or its libtorch, has no CUDA");
  }
  if (device.index() >= count) {
    throw UserError(ErrorCode::usage, "device " + device.str() +
                                          ": the last CUDA device here is cuda:" + std::to_string(count - 1));
  }
}

}  // namespace faultwave
