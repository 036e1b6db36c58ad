// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "tests/model/recorded_calls.h"
#include "tests/support/german_locale.h"

namespace faultwave {
namespace {

TEST_CASE("a saved network holds the present values, and runs as the changed one does") {
  const at::NoGradGuard no_gradients;
  const TempFolder folder;
  for (const std::string name : {"residual.pt2", "constants.pt2", "tied.pt2", "traced.pt", "frozen.pt"}) {
    INFO(std::string(name));
    const auto network = open_test_network(name);
    auto tensors = network->parameters();
    for (const NamedTensor& buffer : network->buffers())
      tensors.push_back(buffer);
    for (const NamedTensor& named : tensors) {
      if (named.tensor.is_floating_point()) named.tensor.add_(0.25);
    }
    network->save(folder / name);
    const auto again = Network::open(folder / name);
    const auto call = recorded_calls(name.substr(0, name.find('.'))).at(0);
    const auto expected = network->forward(call.inputs);
    CHECK(same_bits(again->forward(call.inputs).at(0), expected.at(0)));
    CHECK_FALSE(same_bits(expected.at(0), call.outputs.at(0)));
    for (const NamedTensor& named : network->parameters()) {
      CHECK(same_bits(find_tensor(again->parameters(), named.name), named.tensor));
    }
  }
  CHECK(folder.holds(5));
}

TEST_CASE("an unchanged network is saved as it was") {
  const TempFolder folder;
  const auto network = open_test_network("lstm.pt2");
  network->save(folder / "copy.pt2");
  network->save(folder / "copy.pt2");
  const auto call = recorded_calls("lstm").at(0);
  const at::NoGradGuard no_gradients;
  CHECK(same_bits(Network::open(folder / "copy.pt2")->forward(call.inputs).at(0), call.outputs.at(0)));
}

TEST_CASE("a converted network is saved in its new type") {
  const TempFolder folder;
  OpenOptions options;
  options.dtype = at::kHalf;
  open_test_network("residual.pt2", options)->save(folder / "half.pt2");
  const auto half = Network::open(folder / "half.pt2");
  CHECK_UNARY(half->parameters()[0].tensor.scalar_type() == at::kHalf);
  CHECK_UNARY(*half->inputs()[0].dtype == at::kHalf);
  const at::NoGradGuard no_gradients;
  CHECK_UNARY(half->forward({torch::ones({1, 3, 8, 8}, at::kHalf)}).at(0).scalar_type() == at::kHalf);
}

TEST_CASE("a network is saved and opened alike in any locale") {
  const TempFolder folder;
  const at::NoGradGuard no_gradients;
  const GermanLocale german;
  for (const std::string name : {"long_tail.pt2", "traced.pt", "scripted.pt"}) {
    INFO(std::string(name));
    open_test_network(name)->save(folder / name);
    const auto call = recorded_calls(name.substr(0, name.find('.'))).at(0);
    CHECK(same_bits(Network::open(folder / name)->forward(call.inputs).at(0), call.outputs.at(0)));
  }
}

TEST_CASE("what cannot be written leaves nothing behind") {
  const TempFolder folder;
  std::filesystem::create_directory(folder / "taken");
  for (const char* name : {"residual.pt2", "traced.pt"}) {
    const auto network = open_test_network(name);
    for (const std::string& path : {folder / "no/such/folder/net", folder / "taken"}) {
      try {
        network->save(path);
        FAIL_CHECK("saved to " << path);
      } catch (const UserError& error) {
        CHECK_UNARY(error.code() == ErrorCode::store);
      }
    }
  }
  CHECK(folder.holds(1));
}

TEST_CASE("a full disk is reported") {
  if (!std::filesystem::exists("/dev/full")) return;
  const TempFolder folder;
  std::filesystem::create_symlink("/dev/full", folder / "link");
  for (const char* name : {"residual.pt2", "traced.pt"}) {
    const auto network = open_test_network(name);
    CHECK_THROWS_WITH_AS(network->save(folder / "link"), doctest::Contains("No space left on device"),
                         UserError);
  }
  CHECK(std::filesystem::is_symlink(folder / "link"));
  CHECK(folder.holds(1));
}

}  // namespace
}  // namespace faultwave
