// SPDX-License-Identifier: Apache-2.0
// EfficientNet-Lite0 from its file, with ImageNet weights, on photographs (tools/make_demo.py).
#include "tests/demo/demo_file.h"
#include "tests/wave/agreement.h"

namespace faultwave::test {
namespace {

TEST_CASE("EfficientNet-Lite0 on photographs") {
  Engines engines(Network::open(demo_file("efficientnet_lite0.pt2")), load_tensor(demo_file("inputs.npy")));
  check_agreement(engines, drawn_trials(engines, 60, 27));
  CHECK(engines.wave.report().trials > 40);
}

}  // namespace
}  // namespace faultwave::test
