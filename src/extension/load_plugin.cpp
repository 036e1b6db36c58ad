// SPDX-License-Identifier: Apache-2.0
#include <cstring>
#include <filesystem>
#include <memory>

#include <dlfcn.h>

#include "faultwave/error.h"
#include "faultwave/extension.h"
#include "faultwave/inputs.h"

#include "src/common/exception_text.h"
#include "src/common/plain_text.h"
#include "src/extension/extensions.h"

namespace faultwave {
namespace {

constexpr const char* kEntry = "faultwave_plugin";
using Entry = const Plugin* (*)();

/// Guarded by registration().
std::vector<LoadedPlugin>& plugins() {
  static std::vector<LoadedPlugin> plugins;
  return plugins;
}

UserError no_plugin(const std::string& path, const std::string& why) {
  constexpr size_t longest = 500;
  return UserError(ErrorCode::bad_input,
                   "'" + path + "' is no plugin that can be loaded: " + shortened(why, longest));
}

UserError failed(const std::string& path, const std::string& what) {
  return UserError(ErrorCode::usage, "the plugin '" + path + "' failed: " + what);
}

/// What dlopen or dlsym has against it, without the path that it begins with.
std::string reason_of_loader(const std::string& file) {
  const char* error = ::dlerror();
  const std::string text = error == nullptr ? "" : error;
  const std::string prefix = file + ": ";
  return text.rfind(prefix, 0) == 0 ? text.substr(prefix.size()) : text;
}

/// Calls what belongs to the plugin.
template <typename Function>
auto guarded(const std::string& path, const Function& function) {
  try {
    return function();
  } catch (const std::exception& error) {
    throw failed(path, reason_of(error));
  } catch (...) {
    throw failed(path, "it threw something that is no std::exception");
  }
}

Entry entry_of(const std::string& path, const std::string& file) {
  void* library = ::dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr) throw no_plugin(path, reason_of_loader(file));
  void* symbol = ::dlsym(library, kEntry);
  if (symbol == nullptr) {
    ::dlclose(library);
    throw no_plugin(path, std::string("it does not export a function ") + kEntry);
  }
  Entry entry = nullptr;
  std::memcpy(&entry, &symbol, sizeof entry);
  return entry;
}

/// Nothing behind the fields that all versions have is read before the versions are known to agree.
void check_version(const std::string& path, const Plugin& plugin) {
  if (plugin.interface != kExtensionInterface) {
    throw no_plugin(path, "it was built for version " + std::to_string(plugin.interface) +
                              " of the interface of extensions, and this program has version " +
                              std::to_string(kExtensionInterface) + "; build it against this Faultwave");
  }
  const std::string libtorch = plugin.libtorch == nullptr ? "" : plugin.libtorch;
  if (libtorch != TORCH_VERSION) {
    throw no_plugin(path, "it was built for libtorch " + libtorch + ", and this program runs on " +
                              TORCH_VERSION + "; build it against that");
  }
}

void check_description(const std::string& path, const Plugin& plugin) {
  const std::string name = plugin.name == nullptr ? "" : plugin.name;
  if (name.empty() || plugin.version == nullptr) throw failed(path, "it has no name, or no version");
  if (plugin.add == nullptr) throw failed(path, "it has no function that registers what it brings");
  for (const LoadedPlugin& other : plugins()) {
    if (other.name == name)
      throw failed(path, "'" + other.path + "' is a plugin of the name " + name + " too");
  }
}

}  // namespace

LoadedPlugin load_plugin(const std::string& path) {
  const std::lock_guard lock(registration());
  const std::string file = std::filesystem::absolute(path).lexically_normal().string();
  const std::string fingerprint = file_fingerprint(path);
  for (const LoadedPlugin& other : plugins()) {
    if (other.path == file && other.fingerprint == fingerprint) return other;
  }
  const Entry entry = entry_of(path, file);
  const Plugin* plugin = guarded(path, entry);
  if (plugin == nullptr) throw failed(path, "it describes no plugin");
  check_version(path, *plugin);
  check_description(path, *plugin);
  PluginExtensions extensions(plugin->name);
  guarded(path, [&] { plugin->add(extensions); });
  extensions.commit();
  plugins().push_back({plugin->name, plugin->version, file, fingerprint});
  return plugins().back();
}

std::vector<LoadedPlugin> loaded_plugins() {
  const std::lock_guard lock(registration());
  return plugins();
}

}  // namespace faultwave
