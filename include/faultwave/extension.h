// SPDX-License-Identifier: Apache-2.0
// What users bring: error models, criteria and number formats that fault lines, specifications and the
// command line name as they name the built-in ones. docs/extending.md shows how.
//
// What is registered is known to the whole process and for as long as it lives. Everything here may be called
// from several threads at a time.
#pragma once

#include <torch/version.h>

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "faultwave/arguments.h"
#include "faultwave/criterion_type.h"
#include "faultwave/error_model.h"
#include "faultwave/number_format.h"

#pragma GCC visibility push(default)
namespace faultwave {

// A name is a letter, then letters, digits, '_' and '.', at most 40 in all. Begin it with one of your own,
// as in "mine.stuck": names of built-in ones to come will have no point.

/// An error model that a text can name.
struct ErrorModelType {
  std::string name;
  std::vector<Parameter> parameters{};
  /// Makes the model. Its text() must be Arguments::text(); that of its choices is
  /// arguments.with(...).text().
  std::function<ErrorModelPtr(const Arguments& arguments)> make{};
};

/// Where extensions are registered.
class Extensions {
 public:
  virtual ~Extensions() = default;
  /// Throw UserError(usage) for a name that is none, or that another one of the kind has; for parameters that
  /// make no sense; and where a function is missing.
  virtual void add(ErrorModelType type) = 0;
  virtual void add(CriterionType type) = 0;
  virtual void add(NumberFormat format) = 0;
};

/// The extensions of this process.
Extensions& extensions();

/// Changes whenever a plugin that was built before could not work any more.
inline constexpr uint32_t kExtensionInterface = 1;

/// What a plugin says of itself. `interface` and `libtorch` stay in front in all versions, since a program
/// reads them to see whether it may read the rest.
struct Plugin {
  uint32_t interface = kExtensionInterface;
  const char* libtorch = TORCH_VERSION;
  const char* name = "";     ///< for people: "mine"
  const char* version = "";  ///< for people: "1.0"
  /// Registers all that the plugin brings. May throw; then none of it is registered.
  void (*add)(Extensions& extensions) = nullptr;
};

/// A plugin is a shared library that exports `const faultwave::Plugin* faultwave_plugin()`, defined as
/// `extern "C" FAULTWAVE_PLUGIN`.
#define FAULTWAVE_PLUGIN __attribute__((visibility("default")))

/// A plugin of this process.
struct LoadedPlugin {
  std::string name;
  std::string version;
  std::string path;         ///< absolute
  std::string fingerprint;  ///< SHA-256 of the file, in hex
};

/// Loads a plugin and registers what it brings. It stays loaded. The program must export the functions of
/// Faultwave that it uses, as `faultwave` does (CMake: ENABLE_EXPORTS). Throws UserError(bad_input) with the
/// reason for a file that is missing, no library, no plugin, or built for another version of this interface
/// or of libtorch; and UserError(usage) where it fails to register something.
LoadedPlugin load_plugin(const std::string& path);

/// All that were loaded, in order.
std::vector<LoadedPlugin> loaded_plugins();

}  // namespace faultwave
#pragma GCC visibility pop
