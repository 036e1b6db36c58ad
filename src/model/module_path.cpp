// SPDX-License-Identifier: Apache-2.0
#include "src/model/module_path.h"

#include <string>
#include <string_view>
#include <vector>

namespace faultwave::detail {
namespace {

/// The parts of an entry; commas inside brackets ("L['self'].blocks[0, 1]") separate nothing.
std::vector<std::string_view> split_entry(std::string_view entry) {
  std::vector<std::string_view> parts;
  size_t begin = 0;
  int depth = 0;
  for (size_t i = 0; i < entry.size(); ++i) {
    if (entry[i] == '[' || entry[i] == '(') ++depth;
    if (entry[i] == ']' || entry[i] == ')') --depth;
    if (entry[i] == ',' && depth == 0) {
      parts.push_back(entry.substr(begin, i - begin));
      begin = i + 1;
    }
  }
  parts.push_back(entry.substr(begin));
  return parts;
}

void remove_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) == prefix) text.remove_prefix(prefix.size());
}

/// "L['self'].blocks[0]._modules['conv']" and "blocks.0.conv@1" alike become "blocks.0.conv".
std::string dotted(std::string_view path) {
  remove_prefix(path, "L['self']");
  remove_prefix(path, "L__self__");
  std::string result;
  for (size_t i = 0; i < path.size() && path[i] != '@'; ++i) {
    const std::string_view rest = path.substr(i);
    if (rest.substr(0, 9) == "._modules") {
      i += 8;
    } else if (path[i] == '[' || path[i] == '.') {
      if (!result.empty() && result.back() != '.') result += '.';
    } else if (path[i] != ']' && path[i] != '\'' && path[i] != '"') {
      result += path[i];
    }
  }
  return result;
}

}  // namespace

std::string module_path(const std::string& nn_module_stack) {
  const size_t last = nn_module_stack.rfind(';');
  const std::string_view entry =
      std::string_view(nn_module_stack).substr(last == std::string::npos ? 0 : last + 1);
  const auto parts = split_entry(entry);
  // What the exporter adds itself has no module, and says so in place of a path.
  if (parts.size() < 2 || parts[1].substr(0, 6) == "_empty") return {};
  return dotted(parts[1]);
}

}  // namespace faultwave::detail
