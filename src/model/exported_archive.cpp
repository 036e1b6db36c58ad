// SPDX-License-Identifier: Apache-2.0
#include "src/model/exported_archive.h"

#include <ATen/ATen.h>
#include <ATen/EmptyTensor.h>
#include <c10/util/Exception.h>
#include <c10/util/accumulate.h>
#include <caffe2/serialize/inline_container.h>

#include <fstream>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/model/atomic_file.h"
#include "src/model/export_types.h"

namespace faultwave::detail {
namespace {

using caffe2::serialize::PyTorchStreamReader;
using caffe2::serialize::PyTorchStreamWriter;

constexpr int64_t kKnownSchema = 8;
constexpr const char* kWeightsFolder = "data/weights/";
constexpr const char* kConstantsFolder = "data/constants/";

bool starts_with(const std::string& text, const std::string& beginning) {
  return text.compare(0, beginning.size(), beginning) == 0;
}

std::string read_text(PyTorchStreamReader& reader, const std::string& record) {
  auto [data, size] = reader.getRecord(record);
  return std::string(static_cast<const char*>(data.get()), size);
}

/// The name of the one program in the archive ("model" in models/model.json), which torch.export.save writes.
std::string program_name(const std::string& file, const std::vector<std::string>& records) {
  std::vector<std::string> names;
  for (const std::string& record : records) {
    const std::string folder = "models/", ending = ".json";
    if (starts_with(record, folder) && record.size() > folder.size() + ending.size() &&
        record.compare(record.size() - ending.size(), ending.size(), ending) == 0) {
      names.push_back(record.substr(folder.size(), record.size() - folder.size() - ending.size()));
    }
  }
  if (names.empty()) {
    throw UserError(ErrorCode::bad_network,
                    file +
                        " holds no exported program (an AOTInductor package, perhaps); write one with "
                        "torch.export.save");
  }
  if (names.size() > 1) {
    throw UserError(ErrorCode::bad_network, file + " holds " + std::to_string(names.size()) +
                                                " exported programs; write each to a file of its own with "
                                                "torch.export.save");
  }
  return names[0];
}

void check_schema(const std::string& file, const Json& model) {
  const Json& version = model.at("schema_version");
  const int64_t major = version.at("major").get<int64_t>();
  if (major == kKnownSchema) return;
  const std::string advice = major > kKnownSchema
                                 ? "save it with PyTorch 2.13 or 2.14, or use a newer Faultwave"
                                 : "save it again with PyTorch 2.13 or newer";
  throw UserError(ErrorCode::bad_network, file + " is an exported program of schema version " +
                                              std::to_string(major) + ", and this Faultwave knows version " +
                                              std::to_string(kKnownSchema) + ": " + advice);
}

std::vector<int64_t> fixed_sizes(const OrderedJson& sizes) {
  std::vector<int64_t> result;
  for (const OrderedJson& size : sizes)
    result.push_back(size.at("as_int").get<int64_t>());
  return result;
}

/// The convertible float type that most elements have; empty if none has one.
std::optional<at::ScalarType> most_used_float_type(const OrderedJson& payloads) {
  std::map<at::ScalarType, int64_t> elements;
  for (const OrderedJson& payload : payloads.at("config")) {
    const OrderedJson& metadata = payload.at("tensor_meta");
    if (!metadata.is_object()) continue;
    const at::ScalarType type = scalar_type_from_export(metadata.at("dtype"));
    if (is_convertible_float(type))
      elements[type] += c10::multiply_integers(fixed_sizes(metadata.at("sizes")));
  }
  std::optional<at::ScalarType> best;
  for (const auto& [type, count] : elements) {
    if (!best || count > elements[*best]) best = type;
  }
  return best;
}

std::optional<at::ScalarType> float_type_of_inputs(const Json& model) {
  const Json& graph_module = model.at("graph_module");
  for (const Json& spec : graph_module.at("signature").at("input_specs")) {
    if (!spec.contains("user_input") || !spec["user_input"].at("arg").contains("as_tensor")) continue;
    const std::string name = spec["user_input"]["arg"]["as_tensor"].at("name");
    const auto type =
        scalar_type_from_export(graph_module.at("graph").at("tensor_values").at(name).at("dtype"));
    if (is_convertible_float(type)) return type;
  }
  return std::nullopt;
}

/// Replaces one dtype by another in tensor metadata and operator arguments, all the way down.
void replace_dtype(Json& node, int64_t from, int64_t to) {
  if (node.is_object()) {
    const bool is_metadata = node.contains("dtype") && node.contains("sizes");
    if (is_metadata && node["dtype"] == from) node["dtype"] = to;
    if (node.contains("as_scalar_type") && node["as_scalar_type"] == from) node["as_scalar_type"] = to;
  }
  if (node.is_structured()) {
    for (Json& child : node)
      replace_dtype(child, from, to);
  }
}

/// A tensor over part of a storage, as as_strided would give, but no view in autograd's eyes.
/// Undefined if the storage is too small.
at::Tensor tensor_over(const at::Tensor& storage, const OrderedJson& metadata) {
  const auto sizes = fixed_sizes(metadata.at("sizes"));
  const auto strides = fixed_sizes(metadata.at("strides"));
  const auto offset = metadata.at("storage_offset").at("as_int").get<int64_t>();
  const auto element_size = static_cast<size_t>(storage.element_size());
  const size_t needed =
      at::detail::computeStorageNbytes(sizes, strides, element_size, static_cast<size_t>(offset));
  if (c10::multiply_integers(sizes) > 0 && needed > storage.storage().nbytes()) return {};
  return at::empty({0}, storage.options()).set_(storage.storage(), offset, sizes, strides);
}

}  // namespace

ExportedArchive::ExportedArchive(const std::string& path, const OpenOptions& options) : file_(path) {
  try {
    PyTorchStreamReader reader(path);
    read(reader, options);
  } catch (const nlohmann::detail::exception& error) {
    throw UserError(
        ErrorCode::bad_input,
        path + " is damaged: its description of the program cannot be read (" + error.what() + ")");
  } catch (const c10::Error& error) {
    throw UserError(ErrorCode::bad_input, path + " is damaged or incomplete (" + reason_of(error) + ")");
  }
}

void ExportedArchive::read(PyTorchStreamReader& reader, const OpenOptions& options) {
  const std::string name = program_name(file_, reader.getAllRecords());
  const std::string model_record = "models/" + name + ".json";
  const std::string weights_record = kWeightsFolder + name + "_weights_config.json";
  const std::string constants_record = kConstantsFolder + name + "_constants_config.json";
  version_ = reader.version();
  model_ = Json::parse(read_text(reader, model_record));
  check_schema(file_, model_);
  OrderedJson weights = OrderedJson::parse(read_text(reader, weights_record));
  OrderedJson constants = OrderedJson::parse(read_text(reader, constants_record));
  auto own_type = most_used_float_type(weights);
  if (!own_type) own_type = float_type_of_inputs(model_);
  read_tensors(reader, kWeightsFolder, weights, options);
  read_tensors(reader, kConstantsFolder, constants, options);
  read_other_records(reader);
  if (!options.dtype) return;
  other_records_[weights_record] = weights.dump();
  other_records_[constants_record] = constants.dump();
  if (own_type && own_type != options.dtype) {
    replace_dtype(model_, scalar_type_to_export(*own_type), scalar_type_to_export(*options.dtype));
    other_records_[model_record] = model_.dump();
  }
}

void ExportedArchive::read_tensors(PyTorchStreamReader& reader, const std::string& folder,
                                   OrderedJson& payloads, const OpenOptions& options) {
  // Names of the same tensor get the same tensor object, by which a tied weight is known as one.
  std::map<std::pair<std::string, std::string>, at::Tensor> known;
  for (auto& [name, payload] : payloads.at("config").items()) {
    OrderedJson& metadata = payload.at("tensor_meta");
    if (!metadata.is_object()) continue;  // a custom object; refused where the program uses it
    if (payload.at("use_pickle").get<bool>()) {
      throw UserError(ErrorCode::bad_network,
                      file_ + " keeps " + name +
                          " as a tensor subclass of Python, which cannot be read without "
                          "it; turn it into a plain tensor before the export");
    }
    const std::string record = folder + payload.at("path_name").get<std::string>();
    const at::Tensor storage = read_storage(reader, record, metadata, options);
    metadata["dtype"] = scalar_type_to_export(storage.scalar_type());
    at::Tensor& tensor = known[{record, metadata.dump()}];
    if (!tensor.defined()) tensor = tensor_over(storage, metadata);
    if (!tensor.defined()) {
      throw UserError(ErrorCode::bad_input, file_ + " is damaged: too few bytes are kept for " + name);
    }
    const bool is_parameter = payload.at("is_param").get<bool>();
    if (is_parameter && metadata.at("requires_grad").get<bool>()) tensor.requires_grad_(true);
    tensors_.push_back({name, tensor, is_parameter});
  }
}

at::Tensor ExportedArchive::read_storage(PyTorchStreamReader& reader, const std::string& record,
                                         const OrderedJson& metadata, const OpenOptions& options) {
  at::Tensor& storage = storages_[record];
  if (storage.defined()) return storage;
  const at::ScalarType type = scalar_type_from_export(metadata.at("dtype"));
  const auto element_size = static_cast<size_t>(c10::elementSize(type));
  auto [data, bytes] = reader.getRecord(record);
  const auto elements = static_cast<int64_t>(bytes / element_size);
  if (elements == 0) {
    storage = at::zeros({c10::multiply_integers(fixed_sizes(metadata.at("sizes")))}, type);
  } else {
    c10::Storage memory(c10::Storage::use_byte_size_t(), bytes, std::move(data), nullptr,
                        /*resizable=*/false);
    storage = at::empty({0}, type).set_(memory, 0, {elements}, {1});
  }
  const bool convert = options.dtype && is_convertible_float(type);
  storage = storage.to(options.device, convert ? *options.dtype : type);
  return storage;
}

void ExportedArchive::read_other_records(PyTorchStreamReader& reader) {
  for (const std::string& record : reader.getAllRecords()) {
    // The writer makes the records of .data/ itself.
    const bool keep = storages_.count(record) == 0 && !starts_with(record, ".data/") && record != "version";
    if (keep) other_records_[record] = read_text(reader, record);
  }
}

void ExportedArchive::write(const std::string& path) const {
  write_atomically(path, [&](const std::string& temporary) {
    std::ofstream file(temporary, std::ios::binary);
    // A failure is kept by the stream and seen at the end; the writer would report it on the error stream.
    const auto append = [&](const void* data, size_t size) -> size_t {
      file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
      return size;
    };
    {
      PyTorchStreamWriter writer(append);
      writer.setMinVersion(version_);
      write_records(writer);
      writer.writeEndOfFile();
    }
    file.close();
    if (!file) throw UserError(ErrorCode::store, "cannot write " + path + ": the disk may be full");
  });
}

void ExportedArchive::write_records(PyTorchStreamWriter& writer) const {
  for (const auto& [record, storage] : storages_) {
    const at::Tensor values = storage.cpu();
    writer.writeRecord(record, values.data_ptr(), values.nbytes());
  }
  for (const auto& [record, text] : other_records_)
    writer.writeRecord(record, text.data(), text.size());
}

}  // namespace faultwave::detail
