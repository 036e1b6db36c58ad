// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>

#include <map>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "faultwave/network.h"

namespace caffe2::serialize {
class PyTorchStreamWriter;
}  // namespace caffe2::serialize

namespace faultwave {
class CheckedArchive;
}  // namespace faultwave

namespace faultwave::detail {

using Json = nlohmann::json;
using OrderedJson = nlohmann::ordered_json;

/// A tensor that an exported program keeps: a parameter, a buffer or a constant.
struct StoredTensor {
  std::string name;  ///< dotted path, as in the program's signature
  at::Tensor tensor;
  bool is_parameter = false;
};

/// The zip file that torch.export.save writes, read into memory: the description of the program and its
/// tensors, which are moved to OpenOptions::device and, where they are of a convertible float type, to
/// OpenOptions::dtype. Tensors that share a record share memory here too, so that a write through one is seen
/// through the other.
class ExportedArchive {
 public:
  /// Throws UserError: bad_input for a damaged archive, bad_network for one that cannot be run.
  ExportedArchive(const std::string& path, const OpenOptions& options);

  /// models/NAME.json. Where OpenOptions::dtype replaces the network's own type, the dtypes written in it (of
  /// metadata and of operator arguments) are replaced already.
  const Json& model() const { return model_; }
  /// Gives its memory back once the program has been built; write() does not need it.
  void forget_model() { model_ = Json(); }

  /// Parameters and persistent buffers in the order of the state dict, then other buffers and constants.
  const std::vector<StoredTensor>& tensors() const { return tensors_; }

  /// Writes an archive like the one that was read, with the present values of the tensors, as write_file
  /// does.
  void write(const std::string& path) const;

 private:
  using Writer = caffe2::serialize::PyTorchStreamWriter;

  void read(CheckedArchive& archive, const OpenOptions& options);
  void read_tensors(CheckedArchive& archive, const std::string& folder, OrderedJson& payloads,
                    const OpenOptions& options);
  at::Tensor read_storage(CheckedArchive& archive, const std::string& record, const OrderedJson& metadata,
                          const OpenOptions& options);
  void read_other_records(CheckedArchive& archive);
  void write_records(Writer& writer) const;

  std::string file_;  // for messages
  uint64_t version_ = 0;
  Json model_;
  std::vector<StoredTensor> tensors_;
  std::map<std::string, at::Tensor> storages_;        // by record: its elements in one dimension
  std::map<std::string, std::string> other_records_;  // kept as they are written
};

}  // namespace faultwave::detail
