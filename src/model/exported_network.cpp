// SPDX-License-Identifier: Apache-2.0
#include "src/model/exported_network.h"

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/intercept/intercept.h"
#include "src/model/program_builder.h"
#include "src/model/written_tensors.h"

namespace faultwave::detail {
namespace {

Program build(const ExportedArchive& archive, const OpenOptions& options) {
  std::map<std::string, at::Tensor> stored;
  for (const StoredTensor& tensor : archive.tensors())
    stored.emplace(tensor.name, tensor.tensor);
  BuildOptions build_options;
  build_options.device = options.device;
  build_options.retargeted = !options.device.is_cpu() || options.dtype.has_value();
  return build_program(archive.model(), stored, build_options);
}

}  // namespace

std::shared_ptr<NetworkFile> ExportedNetwork::open(const std::string& path, const OpenOptions& options) {
  ExportedArchive archive(path, options);
  try {
    return std::make_shared<ExportedNetwork>(std::move(archive), options);
  } catch (const UserError& error) {
    throw UserError(error.code(), path + ": " + error.what());
  } catch (const std::exception& error) {  // of nlohmann's, or libtorch's where a value is of another type
    pass_shortage(error);
    throw UserError(
        ErrorCode::bad_input,
        path + " is damaged: its description of the program is not complete (" + reason_of(error) + ")");
  }
}

ExportedNetwork::ExportedNetwork(ExportedArchive archive, const OpenOptions& options)
    : archive_(std::move(archive)),
      check_(archive_.model(), options.device),
      program_(build(archive_, options)),
      written_(written_tensors(program_)) {
  archive_.forget_model();
}

std::vector<at::Tensor> ExportedNetwork::forward(const std::vector<c10::IValue>& inputs) {
  std::vector<c10::IValue> checked;
  {
    const intercept::Unseen unseen;
    checked = check_.check(inputs);
  }
  std::vector<c10::IValue> results = program_.run(checked);
  const intercept::Unseen unseen;
  return flatten(c10::ivalue::Tuple::create(std::move(results)));
}

std::vector<NamedTensor> ExportedNetwork::tensors(bool parameters) const {
  std::vector<NamedTensor> result;
  for (const StoredTensor& stored : archive_.tensors()) {
    if (stored.is_parameter == parameters) result.push_back({stored.name, stored.tensor});
  }
  return result;
}

}  // namespace faultwave::detail
