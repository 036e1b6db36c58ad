// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <ostream>
#include <stdexcept>
#include <string>

#include <doctest/doctest.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "faultwave/error.h"

#include "src/common/input_file.h"
#include "src/common/output_file.h"
#include "tests/support/expect_error.h"
#include "tests/support/temp_folder.h"

namespace faultwave {
namespace {

namespace fs = std::filesystem;

size_t entries_of(const TempFolder& folder) {
  return static_cast<size_t>(std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator()));
}

TEST_CASE("a file that cannot be read is named, with the reason") {
  const TempFolder folder;
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { InputFile(folder / "none"); }),
                 "none': No such file or directory"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { InputFile(folder.path()); }), "it is a folder"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { InputFile("/dev/null"); }), "not a regular file"));
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
  write_file(path, [](std::ostream& stream) { stream << "first"; });
  CHECK(read_file(path) == "first");

  CHECK_THROWS_AS(write_file(path,
                             [](std::ostream& stream) {
                               stream << "half of the sec";
                               throw std::runtime_error("interrupted");
                             }),
                  std::runtime_error);
  CHECK(read_file(path) == "first");
  CHECK(entries_of(folder) == 1);

  write_file(path, [](std::ostream& stream) { stream << "second"; });
  CHECK(read_file(path) == "second");
  CHECK(entries_of(folder) == 1);
}

TEST_CASE("a file that cannot be written is named, with the reason") {
  const TempFolder folder;
  const auto nothing = [](std::ostream&) {};
  const auto failing = [](std::ostream& stream) { stream.setstate(std::ios::badbit); };
  CHECK(contains(error_of(ErrorCode::store, [&] { write_file(folder / "none/file", nothing); }),
                 "No such file or directory"));
  CHECK(contains(error_of(ErrorCode::store, [&] { write_file(folder.path(), nothing); }), "it is a folder"));
  CHECK_THROWS_AS(write_file(folder / "file", failing), UserError);
  CHECK(entries_of(folder) == 0);
}

TEST_CASE("a link is followed, also to a file that is not there yet") {
  const TempFolder folder;
  fs::create_directory(folder / "far");
  fs::create_symlink("far/there", folder / "link");
  write_file(folder / "link", [](std::ostream& stream) { stream << "first"; });
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_file(folder / "far/there") == "first");
  write_file(folder / "link", [](std::ostream& stream) { stream << "second"; });
  CHECK(fs::is_symlink(folder / "link"));
  CHECK(read_file(folder / "far/there") == "second");
  fs::create_symlink("b", folder / "a");
  fs::create_symlink("a", folder / "b");
  CHECK(contains(error_of(ErrorCode::store, [&] { write_file(folder / "a", [](std::ostream&) {}); }),
                 std::strerror(ELOOP)));
}

TEST_CASE("permissions of a file that is overwritten stay") {
  const TempFolder folder;
  write_file(folder / "file", std::string("old"));
  ::chmod((folder / "file").c_str(), 0604);
  write_file(folder / "file", [](std::ostream& stream) { stream << "new"; });
  struct stat status{};
  REQUIRE(::stat((folder / "file").c_str(), &status) == 0);
  CHECK((status.st_mode & 07777) == 0604);
}

TEST_CASE("a device is written to and stays what it is") {
  const auto writes = [](std::ostream& stream) { stream << std::string(1 << 20, 'x'); };
  CHECK_NOTHROW(write_file("/dev/null", writes));
  CHECK(fs::is_character_file("/dev/null"));
  const std::string full = error_of(ErrorCode::store, [&] { write_file("/dev/full", writes); });
  CHECK(full == std::string("cannot write '/dev/full': ") + std::strerror(ENOSPC));
  CHECK(fs::is_character_file("/dev/full"));
}

TEST_CASE("a FIFO is written to and stays what it is") {
  const TempFolder folder;
  REQUIRE(::mkfifo((folder / "fifo").c_str(), 0600) == 0);
  const int reader = ::open((folder / "fifo").c_str(), O_RDONLY | O_NONBLOCK);
  REQUIRE(reader >= 0);
  write_file(folder / "fifo", [](std::ostream& stream) { stream << "through"; });
  char out[16];
  CHECK(::read(reader, out, sizeof out) == 7);
  CHECK(std::string(out, 7) == "through");
  CHECK(fs::is_fifo(folder / "fifo"));
  ::close(reader);
}

TEST_CASE("a text is read up to a length, wherever it comes from") {
  const TempFolder folder;
  write_file(folder / "text", std::string("12345"));
  CHECK(read_text_file(folder / "text", 5) == "12345");
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { read_text_file(folder / "text", 4); }),
                 "more than 4 bytes"));
  CHECK(contains(error_of(ErrorCode::bad_input, [] { read_text_file("/dev/zero", 1 << 20); }), "too long"));
  CHECK(
      contains(error_of(ErrorCode::bad_input, [&] { read_text_file(folder.path(), 9); }), "it is a folder"));
}

}  // namespace
}  // namespace faultwave
