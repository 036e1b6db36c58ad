// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error_model.h"

#include <algorithm>
#include <sstream>

#include "faultwave/error.h"

#include "src/common/near_names.h"
#include "src/fault/models/all.h"
#include "src/fault/models/arguments.h"
#include "src/fault/models/user_model.h"
#include "src/fault/scanner.h"

namespace faultwave {
namespace {

const ModelSyntax* find_syntax(std::string_view name) {
  const std::vector<ModelSyntax>& models = all_models();
  const auto found = std::find_if(models.begin(), models.end(),
                                  [name](const ModelSyntax& model) { return model.name == name; });
  return found == models.end() ? nullptr : &*found;
}

std::string unknown_model(std::string_view name) {
  std::vector<std::string> names;
  std::ostringstream choices;
  for (const ModelSyntax& model : all_models()) {
    choices << (names.empty() ? "" : ", ") << model.name;
    names.emplace_back(model.name);
  }
  for (const std::string& user_name : user_model_names())
    names.push_back(user_name);
  std::ostringstream message;
  message << "unknown error model '" << name << "'" << did_you_mean(name, names) << " (there are "
          << choices.str() << ", and what register_user_model was given)";
  return message.str();
}

}  // namespace

std::vector<ErrorModelPtr> ErrorModel::choices(const VictimContext&) const {
  return {};
}

std::shared_ptr<const ErrorModel> ErrorModel::resolve(const VictimContext&, Draw&) const {
  return nullptr;
}

ErrorModelPtr take_error_model(Scanner& scanner) {
  const size_t begin = scanner.position();
  if (!is_letter(scanner.peek())) scanner.fail_expected("an error model, such as flip(30)");
  const std::string_view name = scanner.take_while(is_model_name_character);
  const ModelSyntax* syntax = find_syntax(name);
  const Arguments arguments(name, scanner);  // its own errors already tell line and column
  try {
    if (syntax != nullptr) return syntax->parse(arguments);
    if (ErrorModelPtr model = find_user_model(std::string(name))) {
      arguments.expect(0, 0, {}, "no arguments");
      return model;
    }
  } catch (const ArgumentError& error) {
    scanner.fail_at(error.position, error.what());
  } catch (const UserError& error) {
    scanner.fail_at(begin, error.what());
  }
  scanner.fail_at(begin, unknown_model(name));
}

ErrorModelPtr parse_error_model(std::string_view text) {
  Scanner scanner(text, "error model");
  scanner.skip_spaces();
  ErrorModelPtr model = take_error_model(scanner);
  scanner.skip_spaces();
  scanner.expect_end("the end of the error model");
  return model;
}

std::vector<ErrorModelHelp> error_model_help() {
  std::vector<ErrorModelHelp> help;
  for (const ModelSyntax& model : all_models())
    help.insert(help.end(), model.help.begin(), model.help.end());
  return help;
}

}  // namespace faultwave
