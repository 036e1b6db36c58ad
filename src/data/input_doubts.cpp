// SPDX-License-Identifier: Apache-2.0
#include "src/data/input_doubts.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>

#include "src/data/image_codec.h"

namespace faultwave {
namespace {

bool is_of_images(const std::string& path) {
  std::error_code ignored;
  return is_image_path(path) || std::filesystem::is_directory(path, ignored);
}

bool does_something(const Preprocess& preprocess) {
  const Preprocess nothing;
  return preprocess.resize || preprocess.crop || preprocess.mean != nothing.mean ||
         preprocess.std != nothing.std;
}

bool is_unscaled(const Preprocess& preprocess) {
  const Preprocess nothing;
  return !preprocess.is_scaled && preprocess.mean == nothing.mean && preprocess.std == nothing.std;
}

}  // namespace

std::vector<std::string> doubts_about_files(const std::vector<std::string>& paths,
                                            const Preprocess& preprocess) {
  if (paths.empty()) return {};
  if (std::none_of(paths.begin(), paths.end(), is_of_images)) {
    if (!does_something(preprocess)) return {};
    return {"preprocessing does nothing here: it is for images, and '" + paths.front() + "' holds tensors"};
  }
  if (!is_unscaled(preprocess)) return {};
  return {
      "images go in as values from 0 to 1, since neither mean nor std is given: give those that the "
      "network was trained with (0 and 1 if these are they)"};
}

namespace {

bool is_finite(const at::Tensor& tensor) {
  const bool can_be_otherwise = tensor.is_floating_point() || tensor.is_complex();
  return !can_be_otherwise || at::isfinite(tensor).all().item<bool>();
}

}  // namespace

std::string doubt_about_values(const InputSet& inputs) {
  int64_t count = 0;
  int64_t first = 0;
  for (int64_t i = 0; i < inputs.size(); ++i) {
    const Input input = inputs.get(i);
    if (std::all_of(input.begin(), input.end(), is_finite)) continue;
    if (count++ == 0) first = i;
  }
  if (count == 0) return "";
  return "NaN or infinity is in " + std::to_string(count) + " of the " + std::to_string(inputs.size()) +
         " inputs, the first of them " + inputs.name(first);
}

}  // namespace faultwave
