// SPDX-License-Identifier: Apache-2.0
#include "src/model/script_path.h"

namespace faultwave::detail {

std::optional<AttributeSlot> find_slot(const torch::jit::Module& module, const std::string& path) {
  c10::intrusive_ptr<c10::ivalue::Object> object = module._ivalue();
  size_t begin = 0;
  while (true) {
    const size_t end = path.find('.', begin);
    const auto slot = object->type()->findAttributeSlot(path.substr(begin, end - begin));
    if (!slot) return std::nullopt;
    if (end == std::string::npos) return AttributeSlot{object, *slot};
    const c10::IValue& inner = object->getSlot(*slot);
    if (!inner.isObject()) return std::nullopt;
    object = inner.toObject();
    begin = end + 1;
  }
}

std::optional<c10::IValue> find_attribute(const torch::jit::Module& module, const std::string& path) {
  const std::optional<AttributeSlot> found = find_slot(module, path);
  if (!found) return std::nullopt;
  return found->object->getSlot(found->slot);
}

}  // namespace faultwave::detail
