// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>
#include <ATen/core/stack.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "src/model/symbol_functions.h"

namespace faultwave::detail {

/// Where an operand of an instruction comes from.
struct Operand {
  enum class Kind : uint8_t {
    fixed,   ///< Program::fixed[index]: a literal, a parameter, a buffer or a constant
    copied,  ///< slot `index`, used again later
    moved,   ///< slot `index`, used here for the last time
    number,  ///< slot `index` holds a number that is wanted as a tensor
    list,    ///< Program::lists[index], put together for this call
  };
  Kind kind = Kind::fixed;
  uint32_t index = 0;
};

/// A list argument with values that are only known while the program runs.
struct ListOperand {
  c10::TypePtr element_type;
  std::vector<Operand> elements;
};

/// Where one result of an instruction goes.
struct Result {
  static constexpr uint32_t kDropped = UINT32_MAX;
  uint32_t slot = kDropped;
  std::vector<uint32_t> list_slots;  ///< of a result that is a list: a slot for each element
};

struct Instruction {
  enum class Kind : uint8_t {
    call,             ///< a boxed call of `op`
    symbol_function,  ///< `function`
    enter_grad_mode,  ///< switches gradients on or off (`grad_mode`), until
    leave_grad_mode,  ///< switches them back
  };
  Kind kind = Kind::call;
  bool grad_mode = false;
  std::optional<c10::OperatorHandle> op;
  SymbolFunction function = nullptr;
  std::vector<Operand> operands;
  std::vector<Result> results;
  const std::string* scope = nullptr;  ///< module path; never null
};

/// A graph of operator calls, ready to run: everything that can be known before is.
/// Immutable once built, so any number of threads may run it at once.
class Program {
 public:
  std::vector<c10::IValue> fixed;
  std::vector<ListOperand> lists;
  std::vector<Instruction> instructions;
  std::vector<uint32_t> input_slots;  ///< kDropped for an input that is not used
  std::vector<Operand> outputs;
  uint32_t slot_count = 0;
  size_t stack_size = 0;  ///< the most operands that an instruction has
  bool switches_grad_mode = false;
  std::vector<std::unique_ptr<const std::string>> scopes;

  /// Inputs in the order of input_slots. Exceptions of operators pass through.
  std::vector<c10::IValue> run(const std::vector<c10::IValue>& inputs) const;

  /// The module path of the instruction of this program that runs on this thread; "" if none does.
  std::string running_scope() const;

 private:
  void push(const Operand& operand, std::vector<c10::IValue>& slots, torch::jit::Stack& stack) const;
  void push_list(const ListOperand& list, std::vector<c10::IValue>& slots, torch::jit::Stack& stack) const;
};

}  // namespace faultwave::detail
