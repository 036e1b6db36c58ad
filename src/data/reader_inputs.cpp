// SPDX-License-Identifier: Apache-2.0
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/input_reader.h"

#include "src/data/input_sets.h"
#include "src/data/sha256.h"

namespace faultwave {
namespace {

class ReaderInputs final : public InputSet {
 public:
  ReaderInputs(int64_t size, InputReader read, std::vector<int64_t> batch_axes,
               std::vector<std::string> names)
      : size_(size),
        read_(std::move(read)),
        batch_axes_(std::move(batch_axes)),
        names_(std::move(names)),
        digests_(static_cast<size_t>(size)) {
    first_ = get(0);
    if (batch_axes_.empty()) batch_axes_.assign(first_.size(), -1);
    check_new_axes(first_, batch_axes_);
  }

  int64_t size() const override { return size_; }
  std::vector<int64_t> batch_axes() const override { return batch_axes_; }

  std::string name(int64_t index) const override {
    check_index(index, size_);
    return names_.empty() ? "#" + std::to_string(index) : names_.at(static_cast<size_t>(index));
  }

  Input get(int64_t index) const override {
    check_index(index, size_);
    const std::lock_guard lock(mutex_);
    return read_and_note(index);
  }

  std::string fingerprint() const override {
    const std::lock_guard lock(mutex_);
    for (int64_t index = 0; index < size_; ++index) {
      if (!digests_[static_cast<size_t>(index)]) read_and_note(index);
    }
    std::vector<Sha256::Digest> digests;
    for (const std::optional<Sha256::Digest>& digest : digests_)
      digests.push_back(*digest);
    return fingerprint_of(digests, batch_axes_);
  }

 private:
  Input read_and_note(int64_t index) const {
    Input input = read_(index);
    for (size_t t = 0; t < input.size(); ++t)
      input[t] = own_tensor(input[t], "tensor " + std::to_string(t) + " of input " + std::to_string(index));
    if (!first_.empty()) check_like_first(input, first_, static_cast<size_t>(index));
    const Sha256::Digest digest = digest_of(input);
    std::optional<Sha256::Digest>& known = digests_[static_cast<size_t>(index)];
    if (known && *known != digest) {
      throw UserError(ErrorCode::bad_input,
                      "input " + std::to_string(index) +
                          " is not what it was when it was read before: expected a data set that gives the "
                          "same each time, without random transforms");
    }
    known = digest;
    return input;
  }

  int64_t size_;
  InputReader read_;
  std::vector<int64_t> batch_axes_;
  std::vector<std::string> names_;
  Input first_;
  mutable std::mutex mutex_;  // of what follows, and of read_
  mutable std::vector<std::optional<Sha256::Digest>> digests_;
};

}  // namespace

std::shared_ptr<InputSet> inputs_from_reader(int64_t size, InputReader read, std::vector<int64_t> batch_axes,
                                             std::vector<std::string> names) {
  if (size < 1) throw UserError(ErrorCode::bad_input, "the data set holds no inputs: expected at least one");
  if (!names.empty() && static_cast<int64_t>(names.size()) != size) {
    throw UserError(ErrorCode::bad_input, "there are " + std::to_string(names.size()) + " names for " +
                                              std::to_string(size) + " inputs: expected one each");
  }
  return std::make_shared<ReaderInputs>(size, std::move(read), std::move(batch_axes), std::move(names));
}

}  // namespace faultwave
