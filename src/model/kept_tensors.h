// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/network.h"

namespace faultwave::detail {

/// Some tensors as they were: their bytes, and where and how they lay in memory.
///
/// Memory is compared byte by byte, since a write through `x.data` leaves no trace in version counters. Dense
/// tensors of every type are kept so; of other layouts (sparse, MKL-DNN) a copy is kept and versions are
/// compared.
class KeptTensors {
 public:
  /// Keeps a tensor as it is now. One that is known, or undefined, is passed over.
  void add(const at::Tensor& tensor);
  /// The tensor objects that were added have their old values, sizes and memory again. Only what differs is
  /// written.
  void put_back();
  bool keeps(const at::Tensor& tensor) const;
  bool is_empty() const { return tensors_.empty() && opaque_.empty(); }
  /// Whether all of it is as it was kept. False where only a device could tell.
  bool is_current() const;

 private:
  struct Memory {
    c10::Storage storage;
    size_t size = 0;
    std::vector<char> bytes;  // of memory on the CPU
    at::Tensor device_bytes;  // of other memory: [size], uint8, on the same device
  };
  struct Kept {
    at::Tensor tensor;
    c10::intrusive_ptr<c10::TensorImpl> as_it_was;  // shares the memory
  };
  struct Opaque {
    at::Tensor tensor;
    at::Tensor copy;
    int64_t version = 0;
  };
  void add_memory(const at::Tensor& tensor);
  static void put_back(const Memory& memory);
  static void put_back(Kept& kept);
  static void put_back(Opaque& opaque);

  std::vector<Kept> tensors_;
  std::vector<Memory> memory_;
  std::vector<Opaque> opaque_;
};

/// A state that is a list of tensors.
class TensorState : public KeptState {
 public:
  explicit TensorState(const std::vector<at::Tensor>& tensors);
  void put_back() override { tensors_.put_back(); }
  bool keeps(const at::Tensor& tensor) const override { return tensors_.keeps(tensor); }
  bool is_empty() const override { return tensors_.is_empty(); }
  bool is_current() const { return tensors_.is_current(); }

 private:
  KeptTensors tensors_;
};

/// Keeps the same tensors before each of many runs. Most runs leave them alone, and then what was kept before
/// one serves for the next: looking costs a twentieth of keeping anew. May be used by several threads.
class ReusedState {
 public:
  explicit ReusedState(std::vector<at::Tensor> tensors) : tensors_(std::move(tensors)) {}
  std::shared_ptr<KeptState> keep();

 private:
  const std::vector<at::Tensor> tensors_;
  std::mutex mutex_;
  std::shared_ptr<TensorState> last_;
};

}  // namespace faultwave::detail
