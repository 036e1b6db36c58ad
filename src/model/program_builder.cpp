// SPDX-License-Identifier: Apache-2.0
#include "src/model/program_builder.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "src/common/plain_text.h"
#include "src/model/export_types.h"
#include "src/model/json_integer.h"
#include "src/model/literal.h"
#include "src/model/module_path.h"

namespace faultwave::detail {
namespace {

using nlohmann::json;

/// The values of one graph by name. A subgraph has its own, since names may repeat.
using Values = std::unordered_map<std::string, Operand>;

const std::string kOperators = "torch.ops.";
const std::string kHigherOrder = "torch.ops.higher_order.";

/// "node conv2d (torch.ops.aten.conv2d.default) of module layer1.0", for messages.
std::string describe(const json& node) {
  const bool named = node.contains("name") && node["name"].is_string();
  const std::string target = node.at("target");
  std::string text =
      named ? "node " + node["name"].get<std::string>() + " (" + target + ")" : "a node " + target;
  const json& metadata = node.at("metadata");
  const std::string path = module_path(metadata.value("nn_module_stack", std::string()));
  if (!path.empty()) text += " of module " + path;
  return text;
}

[[noreturn]] void refuse(const json& node, const std::string& why) {
  throw UserError(ErrorCode::bad_network, "the exported program's " + shortened(describe(node), 300) +
                                              " cannot be run: " + printable(why));
}

/// The name in {"as_tensor": {"name": "x"}} or {"as_sym_int": {"as_name": "n"}}; empty if the field holds no
/// name.
std::optional<std::string> value_name(const ArgumentField& field) {
  if (field.kind == "as_tensor") return field.value.at("name").get<std::string>();
  const bool symbolic =
      field.kind == "as_sym_int" || field.kind == "as_sym_float" || field.kind == "as_sym_bool";
  if (symbolic && field.value.contains("as_name")) return field.value["as_name"].get<std::string>();
  return std::nullopt;
}

Operand find_value(const Values& values, const std::string& name) {
  const auto found = values.find(name);
  if (found != values.end()) return found->second;
  throw UserError(
      ErrorCode::bad_input,
      "the description of the exported program is damaged: no node gives the value " + shortened(name, 100));
}

class ProgramBuilder {
 public:
  ProgramBuilder(const std::map<std::string, at::Tensor>& stored, const BuildOptions& options)
      : stored_(stored), options_(options) {}

  Program build(const json& model);

 private:
  void add_input(const json& spec, Values& values);
  Operand stored_tensor(const std::string& name);
  void add_nodes(const json& graph, Values& values);
  void add_node(const json& node, const json& graph, Values& values);
  void add_call(const json& node, const json& graph, Values& values);
  void add_symbol_function(const json& node, Values& values);
  void add_higher_order(const json& node, Values& values);
  void inline_graph(const json& node, size_t graph_position, Values& values);
  void add_outputs(const json& graph_module, const Values& values);
  void add_copy(const Operand& destination, const Operand& source);

  Operand operand(const json& node, const json& argument, const c10::Argument& formal, const Values& values);
  Operand list_operand(const json& node, const ArgumentField& field, const c10::Argument& formal,
                       const Values& values);
  Operand element(const json& node, const std::string& list_kind, const json& element, const Values& values);
  Operand missing_operand(const json& node, const json& graph, const c10::FunctionSchema& schema,
                          const c10::Argument& formal);
  Operand number(const json& node, const json& argument, const Values& values);
  Operand as_tensor(const Operand& number);
  Operand output(const json& argument, const Values& values);
  Operand fixed(c10::IValue value);
  uint32_t new_slot(const std::string& name, Values& values);
  Result result(const json& output, Values& values);
  const std::string* scope(const json& node);
  const std::string* intern_scope(const std::string& path);
  c10::OperatorHandle find_operator(const json& node);

  void mark_last_uses();
  void mark_last_uses(std::vector<Operand>& operands, std::vector<bool>& used_later);

  const std::map<std::string, at::Tensor>& stored_;
  BuildOptions options_;
  Program program_;
  std::unordered_map<std::string, const std::string*> scopes_;
};

Program ProgramBuilder::build(const json& model) {
  const json& graph_module = model.at("graph_module");
  Values values;
  for (const json& spec : graph_module.at("signature").at("input_specs"))
    add_input(spec, values);
  add_nodes(graph_module.at("graph"), values);
  add_outputs(graph_module, values);
  mark_last_uses();
  for (const Instruction& instruction : program_.instructions) {
    program_.stack_size =
        std::max(program_.stack_size, instruction.operands.size() + instruction.results.size());
  }
  program_.stack_size = std::max(program_.stack_size, program_.outputs.size());
  return std::move(program_);
}

void ProgramBuilder::add_input(const json& spec, Values& values) {
  const auto [kind, content] = argument_field(spec);
  if (kind == "parameter") {
    values[content.at("arg").at("name")] = stored_tensor(content.at("parameter_name"));
  } else if (kind == "buffer") {
    values[content.at("arg").at("name")] = stored_tensor(content.at("buffer_name"));
  } else if (kind == "tensor_constant") {
    values[content.at("arg").at("name")] = stored_tensor(content.at("tensor_constant_name"));
  } else if (kind == "user_input") {
    const auto name = value_name(argument_field(content.at("arg")));
    if (!name) {
      throw UserError(ErrorCode::bad_network,
                      "the exported program has an input that is neither a tensor nor a number: " +
                          shortened(content.at("arg").dump(), 200));
    }
    program_.input_slots.push_back(new_slot(*name, values));
  } else if (kind == "custom_obj") {
    throw UserError(ErrorCode::bad_network,
                    "the exported program holds the custom object " +
                        content.at("custom_obj_name").get<std::string>() +
                        " (a TorchBind class), which cannot be run; only tensors and numbers can");
  } else if (kind != "constant_input") {
    throw UserError(ErrorCode::bad_network,
                    "the exported program has an input of the unknown kind " + shortened(kind, 100));
  }
}

Operand ProgramBuilder::stored_tensor(const std::string& name) {
  const auto found = stored_.find(name);
  if (found == stored_.end()) {
    throw UserError(ErrorCode::bad_input, "the exported program is incomplete: it uses " +
                                              shortened(name, 100) + ", which the file does not hold");
  }
  return fixed(found->second);
}

void ProgramBuilder::add_nodes(const json& graph, Values& values) {
  for (const json& node : graph.at("nodes"))
    add_node(node, graph, values);
}

void ProgramBuilder::add_node(const json& node, const json& graph, Values& values) {
  const std::string target = node.at("target");
  if (target.starts_with(kHigherOrder)) {
    add_higher_order(node, values);
  } else if (target.starts_with(kOperators)) {
    const bool assertion = target == "torch.ops.aten._assert_tensor_metadata.default";
    if (!(assertion && options_.retargeted)) add_call(node, graph, values);
  } else {
    add_symbol_function(node, values);
  }
}

/// "torch.ops.aten.add.Tensor" is the operator aten::add with the overload Tensor; "default" is no overload.
c10::OperatorHandle ProgramBuilder::find_operator(const json& node) {
  const std::string target = node.at("target");
  const size_t name_at = target.find('.', kOperators.size());
  const size_t overload_at = target.rfind('.');
  if (name_at == std::string::npos || overload_at <= name_at)
    refuse(node, "its name is not that of an operator");
  const std::string space = target.substr(kOperators.size(), name_at - kOperators.size());
  const std::string name = space + "::" + target.substr(name_at + 1, overload_at - name_at - 1);
  const std::string overload = target.substr(overload_at + 1);
  auto& dispatcher = c10::Dispatcher::singleton();
  auto found = dispatcher.findSchema({name, overload == "default" ? "" : overload});
  if (!found) found = dispatcher.findSchema({name, overload});
  if (found) return *found;
  refuse(node, "there is no operator " + name +
                   " in this program; an operator that is written in Python "
                   "(quantized_decomposed, torchvision, torch.library) must be given in C++ to be used here");
}

void ProgramBuilder::add_call(const json& node, const json& graph, Values& values) {
  Instruction instruction;
  instruction.op = find_operator(node);
  instruction.scope = scope(node);
  const c10::FunctionSchema& schema = instruction.op->schema();
  std::unordered_map<std::string, const json*> given;
  for (const json& input : node.at("inputs"))
    given[input.at("name")] = &input.at("arg");
  for (const c10::Argument& formal : schema.arguments()) {
    const auto found = given.find(formal.name());
    instruction.operands.push_back(found == given.end() ? missing_operand(node, graph, schema, formal)
                                                        : operand(node, *found->second, formal, values));
    if (found != given.end()) given.erase(found);
  }
  if (!given.empty()) {
    refuse(node, "the operator of this PyTorch has no argument " + given.begin()->first +
                     "; the network was probably exported with another version");
  }
  const json& outputs = node.at("outputs");
  instruction.results.resize(schema.returns().size());
  if (outputs.size() > instruction.results.size())
    refuse(node, "it names more results than the operator has");
  for (size_t i = 0; i < outputs.size(); ++i)
    instruction.results[i] = result(outputs[i], values);
  program_.instructions.push_back(std::move(instruction));
}

void ProgramBuilder::add_symbol_function(const json& node, Values& values) {
  Instruction instruction;
  instruction.kind = Instruction::Kind::symbol_function;
  size_t arguments = 0;
  instruction.function = find_symbol_function(node.at("target"), arguments);
  if (instruction.function == nullptr) refuse(node, "it is a Python function that is not known here");
  if (node.at("inputs").size() != arguments) {
    refuse(node, "it takes " + std::to_string(arguments) + " arguments, but has " +
                     std::to_string(node.at("inputs").size()));
  }
  instruction.scope = scope(node);
  for (const json& input : node.at("inputs")) {
    instruction.operands.push_back(number(node, input.at("arg"), values));
  }
  instruction.results.push_back(result(node.at("outputs").at(0), values));
  program_.instructions.push_back(std::move(instruction));
}

/// torch.no_grad and torch.enable_grad blocks are run in place, as are autocast blocks that switch autocast
/// off.
void ProgramBuilder::add_higher_order(const json& node, Values& values) {
  const std::string name = node.at("target").get<std::string>().substr(kHigherOrder.size());
  const json& inputs = node.at("inputs");
  if (name == "wrap_with_set_grad_enabled") {
    Instruction enter;
    enter.kind = Instruction::Kind::enter_grad_mode;
    enter.grad_mode = inputs.at(0).at("arg").at("as_bool").get<bool>();
    enter.scope = scope(node);
    Instruction leave = enter;
    leave.kind = Instruction::Kind::leave_grad_mode;
    program_.switches_grad_mode = true;
    program_.instructions.push_back(enter);
    inline_graph(node, 1, values);
    program_.instructions.push_back(leave);
    return;
  }
  if (name == "wrap_with_autocast" && !inputs.at(2).at("arg").at("as_bool").get<bool>()) {
    inline_graph(node, 4, values);
    return;
  }
  refuse(node, "the higher-order operator " + name + " is not supported; export the network without it");
}

/// Adds the nodes of the graph that is the argument at `graph_position`, with the arguments after it as its
/// inputs.
void ProgramBuilder::inline_graph(const json& node, size_t graph_position, Values& values) {
  const json& inputs = node.at("inputs");
  const json& graph = inputs.at(graph_position).at("arg").at("as_graph").at("graph");
  Values inner;
  for (size_t i = 0; i < graph.at("inputs").size(); ++i) {
    const auto name = value_name(argument_field(graph["inputs"][i]));
    if (name) inner[*name] = number(node, inputs.at(graph_position + 1 + i).at("arg"), values);
  }
  add_nodes(graph, inner);
  const json* outputs = &node.at("outputs");
  if (outputs->size() == 1 && outputs->front().contains("as_tensors"))
    outputs = &outputs->front()["as_tensors"];
  for (size_t i = 0; i < outputs->size(); ++i) {
    const json& output = outputs->at(i);
    const auto name = output.contains("name") ? output["name"].get<std::string>()
                                              : value_name(argument_field(output)).value_or("");
    if (!name.empty()) values[name] = number(node, graph.at("outputs").at(i), inner);
  }
}

void ProgramBuilder::add_outputs(const json& graph_module, const Values& values) {
  const json& specs = graph_module.at("signature").at("output_specs");
  const json& outputs = graph_module.at("graph").at("outputs");
  for (size_t i = 0; i < outputs.size(); ++i) {
    const auto [kind, content] = argument_field(specs.at(i));
    if (kind == "user_output" || kind == "loss_output") {
      program_.outputs.push_back(output(outputs[i], values));
    } else if (kind == "buffer_mutation") {
      add_copy(stored_tensor(content.at("buffer_name")), output(outputs[i], values));
    } else if (kind == "parameter_mutation") {
      add_copy(stored_tensor(content.at("parameter_name")), output(outputs[i], values));
    } else if (kind == "user_input_mutation") {
      add_copy(find_value(values, content.at("user_input_name")), output(outputs[i], values));
    } else {
      throw UserError(ErrorCode::bad_network,
                      "the exported program has an output of the kind " + kind +
                          ", as a program for training has; export the forward pass alone");
    }
  }
}

void ProgramBuilder::add_copy(const Operand& destination, const Operand& source) {
  Instruction copy;
  copy.op = c10::Dispatcher::singleton().findSchemaOrThrow("aten::copy_", "");
  copy.operands = {destination, source, fixed(false)};
  copy.results.resize(1);
  copy.scope = intern_scope("");
  program_.instructions.push_back(std::move(copy));
}

Operand ProgramBuilder::operand(const json& node, const json& argument, const c10::Argument& formal,
                                const Values& values) {
  const ArgumentField field = argument_field(argument);
  if (const auto value = literal(field, formal, options_.device)) return fixed(*value);
  if (field.kind == "as_optional_tensor") {
    const ArgumentField inner = argument_field(field.value);
    return inner.kind == "as_none" ? fixed({}) : find_value(values, inner.value.at("name"));
  }
  const bool is_number =
      field.kind == "as_sym_int" || field.kind == "as_sym_float" || field.kind == "as_sym_bool";
  if (is_number) {
    if (!value_name(field)) return operand(node, field.value, formal, values);
    const Operand found = find_value(values, *value_name(field));
    return formal.type()->isSubtypeOf(*c10::OptionalType::ofTensor()) ? as_tensor(found) : found;
  }
  if (field.kind == "as_tensor") return find_value(values, field.value.at("name"));
  const bool is_list = field.kind == "as_tensors" || field.kind == "as_optional_tensors" ||
                       field.kind == "as_sym_ints" || field.kind == "as_sym_floats" ||
                       field.kind == "as_sym_bools";
  if (is_list) return list_operand(node, field, formal, values);
  refuse(node, "its argument " + formal.name() + " is of a kind that is not supported (" + field.kind + ")");
}

Operand ProgramBuilder::list_operand(const json& node, const ArgumentField& field,
                                     const c10::Argument& formal, const Values& values) {
  const auto optional = formal.type()->cast<c10::OptionalType>();
  const c10::TypePtr type = optional ? optional->getElementType() : formal.type();
  const auto list_type = type->cast<c10::ListType>();
  if (!list_type) refuse(node, "its argument " + formal.name() + " is a list, and the operator wants none");
  ListOperand list;
  list.element_type = list_type->getElementType();
  for (const json& item : field.value)
    list.elements.push_back(element(node, field.kind, item, values));
  program_.lists.push_back(std::move(list));
  return {Operand::Kind::list, static_cast<uint32_t>(program_.lists.size() - 1)};
}

Operand ProgramBuilder::element(const json& node, const std::string& list_kind, const json& element,
                                const Values& values) {
  if (list_kind == "as_tensors") return find_value(values, element.at("name"));
  const ArgumentField field = argument_field(element);
  if (field.kind == "as_name") return find_value(values, field.value);
  if (field.kind == "as_tensor") return find_value(values, field.value.at("name"));
  if (const auto value = plain_number(field)) return fixed(*value);
  refuse(node, "a list among its arguments holds " + field.kind + ", which is not supported");
}

/// An argument that the node leaves to the operator's default. An operator that makes a tensor from nothing
/// takes Python's default device and dtype, which a network that runs elsewhere does not mean.
Operand ProgramBuilder::missing_operand(const json& node, const json& graph,
                                        const c10::FunctionSchema& schema, const c10::Argument& formal) {
  const auto is_tensor = [](const c10::Argument& argument) {
    return argument.type()->isSubtypeOf(*c10::OptionalType::ofTensor());
  };
  const auto& arguments = schema.arguments();
  const bool from_nothing = std::none_of(arguments.begin(), arguments.end(), is_tensor);
  if (options_.retargeted && from_nothing && node.at("outputs").size() == 1) {
    if (formal.name() == "device") return fixed(options_.device);
    const auto name = value_name(argument_field(node.at("outputs")[0]));
    const json& metadata = graph.at("tensor_values");
    if (formal.name() == "dtype" && name && metadata.contains(*name)) {
      return fixed(static_cast<int64_t>(scalar_type_from_export(json_integer(metadata[*name].at("dtype")))));
    }
  }
  if (!formal.default_value()) refuse(node, "its argument " + formal.name() + " is missing");
  return fixed(*formal.default_value());
}

/// An argument that no schema describes: of a function of numbers, or of a graph.
Operand ProgramBuilder::number(const json& node, const json& argument, const Values& values) {
  const ArgumentField field = argument_field(argument);
  if (const auto name = value_name(field)) return find_value(values, *name);
  const bool wrapped =
      field.kind == "as_sym_int" || field.kind == "as_sym_float" || field.kind == "as_sym_bool";
  const auto value = plain_number(wrapped ? argument_field(field.value) : field);
  if (!value) refuse(node, "one of its arguments is of a kind that is not supported (" + field.kind + ")");
  return fixed(*value);
}

Operand ProgramBuilder::as_tensor(const Operand& number) {
  if (number.kind == Operand::Kind::fixed) return fixed(number_as_tensor(program_.fixed[number.index]));
  return {Operand::Kind::number, number.index};
}

Operand ProgramBuilder::output(const json& argument, const Values& values) {
  const ArgumentField field = argument_field(argument);
  if (const auto name = value_name(field)) return find_value(values, *name);
  if (const auto value = plain_number(field)) return fixed(*value);
  if (field.kind == "as_string") return fixed({});
  throw UserError(ErrorCode::bad_network,
                  "the exported program has an output of a kind that is not supported (" + field.kind + ")");
}

Operand ProgramBuilder::fixed(c10::IValue value) {
  program_.fixed.push_back(std::move(value));
  return {Operand::Kind::fixed, static_cast<uint32_t>(program_.fixed.size() - 1)};
}

uint32_t ProgramBuilder::new_slot(const std::string& name, Values& values) {
  const uint32_t slot = program_.slot_count++;
  values[name] = {Operand::Kind::copied, slot};
  return slot;
}

Result ProgramBuilder::result(const json& output, Values& values) {
  const ArgumentField field = argument_field(output);
  Result result;
  if (field.kind == "as_tensors") {
    for (const json& tensor : field.value)
      result.list_slots.push_back(new_slot(tensor.at("name"), values));
  } else if (const auto name = value_name(field)) {
    result.slot = new_slot(*name, values);
  }
  return result;
}

const std::string* ProgramBuilder::scope(const json& node) {
  return intern_scope(module_path(node.at("metadata").value("nn_module_stack", std::string())));
}

const std::string* ProgramBuilder::intern_scope(const std::string& path) {
  const std::string*& known = scopes_[path];
  if (known == nullptr) {
    program_.scopes.push_back(std::make_unique<const std::string>(path));
    known = program_.scopes.back().get();
  }
  return known;
}

/// Goes through the program backwards: the first use of a slot that is met is its last, and takes the value
/// along, so that memory is free as early as it can be. A result without a use is not kept at all.
void ProgramBuilder::mark_last_uses() {
  std::vector<bool> used_later(program_.slot_count, false);
  mark_last_uses(program_.outputs, used_later);
  for (auto instruction = program_.instructions.rbegin(); instruction != program_.instructions.rend();
       ++instruction) {
    for (Result& result : instruction->results) {
      const auto drop_unused = [&](uint32_t& slot) {
        if (slot != Result::kDropped && !used_later[slot]) slot = Result::kDropped;
      };
      drop_unused(result.slot);
      for (uint32_t& slot : result.list_slots)
        drop_unused(slot);
    }
    mark_last_uses(instruction->operands, used_later);
  }
  for (uint32_t& slot : program_.input_slots) {
    if (!used_later[slot]) slot = Result::kDropped;
  }
}

void ProgramBuilder::mark_last_uses(std::vector<Operand>& operands, std::vector<bool>& used_later) {
  for (auto operand = operands.rbegin(); operand != operands.rend(); ++operand) {
    if (operand->kind == Operand::Kind::list)
      mark_last_uses(program_.lists[operand->index].elements, used_later);
    if (operand->kind == Operand::Kind::number) used_later[operand->index] = true;
    if (operand->kind != Operand::Kind::copied) continue;
    if (!used_later[operand->index]) operand->kind = Operand::Kind::moved;
    used_later[operand->index] = true;
  }
}

}  // namespace

Program build_program(const json& model, const std::map<std::string, at::Tensor>& stored,
                      const BuildOptions& options) {
  return ProgramBuilder(stored, options).build(model);
}

}  // namespace faultwave::detail
