// SPDX-License-Identifier: Apache-2.0
#include "src/model/exported_archive.h"

#include <ATen/ATen.h>
#include <c10/util/Exception.h>
#include <c10/util/accumulate.h>
#include <caffe2/serialize/inline_container.h>

#include <map>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/checked_archive.h"
#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/output_file.h"
#include "src/common/plain_text.h"
#include "src/common/storage_extent.h"
#include "src/model/export_types.h"
#include "src/model/json_integer.h"
#include "src/model/text_nesting.h"

namespace faultwave::detail {
namespace {

using caffe2::serialize::PyTorchStreamWriter;

constexpr int64_t kKnownSchema = 8;
constexpr const char* kWeightsFolder = "data/weights/";
constexpr const char* kConstantsFolder = "data/constants/";

/// A record of JSON as text that can be parsed and gone through.
std::string read_json(CheckedArchive& archive, const std::string& record) {
  std::string text = archive.read_text(record);
  if (!is_json_too_deep(text)) return text;
  throw UserError(ErrorCode::bad_input, archive.path() +
                                            " is damaged: brackets in its description of the program (" +
                                            printable(record) + ") are nested too deep");
}

/// The name of the one program in the archive ("model" in models/model.json), which torch.export.save writes.
std::string program_name(const std::string& file, const std::vector<std::string>& records) {
  std::vector<std::string> names;
  for (const std::string& record : records) {
    const std::string folder = "models/", ending = ".json";
    if (record.starts_with(folder) && record.size() > folder.size() + ending.size() &&
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
  const int64_t major = json_integer(version.at("major"));
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
    result.push_back(json_integer(size.at("as_int")));
  return result;
}

/// How many elements a tensor of these sizes has; as many as fit if it is more.
int64_t count_of(const std::vector<int64_t>& sizes) {
  int64_t count = 1;
  for (const int64_t size : sizes) {
    if (__builtin_mul_overflow(count, size, &count)) return INT64_MAX;
  }
  return count;
}

/// The convertible float type that most elements have; empty if none has one.
std::optional<at::ScalarType> most_used_float_type(const OrderedJson& payloads) {
  std::map<at::ScalarType, int64_t> elements;
  for (const OrderedJson& payload : payloads.at("config")) {
    const OrderedJson& metadata = payload.at("tensor_meta");
    if (!metadata.is_object()) continue;
    const at::ScalarType type = scalar_type_from_export(json_integer(metadata.at("dtype")));
    int64_t& sum = elements[type];
    if (is_convertible_float(type) &&
        __builtin_add_overflow(sum, count_of(fixed_sizes(metadata.at("sizes"))), &sum))
      sum = INT64_MAX;
  }
  std::optional<at::ScalarType> best;
  for (const auto& [type, count] : elements) {
    if (is_convertible_float(type) && (!best || count > elements[*best])) best = type;
  }
  return best;
}

std::optional<at::ScalarType> float_type_of_inputs(const Json& model) {
  const Json& graph_module = model.at("graph_module");
  for (const Json& spec : graph_module.at("signature").at("input_specs")) {
    if (!spec.contains("user_input") || !spec["user_input"].at("arg").contains("as_tensor")) continue;
    const std::string name = spec["user_input"]["arg"]["as_tensor"].at("name");
    const auto type = scalar_type_from_export(
        json_integer(graph_module.at("graph").at("tensor_values").at(name).at("dtype")));
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
  const int64_t offset = json_integer(metadata.at("storage_offset").at("as_int"));
  const auto extent = storage_extent(sizes, strides, offset);
  if (!extent || *extent > storage.numel()) return {};
  return at::empty({0}, storage.options()).set_(storage.storage(), offset, sizes, strides);
}

}  // namespace

ExportedArchive::ExportedArchive(const std::string& path, const OpenOptions& options) : file_(path) {
  try {
    CheckedArchive archive(path);
    read(archive, options);
  } catch (const UserError&) {
    throw;
  } catch (const nlohmann::detail::exception& error) {
    throw UserError(
        ErrorCode::bad_input,
        path + " is damaged: its description of the program cannot be read (" + reason_of(error) + ")");
  } catch (const std::exception& error) {
    pass_shortage(error);
    throw UserError(ErrorCode::bad_input, path + " is damaged or incomplete (" + reason_of(error) + ")");
  }
}

void ExportedArchive::read(CheckedArchive& archive, const OpenOptions& options) {
  const std::string name = program_name(file_, archive.names());
  const std::string model_record = "models/" + name + ".json";
  const std::string weights_record = kWeightsFolder + name + "_weights_config.json";
  const std::string constants_record = kConstantsFolder + name + "_constants_config.json";
  version_ = archive.version();
  model_ = Json::parse(read_json(archive, model_record));
  check_schema(file_, model_);
  OrderedJson weights = OrderedJson::parse(read_json(archive, weights_record));
  OrderedJson constants = OrderedJson::parse(read_json(archive, constants_record));
  auto own_type = most_used_float_type(weights);
  if (!own_type) own_type = float_type_of_inputs(model_);
  read_tensors(archive, kWeightsFolder, weights, options);
  read_tensors(archive, kConstantsFolder, constants, options);
  read_other_records(archive);
  if (!options.dtype) return;
  other_records_[weights_record] = weights.dump();
  other_records_[constants_record] = constants.dump();
  if (own_type && own_type != options.dtype) {
    replace_dtype(model_, scalar_type_to_export(*own_type), scalar_type_to_export(*options.dtype));
    other_records_[model_record] = model_.dump();
  }
}

void ExportedArchive::read_tensors(CheckedArchive& archive, const std::string& folder, OrderedJson& payloads,
                                   const OpenOptions& options) {
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
    const at::Tensor storage = read_storage(archive, record, metadata, options);
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

at::Tensor ExportedArchive::read_storage(CheckedArchive& archive, const std::string& record,
                                         const OrderedJson& metadata, const OpenOptions& options) {
  at::Tensor& storage = storages_[record];
  if (storage.defined()) return storage;
  const at::ScalarType type = scalar_type_from_export(json_integer(metadata.at("dtype")));
  const auto element_size = static_cast<size_t>(c10::elementSize(type));
  auto [data, bytes] = archive.read(record);
  const auto elements = static_cast<int64_t>(bytes / element_size);
  if (elements == 0) {
    storage = at::empty({0}, type);
  } else {
    c10::Storage memory(c10::Storage::use_byte_size_t(), bytes, std::move(data), nullptr,
                        /*resizable=*/false);
    storage = at::empty({0}, type).set_(memory, 0, {elements}, {1});
  }
  const bool convert = options.dtype && is_convertible_float(type);
  storage = storage.to(options.device, convert ? *options.dtype : type);
  return storage;
}

void ExportedArchive::read_other_records(CheckedArchive& archive) {
  for (const std::string& record : archive.names()) {
    // The writer makes the records of .data/ itself.
    const bool keep = storages_.count(record) == 0 && !record.starts_with(".data/") && record != "version";
    if (keep) other_records_[record] = archive.read_text(record);
  }
}

void ExportedArchive::write(const std::string& path) const {
  write_file(path, [&](std::ostream& file) {
    // A failure is kept by the stream and seen at the end; the writer would report it on the error stream.
    const auto append = [&](const void* data, size_t size) -> size_t {
      file.write(static_cast<const char*>(data), static_cast<std::streamsize>(size));
      return size;
    };
    PyTorchStreamWriter writer(append);
    writer.setMinVersion(version_);
    write_records(writer);
    writer.writeEndOfFile();
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
