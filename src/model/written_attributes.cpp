// SPDX-License-Identifier: Apache-2.0
#include "src/model/written_attributes.h"

#include <torch/csrc/jit/api/function_impl.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/ir/ir.h>
#include <torch/csrc/jit/passes/constant_propagation.h>
#include <torch/csrc/jit/passes/inliner.h>

#include <exception>
#include <optional>
#include <utility>

#include "src/common/memory_shortage.h"
#include "src/model/script_path.h"
#include "src/model/written_arguments.h"

namespace faultwave::detail {
namespace {

namespace jit = torch::jit;
namespace prim = torch::jit::prim;

/// What a value may be, or share memory with.
struct Places {
  bool anything = false;
  std::set<std::string> attributes;
  std::set<const jit::Value*> constants;

  void add(const Places& other) {
    anything |= other.anything;
    attributes.insert(other.attributes.begin(), other.attributes.end());
    constants.insert(other.constants.begin(), other.constants.end());
  }
};

std::string joined(const std::string& path, const std::string& name) {
  return path.empty() ? name : path + "." + name;
}

/// Numbers and text, which nobody can write to.
bool is_plain(const jit::Value* value) {
  switch (value->type()->kind()) {
    case c10::TypeKind::IntType:
    case c10::TypeKind::FloatType:
    case c10::TypeKind::BoolType:
    case c10::TypeKind::StringType:
    case c10::TypeKind::NoneType:
    case c10::TypeKind::NumberType:
    case c10::TypeKind::DeviceObjType:
      return true;
    default:
      return false;
  }
}

template <typename Visit>
void for_each_node(jit::Block* block, Visit visit) {
  for (jit::Node* node : block->nodes()) {
    visit(node);
    for (jit::Block* inner : node->blocks())
      for_each_node(inner, visit);
  }
}

class Analysis {
 public:
  Analysis(const jit::Module& module, std::shared_ptr<jit::Graph> graph)
      : module_(module), graph_(std::move(graph)) {}

  WrittenAttributes run() {
    fold_flags();
    for_each_node(graph_->block(), [this](jit::Node* node) { look_at(*node); });
    follow_assignments();
    WrittenAttributes result;
    result.all = written_.anything;
    result.paths = written_.attributes;
    result.paths.insert(assigned_.begin(), assigned_.end());
    for (const jit::Value* constant : written_.constants) {
      const auto value = jit::toIValue(constant);
      if (value && value->isTensor()) result.constants.push_back(value->toTensor());
    }
    return result;
  }

 private:
  using Seen = std::set<const jit::Value*>;

  Places places_of(const jit::Value* value) const {
    Seen seen;
    return places_of(value, seen);
  }

  Places places_of(const jit::Value* value, Seen& seen) const {
    if (is_plain(value) || !seen.insert(value).second) return {};
    const jit::Node& node = *value->node();
    const size_t number = value->offset();
    Places places;
    const auto add = [&](const jit::Value* source) { places.add(places_of(source, seen)); };
    if (node.kind() == prim::Param) return places_of_parameter(*value, seen);
    if (node.kind() == prim::Constant) {
      places.constants.insert(value);
    } else if (node.kind() == prim::GetAttr) {
      return attribute_of(places_of(node.input(0), seen), node.s(jit::attr::name));
    } else if (node.kind() == prim::If) {
      for (const jit::Block* block : node.blocks())
        add(block->outputs()[number]);
    } else if (node.kind() == prim::Loop) {
      add(node.inputs()[number + 2]);
      add(node.blocks()[0]->outputs()[number + 1]);
    } else if (is_call(node)) {
      places.anything = true;
    } else if (node.kind() != prim::CreateObject && may_hand_on(node, number)) {
      for (const jit::Value* input : node.inputs())
        add(input);
    }
    return places;
  }

  /// Of the graph, or of the body of a loop: (round, carried values).
  Places places_of_parameter(const jit::Value& value, Seen& seen) const {
    Places places;
    const jit::Block* block = value.node()->owningBlock();
    const jit::Node* owner = block->owningNode();
    if (owner == nullptr || owner->kind() == prim::Return) {
      if (value.offset() == 0) places.attributes.insert("");
      return places;
    }
    if (owner->kind() != prim::Loop || value.offset() == 0) {
      places.anything = owner->kind() != prim::Loop;
      return places;
    }
    places.add(places_of(owner->inputs()[value.offset() + 1], seen));
    places.add(places_of(block->outputs()[value.offset()], seen));
    return places;
  }

  static Places attribute_of(const Places& object, const std::string& name) {
    Places places;
    places.anything = object.anything || object.attributes.empty();
    for (const std::string& path : object.attributes)
      places.attributes.insert(joined(path, name));
    return places;
  }

  static bool may_hand_on(const jit::Node& node, size_t number) {
    const c10::FunctionSchema* schema = node.maybeSchema();
    return schema == nullptr || number >= schema->returns().size() || may_share_memory(*schema, number);
  }

  /// What is left of calls after inlining: of interfaces, of other threads.
  static bool is_call(const jit::Node& node) {
    return node.kind() == prim::CallMethod || node.kind() == prim::CallFunction ||
           node.kind() == prim::fork || node.kind() == prim::awaitable || node.kind() == prim::Closure;
  }

  void look_at(const jit::Node& node) {
    if (is_call(node)) {
      written_.anything = true;
    } else if (node.kind() == prim::SetAttr) {
      const Places objects = places_of(node.inputs()[0]);
      written_.anything |= objects.anything;
      for (const std::string& path : objects.attributes) {
        const std::string attribute = joined(path, node.s(jit::attr::name));
        assigned_.insert(attribute);
        assignments_.emplace_back(attribute, places_of(node.inputs()[1]));
      }
    } else if (const c10::FunctionSchema* schema = node.maybeSchema()) {
      look_at_arguments(node, *schema);
    }
  }

  void look_at_arguments(const jit::Node& node, const c10::FunctionSchema& schema) {
    const auto flag = [&](size_t position) -> std::optional<bool> {
      const auto value = jit::toIValue(node.inputs()[position]);
      return value && value->isBool() ? std::make_optional(value->toBool()) : std::nullopt;
    };
    for (size_t i = 0; i < node.inputs().size() && i < schema.arguments().size(); ++i) {
      const c10::AliasInfo* alias = schema.arguments()[i].alias_info();
      const bool is_put_in_a_container =
          alias != nullptr && alias->isWildcardAfter() && !alias->isWildcardBefore();
      if (is_put_in_a_container || may_write(schema, i, flag)) written_.add(places_of(node.inputs()[i]));
    }
  }

  /// What was assigned to an attribute that is written to is written to as well.
  void follow_assignments() {
    for (bool grew = true; grew;) {
      const size_t before = written_.attributes.size() + written_.constants.size();
      for (const auto& [attribute, value] : assignments_) {
        if (written_.attributes.count(attribute) > 0) written_.add(value);
      }
      grew = written_.attributes.size() + written_.constants.size() > before;
    }
  }

  /// Puts flags that nobody assigns in place, and drops the branches that they rule out.
  void fold_flags() {
    std::set<std::string> assigned;
    for_each_node(graph_->block(), [&](jit::Node* node) {
      if (node->kind() == prim::SetAttr) assigned.insert(node->s(jit::attr::name));
    });
    for_each_node(graph_->block(), [&](jit::Node* node) {
      if (node->kind() != prim::GetAttr || assigned.count(node->s(jit::attr::name)) > 0) return;
      const Places places = places_of_any(node->output());
      if (places.anything || places.attributes.size() != 1) return;
      const auto value = find_attribute(module_, *places.attributes.begin());
      if (!value || !(value->isBool() || value->isNone())) return;
      const jit::WithInsertPoint here(node);
      node->output()->replaceAllUsesWith(graph_->insertConstant(*value));
    });
    jit::ConstantPropagation(graph_);
  }

  Places places_of_any(const jit::Value* attribute) const {
    Seen seen;
    return attribute_of(places_of(attribute->node()->input(0), seen), attribute->node()->s(jit::attr::name));
  }

  const jit::Module& module_;
  std::shared_ptr<jit::Graph> graph_;
  Places written_;
  std::set<std::string> assigned_;
  std::vector<std::pair<std::string, Places>> assignments_;
};

}  // namespace

WrittenAttributes written_attributes(const jit::Module& module, const std::string& method) {
  try {
    std::shared_ptr<jit::Graph> graph =
        jit::toGraphFunction(module.get_method(method).function()).graph()->copy();
    jit::Inline(*graph);
    return Analysis(module, std::move(graph)).run();
  } catch (const std::exception& error) {
    pass_shortage(error);
    // Code that PyTorch itself cannot read so can still run.
    WrittenAttributes everything;
    everything.all = true;
    return everything;
  }
}

}  // namespace faultwave::detail
