// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// How an 8-bit image becomes a tensor [3, height, width] of FP32:
/// decode to RGB; scale the shorter side to `resize` (bilinear with antialiasing) if given; cut the middle
/// `crop` x `crop` if given; divide by 255; subtract `mean` and divide by `std`, channel by channel. Sizes
/// from 1 to 16384 pixels, `std` from 1e-6 (UserError(usage)). docs/inputs.md relates it to torchvision, and
/// lists what each file format may hold.
struct Preprocess {
  std::optional<int64_t> resize = {};
  std::optional<int64_t> crop = {};
  std::array<double, 3> mean = {0, 0, 0};
  std::array<double, 3> std = {1, 1, 1};
  bool is_scaled =
      false;  ///< mean or std were given, if only as 0 and 1; changes nothing but doubts about it
};

/// One tensor from `.npy`, `.safetensors` (a single tensor, or the one named after a colon:
/// `file.safetensors:name`) or
/// `.pt` (a tensor, or a list or dictionary with one tensor, as torch.save writes it).
/// Throws UserError(bad_input) naming the file and what is wrong.
at::Tensor load_tensor(const std::string& path);
/// Writes `.npy` version 1.0, C order, through a temporary file. BF16 and FP8 are written as FP32, since the
/// format has no name for them, quantised tensors as their stored integers. Throws UserError(store).
void save_npy(const std::string& path, const at::Tensor& tensor);
/// PNG or JPEG. Throws UserError(bad_input).
at::Tensor load_image(const std::string& path, const Preprocess& preprocess = {});

/// The tensors of one input, in the order in which the network takes them, without batch axes.
using Input = std::vector<at::Tensor>;

/// The inputs that a network is run on.
class InputSet {
 public:
  virtual ~InputSet() = default;
  virtual int64_t size() const = 0;
  /// Input `index` on the CPU, in memory of its own. Thread-safe. Throws UserError(bad_input).
  virtual Input get(int64_t index) const = 0;
  /// For each tensor of an input, the axis along which a batch of inputs is put together; -1 for a tensor
  /// that goes to the network as it is. With -1 alone, each forward is of one input.
  virtual std::vector<int64_t> batch_axes() const { return {0}; }
  /// A short name for people: file name or `#index`.
  virtual std::string name(int64_t index) const = 0;
  /// SHA-256 in hex over all values, shapes and types: the same inputs give the same text anywhere.
  virtual std::string fingerprint() const = 0;
};

/// `path`: a tensor file whose first axis counts inputs ([N, C, H, W]), one image, or a folder of images (in
/// order of their names). Throws UserError(bad_input) for a missing, empty or mixed one.
std::shared_ptr<InputSet> open_inputs(const std::string& path, const Preprocess& preprocess = {});
/// An input set of the first axis of a tensor.
std::shared_ptr<InputSet> inputs_from_tensor(at::Tensor inputs);
/// Of several tensors for each input (ids and mask, say): `tensors[t]` has tensor t of all inputs, which are
/// counted along `batch_axes[t]` there as in a batch; -1: the same tensor goes with every input. Without
/// `batch_axes`, along axis 0 of each. Throws UserError(bad_input).
std::shared_ptr<InputSet> inputs_from_tensors(std::vector<at::Tensor> tensors,
                                              std::vector<int64_t> batch_axes = {});
/// Of inputs one by one. With `batch_axes` (one for each tensor of an input) a batch is put together along
/// these new axes; without, the network takes one input at a time, just as it is given here. Nested inputs:
/// see flatten(). Throws UserError(bad_input) where inputs differ in number, shapes or types of their
/// tensors.
std::shared_ptr<InputSet> inputs_from_list(std::vector<Input> inputs, std::vector<int64_t> batch_axes = {});

/// SHA-256 in hex of a file's bytes; throws UserError(bad_input).
std::string file_fingerprint(const std::string& path);

}  // namespace faultwave
#pragma GCC visibility pop
