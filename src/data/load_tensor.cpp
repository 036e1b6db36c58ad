// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "faultwave/inputs.h"

#include "src/common/input_file.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

constexpr std::string_view colon_after_suffix = ".safetensors:";
constexpr int64_t most_values = int64_t{1} << 58;  // times 16 bytes, that still fits 63 bits
constexpr size_t most_axes = 64;                   // as in NumPy and ATen

std::optional<TensorFile::Format> format_of_suffix(const std::string& suffix) {
  if (suffix == ".npy") return TensorFile::Format::npy;
  if (suffix == ".safetensors") return TensorFile::Format::safetensors;
  if (suffix == ".pt" || suffix == ".pth") return TensorFile::Format::torch;
  return std::nullopt;
}

at::Tensor read(const TensorFile& file) {
  switch (file.format) {
    case TensorFile::Format::npy:
      return read_npy(file.path);
    case TensorFile::Format::safetensors:
      return read_safetensors(file.path, file.tensor);
    case TensorFile::Format::torch:
      return read_torch_file(file.path);
  }
  return {};
}

}  // namespace

std::optional<int64_t> count_values(const std::vector<int64_t>& shape) {
  if (shape.size() > most_axes) return std::nullopt;
  int64_t count = 1;
  bool is_empty = false;
  for (const int64_t size : shape) {
    if (size < 0 || size > most_values / count) return std::nullopt;
    is_empty |= size == 0;
    count *= std::max<int64_t>(size, 1);  // strides beside an axis of size 0 must not overflow either
  }
  return is_empty ? 0 : count;
}

std::string lower_suffix(const std::string& path) {
  std::string suffix = std::filesystem::path(path).extension().string();
  std::transform(suffix.begin(), suffix.end(), suffix.begin(),
                 [](unsigned char letter) { return static_cast<char>(std::tolower(letter)); });
  return suffix;
}

std::optional<TensorFile> parse_tensor_path(const std::string& path) {
  // The first colon, and before any suffix: a tensor may be named "a.npy" or "b.safetensors:c".
  const size_t place = path.find(colon_after_suffix);
  if (place != std::string::npos) {
    const size_t colon = place + colon_after_suffix.size() - 1;
    return TensorFile{.format = TensorFile::Format::safetensors,
                      .path = path.substr(0, colon),
                      .tensor = path.substr(colon + 1)};
  }
  const auto format = format_of_suffix(lower_suffix(path));
  if (!format) return std::nullopt;
  return TensorFile{.format = *format, .path = path, .tensor = std::nullopt};
}

at::Tensor load_tensor(const std::string& path) {
  const std::optional<TensorFile> file = parse_tensor_path(path);
  if (!file) {
    InputFile exists(path);
    cannot_read(
        path,
        "its name does not end in .npy, .safetensors, .pt or .pth, by which tensor files are told apart");
  }
  at::Tensor tensor = read(*file);
  // Any other byte in a bool is undefined behaviour wherever it is used.
  if (tensor.scalar_type() == at::kBool && tensor.numel() > 0 &&
      tensor.view(at::kByte).max().item<int64_t>() > 1) {
    cannot_read(path, "it is damaged: a bool is stored as a byte other than 0 and 1");
  }
  return tensor;
}

}  // namespace faultwave
