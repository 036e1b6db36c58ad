// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <exception>
#include <string>

#include "faultwave/error.h"

#include "src/common/exception_text.h"

namespace faultwave {

/// What the author of an extension did wrong; `what` is "the criterion mine.far", say.
inline UserError mistake_of_extension(const std::string& what, const std::string& why) {
  return UserError(ErrorCode::usage, what + " cannot be made: " + why);
}

/// What `make()` returns, a pointer. Throws UserError(usage) if it throws anything else than a UserError, or
/// returns null.
template <typename Make>
auto made_by_extension(const std::string& what, const Make& make) -> decltype(make()) {
  decltype(make()) made;
  try {
    made = make();
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    throw mistake_of_extension(what, reason_of(error));
  }
  if (!made) throw mistake_of_extension(what, "its function returned none");
  return made;
}

}  // namespace faultwave
