// SPDX-License-Identifier: Apache-2.0
#include "src/data/files.h"

#include "tests/data/data_test.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

size_t entries_of(const TempFolder& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

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

TEST_CASE("a file that cannot be read is named, with the reason") {
  const TempFolder folder;
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { file_fingerprint(folder / "none"); }),
                 "none': No such file or directory"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { file_fingerprint(folder.path()); }), "it is a folder"));
  CHECK(
      contains(error_of(ErrorCode::bad_input, [&] { file_fingerprint("/dev/null"); }), "not a regular file"));
  InputFile file((write_file(folder / "short", "12345"), folder / "short"));
  char out[4];
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { file.read(3, out, 3); }), "ends before byte 6"));
  file.read(2, out, 3);
  CHECK(std::string(out, 3) == "345");
  CHECK(file.head(2) == "12");
  CHECK(file.head(99) == "12345");
}

TEST_CASE("a file is written whole or not at all") {
  const TempFolder folder;
  const std::string path = folder / "file";
  write_whole_file(path, [](std::ostream& stream) { stream << "first"; });
  CHECK(read_file(path) == "first");

  CHECK_THROWS_AS(write_whole_file(path,
                                   [](std::ostream& stream) {
                                     stream << "half of the sec";
                                     throw std::runtime_error("interrupted");
                                   }),
                  std::runtime_error);
  CHECK(read_file(path) == "first");
  CHECK(entries_of(folder) == 1);

  write_whole_file(path, [](std::ostream& stream) { stream << "second"; });
  CHECK(read_file(path) == "second");
  CHECK(entries_of(folder) == 1);
}

TEST_CASE("a file that cannot be written is named, with the reason") {
  const TempFolder folder;
  const auto nothing = [](std::ostream&) {};
  const auto failing = [](std::ostream& stream) { stream.setstate(std::ios::badbit); };
  CHECK(contains(error_of(ErrorCode::store, [&] { write_whole_file(folder / "none/file", nothing); }),
                 "No such file or directory"));
  CHECK(contains(error_of(ErrorCode::store, [&] { write_whole_file(folder.path(), nothing); }),
                 "it is a folder"));
  CHECK_THROWS_AS(write_whole_file(folder / "file", failing), UserError);
  CHECK(entries_of(folder) == 0);
}

}  // namespace
}  // namespace faultwave
