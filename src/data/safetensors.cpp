// SPDX-License-Identifier: Apache-2.0
#include <ATen/ATen.h>

#include <algorithm>
#include <set>
#include <tuple>

#include <nlohmann/json.hpp>

#include "src/common/input_file.h"
#include "src/common/near_names.h"
#include "src/data/tensor_files.h"

namespace faultwave {
namespace {

using nlohmann::json;

constexpr uint64_t longest_header = 100'000'000;  // as the format's own implementation allows

struct SafetensorsType {
  const char* name;
  at::ScalarType dtype;
};

constexpr SafetensorsType types[] = {
    {"F64", at::ScalarType::Double},
    {"F32", at::ScalarType::Float},
    {"F16", at::ScalarType::Half},
    {"BF16", at::ScalarType::BFloat16},
    {"F8_E4M3", at::ScalarType::Float8_e4m3fn},
    {"F8_E5M2", at::ScalarType::Float8_e5m2},
    {"I64", at::ScalarType::Long},
    {"I32", at::ScalarType::Int},
    {"I16", at::ScalarType::Short},
    {"I8", at::ScalarType::Char},
    {"U64", at::ScalarType::UInt64},
    {"U32", at::ScalarType::UInt32},
    {"U16", at::ScalarType::UInt16},
    {"U8", at::ScalarType::Byte},
    {"BOOL", at::ScalarType::Bool},
};

std::optional<at::ScalarType> parse_type(const std::string& name) {
  for (const SafetensorsType& type : types) {
    if (name == type.name) return type.dtype;
  }
  return std::nullopt;
}

struct Entry {
  std::string name;
  std::string dtype;
  std::vector<int64_t> shape;
  uint64_t begin = 0;  // bytes, from the start of the data
  uint64_t end = 0;
};

[[noreturn]] void damaged(const std::string& path, const std::string& why) {
  cannot_read(path, "its safetensors header is damaged: " + why);
}

/// The header as JSON, its keys checked to be unique.
json parse_header(const std::string& text, const std::string& path) {
  std::set<std::string> names;
  const auto check_key = [&](int depth, json::parse_event_t event, json& value) {
    const bool is_name = event == json::parse_event_t::key && depth == 1;
    if (is_name && !names.insert(value.get<std::string>()).second) {
      damaged(path, "'" + value.get<std::string>() + "' is there twice");
    }
    return true;
  };
  json header = json::parse(text, check_key, /*allow_exceptions=*/false);
  if (!header.is_object()) damaged(path, "it is not a JSON object");
  return header;
}

bool is_list_of_sizes(const json& value) {
  return value.is_array() && std::all_of(value.begin(), value.end(), [](const json& size) {
           return size.is_number_unsigned() && size.get<uint64_t>() <= uint64_t{1} << 62;
         });
}

Entry parse_entry(const std::string& name, const json& value, const std::string& path) {
  const bool is_complete = value.is_object() && value.contains("dtype") && value["dtype"].is_string() &&
                           value.contains("shape") && is_list_of_sizes(value["shape"]) &&
                           value.contains("data_offsets") && is_list_of_sizes(value["data_offsets"]) &&
                           value["data_offsets"].size() == 2;
  if (!is_complete) damaged(path, "'" + name + "' lacks a proper dtype, shape or data_offsets");
  return {.name = name,
          .dtype = value["dtype"].get<std::string>(),
          .shape = value["shape"].get<std::vector<int64_t>>(),
          .begin = value["data_offsets"][0].get<uint64_t>(),
          .end = value["data_offsets"][1].get<uint64_t>()};
}

/// The tensors must fill the data without gap or overlap, each with as many bytes as its shape and type take.
void check_layout(std::vector<Entry>& entries, uint64_t data_bytes, const std::string& path) {
  std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t covered = 0;
  for (const Entry& entry : entries) {
    if (entry.end > data_bytes) {
      cannot_read(path, "tensor '" + entry.name + "' ends at byte " + std::to_string(entry.end) +
                            " of the data, and " + std::to_string(data_bytes) + " are there");
    }
    if (entry.begin != covered || entry.end < entry.begin) {
      damaged(path, "the data of '" + entry.name + "' overlaps with others or leaves a gap");
    }
    covered = entry.end;
    const std::optional<int64_t> count = count_values(entry.shape);
    if (!count) damaged(path, "the shape of '" + entry.name + "' is impossible");
    const std::optional<at::ScalarType> dtype = parse_type(entry.dtype);
    if (dtype && entry.end - entry.begin != static_cast<uint64_t>(*count) * c10::elementSize(*dtype)) {
      damaged(path, "the shape and type of '" + entry.name + "' do not fit its number of bytes");
    }
  }
  if (covered != data_bytes) {
    cannot_read(path, std::to_string(data_bytes - covered) + " bytes after the last tensor belong to none");
  }
}

const Entry& choose(const std::vector<Entry>& entries, const std::optional<std::string>& name,
                    const std::string& path) {
  if (entries.empty()) cannot_read(path, "it holds no tensor");
  std::vector<std::string> names;
  for (const Entry& entry : entries) {
    if (entry.name == name) return entry;
    names.push_back(entry.name);
  }
  std::sort(names.begin(), names.end());
  if (name) {
    cannot_read(path, "it holds no tensor '" + *name + "' but " + std::to_string(names.size()) +
                          ", such as '" + names.front() + "'" + did_you_mean(*name, names));
  }
  if (entries.size() > 1) {
    cannot_read(path, "it holds " + std::to_string(entries.size()) +
                          " tensors; name one after a colon, such as '" + path + ":" + names.front() + "'");
  }
  return entries.front();
}

}  // namespace

at::Tensor read_safetensors(const std::string& path, const std::optional<std::string>& name) {
  InputFile file(path);
  if (file.size() < 8) cannot_read(path, "it is too short for a safetensors file");
  uint64_t header_bytes = 0;  // little endian, as memory is
  file.read(0, &header_bytes, sizeof header_bytes);
  if (header_bytes > longest_header || header_bytes > file.size() - 8) {
    cannot_read(path, "it is not a safetensors file, or it ends within its header");
  }
  std::string text(header_bytes, '\0');
  file.read(8, text.data(), header_bytes);

  std::vector<Entry> entries;
  const json header = parse_header(text, path);
  for (const auto& [key, value] : header.items()) {
    if (key != "__metadata__") entries.push_back(parse_entry(key, value, path));
  }
  const uint64_t data_offset = 8 + header_bytes;
  check_layout(entries, file.size() - data_offset, path);

  const Entry& entry = choose(entries, name, path);
  const std::optional<at::ScalarType> dtype = parse_type(entry.dtype);
  if (!dtype) {
    cannot_read(path, "tensor '" + entry.name + "' has type " + entry.dtype +
                          "; expected floating point of 8 to 64 bits, integers of 8 to 64 bits, or BOOL");
  }
  at::Tensor tensor = at::empty(entry.shape, at::TensorOptions(*dtype));
  file.read(data_offset + entry.begin, tensor.mutable_data_ptr(), entry.end - entry.begin);
  return tensor;
}

}  // namespace faultwave
