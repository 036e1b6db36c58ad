// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "faultwave/arguments.h"
#include "faultwave/error_model.h"

#include "src/common/registry.h"
#include "src/fault/models/argument_texts.h"
#include "src/fault/scanner.h"

namespace faultwave {

/// How an error model is written in a fault line.
struct ModelSyntax {
  std::string name;
  std::vector<ErrorModelHelp> help{};  ///< one row a form
  std::vector<Parameter> parameters{};
  std::function<ErrorModelPtr(const Arguments& arguments)> make{};
  /// In place of parameters and make, for forms that a list of parameters cannot say.
  ErrorModelPtr (*parse)(const ArgumentTexts& texts) = nullptr;
  /// Whether any process makes the same model of the same text.
  bool is_known_everywhere = true;
};

/// All error models: the built-in ones in the order of docs/error_models.md, then those of extensions.
Registry<ModelSyntax>& error_models();

/// How a scanner's text may name error models.
enum class KnownModels : uint8_t {
  all,       ///< those of this process
  recorded,  ///< others too, which a RecordedModel then stands for
};

/// Parses the error model at the scanner's position and stops behind it.
ErrorModelPtr take_error_model(Scanner& scanner, KnownModels known = KnownModels::all);

/// Letters, digits, '_', '-' and '.'; a name starts with a letter.
bool is_model_name_character(char c);

}  // namespace faultwave
