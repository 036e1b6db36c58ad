// SPDX-License-Identifier: Apache-2.0
// All descriptions by the name of the operator: those of the lists, and what a program adds.
#include <mutex>
#include <shared_mutex>
#include <unordered_map>
#include <utility>

#include "faultwave/error.h"

#include "src/model/tensor_places.h"
#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

class Descriptions {
 public:
  static Descriptions& instance() {
    static Descriptions descriptions;
    return descriptions;
  }

  const Operator* find(const std::string& name) const {
    const std::shared_lock lock(mutex_);
    const auto found = by_name_.find(name);
    return found == by_name_.end() ? nullptr : &found->second;  // which stays where it is
  }

  void add(Operator description) {
    const std::unique_lock lock(mutex_);
    const std::string name = description.name;
    if (!by_name_.emplace(name, std::move(description)).second)
      throw UserError(ErrorCode::usage, "operator " + name +
                                            " has a description already: expected one that the wave engine "
                                            "does not know, described once");
  }

 private:
  Descriptions() {
    for (auto* list : {element_operators, moving_operators, layer_operators, reducing_operators}) {
      for (Operator& description : list())
        add(std::move(description));
    }
  }

  mutable std::shared_mutex mutex_;
  std::unordered_map<std::string, Operator> by_name_;
};

}  // namespace

bool is_in_place(const c10::FunctionSchema& schema) {
  const auto& arguments = schema.arguments();
  return schema.name().ends_with('_') && !arguments.empty() && detail::is_written(arguments.front());
}

const Operator* find_operator(const c10::OperatorHandle& op) {
  const std::string& name = op.operator_name().name;
  const Operator* found = Descriptions::instance().find(name);
  if (found != nullptr || !is_in_place(op.schema())) return found;
  return Descriptions::instance().find(name.substr(0, name.size() - 1));
}

void add_operator(Operator description) {
  Descriptions::instance().add(std::move(description));
}

}  // namespace faultwave::wave
