// SPDX-License-Identifier: Apache-2.0
#include "src/common/near_names.h"

#include <doctest/doctest.h>

namespace faultwave {

using Names = std::vector<std::string>;

TEST_CASE("near names: nearest first, far ones left out") {
  const Names known = {"layer1.0.conv1", "layer1.0.conv2", "fc", "layer2.0.conv1"};
  CHECK(near_names("layer1.0.convl", known, 1) == Names{"layer1.0.conv1"});
  // conv1 and conv2 are one substitution away, layer2.0.conv1 two; fc is far.
  CHECK(near_names("layer1.0.convl", known) == Names{"layer1.0.conv1", "layer1.0.conv2", "layer2.0.conv1"});
  CHECK(near_names("something.else.entirely", known).empty());
}

TEST_CASE("near names: a name that contains the wrong one is near") {
  CHECK(near_names("conv7", {"features.stem.conv7", "fc"}) == Names{"features.stem.conv7"});
  // Two letters are contained in too many names to mean anything.
  CHECK(near_names("co", {"features.conv"}).empty());
}

TEST_CASE("near names: each once, in the order of the list where equally near") {
  CHECK(near_names("ab", {"ac", "ad", "ac"}) == Names{"ac", "ad"});
  CHECK(near_names("", {"a", "abcd"}) == Names{"a"});
}

TEST_CASE("did you mean") {
  CHECK(did_you_mean("flp", {"flip", "zero"}) == "; did you mean flip?");
  CHECK(did_you_mean("ab", {"ac", "ad"}) == "; did you mean ac or ad?");
  CHECK(did_you_mean("ab", {"ac", "ad", "ae", "af"}) == "; did you mean ac, ad or ae?");
  CHECK(did_you_mean("xyz", {"flip"}).empty());
}

}  // namespace faultwave
