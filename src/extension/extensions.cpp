// SPDX-License-Identifier: Apache-2.0
#include "src/extension/extensions.h"

#include <utility>

#include "faultwave/error.h"

#include "src/fault/formats.h"
#include "src/fault/models/all.h"
#include "src/fault/models/user_model.h"
#include "src/fault/parameters.h"
#include "src/outcome/criteria.h"

namespace faultwave {
namespace {

UserError is_there(const std::string& what, const std::string& whose) {
  return UserError(ErrorCode::usage,
                   what + " cannot be registered: there is one of this name already, " + whose);
}

template <typename Item>
void check_free(const std::string& what, const Item& other) {
  if (!other) return;
  throw is_there(what, other->is_builtin       ? "built in"
                       : other->plugin.empty() ? "of this program"
                                               : "of the plugin " + other->plugin);
}

void check_function(const std::string& what, bool has_one) {
  if (has_one) return;
  throw UserError(ErrorCode::usage, what + " cannot be registered: it has no function that makes it");
}

std::string named(const ErrorModelType& type) {
  return "the error model '" + type.name + "'";
}
std::string named(const CriterionType& type) {
  return "the criterion '" + type.name + "'";
}
std::string named(const NumberFormat& format) {
  return "the number format '" + format.name + "'";
}

void check(const ErrorModelType& type) {
  check_extension_name("an error model", type.name);
  check_function(named(type), type.make != nullptr);
  check_parameters(named(type), type.parameters);
  check_free(named(type), error_models().find(type.name));
  if (find_user_model(type.name)) throw is_there(named(type), "given to register_user_model");
}

void check(const CriterionType& type) {
  check_extension_name("a criterion", type.name);
  check_function(named(type), type.make != nullptr);
  check_parameters(named(type), type.parameters);
  check_free(named(type), criterion_types().find(type.name));
}

void check(const NumberFormat& format) {
  check_extension_name("a number format", format.name);
  if (format.bits < 1 || format.bits > 64) {
    throw UserError(ErrorCode::usage, named(format) + " cannot be registered: it has words of " +
                                          std::to_string(format.bits) + " bits; expected 1 to 64");
  }
  if (!format.encode || !format.decode) {
    throw UserError(ErrorCode::usage, named(format) + " cannot be registered: encode or decode is missing");
  }
  check_free(named(format), number_formats().find(format.name));
  if (find_format(format.name)) throw is_there(named(format), "built in");  // fixed point
}

// They have been checked.
void put(ErrorModelType type, const std::string& plugin) {
  error_models().add(ModelSyntax{.name = std::move(type.name),
                                 .parameters = std::move(type.parameters),
                                 .make = std::move(type.make),
                                 .is_known_everywhere = false},
                     plugin);
}
void put(CriterionType type, const std::string& plugin) {
  criterion_types().add(std::move(type), plugin);
}
void put(NumberFormat format, const std::string& plugin) {
  number_formats().add(std::move(format), plugin);
}

class ProgramExtensions final : public Extensions {
 public:
  void add(ErrorModelType type) override { check_and_put(std::move(type)); }
  void add(CriterionType type) override { check_and_put(std::move(type)); }
  void add(NumberFormat format) override { check_and_put(std::move(format)); }

 private:
  template <typename Type>
  static void check_and_put(Type type) {
    const std::lock_guard lock(registration());
    check(type);
    put(std::move(type), "");
  }
};

}  // namespace

std::recursive_mutex& registration() {
  static std::recursive_mutex mutex;
  return mutex;
}

Extensions& extensions() {
  static ProgramExtensions extensions;
  return extensions;
}

void PluginExtensions::add(ErrorModelType type) {
  check(type);
  check_once(named(type));
  commits_.emplace_back([this, type = std::move(type)] { put(type, plugin_); });
}

void PluginExtensions::add(CriterionType type) {
  check(type);
  check_once(named(type));
  commits_.emplace_back([this, type = std::move(type)] { put(type, plugin_); });
}

void PluginExtensions::add(NumberFormat format) {
  check(format);
  check_once(named(format));
  commits_.emplace_back([this, format = std::move(format)] { put(format, plugin_); });
}

void PluginExtensions::check_once(const std::string& what) {
  if (!names_.insert(what).second) throw is_there(what, "of the same plugin");
}

void PluginExtensions::commit() {
  for (const auto& put_one : commits_)
    put_one();
}

}  // namespace faultwave
