// SPDX-License-Identifier: Apache-2.0
#include "src/common/pickle_check.h"

#include <map>
#include <string>

#include <doctest/doctest.h>

namespace faultwave {
namespace {

using namespace std::string_literals;

std::string text(const std::string& content) {
  return "X"s + static_cast<char>(content.size()) + "\0\0\0"s + content;
}

std::string small(int number) {
  return "K"s + static_cast<char>(number);
}

/// A tensor as torch.save pickles it, of FP32: the storage's key and number of values, offset, sizes,
/// strides.
std::string tensor(const std::string& key, int values, int offset, int size, int stride) {
  return "ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + "ctorch\nFloatStorage\n" + text(key) +
         text("cpu") + small(values) + "tQ" + small(offset) + small(size) + "\x85" + small(stride) +
         "\x85\x89" + "ccollections\nOrderedDict\n)RtR";
}

std::string fault(const std::string& body) {
  const std::map<std::string, uint64_t> records = {{"0", 40}};  // ten values
  return pickle_fault("\x80\x02" + body + ".", [&](const std::string& key) -> std::optional<uint64_t> {
    const auto found = records.find(key);
    return found == records.end() ? std::nullopt : std::optional(found->second);
  });
}

TEST_CASE("values that PyTorch pickles pass") {
  CHECK(fault("N").empty());
  CHECK(fault("]q\x01(" + small(1) + small(2) + "eh\x01\x86") == "");
  CHECK(fault("}(" + text("a") + "N" + text("b") + "\x88u") == "");
  CHECK(fault(tensor("0", 10, 0, 10, 1)) == "");
  CHECK(fault(tensor("0", 10, 1, 5, 2)) == "");  // the last lies at 1 + 4 * 2 = 9
  CHECK(fault("ctorch.jit._pickle\nbuild_intlist\n](" + small(1) + "e\x85R") == "");
}

TEST_CASE("a tensor beyond its storage, and a storage beyond its record, are faults") {
  CHECK(fault(tensor("0", 10, 0, 11, 1)).find("beyond its data") != std::string::npos);
  CHECK(fault(tensor("0", 10, 1, 10, 1)).find("beyond its data") != std::string::npos);
  CHECK(fault(tensor("0", 10, 0, 6, 2)).find("beyond its data") != std::string::npos);
  CHECK(fault(tensor("0", 11, 0, 1, 1)).find("11 values has 40 bytes") != std::string::npos);
  CHECK(fault(tensor("1", 10, 0, 1, 1)).find("10 values has 0 bytes") != std::string::npos);
}

TEST_CASE("lengths are held against the pickle") {
  CHECK(fault("X\xff\xff\xff\x7f"
              "abc")
            .find("2147483647 bytes follow") != std::string::npos);
  CHECK(fault("Nr\xff\xff\xff\xff").find("numbers a value with 4294967295") != std::string::npos);
  CHECK(fault("ctorch.without_end").find("does not end") != std::string::npos);
  CHECK(pickle_fault("\x80\x02N", [](const std::string&) { return std::nullopt; }) != "");
  CHECK(pickle_fault("", [](const std::string&) { return std::nullopt; }) != "");
}

TEST_CASE("nesting, loops and gaps are faults") {
  CHECK(fault("N" + std::string(500, '\x85')) == "");
  CHECK(fault("N" + std::string(200'000, '\x85')).find("nested too deep") != std::string::npos);
  CHECK(fault("]q\x01h\x01"
              "a")
            .find("holds itself") != std::string::npos);
  CHECK(fault("]q\x01]q\x02h\x01"
              "ah\x02"
              "a\x30") != "");  // a list in a list in the first
  CHECK(fault("\x86") != "");
  CHECK(fault("}(Nu").find("has no value") != std::string::npos);
  CHECK(fault("h\x05").find("does not have") != std::string::npos);
  CHECK(fault("NN").find("other than one value") != std::string::npos);
  CHECK(fault("ctorch.jit._pickle\nbuild_intlist\n](" + text("a") + "e\x85R").find("another type") !=
        std::string::npos);
}

}  // namespace
}  // namespace faultwave
