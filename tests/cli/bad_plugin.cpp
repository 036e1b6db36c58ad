// SPDX-License-Identifier: Apache-2.0
// A plugin that does what the environment says: each of the mistakes that a plugin can make.
#include <cstdlib>
#include <stdexcept>
#include <string>

#include <faultwave/extension.h>

namespace {

std::string mistake() {
  const char* value = std::getenv("FAULTWAVE_BAD_PLUGIN");
  return value == nullptr ? "" : value;
}

faultwave::ErrorModelType model(const std::string& name) {
  return {.name = name, .make = [](const faultwave::Arguments&) { return faultwave::zero(); }};
}

void add(faultwave::Extensions& extensions) {
  if (mistake() == "throws") throw std::runtime_error("the table of faults is missing");
  if (mistake() == "throws a number") throw 7;
  extensions.add(model("bad.model"));
  if (mistake() == "built-in name") extensions.add(model("flip"));
  if (mistake() == "name twice") extensions.add(model("bad.model"));
}

}  // namespace

extern "C" FAULTWAVE_PLUGIN const faultwave::Plugin* faultwave_plugin() {
  static faultwave::Plugin plugin{.name = "bad", .version = "0.1", .add = add};
  if (mistake() == "no description") return nullptr;
  if (mistake() == "throws at once") throw std::runtime_error("not today");
  if (mistake() == "interface") plugin.interface = faultwave::kExtensionInterface + 1;
  if (mistake() == "libtorch") plugin.libtorch = "1.0.0";
  if (mistake() == "no name") plugin.name = "";
  if (mistake() == "no function") plugin.add = nullptr;
  return &plugin;
}
