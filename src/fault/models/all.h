// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string_view>
#include <vector>

#include "faultwave/error_model.h"

#include "src/fault/models/arguments.h"
#include "src/fault/scanner.h"

namespace faultwave {

/// How an error model is written in a fault line.
struct ModelSyntax {
  std::string_view name;
  std::vector<ErrorModelHelp> help;  ///< one row a form
  ErrorModelPtr (*parse)(const Arguments& arguments);
};

/// All built-in models, in the order of docs/error_models.md.
const std::vector<ModelSyntax>& all_models();

/// Parses the error model at the scanner's position and stops behind it.
ErrorModelPtr take_error_model(Scanner& scanner);

/// Letters, digits, '_', '-' and '.'; a name starts with a letter.
bool is_model_name_character(char c);

}  // namespace faultwave
