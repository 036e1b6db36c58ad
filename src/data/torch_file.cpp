// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>
#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include <algorithm>
#include <cstring>
#include <map>

#include "faultwave/error.h"

#include "src/data/files.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

using caffe2::serialize::PyTorchStreamReader;

constexpr std::string_view zip_magic = "PK\x03\x04";
// How the pickle of an OrderedDict starts. libtorch takes that type for a tensor's hooks and drops it.
constexpr std::string_view ordered_dictionary =
    "\x80\x02"
    "ccollections\nOrderedDict\n";

/// Lets the archive reader read through an InputFile, so that all errors of the file system read alike.
class ArchiveSource final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit ArchiveSource(const std::string& path) : file_(path) {}
  InputFile& file() { return file_; }
  size_t size() const override { return file_.size(); }
  size_t read(uint64_t position, void* out, size_t bytes, const char*) const override {
    const uint64_t present = std::min<uint64_t>(bytes, file_.size() - std::min(position, file_.size()));
    file_.read(position, out, present);
    return present;
  }

 private:
  mutable InputFile file_;
};

void check_is_tensor_archive(PyTorchStreamReader& archive, const std::string& path) {
  if (archive.hasRecord("constants.pkl")) {
    cannot_read(path, "it is a TorchScript network; expected a tensor that torch.save wrote");
  }
  if (!archive.hasRecord("data.pkl")) {
    cannot_read(path, "it is an archive without data.pkl; expected a tensor that torch.save wrote");
  }
  if (!archive.hasRecord("byteorder")) return;
  const auto [order, bytes] = archive.getRecord("byteorder");
  if (std::string_view(static_cast<const char*>(order.get()), bytes) != "little") {
    cannot_read(path, "it was written on a big-endian machine; expected little endian");
  }
}

/// Turns what torch.save pickled into values. libtorch's unpickler knows tensors, numbers, text and
/// containers; any other name in the pickle is refused, so no code of the file is run.
class TorchFileReader {
 public:
  TorchFileReader(PyTorchStreamReader& archive, const std::string& path) : archive_(archive), path_(path) {}

  c10::IValue read() {
    const auto [pickle, pickle_bytes] = archive_.getRecord("data.pkl");
    const auto* text = static_cast<const char*>(pickle.get());
    if (std::string_view(text, pickle_bytes).starts_with(ordered_dictionary)) {
      cannot_read(
          path_,
          "it holds an OrderedDict, such as a state_dict; expected a tensor, or a list or plain dictionary "
          "with one tensor");
    }
    size_t position = 0;
    const auto next_bytes = [&](char* out, size_t wanted) {
      const size_t bytes = std::min(wanted, pickle_bytes - position);
      std::memcpy(out, text + position, bytes);
      position += bytes;
      return bytes;
    };
    const auto refuse_class = [this](const c10::QualifiedName& name) -> c10::StrongTypePtr { refuse(name); };
    const auto read_storage = [this](const std::string& key) { return read_record(key); };
    torch::jit::Unpickler unpickler(next_bytes, refuse_class, /*obj_loader=*/nullptr, read_storage, at::kCPU);
    return unpickler.parse_ivalue();
  }

  /// The unpickler believes the sizes that the pickle states; this compares them with the bytes that were
  /// read.
  void check_bounds(const at::Tensor& tensor) const {
    const c10::Storage& storage = tensor.storage();
    const auto record = record_bytes_.find(storage.data());
    const size_t present = record == record_bytes_.end() ? 0 : record->second;
    const std::optional<int64_t> count = count_values(tensor.sizes().vec());
    if (!count || storage.nbytes() > present) damaged();
    if (*count == 0) return;

    auto room = static_cast<int64_t>(present / tensor.element_size()) - 1;
    if (tensor.storage_offset() < 0 || tensor.storage_offset() > room) damaged();
    room -= tensor.storage_offset();
    for (int64_t axis = 0; axis < tensor.dim(); ++axis) {
      const int64_t steps = tensor.size(axis) - 1;
      const int64_t stride = tensor.stride(axis);
      if (stride < 0 || (steps > 0 && stride > room / steps)) damaged();
      room -= steps * stride;
    }
  }

 private:
  [[noreturn]] void damaged() const { cannot_read(path_, "it is damaged: a tensor reaches beyond its data"); }

  [[noreturn]] void refuse(const c10::QualifiedName& name) const {
    if (name.name() == "_rebuild_tensor_v3") {
      cannot_read(
          path_,
          "it holds a type that only Python reads from this format, such as FP8 or uint16; expected another "
          "type, or the same tensor in a .safetensors file");
    }
    cannot_read(path_, "it holds a Python object (" + name.qualifiedName() +
                           "); expected a tensor, or a list or dictionary with one tensor");
  }

  at::DataPtr read_record(const std::string& key) {
    auto [data, bytes] = archive_.getRecord("data/" + key);
    record_bytes_[data.get()] = bytes;
    return std::move(data);
  }

  PyTorchStreamReader& archive_;
  const std::string& path_;
  std::map<const void*, size_t> record_bytes_;
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

at::Tensor read_only_tensor(ArchiveSource& source, PyTorchStreamReader& archive) {
  const std::string& path = source.file().path();
  check_is_tensor_archive(archive, path);
  TorchFileReader reader(archive, path);
  const std::vector<at::Tensor> tensors = tensors_in(reader.read());
  if (tensors.size() != 1) {
    cannot_read(path, "it holds " + std::to_string(tensors.size()) +
                          " tensors; expected a tensor, or a list or dictionary with one tensor");
  }
  const at::Tensor tensor = tensors.front().detach();
  if (tensor.layout() != at::kStrided || tensor.is_quantized()) {
    cannot_read(path, "it holds a sparse or quantised tensor; expected a dense one of plain numbers");
  }
  reader.check_bounds(tensor);
  return tensor.resolve_conj().resolve_neg().contiguous();
}

}  // namespace

at::Tensor read_torch_file(const std::string& path) {
  const auto source = std::make_shared<ArchiveSource>(path);
  if (source->file().head(zip_magic.size()) != zip_magic) {
    cannot_read(
        path,
        "it is not in the zip format of torch.save; if an old PyTorch wrote it, load it there and save it "
        "again with torch.save");
  }
  try {
    PyTorchStreamReader archive(source);
    return read_only_tensor(*source, archive);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception&) {
    // libtorch's messages speak of its own sources, so they would not help.
    cannot_read(path, "it is damaged or incomplete; expected a tensor that torch.save wrote");
  }
}

}  // namespace faultwave
