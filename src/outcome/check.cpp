// SPDX-License-Identifier: Apache-2.0
#include <exception>

#include "faultwave/error.h"
#include "faultwave/outcome.h"

namespace faultwave {
namespace {

/// Messages of our own criteria begin with their name; those of a user's function need not.
std::string named(const Criterion& criterion, const std::string& message) {
  const std::string start = "criterion " + criterion.name();
  return message.rfind(start, 0) == 0 ? message : start + ": " + message;
}

/// Errors of libtorch go on with the calls that led there.
std::string first_line(const std::string& text) {
  return text.substr(0, text.find('\n'));
}

bool fires_on_itself(const Criterion& criterion, const OutputPair& outputs) {
  try {
    return criterion.fires(outputs);
  } catch (const UserError& error) {
    throw UserError(ErrorCode::bad_input, named(criterion, error.what()));
  } catch (const InternalError&) {
    throw;
  } catch (const std::exception& error) {
    throw UserError(ErrorCode::bad_input,
                    named(criterion, "it cannot read the network's outputs: " + first_line(error.what())));
  }
}

}  // namespace

void check_criteria(const std::vector<at::Tensor>& golden, const std::vector<CriterionPtr>& criteria,
                    std::optional<int64_t> label) {
  for (const CriterionPtr& criterion : criteria) {
    if (!fires_on_itself(*criterion, {golden, golden, label})) continue;
    throw UserError(ErrorCode::bad_input,
                    "criterion " + criterion->text() +
                        " fires on the golden outputs themselves: expected one that equal outputs pass");
  }
}

}  // namespace faultwave
