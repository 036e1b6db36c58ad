// SPDX-License-Identifier: Apache-2.0
#include "faultwave/network.h"

#include <memory>
#include <string>
#include <vector>

#include "faultwave/error.h"

#include "src/model/export_types.h"
#include "src/model/exported_network.h"
#include "src/model/file_kind.h"
#include "src/model/torchscript_network.h"

namespace faultwave {

std::shared_ptr<NetworkFile> Network::open(const std::string& path, const OpenOptions& options) {
  if (options.dtype && !detail::is_convertible_float(*options.dtype)) {
    throw UserError(ErrorCode::bad_network, "a network cannot be converted to " +
                                                detail::type_name(*options.dtype) +
                                                "; choose float32, float64, float16 or bfloat16");
  }
  switch (detail::identify_file(path)) {
    case detail::FileKind::exported_program:
      return detail::ExportedNetwork::open(path, options);
    case detail::FileKind::torchscript:
      return detail::TorchScriptNetwork::open(path, options);
  }
  throw InternalError("a file of an unknown kind was identified");
}

std::vector<std::string> NetworkFile::input_names() const {
  std::vector<std::string> names;
  for (const InputSpec& input : inputs())
    names.push_back(input.name);
  return names;
}

}  // namespace faultwave
