// SPDX-License-Identifier: Apache-2.0
#include "src/model/site_names.h"

#include <algorithm>
#include <optional>

namespace faultwave::detail {
namespace {

std::string last_part(const std::string& dotted) {
  const size_t dot = dotted.rfind('.');
  return dot == std::string::npos ? dotted : dotted.substr(dot + 1);
}

std::string parent_of(const std::string& dotted) {
  const size_t dot = dotted.rfind('.');
  return dot == std::string::npos ? std::string() : dotted.substr(0, dot);
}

bool reads_data(const RecordedCall& call) {
  return std::any_of(call.arguments.begin(), call.arguments.end(),
                     [](const RecordedTensor& argument) { return argument.stored == StoredTensors::none; });
}

int first_stored(const RecordedCall& call, const StoredTensors& stored) {
  int found = StoredTensors::none;
  for (const RecordedTensor& argument : call.arguments) {
    if (argument.stored == StoredTensors::none) continue;
    if (stored[argument.stored].is_parameter) return argument.stored;
    if (found == StoredTensors::none) found = argument.stored;
  }
  return found;
}

std::string common_parent(const std::string& a, const std::string& b) {
  std::string path = a;
  while (!path.empty() && path != b && b.rfind(path + ".", 0) != 0)
    path = parent_of(path);
  return path;
}

/// The module that owns a tensor, and of those that share it the one that runs, where that is known.
std::string running_owner(const StoredTensors::Entry& entry, const std::string& scope) {
  const bool is_of_scope = std::any_of(entry.other_names.begin(), entry.other_names.end(),
                                       [&](const std::string& name) { return owner_of(name) == scope; });
  return is_of_scope && !scope.empty() ? scope : owner_of(entry.name);
}

/// The innermost module that owns all stored tensors of a call, "" for the root.
std::string common_owner(const RecordedCall& call, const StoredTensors& stored) {
  std::optional<std::string> owner;
  for (const RecordedTensor& argument : call.arguments) {
    if (argument.stored == StoredTensors::none) continue;
    const std::string own = owner_of(stored[argument.stored].name);
    owner = owner ? common_parent(*owner, own) : own;
  }
  return owner.value_or("");
}

}  // namespace

std::string short_op_name(const std::string& op) {
  const size_t colons = op.rfind("::");
  std::string name = colons == std::string::npos ? op : op.substr(colons + 2);
  if (name.size() > 1 && name.back() == '_' && name[name.size() - 2] != '_') name.pop_back();
  return name;
}

std::string owner_of(const std::string& tensor_name) {
  if (tensor_name.rfind("constant.", 0) == 0) return {};
  return parent_of(tensor_name);
}

SiteKind stored_site_kind(const StoredTensors::Entry& entry) {
  if (!entry.is_parameter) return SiteKind::buffer;
  return last_part(entry.name).find("bias") != std::string::npos ? SiteKind::bias : SiteKind::weight;
}

std::string stored_site_name(const StoredTensors::Entry& entry) {
  const std::string part = last_part(entry.name);
  const std::string owner = parent_of(entry.name);
  const bool goes_by_module = entry.is_parameter && !owner.empty() && (part == "weight" || part == "bias");
  return goes_by_module ? owner : entry.name;
}

bool is_layer(const RecordedCall& call, const StoredTensors& stored) {
  if (!reads_data(call)) return false;
  if (call.has_packed_parameters) return true;
  const std::vector<c10::Argument>& schema = call.op.schema().arguments();
  return std::any_of(call.arguments.begin(), call.arguments.end(), [&](const RecordedTensor& argument) {
    if (argument.stored == StoredTensors::none) return false;
    return stored[argument.stored].is_parameter || schema[argument.place.position].name() == "weight";
  });
}

CallNamer::CallNamer(const StoredTensors& stored) : stored_(stored) {
  for (int number = 0; number < stored.size(); ++number) {
    std::string module = owner_of(stored[number].name);
    while (!module.empty()) {
      module = parent_of(module);
      containers_.insert(module);
    }
  }
}

std::string CallNamer::unique(const std::string& base) {
  const int count = ++used_[base];
  return count == 1 ? base : base + "#" + std::to_string(count);
}

std::string CallNamer::path_of(const RecordedCall& call) const {
  if (!call.scope.empty()) return call.scope;
  return containers_.count(last_owner_) > 0 ? last_owner_ : parent_of(last_owner_);
}

std::string CallNamer::name(const RecordedCall& call) {
  const std::string op = short_op_name(call.op.operator_name().name);
  const int number = first_stored(call, stored_);
  std::string path;
  if (number != StoredTensors::none) {
    path = call.opens_up ? common_owner(call, stored_) : running_owner(stored_[number], call.scope);
    if (!path.empty()) {
      last_owner_ = path;
      if (reads_data(call) && primary_op_.try_emplace(path, op).first->second == op) return unique(path);
    } else {
      path = path_of(call);
    }
  } else {
    path = path_of(call);
    if (call.has_packed_parameters && !call.scope.empty()) return unique(path);
  }
  return unique(path.empty() ? op : path + "/" + op);
}

}  // namespace faultwave::detail
