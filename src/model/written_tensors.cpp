// SPDX-License-Identifier: Apache-2.0
#include "src/model/written_tensors.h"

#include <optional>
#include <set>

#include "src/model/written_arguments.h"

namespace faultwave::detail {
namespace {

/// Which of Program::fixed a value may share memory with.
using Fixed = std::set<uint32_t>;

class Walk {
 public:
  explicit Walk(const Program& program) : program_(program), slots_(program.slot_count) {}

  std::vector<at::Tensor> run() {
    for (const Instruction& instruction : program_.instructions) {
      if (instruction.kind == Instruction::Kind::call) follow(instruction);
    }
    std::vector<at::Tensor> tensors;
    for (const uint32_t index : written_)
      tensors.push_back(program_.fixed[index].toTensor());
    return tensors;
  }

 private:
  Fixed shared_by(const Operand& operand) const {
    switch (operand.kind) {
      case Operand::Kind::fixed:
        return program_.fixed[operand.index].isTensor() ? Fixed{operand.index} : Fixed{};
      case Operand::Kind::copied:
      case Operand::Kind::moved:
        return slots_[operand.index];
      case Operand::Kind::number:
        return {};
      case Operand::Kind::list:
        break;
    }
    Fixed all;
    for (const Operand& element : program_.lists[operand.index].elements)
      all.merge(shared_by(element));
    return all;
  }

  std::optional<bool> flag(const Operand& operand) const {
    if (operand.kind != Operand::Kind::fixed || !program_.fixed[operand.index].isBool()) return std::nullopt;
    return program_.fixed[operand.index].toBool();
  }

  void follow(const Instruction& instruction) {
    const c10::FunctionSchema& schema = instruction.op->schema();
    Fixed all;
    for (size_t i = 0; i < instruction.operands.size(); ++i) {
      Fixed shared = shared_by(instruction.operands[i]);
      const auto flag_at = [&](size_t position) { return flag(instruction.operands[position]); };
      if (!shared.empty() && may_write(schema, i, flag_at)) written_.insert(shared.begin(), shared.end());
      all.merge(shared);
    }
    for (size_t i = 0; i < instruction.results.size(); ++i) {
      if (!may_share_memory(schema, i)) continue;
      const Result& result = instruction.results[i];
      if (result.slot != Result::kDropped) slots_[result.slot] = all;
      for (const uint32_t slot : result.list_slots) {
        if (slot != Result::kDropped) slots_[slot] = all;
      }
    }
  }

  const Program& program_;
  std::vector<Fixed> slots_;
  Fixed written_;
};

}  // namespace

std::vector<at::Tensor> written_tensors(const Program& program) {
  return Walk(program).run();
}

}  // namespace faultwave::detail
