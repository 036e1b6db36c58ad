// SPDX-License-Identifier: Apache-2.0
#include "src/common/zip_directory.h"

#include <string>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "src/common/checked_archive.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"
#include "tests/support/zip_file.h"

namespace faultwave {
namespace {

const ZipContent kContent = {
    {"net/version", "3\n"}, {"net/data.pkl", "a pickle"}, {"net/data/0", std::string(100, 'w')}};
constexpr size_t kHeader = 30;  // of a record, before its name
constexpr size_t kEnd = 22;

std::string complaint(const TempFolder& folder, const std::string& archive) {
  write_file(folder / "net.pt", archive);
  return error_of(ErrorCode::bad_input, [&] { CheckedArchive(folder / "net.pt").check_all(); });
}

/// Where the directory's entry of a record begins.
size_t entry_of(const std::string& archive, const std::string& name) {
  return archive.rfind(name) - 46;
}

TEST_CASE("a whole archive is read") {
  const TempFolder folder;
  write_file(folder / "net.pt", zip_of(kContent));
  CheckedArchive archive(folder / "net.pt");
  CHECK(archive.names() == std::vector<std::string>{"version", "data.pkl", "data/0"});
  CHECK(archive.read_text("data.pkl") == "a pickle");
  CHECK(archive.bytes("data/0") == 100);
  CHECK_FALSE(archive.has("net/data.pkl"));
  CHECK_NOTHROW(archive.check_all());
}

TEST_CASE("a flipped bit among the values of a record is damage") {
  const TempFolder folder;
  std::string archive = zip_of(kContent);
  archive[archive.find("wwww") + 50] ^= 4;
  check_contains(complaint(folder, archive), "the check sum of its record 'data/0' does not hold");
}

TEST_CASE("any flipped bit of the directory or of a header is damage, or changes nothing that is read") {
  const TempFolder folder;
  const std::string whole = zip_of(kContent);
  const size_t directory = entry_of(whole, "net/version");
  size_t refused = 0;
  for (size_t place = 0; place < whole.size(); ++place) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string archive = whole;
      archive[place] ^= static_cast<char>(1 << bit);
      write_file(folder / "net.pt", archive);
      CAPTURE(place);
      try {
        CheckedArchive read(folder / "net.pt");
        read.check_all();
        CHECK(read.read_text("data/0") == std::string(100, 'w'));
        CHECK(read.read_text("data.pkl") == "a pickle");
      } catch (const UserError& error) {
        CHECK(error.code() == ErrorCode::bad_input);
        ++refused;
      }
    }
  }
  CHECK(refused > 8 * (whole.size() - directory) / 2);
  std::string archive = whole;
  archive[entry_of(whole, "net/data/0") + 10] ^= 1;  // how it is packed
  check_contains(complaint(folder, archive), "'net/data/0' is packed in way 1");
}

TEST_CASE("sizes and places are held against the file") {
  const TempFolder folder;
  const std::string whole = zip_of(kContent);
  const auto with = [&](size_t place, uint64_t number, size_t bytes) {
    return std::string(whole).replace(place, bytes, little_endian(number, bytes));
  };
  const size_t entry = entry_of(whole, "net/data/0");
  check_contains(complaint(folder, with(entry + 20, 101, 4)), "has two sizes");
  std::string longer = with(entry + 20, 4'000'000'000, 4);
  longer.replace(entry + 24, 4, little_endian(4'000'000'000, 4));
  check_contains(complaint(folder, longer), "'net/data/0' lies outside of the file");
  check_contains(complaint(folder, with(entry + 42, 0, 4)), "overlaps");
  check_contains(complaint(folder, with(whole.size() - kEnd + 16, 1 << 30, 4)), "outside of the file");
  check_contains(complaint(folder, with(whole.size() - kEnd + 10, 4, 2)), "another number of records");
  check_contains(complaint(folder, whole.substr(0, whole.size() - 1)), "no end record");
  check_contains(complaint(folder, whole + "x"), "no end record");
  check_contains(complaint(folder, zip_of({{"net/version", "3\n"}, {"net/version", "3\n"}})),
                 "is there twice");
  check_contains(complaint(folder, zip_of({{"net/version", "3\n"}, {"other/data.pkl", ""}})),
                 "does not lie in the folder");
}

TEST_CASE("what would unpack to far more than the file has is refused before memory is taken") {
  const TempFolder folder;
  std::string archive = zip_of(kContent);
  const size_t entry = entry_of(archive, "net/data/0");
  archive.replace(entry + 10, 2, little_endian(8, 2));  // deflated
  archive.replace(archive.find("net/data/0") - kHeader + 8, 2, little_endian(8, 2));
  archive.replace(entry + 24, 4, little_endian(3'200'000'000, 4));
  check_contains(complaint(folder, archive), "would unpack to more than");
}

}  // namespace
}  // namespace faultwave
