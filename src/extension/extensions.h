// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "faultwave/extension.h"

namespace faultwave {

/// Held while extensions are registered, so that what was found free stays free until it is taken.
std::recursive_mutex& registration();

/// What a plugin brings, looked at one by one and registered together.
class PluginExtensions final : public Extensions {
 public:
  explicit PluginExtensions(std::string plugin) : plugin_(std::move(plugin)) {}

  void add(ErrorModelType type) override;
  void add(CriterionType type) override;
  void add(NumberFormat format) override;

  /// Registers all that was added. Hold registration() from the first call of add() on.
  void commit();

 private:
  void check_once(const std::string& what);

  std::string plugin_;
  std::set<std::string> names_;  // each with what it is
  std::vector<std::function<void()>> commits_;
};

}  // namespace faultwave
