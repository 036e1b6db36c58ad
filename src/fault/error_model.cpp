// SPDX-License-Identifier: Apache-2.0
#include "faultwave/error_model.h"

#include <utility>

#include "faultwave/error.h"

#include "src/common/made_by_extension.h"
#include "src/common/near_names.h"
#include "src/fault/models/all.h"
#include "src/fault/models/recorded_model.h"
#include "src/fault/models/user_model.h"
#include "src/fault/parameters.h"
#include "src/fault/scanner.h"

namespace faultwave {
namespace {

std::string unknown_model(std::string_view name) {
  std::vector<std::string> names;
  std::string choices;
  for (const auto& model : error_models().all()) {
    choices += (names.empty() ? "" : ", ") + model->entry.name;
    names.push_back(model->entry.name);
  }
  for (const std::string& user_name : user_model_names())
    names.push_back(user_name);
  return "unknown error model '" + std::string(name) + "'" + did_you_mean(name, names) + " (there are " +
         choices +
         ", and what register_user_model was given; those of a plugin are there where it is loaded)";
}

ErrorModelPtr make_checked(const ModelSyntax& syntax, const Arguments& arguments) {
  const std::string what = "the error model " + syntax.name;
  ErrorModelPtr model = made_by_extension(what, [&] { return syntax.make(arguments); });
  if (model->text() != arguments.text()) {
    throw mistake_of_extension(
        what, "it prints as '" + model->text() + "', which is not '" + arguments.text() + "', its arguments");
  }
  return model;
}

ErrorModelPtr make_model(const Registered<ModelSyntax>& known, const ArgumentTexts& texts) {
  const ModelSyntax& syntax = known.entry;
  if (syntax.parse != nullptr) return syntax.parse(texts);
  const Arguments arguments = read_arguments(texts, syntax.parameters);
  return known.is_builtin ? syntax.make(arguments) : make_checked(syntax, arguments);
}

}  // namespace

std::vector<ErrorModelPtr> ErrorModel::choices(const VictimContext&) const {
  return {};
}

std::shared_ptr<const ErrorModel> ErrorModel::resolve(const VictimContext&, Draw&) const {
  return nullptr;
}

ErrorModelPtr take_error_model(Scanner& scanner, KnownModels known) {
  const size_t begin = scanner.position();
  if (!is_letter(scanner.peek())) scanner.fail_expected("an error model, such as flip(30)");
  const std::string_view name = scanner.take_while(is_model_name_character);
  const ArgumentTexts texts(name, scanner);  // its own errors already tell line and column
  try {
    if (const auto model = error_models().find(name)) return make_model(*model, texts);
    if (ErrorModelPtr model = find_user_model(std::string(name))) {
      texts.expect(0, 0, {}, "no arguments");
      return model;
    }
  } catch (const ArgumentError& error) {
    if (known == KnownModels::all) scanner.fail_at(error.position, error.what());
  } catch (const UserError& error) {
    if (known == KnownModels::all) scanner.fail_at(begin, error.what());
  }
  if (known == KnownModels::all) scanner.fail_at(begin, unknown_model(name));
  return std::make_shared<RecordedModel>(scanner.taken_since(begin), RecordedCapabilities{});
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
  for (const auto& model : error_models().all()) {
    if (model->is_builtin) help.insert(help.end(), model->entry.help.begin(), model->entry.help.end());
  }
  return help;
}

}  // namespace faultwave
