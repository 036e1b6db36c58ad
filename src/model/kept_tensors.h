// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Storage.h>

#include <cstddef>
#include <cstdint>
#include <string>
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

 private:
  KeptTensors tensors_;
};

}  // namespace faultwave::detail
