// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <system_error>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "src/common/input_file.h"
#include "src/common/parallel_for.h"
#include "src/common/shape.h"
#include "src/data/image_codec.h"
#include "src/data/input_sets.h"
#include "src/data/sha256.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

/// The images of a folder, by name. Files whose name starts with a dot are passed over; anything else that is
/// no image is refused, so that what a campaign ran on is never in doubt.
std::vector<std::string> images_in(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (auto entry = fs::directory_iterator(folder, error); !error && entry != fs::directory_iterator();
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name.starts_with('.')) continue;
    if (fs::is_directory(entry->path())) {
      cannot_read(folder, "it holds the folder '" + name + "'; expected images only, directly in it");
    }
    if (!is_image_path(name)) {
      cannot_read(folder, "it holds '" + name + "', which is not an image; expected PNG and JPEG files only");
    }
    names.push_back(name);
  }
  if (error) cannot_read(folder, error.message());
  if (names.empty()) cannot_read(folder, "the folder holds no images; expected PNG or JPEG files");

  std::sort(names.begin(), names.end());  // by bytes, the same in every locale
  for (std::string& name : names)
    name = (fs::path(folder) / name).string();
  return names;
}

/// "batch axes 0, 1": of input sets that are not of one tensor each.
std::string axes_text(const std::vector<int64_t>& axes) {
  std::string text;
  for (const int64_t axis : axes)
    text += (text.empty() ? "batch axes " : ", ") + std::to_string(axis);
  return text;
}

}  // namespace

Sha256::Digest digest_of(const Input& input) {
  Sha256 hash;
  for (const at::Tensor& tensor : input) {
    hash.add(std::string(c10::toString(tensor.scalar_type())) + " " + shape_text(tensor.sizes()) + "\n");
    hash.add(tensor.const_data_ptr(), tensor.nbytes());
  }
  return hash.finish();
}

std::string fingerprint_of(const std::vector<Sha256::Digest>& digests,
                           const std::vector<int64_t>& batch_axes) {
  Sha256 hash;
  hash.add(std::to_string(digests.size()) + " inputs\n");
  if (batch_axes != std::vector<int64_t>{0}) hash.add(axes_text(batch_axes) + "\n");
  for (const Sha256::Digest& digest : digests)
    hash.add(digest.data(), digest.size());
  return to_hex(hash.finish());
}

void check_index(int64_t index, int64_t size) {
  if (index < 0 || index >= size) {
    throw UserError(ErrorCode::bad_input, "input " + std::to_string(index) + " does not exist: there are " +
                                              std::to_string(size) + ", counted from 0");
  }
}

std::string compute_fingerprint(const InputSet& inputs) {
  // A digest an input, so that threads may share the work, and one over these.
  std::vector<Sha256::Digest> digests(inputs.size());
  parallel_for(0, inputs.size(), 1, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i)
      digests[i] = digest_of(inputs.get(i));
  });
  return fingerprint_of(digests, inputs.batch_axes());
}

std::shared_ptr<InputSet> open_inputs(const std::string& path, const Preprocess& preprocess) {
  std::error_code ignored;
  if (fs::is_directory(path, ignored)) return inputs_from_images(images_in(path), preprocess);
  if (is_image_path(path)) return inputs_from_images({path}, preprocess);
  if (parse_tensor_path(path)) return inputs_from_tensor(load_tensor(path), "'" + path + "'");
  InputFile exists(path);
  cannot_read(
      path,
      "expected a tensor file (.npy, .safetensors, .pt, .pth), an image (.png, .jpg, .jpeg), or a folder of "
      "images");
}

}  // namespace faultwave
