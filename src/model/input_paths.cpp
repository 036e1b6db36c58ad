// SPDX-License-Identifier: Apache-2.0
#include "src/model/input_paths.h"

#include <string>
#include <vector>

#include <nlohmann/json.hpp>

namespace faultwave::detail {
namespace {

using nlohmann::json;

/// Adds the paths of the leaves of a tree ({"type", "context", "children_spec"}; a leaf has no type).
void add_leaves(const json& tree, const std::string& path, std::vector<std::string>& paths) {
  const json& type = tree.at("type");
  if (type.is_null()) {
    paths.push_back(path);
    return;
  }
  const json& children = tree.at("children_spec");
  const bool is_dict = type == "builtins.dict";
  const bool is_sequence = type == "builtins.tuple" || type == "builtins.list";
  const json keys = is_dict ? json::parse(tree.at("context").get<std::string>()) : json::array();
  for (size_t i = 0; i < children.size(); ++i) {
    std::string child;
    if (is_dict && keys.at(i).is_string()) child = path + "['" + keys[i].get<std::string>() + "']";
    if (is_sequence) child = path + "[" + std::to_string(i) + "]";
    add_leaves(children[i], path.empty() ? "" : child, paths);
  }
}

}  // namespace

std::vector<std::string> input_paths(const json& model) {
  const json& calls = model.at("graph_module").at("module_call_graph");
  if (calls.empty() || calls[0].at("signature").is_null()) return {};
  const json& signature = calls[0]["signature"];
  const json& names = signature.value("forward_arg_names", json());
  // [version, (positional arguments, keyword arguments)]
  const json tree = json::parse(signature.at("in_spec").get<std::string>()).at(1);
  if (!names.is_array() || tree.at("children_spec").size() != 2) return {};
  std::vector<std::string> paths;
  size_t argument = 0;
  for (const json& group : tree["children_spec"]) {
    for (const json& child : group.at("children_spec")) {
      const bool named = argument < names.size();
      add_leaves(child, named ? "L['" + names[argument].get<std::string>() + "']" : "", paths);
      ++argument;
    }
  }
  return paths;
}

}  // namespace faultwave::detail
