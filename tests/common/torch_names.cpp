// SPDX-License-Identifier: Apache-2.0
#include "src/common/torch_names.h"

#include <doctest/doctest.h>

using faultwave::dtype_name;
using faultwave::dtype_named;

TEST_CASE("types have one name, by which they are found again") {
  for (const at::ScalarType dtype : {at::kFloat, at::kDouble, at::kHalf, at::kBFloat16, at::kLong, at::kBool,
                                     at::kQUInt8, at::kFloat8_e4m3fn}) {
    INFO(dtype_name(dtype));
    CHECK((dtype_named(dtype_name(dtype)) == dtype));
  }
  CHECK(dtype_name(at::kBFloat16) == "bfloat16");
  CHECK((dtype_named("float31") == at::ScalarType::Undefined));
}
