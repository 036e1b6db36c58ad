// SPDX-License-Identifier: Apache-2.0
#include "src/model/torchscript_archive.h"

#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/import.h>

#include <optional>

#include "faultwave/error.h"

#include "src/common/checked_archive.h"
#include "src/common/pickle_check.h"
#include "src/common/plain_text.h"
#include "src/model/text_nesting.h"

namespace faultwave::detail {
namespace {

[[noreturn]] void damaged(const CheckedArchive& archive, const std::string& record, const std::string& why) {
  cannot_read(archive.path(),
              "it is a damaged TorchScript archive: in " + shortened(record, 100) + ", " + why);
}

/// data.pkl has its tensors in data/, constants.pkl in constants/; what tells where code came from has none.
void check_pickle(CheckedArchive& archive, const std::string& record) {
  const std::string folder = record.substr(0, record.rfind('.')) + "/";
  const std::string fault =
      pickle_fault(archive.read_text(record), [&](const std::string& key) -> std::optional<uint64_t> {
        if (!archive.has(folder + key)) return std::nullopt;
        return archive.bytes(folder + key);
      });
  if (!fault.empty()) damaged(archive, record, fault);
}

/// libtorch puts sparse tensors together without a look at their indices.
void check_sparse(const at::Tensor& tensor, const std::string& path) {
  if (!tensor.defined() || tensor.layout() == at::kStrided || tensor.layout() == at::kMkldnn) return;
  try {
    if (tensor.is_sparse()) {
      at::_validate_sparse_coo_tensor_args(tensor._indices(), tensor._values(), tensor.sizes());
    } else if (tensor.is_sparse_csr()) {
      at::_validate_sparse_csr_tensor_args(tensor.crow_indices(), tensor.col_indices(), tensor.values(),
                                           tensor.sizes());
    }
  } catch (const c10::Error&) {
    cannot_read(path,
                "it is a damaged TorchScript archive: the indices of a sparse tensor lie outside of it");
  }
}

}  // namespace

torch::jit::Module load_torchscript(const std::string& path, c10::Device device) {
  CheckedArchive archive(path);
  archive.check_all();
  for (const std::string& record : archive.names()) {
    // Others (example inputs of a trace) are not read.
    if (record == "data.pkl" || record == "constants.pkl" || record.ends_with(".debug_pkl"))
      check_pickle(archive, record);
    if (record.ends_with(".py") && is_code_too_deep(archive.read_text(record)))
      damaged(archive, record, "expressions or blocks are nested too deep");
  }
  torch::jit::Module module = torch::jit::load(archive.source(), device);
  c10::IValue(module._ivalue()).visit([&](const c10::IValue& value) {
    if (value.isTensor()) check_sparse(value.toTensor(), path);
    return false;
  });
  return module;
}

}  // namespace faultwave::detail
