// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstring>

#include "faultwave/error.h"

#include "src/common/checked_archive.h"
#include "src/common/memory_shortage.h"
#include "src/common/pickle_check.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

constexpr std::string_view zip_magic = "PK\x03\x04";
// How the pickle of an OrderedDict starts. libtorch takes that type for a tensor's hooks and drops it.
constexpr std::string_view ordered_dictionary =
    "\x80\x02"
    "ccollections\nOrderedDict\n";

void check_is_tensor_archive(CheckedArchive& archive) {
  const std::string& path = archive.path();
  if (archive.has("constants.pkl")) {
    cannot_read(path, "it is a TorchScript network; expected a tensor that torch.save wrote");
  }
  if (!archive.has("data.pkl")) {
    cannot_read(path, "it is an archive without data.pkl; expected a tensor that torch.save wrote");
  }
  if (!archive.has("byteorder")) return;
  if (archive.read_text("byteorder") != "little") {
    cannot_read(path, "it was written on a big-endian machine; expected little endian");
  }
}

/// Turns what torch.save pickled into values. libtorch's unpickler knows tensors, numbers, text and
/// containers; any other name in the pickle is refused, so no code of the file is run.
class TorchFileReader {
 public:
  explicit TorchFileReader(CheckedArchive& archive) : archive_(archive) {}

  c10::IValue read() {
    const std::string pickle = archive_.read_text("data.pkl");
    if (pickle.starts_with(ordered_dictionary)) {
      cannot_read(
          archive_.path(),
          "it holds an OrderedDict, such as a state_dict; expected a tensor, or a list or plain dictionary "
          "with one tensor");
    }
    const std::string fault = pickle_fault(pickle, [this](const std::string& key) -> std::optional<uint64_t> {
      if (!archive_.has("data/" + key)) return std::nullopt;
      return archive_.bytes("data/" + key);
    });
    if (!fault.empty()) cannot_read(archive_.path(), "it is damaged: " + fault);
    return unpickle(pickle);
  }

 private:
  c10::IValue unpickle(const std::string& pickle) {
    size_t position = 0;
    const auto next_bytes = [&](char* out, size_t wanted) {
      const size_t bytes = std::min(wanted, pickle.size() - position);
      std::memcpy(out, pickle.data() + position, bytes);
      position += bytes;
      return bytes;
    };
    const auto refuse_class = [this](const c10::QualifiedName& name) -> c10::StrongTypePtr { refuse(name); };
    const auto read_storage = [this](const std::string& key) { return archive_.read("data/" + key).first; };
    torch::jit::Unpickler unpickler(next_bytes, refuse_class, /*obj_loader=*/nullptr, read_storage, at::kCPU);
    return unpickler.parse_ivalue();
  }

  [[noreturn]] void refuse(const c10::QualifiedName& name) const {
    if (name.name() == "_rebuild_tensor_v3") {
      cannot_read(
          archive_.path(),
          "it holds a type that only Python reads from this format, such as FP8 or uint16; expected another "
          "type, or the same tensor in a .safetensors file");
    }
    cannot_read(archive_.path(), "it holds a Python object (" + name.qualifiedName() +
                                     "); expected a tensor, or a list or dictionary with one tensor");
  }

  CheckedArchive& archive_;
};

/// The tensors of a list, tuple or dictionary, or the tensor itself. Does not look into containers of
/// containers.
std::vector<at::Tensor> tensors_in(const c10::IValue& value) {
  std::vector<at::Tensor> tensors;
  const auto add = [&](const c10::IValue& part) {
    if (part.isTensor() && part.toTensor().defined()) tensors.push_back(part.toTensor());
  };
  if (value.isList()) {
    for (const c10::IValue& part : value.toListRef())
      add(part);
  } else if (value.isTuple()) {
    for (const c10::IValue& part : value.toTupleRef().elements())
      add(part);
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict())
      add(entry.value());
  } else {
    add(value);
  }
  return tensors;
}

at::Tensor read_only_tensor(CheckedArchive& archive) {
  const std::string& path = archive.path();
  check_is_tensor_archive(archive);
  const std::vector<at::Tensor> tensors = tensors_in(TorchFileReader(archive).read());
  if (tensors.size() != 1) {
    cannot_read(path, "it holds " + std::to_string(tensors.size()) +
                          " tensors; expected a tensor, or a list or dictionary with one tensor");
  }
  const at::Tensor tensor = tensors.front().detach();
  if (tensor.layout() != at::kStrided || tensor.is_quantized()) {
    cannot_read(path, "it holds a sparse or quantised tensor; expected a dense one of plain numbers");
  }
  return tensor.resolve_conj().resolve_neg().contiguous();
}

}  // namespace

at::Tensor read_torch_file(const std::string& path) {
  if (InputFile(path).head(zip_magic.size()) != zip_magic) {
    cannot_read(
        path,
        "it is not in the zip format of torch.save; if an old PyTorch wrote it, load it there and save it "
        "again with torch.save");
  }
  try {
    CheckedArchive archive(path);
    return read_only_tensor(archive);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    // libtorch's messages speak of its own sources, so they would not help.
    cannot_read(path, "it is damaged or incomplete; expected a tensor that torch.save wrote");
  }
}

}  // namespace faultwave
