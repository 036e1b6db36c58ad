// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/user_model.h"

#include <algorithm>
#include <map>
#include <mutex>

#include "faultwave/error.h"

#include "src/common/near_names.h"
#include "src/common/numbers.h"
#include "src/fault/bits.h"
#include "src/fault/models/all.h"
#include "src/fault/models/checks.h"

namespace faultwave {
namespace {

class UserModel final : public ErrorModel {
 public:
  UserModel(std::string name, UserFunction function)
      : name_(std::move(name)), function_(std::move(function)) {}

  std::string text() const override { return "user(" + name_ + ")"; }

  /// The function is handed a Draw, so it may draw.
  bool is_drawn() const override { return true; }

  void check(const VictimContext& context) const override { check_type(*this, context); }

  void apply(at::Tensor& values, const VictimContext& context, Draw& draw) const override {
    // A copy, so that a function that writes to its argument and then throws leaves nothing behind.
    const at::Tensor result = function_(values.clone(), context, draw);
    if (!result.defined()) refuse(*this, context, "it returned no tensor");
    if (result.sizes() != values.sizes() || result.scalar_type() != values.scalar_type() ||
        !result.is_cpu()) {
      refuse(*this, context,
             "it must return a tensor like the one it gets, " + describe(values) + ", but returned " +
                 describe(result));
    }
    values.copy_(result.detach());
  }

 private:
  static std::string describe(const at::Tensor& tensor) {
    return std::string(type_name(tensor.scalar_type())) + "[" + join_integers(tensor.sizes()) + "] on " +
           tensor.device().str();
  }

  std::string name_;
  UserFunction function_;
};

struct Functions {
  std::mutex mutex;
  std::map<std::string, UserFunction> by_name;
};

Functions& functions() {
  static Functions instance;
  return instance;
}

void check_name(const std::string& name, const UserFunction& function) {
  const bool is_legal = !name.empty() && is_letter(name.front()) &&
                        std::all_of(name.begin(), name.end(), is_model_name_character);
  if (!is_legal) {
    throw UserError(ErrorCode::usage, "'" + name +
                                          "' cannot name an error model: expected a letter, then letters, "
                                          "digits, '_', '-' or '.'");
  }
  if (const auto known = error_models().find(name)) {
    throw UserError(ErrorCode::usage, "'" + name + "' names " +
                                          (known->is_builtin ? "a built-in" : "an extension's") +
                                          " error model: choose another name");
  }
  if (!function) throw UserError(ErrorCode::usage, "the error model '" + name + "' was given no function");
}

ErrorModelPtr make_user_model(const Arguments& arguments) {
  const std::string& name = arguments.word("name");
  if (ErrorModelPtr model = find_user_model(name)) return model;
  throw UserError(ErrorCode::usage, "no error model '" + name +
                                        "' is known in this process: give it to "
                                        "register_user_model first" +
                                        did_you_mean(name, user_model_names()));
}

}  // namespace

bool is_model_name_character(char c) {
  return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

ErrorModelPtr user_model(std::string name, UserFunction function) {
  check_name(name, function);
  return std::make_shared<UserModel>(std::move(name), std::move(function));
}

void register_user_model(const std::string& name, UserFunction function) {
  check_name(name, function);
  Functions& known = functions();
  {
    const std::lock_guard lock(known.mutex);
    known.by_name[name].swap(function);
  }
  // The one that it replaces ends here, outside of the lock: it may take locks of its own, such as Python's.
}

ErrorModelPtr find_user_model(const std::string& name) {
  Functions& known = functions();
  const std::lock_guard lock(known.mutex);
  const auto found = known.by_name.find(name);
  if (found == known.by_name.end()) return nullptr;
  return std::make_shared<UserModel>(name, found->second);
}

std::vector<std::string> user_model_names() {
  Functions& known = functions();
  const std::lock_guard lock(known.mutex);
  std::vector<std::string> names;
  for (const auto& [name, function] : known.by_name)
    names.push_back(name);
  return names;
}

ModelSyntax user_model_syntax() {
  return {"user",
          {{"user(name)", "a function of your own, known to register_user_model under that name"}},
          {{.name = "name", .type = Parameter::Type::word}},
          make_user_model,
          /*parse=*/nullptr,
          /*is_known_everywhere=*/false};
}

}  // namespace faultwave
