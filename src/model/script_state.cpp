// SPDX-License-Identifier: Apache-2.0
#include "src/model/script_state.h"

#include <utility>

namespace faultwave::detail {

ScriptState::ScriptState(const torch::jit::Module& module, const WrittenAttributes& written,
                         const std::vector<at::Tensor>& constants) {
  bool all = written.all;
  std::vector<AttributeSlot> places;
  for (const std::string& path : written.paths) {
    const std::optional<AttributeSlot> place = find_slot(module, path);
    if (place) {
      places.push_back(*place);
    } else {
      all = true;  // held in a way that a path does not tell
    }
  }
  for (const at::Tensor& constant : all ? constants : written.constants)
    tensors_.add(constant);
  if (all) {
    keep_object(module._ivalue());
    return;
  }
  for (const AttributeSlot& place : places)
    keep_slot(place);
}

void ScriptState::keep_object(const c10::intrusive_ptr<c10::ivalue::Object>& object) {
  if (!seen_.insert(object.get()).second) return;
  for (size_t slot = 0; slot < object->slots().size(); ++slot)
    keep_slot({object, slot});
}

void ScriptState::keep_slot(const AttributeSlot& place) {
  slots_.push_back({place, keep(place.object->getSlot(place.slot))});
}

ScriptState::Value ScriptState::keep(const c10::IValue& value) {
  Value kept{value, {}};
  if (value.isTensor()) {
    tensors_.add(value.toTensor());
  } else if (value.isList()) {
    for (const c10::IValue& element : value.toListRef())
      kept.elements.push_back(keep(element));
  } else if (value.isTuple()) {
    for (const c10::IValue& element : value.toTupleRef().elements())
      kept.elements.push_back(keep(element));
  } else if (value.isGenericDict()) {
    for (const auto& entry : value.toGenericDict()) {
      kept.elements.push_back({entry.key(), {}});
      kept.elements.push_back(keep(entry.value()));
    }
  } else if (value.isObject()) {
    keep_object(value.toObject());
  }
  return kept;
}

void ScriptState::put_back() {
  for (const Slot& slot : slots_) {
    if (!slot.place.object->getSlot(slot.place.slot).is(slot.value.value))
      slot.place.object->setSlot(slot.place.slot, slot.value.value);
    put_back(slot.value);
  }
  tensors_.put_back();
}

void ScriptState::put_back(const Value& value) {
  if (value.value.isList()) put_back_list(value);
  if (value.value.isGenericDict()) put_back_dictionary(value);
  for (const Value& element : value.elements)
    put_back(element);
}

void ScriptState::put_back_list(const Value& value) {
  c10::List<c10::IValue> list = value.value.toList();
  bool is_same = list.size() == value.elements.size();
  for (size_t i = 0; is_same && i < value.elements.size(); ++i)
    is_same = list.get(i).is(value.elements[i].value);
  if (is_same) return;
  list.clear();
  for (const Value& element : value.elements)
    list.push_back(element.value);
}

void ScriptState::put_back_dictionary(const Value& value) {
  c10::Dict<c10::IValue, c10::IValue> dictionary = value.value.toGenericDict();
  // Put in anew where anything differs, since the order counts too.
  bool is_same = 2 * dictionary.size() == value.elements.size();
  size_t next = 0;
  for (auto entry = dictionary.begin(); is_same && entry != dictionary.end(); ++entry, next += 2)
    is_same =
        entry->key().is(value.elements[next].value) && entry->value().is(value.elements[next + 1].value);
  if (is_same) return;
  dictionary.clear();
  for (size_t i = 0; i < value.elements.size(); i += 2)
    dictionary.insert(value.elements[i].value, value.elements[i + 1].value);
}

}  // namespace faultwave::detail
