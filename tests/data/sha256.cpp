// SPDX-License-Identifier: Apache-2.0
#include "src/data/sha256.h"

#include "src/data/sha256_blocks.h"
#include "tests/data/data_test.h"

namespace faultwave {
namespace {

std::string sha256(std::string_view text) {
  Sha256 hash;
  hash.add(text);
  return to_hex(hash.finish());
}

TEST_CASE("SHA-256 of the standard's examples") {
  CHECK(sha256("") == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  CHECK(sha256("abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  CHECK(sha256("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq") ==
        "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  CHECK(sha256(
            "abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopqklmnopqrlmnopqrs"
            "mnopqrstnopqrstu") == "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  CHECK(sha256(std::string(1'000'000, 'a')) ==
        "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST_CASE("SHA-256 by the processor's instructions is that of plain code") {
  if (!sha256::has_sha_instructions()) return;
  const std::vector<uint8_t> bytes = pattern(64 * 7);
  for (const size_t blocks : {0, 1, 2, 7}) {
    sha256::State plain{1, 2, 3, 4, 0xfffffff5, 6, 7, 0x80000008};
    sha256::State fast = plain;
    sha256::compress_plainly(plain, bytes.data(), blocks);
    sha256::compress_by_instructions(fast, bytes.data(), blocks);
    CHECK(fast == plain);
  }
}

TEST_CASE("SHA-256 does not depend on how the bytes are cut") {
  const std::vector<uint8_t> bytes = pattern(300);
  Sha256 whole;
  whole.add(bytes.data(), bytes.size());
  const std::string expected = to_hex(whole.finish());
  for (const size_t piece : {1, 3, 55, 56, 63, 64, 65, 128, 299}) {
    CAPTURE(piece);
    Sha256 hash;
    for (size_t i = 0; i < bytes.size(); i += piece)
      hash.add(bytes.data() + i, std::min(piece, bytes.size() - i));
    CHECK(to_hex(hash.finish()) == expected);
  }
}

TEST_CASE("lengths around the padding, against an independent implementation") {
  // hashlib.sha256(b"x" * n) in Python.
  CHECK(sha256(std::string(55, 'x')) == "d5e285683cd4efc02d021a5c62014694958901005d6f71e89e0989fac77e4072");
  CHECK(sha256(std::string(56, 'x')) == "04c26261370ee7541549d16dee320c723e3fd14671e66a099afe0a377c16888e");
  CHECK(sha256(std::string(63, 'x')) == "75220b47218278e656f2013bb8f0c455a25eaf01e86c64924e9d48d89776d6f2");
  CHECK(sha256(std::string(64, 'x')) == "7ce100971f64e7001e8fe5a51973ecdfe1ced42befe7ee8d5fd6219506b5393c");
  CHECK(sha256(std::string(119, 'x')) == "000b48d4edf0fa7bee3c6236ecd2785baa5db4eeb8bb54341b029e0d9fa5fb0c");
  CHECK(sha256(std::string(120, 'x')) == "13f05a0b594787f5ecd315edc96141bd3243203d1b7d4f0836f37308b276ba98");
}

}  // namespace
}  // namespace faultwave
