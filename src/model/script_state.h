// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <torch/csrc/jit/api/module.h>

#include <set>
#include <vector>

#include "faultwave/network.h"

#include "src/model/kept_tensors.h"
#include "src/model/script_path.h"
#include "src/model/written_attributes.h"

namespace faultwave::detail {

/// Attributes of a TorchScript module as they were: tensors, numbers, text, and lists, dictionaries, tuples
/// and objects of them, however deep. Objects of C++ classes (packed weights) are kept as they are, without
/// what is inside.
class ScriptState : public KeptState {
 public:
  /// Keeps those attributes; `constants` are all tensors in the module's code.
  ScriptState(const torch::jit::Module& module, const WrittenAttributes& written,
              const std::vector<at::Tensor>& constants);
  void put_back() override;
  bool keeps(const at::Tensor& tensor) const override { return tensors_.keeps(tensor); }
  bool is_empty() const override { return slots_.empty() && tensors_.is_empty(); }

 private:
  /// A value that an attribute or container held, and what it held itself.
  struct Value {
    c10::IValue value;
    std::vector<Value> elements;  // of a list or tuple; of a dictionary keys and values in turn
  };
  struct Slot {
    AttributeSlot place;
    Value value;
  };
  void keep_slot(const AttributeSlot& place);
  void keep_object(const c10::intrusive_ptr<c10::ivalue::Object>& object);
  Value keep(const c10::IValue& value);
  static void put_back(const Value& value);
  static void put_back_list(const Value& value);
  static void put_back_dictionary(const Value& value);

  std::vector<Slot> slots_;
  KeptTensors tensors_;
  std::set<const void*> seen_;  // objects, which may hold one another
};

}  // namespace faultwave::detail
