// SPDX-License-Identifier: Apache-2.0
#include "src/model/file_kind.h"

#include <c10/util/Exception.h>
#include <caffe2/serialize/inline_container.h>

#include <algorithm>
#include <cctype>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "faultwave/error.h"

namespace faultwave::detail {
namespace {

using caffe2::serialize::PyTorchStreamReader;

const std::string kAdvice =
    "write the network with torch.export.save(torch.export.export(model, inputs), file) or with "
    "torch.jit.save";

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw UserError(ErrorCode::bad_input, path + " " + what);
}

std::string first_bytes(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) refuse(path, "cannot be read; check its permissions");
  std::string bytes(512, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

bool is_text(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return std::isprint(byte) || std::isspace(byte) || byte >= 0x80;
  });
}

/// A safetensors file begins with the length of its JSON header in eight bytes, and the header.
bool is_safetensors(const std::string& bytes) {
  return bytes.size() > 9 && bytes[8] == '{' && bytes[6] == '\0' && bytes[7] == '\0';
}

[[noreturn]] void refuse_foreign(const std::string& path, const std::string& bytes) {
  if (bytes.empty()) refuse(path, "is empty; " + kAdvice);
  if (is_safetensors(bytes))
    refuse(path, "is a safetensors file, which holds tensors but no network; " + kAdvice);
  // Protocol 2 pickle, which torch.save wrote before it wrote zip files.
  if (bytes.compare(0, 2, "\x80\x02") == 0) {
    refuse(path, "is a Python pickle (torch.save of long ago), not a network; " + kAdvice);
  }
  if (is_text(bytes)) refuse(path, "is a text file, not a network; " + kAdvice);
  refuse(path, "is neither a TorchScript archive nor an exported program; " + kAdvice);
}

/// An archive that torch.save wrote: an object's pickle in data.pkl. A module's pickle names the attributes
/// that every module has; a state dict holds tensors under the names of its choice.
[[noreturn]] void refuse_pickle(const std::string& path, PyTorchStreamReader& reader) {
  const auto [data, size] = reader.getRecord("data.pkl");
  const std::string pickle(static_cast<const char*>(data.get()), size);
  const auto holds = [&](const char* word) { return pickle.find(word) != std::string::npos; };
  if (holds("_modules") && holds("_parameters")) {
    refuse(path, "holds a pickled Python module, which only Python can run; " + kAdvice);
  }
  if (holds("_rebuild_tensor") || holds("_rebuild_parameter")) {
    refuse(path, "holds a state dict or tensors (torch.save), not a network; " + kAdvice);
  }
  refuse(path, "holds a Python object (torch.save), not a network; " + kAdvice);
}

FileKind identify_archive(const std::string& path) {
  PyTorchStreamReader reader(path);
  const std::vector<std::string> records = reader.getAllRecords();
  const auto has = [&](const std::string& name) { return reader.hasRecord(name); };
  const bool has_program = std::any_of(records.begin(), records.end(), [](const std::string& record) {
    return record.compare(0, 7, "models/") == 0;
  });
  if (has_program || has("archive_format")) return FileKind::exported_program;
  if (has("serialized_exported_program.json")) {
    refuse(path, "is an exported program of an old layout; save it again with PyTorch 2.13 or newer");
  }
  if (has("constants.pkl") && has("data.pkl")) return FileKind::torchscript;
  if (has("data.pkl")) refuse_pickle(path, reader);
  refuse(path, "is an archive, but of neither a TorchScript network nor an exported program; " + kAdvice);
}

}  // namespace

FileKind identify_file(const std::string& path) {
  if (!std::filesystem::exists(path)) refuse(path, "does not exist");
  if (std::filesystem::is_directory(path)) refuse(path, "is a folder; name a network file (.pt or .pt2)");
  const std::string bytes = first_bytes(path);
  if (bytes.compare(0, 4, "PK\x03\x04") != 0) refuse_foreign(path, bytes);
  try {
    return identify_archive(path);
  } catch (const c10::Error&) {
    refuse(path, "is a damaged or incomplete archive; copy or export the network again");
  }
}

}  // namespace faultwave::detail
