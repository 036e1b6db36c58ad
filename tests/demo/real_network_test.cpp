// SPDX-License-Identifier: Apache-2.0
// EfficientNet-Lite0 with its ImageNet weights on photographs: what C++ answers against what Python answered
// (tools/make_demo.py).
#include <ATen/ATen.h>

#include <fstream>
#include <string>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/inputs.h"
#include "faultwave/network.h"
#include "faultwave/outcome.h"

#include "tests/demo/demo_file.h"

namespace {

using faultwave::test::demo_file;

std::shared_ptr<faultwave::Network> open_network() {
  return faultwave::Network::open(demo_file("efficientnet_lite0.pt2"));
}

faultwave::Preprocess preprocessing() {
  faultwave::Preprocess preprocess;
  preprocess.mean = {0.498, 0.498, 0.498};
  preprocess.std = {0.502, 0.502, 0.502};
  return preprocess;
}

/// What make_demo.py wrote about each photograph.
nlohmann::json described_photos() {
  std::ifstream file(demo_file("photos.json"));
  REQUIRE(file.good());
  return nlohmann::json::parse(file);
}

}  // namespace

TEST_CASE("a batch of photographs gives Python's scores bit for bit") {
  const at::Tensor inputs = faultwave::load_tensor(demo_file("inputs.npy"));
  const at::Tensor expected = faultwave::load_tensor(demo_file("logits.npy"));
  const std::vector<at::Tensor> outputs = open_network()->forward({inputs});
  REQUIRE(outputs.size() == 1);
  CHECK(outputs[0].equal(expected));
}

TEST_CASE("single photographs give Python's scores bit for bit") {
  const at::Tensor inputs = faultwave::load_tensor(demo_file("inputs.npy"));
  const at::Tensor expected = faultwave::load_tensor(demo_file("logits_single.npy"));
  const auto network = open_network();
  for (int64_t photo = 0; photo < inputs.size(0); ++photo) {
    CAPTURE(photo);
    CHECK(network->forward({inputs.narrow(0, photo, 1)})[0].equal(expected.narrow(0, photo, 1)));
  }
}

TEST_CASE("photographs are prepared as Python prepares them") {
  const at::Tensor expected = faultwave::load_tensor(demo_file("inputs.npy"));
  const auto photos = faultwave::open_inputs(demo_file("photos"), preprocessing());
  REQUIRE(photos->size() == expected.size(0));
  for (int64_t photo = 0; photo < photos->size(); ++photo) {
    CAPTURE(photos->name(photo));
    // Both round at each of three steps, of values up to 1 / 0.502.
    CHECK(photos->get(photo).at(0).allclose(expected[photo], /*rtol=*/0, /*atol=*/5e-7));
  }
}

TEST_CASE("the network names the photographs") {
  const auto photos = faultwave::open_inputs(demo_file("photos"), preprocessing());
  const auto network = open_network();
  const nlohmann::json described = described_photos();
  REQUIRE(described.size() == static_cast<size_t>(photos->size()));
  for (int64_t photo = 0; photo < photos->size(); ++photo) {
    CAPTURE(photos->name(photo));
    const at::Tensor scores = network->forward({photos->get(photo).at(0).unsqueeze(0)})[0][0];
    const faultwave::RankedClass best = faultwave::top_classes(scores, 1).front();
    CHECK(best.index == described[photo]["class"].get<int64_t>());
    CHECK(best.probability == doctest::Approx(described[photo]["probability"].get<double>()).epsilon(1e-3));
  }
}
