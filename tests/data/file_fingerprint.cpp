// SPDX-License-Identifier: Apache-2.0
#include "tests/data/data_test.h"

namespace faultwave {
namespace {

TEST_CASE("the fingerprint of a file is its SHA-256") {
  const TempFolder folder;
  write_file(folder / "abc", "abc");
  CHECK(file_fingerprint(folder / "abc") ==
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  write_file(folder / "empty", "");
  CHECK(file_fingerprint(folder / "empty") ==
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  write_file(folder / "long", std::string(2'500'000, 'q'));
  CHECK(file_fingerprint(folder / "long") ==
        "0850572d4395c9381ddbf8e07fc3cd167a78e0b98ad62f104fef13d837e70b03");
}

}  // namespace
}  // namespace faultwave
