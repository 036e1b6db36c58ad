// SPDX-License-Identifier: Apache-2.0
#include "src/model/file_kind.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include "faultwave/error.h"

#include "src/common/checked_archive.h"

namespace faultwave::detail {
namespace {

const std::string kAdvice =
    "write the network with torch.export.save(torch.export.export(model, inputs), file) or with "
    "torch.jit.save";

[[noreturn]] void refuse(const std::string& path, const std::string& what) {
  throw UserError(ErrorCode::bad_input, path + " " + what);
}

bool is_text(const std::string& bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 ? byte != 0x7F : c == '\t' || c == '\n' || c == '\r' || c == '\f';
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
[[noreturn]] void refuse_pickle(CheckedArchive& archive) {
  const std::string& path = archive.path();
  const std::string pickle = archive.read_text("data.pkl");
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
  CheckedArchive archive(path);
  const bool has_program =
      std::any_of(archive.names().begin(), archive.names().end(),
                  [](const std::string& record) { return record.compare(0, 7, "models/") == 0; });
  if (has_program || archive.has("archive_format")) return FileKind::exported_program;
  if (archive.has("serialized_exported_program.json")) {
    refuse(path, "is an exported program of an old layout; save it again with PyTorch 2.13 or newer");
  }
  if (archive.has("constants.pkl") && archive.has("data.pkl")) return FileKind::torchscript;
  if (archive.has("data.pkl")) refuse_pickle(archive);
  refuse(path, "is an archive, but of neither a TorchScript network nor an exported program; " + kAdvice);
}

}  // namespace

FileKind identify_file(const std::string& path) {
  if (!std::filesystem::exists(path)) refuse(path, "does not exist");
  if (std::filesystem::is_directory(path)) refuse(path, "is a folder; name a network file (.pt or .pt2)");
  const std::string bytes = InputFile(path).head(512);
  if (bytes.compare(0, 4, "PK\x03\x04") != 0) refuse_foreign(path, bytes);
  return identify_archive(path);
}

}  // namespace faultwave::detail
