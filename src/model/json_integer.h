// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace faultwave::detail {

/// The whole number that a JSON value is. Throws nlohmann's exception for any other value, where
/// get<int64_t>() would take 1.5, true and 1e300 too.
template <typename AnyJson>
int64_t json_integer(const AnyJson& value) {
  return value.template get_ref<const typename AnyJson::number_integer_t&>();
}

}  // namespace faultwave::detail
