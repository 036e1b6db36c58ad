// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace faultwave {

// One reader a format. Each takes a path, returns a contiguous CPU tensor of its own memory, and throws
// UserError(bad_input) naming the file and what is wrong. Sizes are checked against the file before memory is
// taken.

/// Versions 1.0 to 3.0, C or Fortran order, either byte order; bool, integers, FP16 to FP64, complex.
at::Tensor read_npy(const std::string& path);
/// `name` may be left out where the file holds one tensor.
at::Tensor read_safetensors(const std::string& path, const std::optional<std::string>& name);
/// The zip format of torch.save. Only tensors and containers are understood, so that no code is run.
at::Tensor read_torch_file(const std::string& path);

/// Number of values of a shape, or empty if a size is negative, or there are more than 2^58 values or 64
/// axes.
std::optional<int64_t> count_values(const std::vector<int64_t>& shape);

/// A tensor file named on the command line or in a specification.
struct TensorFile {
  enum class Format : uint8_t { npy, safetensors, torch };
  Format format = Format::npy;
  std::string path;
  std::optional<std::string> tensor;  ///< for safetensors: the part after the colon
};

/// Recognises a tensor file by its suffix, whatever its case; empty for anything else.
std::optional<TensorFile> parse_tensor_path(const std::string& path);

/// ".png" for "a/B.PNG"; "" without a suffix.
std::string lower_suffix(const std::string& path);

}  // namespace faultwave
