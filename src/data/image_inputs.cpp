// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <filesystem>
#include <list>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "src/common/input_file.h"
#include "src/data/input_sets.h"
#include "src/data/preprocess.h"

namespace faultwave {
namespace {

constexpr size_t cache_bytes = size_t{256} << 20;  // some 400 images of 224 x 224

/// Keeps the images that were used last, since the trials of a campaign come back to the same input.
/// Thread-safe.
class ImageCache {
 public:
  /// An undefined tensor if the image is not there.
  at::Tensor find(int64_t index) {
    const std::lock_guard lock(mutex_);
    const auto place = places_.find(index);
    if (place == places_.end()) return {};
    entries_.splice(entries_.begin(), entries_, place->second);
    return place->second->image;
  }

  void add(int64_t index, const at::Tensor& image) {
    const std::lock_guard lock(mutex_);
    if (places_.count(index) != 0) return;  // another thread was faster
    entries_.push_front({index, image});
    places_[index] = entries_.begin();
    bytes_ += image.nbytes();
    while (bytes_ > cache_bytes && entries_.size() > 1) {
      bytes_ -= entries_.back().image.nbytes();
      places_.erase(entries_.back().index);
      entries_.pop_back();
    }
  }

 private:
  struct Entry {
    int64_t index;
    at::Tensor image;
  };
  std::mutex mutex_;
  std::list<Entry> entries_;  // the one used last comes first
  std::unordered_map<int64_t, std::list<Entry>::iterator> places_;
  size_t bytes_ = 0;
};

class ImageInputs final : public InputSet {
 public:
  ImageInputs(std::vector<std::string> paths, const Preprocess& preprocess, ImageSize size)
      : paths_(std::move(paths)), preprocess_(preprocess), size_(size) {}

  int64_t size() const override { return static_cast<int64_t>(paths_.size()); }

  Input get(int64_t index) const override {
    check_index(index, size());
    at::Tensor image = cache_.find(index);
    if (!image.defined()) {
      image = load(paths_[index]);
      cache_.add(index, image);
    }
    return {image.clone()};
  }

  std::string name(int64_t index) const override {
    check_index(index, size());
    return std::filesystem::path(paths_[index]).filename().string();
  }

  std::string fingerprint() const override {
    const std::lock_guard lock(mutex_);
    if (!fingerprint_) fingerprint_ = compute_fingerprint(*this);
    return *fingerprint_;
  }

 private:
  at::Tensor load(const std::string& path) const {
    at::Tensor image = load_image(path, preprocess_);
    if (image.size(1) != size_.height || image.size(2) != size_.width) {
      cannot_read(path, "its size has changed since the inputs were opened");
    }
    return image;
  }

  std::vector<std::string> paths_;
  Preprocess preprocess_;
  ImageSize size_;
  mutable ImageCache cache_;
  mutable std::mutex mutex_;  // of the fingerprint
  mutable std::optional<std::string> fingerprint_;
};

}  // namespace

std::shared_ptr<InputSet> inputs_from_images(std::vector<std::string> paths, const Preprocess& preprocess) {
  check_preprocess(preprocess);
  ImageSize common;
  for (const std::string& path : paths) {
    const ImageSize size = preprocessed_size(read_image_size(path), preprocess, path);
    if (path == paths.front()) common = size;
    if (size != common) {
      cannot_read(path, "it has " + size_text(size) + " pixels after preprocessing and '" + paths.front() +
                            "' has " + size_text(common) + "; expected one size, which a crop gives");
    }
  }
  return std::make_shared<ImageInputs>(std::move(paths), preprocess, common);
}

}  // namespace faultwave
