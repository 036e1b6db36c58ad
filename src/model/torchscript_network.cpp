// SPDX-License-Identifier: Apache-2.0
#include "src/model/torchscript_network.h"

#include <c10/util/Exception.h>
#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/runtime/interpreter.h>
#include <torch/csrc/jit/serialization/import.h>

#include <algorithm>
#include <clocale>
#include <locale>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/output_file.h"
#include "src/intercept/intercept.h"
#include "src/model/export_types.h"
#include "src/model/script_state.h"
#include "src/model/torchscript_archive.h"

namespace faultwave::detail {
namespace {

void add_constants(const torch::jit::Block* block, std::vector<at::Tensor>& constants) {
  for (const torch::jit::Node* node : block->nodes()) {
    for (const torch::jit::Block* inner : node->blocks())
      add_constants(inner, constants);
    if (node->kind() != torch::jit::prim::Constant) continue;
    const auto value = torch::jit::toIValue(node->output());
    if (!value || !value->isTensor()) continue;
    const at::Tensor& tensor = value->toTensor();
    const auto same = [&](const at::Tensor& known) { return known.is_same(tensor); };
    if (std::none_of(constants.begin(), constants.end(), same)) constants.push_back(tensor);
  }
}

/// Calls visit(function) for each function of each module.
template <typename Visit>
void for_each_function(const torch::jit::Module& module, Visit visit) {
  for (const torch::jit::Module& part : module.modules()) {
    for (const torch::jit::Method& method : part.get_methods())
      visit(torch::jit::toGraphFunction(method.function()));
  }
}

void convert(const at::Tensor& tensor, at::ScalarType dtype) {
  if (!tensor.is_quantized() && is_convertible_float(tensor.scalar_type())) tensor.set_data(tensor.to(dtype));
}

/// While it lives, the process has no locale: libtorch writes the code of a network as the locale has it,
/// "0,5" where German is spoken, which no program can read.
class ClassicLocale {
 public:
  ClassicLocale() : of_cpp_(std::locale()) {
    const char* of_c = std::setlocale(LC_ALL, nullptr);
    if (of_c != nullptr) of_c_ = of_c;
    std::locale::global(std::locale::classic());
  }
  ~ClassicLocale() {
    std::locale::global(of_cpp_);
    std::setlocale(LC_ALL, of_c_.c_str());
  }
  ClassicLocale(const ClassicLocale&) = delete;
  ClassicLocale& operator=(const ClassicLocale&) = delete;

 private:
  std::locale of_cpp_;
  std::string of_c_ = "C";
};

struct Child {
  std::string path;
  torch::jit::Module module;
};

/// The child that goes by `name` in a call. A list of modules is not called itself, so its name is not told:
/// its children are looked through where no child has the name.
std::vector<Child> find_called(const torch::jit::Module& parent, const std::string& name) {
  std::vector<Child> found;
  for (const auto& child : parent.named_children()) {
    if (child.name == name) return {{name, child.value}};
    if (child.value.find_method("forward")) continue;
    for (const Child& inner : find_called(child.value, name)) {
      found.push_back({child.name + "." + inner.path, inner.module});
    }
  }
  return found;
}

}  // namespace

std::shared_ptr<NetworkFile> TorchScriptNetwork::open(const std::string& path, const OpenOptions& options) {
  torch::jit::Module module;
  try {
    module = load_torchscript(path, options.device);
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    throw UserError(ErrorCode::bad_input,
                    path + " is a TorchScript archive that cannot be opened (" + reason_of(error) + ")");
  }
  if (!module.find_method("forward")) {
    throw UserError(ErrorCode::bad_network, path + " is a TorchScript module without a method forward");
  }
  module.eval();
  auto network = std::make_shared<TorchScriptNetwork>(std::move(module));
  if (options.dtype) {
    for (const NamedTensor& parameter : network->parameters())
      convert(parameter.tensor, *options.dtype);
    for (const NamedTensor& buffer : network->buffers())
      convert(buffer.tensor, *options.dtype);
  }
  return network;
}

TorchScriptNetwork::TorchScriptNetwork(torch::jit::Module module) : module_(std::move(module)) {
  for_each_function(module_, [&](torch::jit::GraphFunction& function) {
    function._set_initial_executor_execution_mode(torch::jit::ExecutorExecutionMode::SIMPLE);
    add_constants(function.graph()->block(), constants_);
  });
  written_ = written_attributes(module_, "forward");
}

std::shared_ptr<KeptState> TorchScriptNetwork::keep_state() const {
  return std::make_shared<ScriptState>(module_, written_, constants_);
}

std::vector<at::Tensor> TorchScriptNetwork::forward(const std::vector<c10::IValue>& inputs) {
  const torch::jit::Method method = module_.get_method("forward");
  torch::jit::Stack stack;
  stack.reserve(inputs.size() + 1);
  stack.emplace_back(module_._ivalue());
  stack.insert(stack.end(), inputs.begin(), inputs.end());
  try {
    method.function().getSchema().checkAndNormalizeInputs(stack, {});
  } catch (const std::exception& error) {
    throw UserError(ErrorCode::bad_input, "the network does not take these inputs: " + reason_of(error));
  }
  try {
    method.function().run(stack);
  } catch (const std::exception&) {
    intercept::rethrow_handler_error();
    throw;
  }
  const intercept::Unseen unseen;
  return flatten(stack.back());
}

std::vector<InputSpec> TorchScriptNetwork::inputs() const {
  std::vector<InputSpec> specs;
  const auto& arguments = module_.get_method("forward").function().getSchema().arguments();
  for (size_t i = 1; i < arguments.size(); ++i)
    specs.push_back({arguments[i].name(), std::nullopt, std::nullopt});
  return specs;
}

std::vector<NamedTensor> TorchScriptNetwork::parameters() const {
  std::vector<NamedTensor> result;
  for (const auto& parameter : module_.named_parameters())
    result.push_back({parameter.name, parameter.value});
  return result;
}

std::vector<NamedTensor> TorchScriptNetwork::buffers() const {
  std::vector<NamedTensor> result;
  for (const auto& buffer : module_.named_buffers())
    result.push_back({buffer.name, buffer.value});
  for (size_t i = 0; i < constants_.size(); ++i)
    result.push_back({"constant." + std::to_string(i), constants_[i]});
  return result;
}

/// The interpreter names the modules that were called, outermost first: "TOP(Net)::forward",
/// "conv1(Conv2d)::forward".
std::string TorchScriptNetwork::current_scope() const {
  torch::jit::Module module = module_;
  std::string path;
  for (const std::string& call : torch::jit::currentModuleHierarchy()) {
    const std::string name = call.substr(0, call.find_first_of("(:"));
    if (name.empty() || name == "TOP" || name == "SELF") continue;  // a free function, or another method
    const std::vector<Child> found = find_called(module, name);
    if (found.size() != 1) return {};
    path += (path.empty() ? "" : ".") + found[0].path;
    module = found[0].module;
  }
  return path;
}

void TorchScriptNetwork::save(const std::string& path) const {
  write_file(path, [&](std::ostream& stream) {
    const ClassicLocale classic;
    module_.save(stream);
  });
}

}  // namespace faultwave::detail
