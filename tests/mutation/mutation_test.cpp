// SPDX-License-Identifier: Apache-2.0
// Valid files of every kind, spoilt by keys: each is read, or refused with one sentence. None may crash the
// process, hang it, take memory on its word, or pass for a mistake of the program's own.
#include <ATen/Parallel.h>

#include <cstdlib>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>

#include <doctest/doctest.h>
#include <unistd.h>

#include "src/common/plain_text.h"
#include "tests/mutation/sandbox.h"
#include "tests/mutation/subjects.h"

namespace faultwave::mutation {
namespace {

constexpr uint64_t kRoom = 1024;    // MB, beside what the process has
constexpr unsigned kPatience = 60;  // s, for what takes milliseconds
constexpr size_t kLongest = 4000;   // bytes of a sentence

uint64_t from_environment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::stoull(value);
}

/// "" for a verdict that may be, else why it may not.
std::string fault_of(const Verdict& verdict, const Subject& subject) {
  switch (verdict.kind) {
    case Verdict::Kind::read:
      return "";
    case Verdict::Kind::shortage:
      return subject.runs_code ? ""
                               : "asked for more than " + std::to_string(kRoom) + " MB: " + verdict.message;
    case Verdict::Kind::failed:
      return "no mistake of a user: " + verdict.message;
    case Verdict::Kind::killed:
      return "ended by signal " + std::to_string(verdict.code);
    case Verdict::Kind::refused:
      break;
  }
  if (verdict.code < 2 || verdict.code > 7)
    return "code " + std::to_string(verdict.code) + " is not documented";
  if (verdict.message.empty() || verdict.message.size() > kLongest)
    return "a sentence of " + std::to_string(verdict.message.size()) + " bytes: " + verdict.message;
  if (printable(verdict.message) != verdict.message) return "not one printable line: " + verdict.message;
  return "";
}

/// Keeps the file of a failure, in the folder that the environment names.
void keep(const std::string& path, uint64_t key) {
  const char* folder = std::getenv("FAULTWAVE_MUTATION_KEEP");
  if (folder == nullptr) return;
  const std::filesystem::path kept =
      std::filesystem::path(folder) /
      (std::to_string(key) + "-" + std::filesystem::path(path).filename().string());
  std::filesystem::copy_file(path, kept, std::filesystem::copy_options::overwrite_existing);
}

TEST_CASE("spoilt files are read, or refused with one sentence") {
  at::set_num_threads(1);
  const uint64_t first = from_environment("FAULTWAVE_MUTATION_KEY", 1);
  const uint64_t files = from_environment("FAULTWAVE_MUTATION_FILES", 400);
  const TempFolder originals;
  const std::vector<Subject> subjects = all_subjects(originals);
  for (const Subject& subject : subjects) {
    CAPTURE(subject.name);
    CHECK(in_sandbox([&] { subject.attempt(subject.original); }, kRoom, kPatience).message == "");
  }
  std::map<std::string, std::pair<int, int>> counts;  // read, refused
  for (uint64_t key = first; key < first + files; ++key) {
    Draw draw(key);
    const Subject& subject = subjects[draw.below(subjects.size())];
    const TempFolder folder;
    const std::string path = subject.spoil(folder, draw);
    const Verdict verdict = in_sandbox([&] { subject.attempt(path); }, kRoom, kPatience);
    auto& [read, refused] = counts[subject.name];
    ++(verdict.kind == Verdict::Kind::read ? read : refused);
    const std::string fault = fault_of(verdict, subject);
    if (fault.empty()) continue;
    keep(path, key);
    const std::string message =
        "key " + std::to_string(key) + ", " + subject.name + ": " + shortened(fault, 600);
    FAIL_CHECK(message);
  }
  std::ostringstream summary;
  for (const auto& [name, count] : counts)
    summary << name << ": " << count.first << " read, " << count.second << " refused\n";
  const std::string text = summary.str();
  MESSAGE(text);
}

TEST_CASE("the sandbox tells a crash, a hang and a shortage from a sentence") {
  CHECK(in_sandbox([] {}, kRoom, kPatience).kind == Verdict::Kind::read);
  CHECK(in_sandbox([] { std::abort(); }, kRoom, kPatience).kind == Verdict::Kind::killed);
  CHECK(in_sandbox([] { ::pause(); }, kRoom, 1).kind == Verdict::Kind::killed);
  const auto take_much = [] {
    const std::string much(size_t{3} << 30, 'x');
    asm volatile("" : : "r"(much.data()) : "memory");  // or a compiler may leave it out
  };
  CHECK(in_sandbox(take_much, kRoom, kPatience).kind == Verdict::Kind::shortage);
  CHECK(in_sandbox([] { throw std::runtime_error("x"); }, kRoom, kPatience).kind == Verdict::Kind::failed);
}

}  // namespace
}  // namespace faultwave::mutation
