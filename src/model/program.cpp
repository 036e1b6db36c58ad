// SPDX-License-Identifier: Apache-2.0
#include "src/model/program.h"

#include <c10/core/GradMode.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace faultwave::detail {
namespace {

struct Running {
  const Program* program = nullptr;
  const std::string* scope = nullptr;
};

thread_local Running running_here;

/// A program may run inside an operator of another one, so what ran before is put back.
class RunningGuard {
 public:
  explicit RunningGuard(const Program* program) : before_(running_here) { running_here = {program, nullptr}; }
  ~RunningGuard() { running_here = before_; }
  RunningGuard(const RunningGuard&) = delete;
  RunningGuard& operator=(const RunningGuard&) = delete;

 private:
  Running before_;
};

void store_results(const Instruction& instruction, std::vector<c10::IValue>& slots,
                   torch::jit::Stack& stack) {
  const size_t first = stack.size() - instruction.results.size();
  for (size_t i = 0; i < instruction.results.size(); ++i) {
    const Result& result = instruction.results[i];
    if (result.slot != Result::kDropped) slots[result.slot] = std::move(stack[first + i]);
    if (result.list_slots.empty()) continue;
    const auto list = stack[first + i].toListRef();
    for (size_t k = 0; k < result.list_slots.size(); ++k) {
      if (result.list_slots[k] != Result::kDropped) slots[result.list_slots[k]] = list[k];
    }
  }
  stack.clear();
}

}  // namespace

std::vector<c10::IValue> Program::run(const std::vector<c10::IValue>& inputs) const {
  const RunningGuard guard(this);
  std::optional<c10::AutoGradMode> grad_mode_guard;
  if (switches_grad_mode) grad_mode_guard.emplace(c10::GradMode::is_enabled());
  std::vector<bool> outer_grad_modes;
  std::vector<c10::IValue> slots(slot_count);
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (input_slots[i] != Result::kDropped) slots[input_slots[i]] = inputs[i];
  }
  torch::jit::Stack stack;
  stack.reserve(stack_size);
  Running& running = running_here;
  for (const Instruction& instruction : instructions) {
    running.scope = instruction.scope;
    for (const Operand& operand : instruction.operands)
      push(operand, slots, stack);
    switch (instruction.kind) {
      case Instruction::Kind::call:
        instruction.op->callBoxed(&stack);
        break;
      case Instruction::Kind::symbol_function:
        instruction.function(stack);
        break;
      case Instruction::Kind::enter_grad_mode:
        outer_grad_modes.push_back(c10::GradMode::is_enabled());
        c10::GradMode::set_enabled(instruction.grad_mode);
        break;
      case Instruction::Kind::leave_grad_mode:
        c10::GradMode::set_enabled(outer_grad_modes.back());
        outer_grad_modes.pop_back();
        break;
    }
    store_results(instruction, slots, stack);
  }
  for (const Operand& output : outputs)
    push(output, slots, stack);
  return stack;
}

void Program::push(const Operand& operand, std::vector<c10::IValue>& slots, torch::jit::Stack& stack) const {
  switch (operand.kind) {
    case Operand::Kind::fixed:
      stack.push_back(fixed[operand.index]);
      break;
    case Operand::Kind::copied:
      stack.push_back(slots[operand.index]);
      break;
    case Operand::Kind::moved:
      stack.push_back(std::move(slots[operand.index]));
      break;
    case Operand::Kind::number:
      stack.emplace_back(number_as_tensor(slots[operand.index]));
      break;
    case Operand::Kind::list:
      push_list(lists[operand.index], slots, stack);
      break;
  }
}

void Program::push_list(const ListOperand& list, std::vector<c10::IValue>& slots,
                        torch::jit::Stack& stack) const {
  c10::impl::GenericList values(list.element_type);
  values.reserve(list.elements.size());
  for (const Operand& element : list.elements) {
    push(element, slots, stack);
    values.push_back(std::move(stack.back()));
    stack.pop_back();
  }
  stack.emplace_back(std::move(values));
}

std::string Program::running_scope() const {
  const bool here = running_here.program == this && running_here.scope != nullptr;
  return here ? *running_here.scope : std::string();
}

}  // namespace faultwave::detail
