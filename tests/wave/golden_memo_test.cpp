// SPDX-License-Identifier: Apache-2.0
#include "src/wave/golden_memo.h"

#include <torch/torch.h>

#include <doctest/doctest.h>

namespace faultwave::wave {
namespace {

TEST_CASE("what was computed from a tensor is remembered by type and axis, as long as the memo lives") {
  const at::Tensor golden = at::ones({2, 3});
  int computed = 0;
  const auto number = [&](const at::Tensor& tensor, int64_t axis) {
    return *GoldenMemo::remember<int>(tensor, axis, [&] { return ++computed; });
  };
  CHECK(number(golden, 0) == 1);
  CHECK(number(golden, 0) == 2);  // nobody remembers
  {
    const GoldenMemo memo;
    CHECK(number(golden, 0) == 3);
    CHECK(number(golden, 0) == 3);
    CHECK(number(golden, 1) == 4);
    CHECK(number(golden.clone(), 0) == 5);
    CHECK(*GoldenMemo::remember<double>(golden, 0, [] { return 0.5; }) == 0.5);
    {
      const GoldenMemo inner;
      CHECK(number(golden, 0) == 6);
    }
    CHECK(number(golden, 0) == 3);
  }
  CHECK(number(golden, 0) == 7);
}

}  // namespace
}  // namespace faultwave::wave
