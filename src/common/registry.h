// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace faultwave {

/// What a registry holds.
template <typename Entry>
struct Registered {
  Entry entry;
  bool is_builtin = false;
  std::string plugin;  ///< that brought it; "" for a built-in one, or one of this program
};

/// Entries by name (Entry::name), in the order in which they came, built-in ones first. They stay. May be
/// used by several threads at a time.
template <typename Entry>
class Registry {
 public:
  using Item = std::shared_ptr<const Registered<Entry>>;

  explicit Registry(std::vector<Entry> builtin) {
    for (Entry& entry : builtin)
      items_.push_back(std::make_shared<Registered<Entry>>(Registered<Entry>{std::move(entry), true, ""}));
  }

  /// Returns the one that has the name already, and adds nothing; else null.
  Item add(Entry entry, std::string plugin) {
    const std::lock_guard lock(mutex_);
    if (Item other = find_item(entry.name)) return other;
    items_.push_back(
        std::make_shared<Registered<Entry>>(Registered<Entry>{std::move(entry), false, std::move(plugin)}));
    return nullptr;
  }

  /// Null if there is none.
  Item find(std::string_view name) const {
    const std::lock_guard lock(mutex_);
    return find_item(name);
  }

  std::vector<Item> all() const {
    const std::lock_guard lock(mutex_);
    return items_;
  }

 private:
  Item find_item(std::string_view name) const {
    for (const Item& item : items_) {
      if (item->entry.name == name) return item;
    }
    return nullptr;
  }

  mutable std::mutex mutex_;
  std::vector<Item> items_;
};

}  // namespace faultwave
