// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <iterator>

#include "faultwave/error.h"
#include "faultwave/inputs.h"

#include "src/common/shape.h"
#include "zoo/zoo.h"

namespace faultwave::zoo {
namespace {

[[noreturn]] void fail(const std::string& path, const std::string& why) {
  throw UserError(ErrorCode::bad_input, "The state dictionary " + path + " " + why + ".");
}

/// What torch.save wrote, as a dictionary.
c10::impl::GenericDict read_pickled(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(path, "cannot be opened");
  const std::vector<char> bytes{std::istreambuf_iterator<char>(file), {}};
  c10::IValue value;
  try {
    value = torch::pickle_load(bytes);
  } catch (const c10::Error&) {
    fail(path,
         "is damaged, or holds more than a plain dictionary of tensors; expected what "
         "torch.save(dict(model.state_dict()), path) writes");
  }
  if (!value.isGenericDict()) fail(path, "holds no dictionary; expected names with tensors");
  return value.toGenericDict();
}

/// Looks tensors up by name.
class StateDict {
 public:
  explicit StateDict(const std::string& path) : path_(path) {
    if (!path.ends_with(".safetensors")) entries_ = read_pickled(path);
  }

  torch::Tensor get(const std::string& name) const {
    if (!entries_) return load_tensor(path_ + ":" + name);
    const auto entry = entries_->find(name);
    if (entry == entries_->end()) fail(path_, "lacks the tensor '" + name + "'");
    if (!entry->value().isTensor()) fail(path_, "holds no tensor under '" + name + "'");
    return entry->value().toTensor();
  }

 private:
  std::string path_;
  std::optional<c10::impl::GenericDict>
      entries_;  // empty for a safetensors file, which is read tensor by tensor
};

}  // namespace

void load_state_dict(torch::nn::Module& module, const std::string& path) {
  const StateDict entries(path);
  std::vector<std::pair<torch::Tensor, torch::Tensor>> copies;  // to, from
  const auto plan = [&](const torch::OrderedDict<std::string, torch::Tensor>& tensors) {
    for (const auto& tensor : tensors) {
      const torch::Tensor value = entries.get(tensor.key());
      if (value.sizes() != tensor->sizes()) {
        fail(path, "holds '" + tensor.key() + "' of shape " + shape_text(value.sizes()) + "; expected " +
                       shape_text(tensor->sizes()));
      }
      copies.emplace_back(*tensor, value);
    }
  };
  plan(module.named_parameters());
  plan(module.named_buffers());

  torch::NoGradGuard no_grad;
  for (auto& [to, from] : copies)
    to.copy_(from);
}

}  // namespace faultwave::zoo
