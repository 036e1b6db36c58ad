// SPDX-License-Identifier: Apache-2.0
#include "tests/data/data_test.h"

namespace faultwave {
namespace {

struct SafetensorsType {
  std::string name;
  at::ScalarType type;
};

/// A file with this header and this many bytes of data.
std::string file_bytes(const std::string& header, size_t data_bytes) {
  std::string bytes(8, '\0');
  for (size_t i = 0; i < 8; ++i)
    bytes[i] = static_cast<char>(static_cast<uint64_t>(header.size()) >> (8 * i));
  return bytes + header + std::string(data_bytes, '\0');
}

class Scratch {
 public:
  std::string refusal_of(const std::string& bytes) {
    write_file(path(), bytes);
    return refusal(path());
  }
  std::string path() const { return folder_ / "x.safetensors"; }

 private:
  TempFolder folder_;
};

TEST_CASE("safetensors load bit for bit in every type") {
  const std::vector<SafetensorsType> types = {{"F64", at::kDouble},
                                              {"F32", at::kFloat},
                                              {"F16", at::kHalf},
                                              {"BF16", at::kBFloat16},
                                              {"F8_E4M3", at::kFloat8_e4m3fn},
                                              {"F8_E5M2", at::kFloat8_e5m2},
                                              {"I64", at::kLong},
                                              {"I32", at::kInt},
                                              {"I16", at::kShort},
                                              {"I8", at::kChar},
                                              {"U64", at::kUInt64},
                                              {"U32", at::kUInt32},
                                              {"U16", at::kUInt16},
                                              {"U8", at::kByte}};
  const std::string path = made_file("all.safetensors");
  for (const SafetensorsType& type : types) {
    CAPTURE(type.name);
    CHECK(is_identical(load_tensor(path + ":" + type.name), pattern_tensor(type.type)));
  }
  CHECK(is_identical(load_tensor(path + ":BOOL"), pattern_bools()));
}

TEST_CASE("one tensor needs no name") {
  const std::string path = made_file("single.safetensors");
  CHECK(is_identical(load_tensor(path), pattern_tensor(at::kFloat)));
  CHECK(is_identical(load_tensor(path + ":images"), pattern_tensor(at::kFloat)));
}

TEST_CASE("the tensor must be clear") {
  const std::string path = made_file("all.safetensors");
  CHECK(contains(refusal(path), "16 tensors; name one after a colon"));
  const std::string message = error_of(ErrorCode::bad_input, [&] { load_tensor(path + ":BF15"); });
  CHECK(contains(message, "no tensor 'BF15'"));
  CHECK(contains(message, "did you mean BF16"));
  CHECK(
      contains(error_of(ErrorCode::bad_input, [&] { load_tensor(path + ":of a future type"); }), "type F4"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { load_tensor(path + ":"); }), "no tensor ''"));
}

TEST_CASE("a tensor may have any name") {
  const TempFolder folder;
  write_file(folder / "x.safetensors",
             file_bytes(R"({"a.npy": {"dtype": "U8", "shape": [2], "data_offsets": [0, 2]},)"
                        R"( "b.safetensors:c": {"dtype": "U8", "shape": [], "data_offsets": [2, 3]},)"
                        R"( "empty": {"dtype": "U8", "shape": [0], "data_offsets": [2, 2]}})",
                        3));
  CHECK(load_tensor(folder / "x.safetensors:a.npy").numel() == 2);
  CHECK(load_tensor(folder / "x.safetensors:b.safetensors:c").dim() == 0);
  CHECK(load_tensor(folder / "x.safetensors:empty").numel() == 0);
}

TEST_CASE("truncated files are refused wherever they end") {
  Scratch scratch;
  const std::string good = read_file(made_file("single.safetensors"));
  for (size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(scratch.refusal_of(good.substr(0, size)) != "");
  }
  CHECK(contains(scratch.refusal_of(good.substr(0, good.size() - 1)),
                 "ends at byte 96 of the data, and 95 are there"));
  CHECK(contains(scratch.refusal_of(good + "x"), "1 bytes after the last tensor"));
}

TEST_CASE("damaged headers are refused") {
  Scratch scratch;
  CHECK(contains(scratch.refusal_of(std::string(16, '\xff')), "not a safetensors file"));
  for (const char* header : {"", "[]", "3", "{", "{\"a\": }", "\xff\xfe", "{} x"}) {
    CAPTURE(header);
    CHECK(contains(scratch.refusal_of(file_bytes(header, 0)), "not a JSON object"));
  }
  CHECK(contains(scratch.refusal_of(file_bytes("{}", 0)), "holds no tensor"));
  CHECK(contains(scratch.refusal_of(file_bytes(R"({"__metadata__": {"a": "b"}})", 0)), "holds no tensor"));
  for (const char* entry :
       {R"(3)", R"({})", R"({"dtype": 3, "shape": [1], "data_offsets": [0, 4]})",
        R"({"dtype": "F32", "shape": 1, "data_offsets": [0, 4]})", R"({"dtype": "F32", "shape": [1]})",
        R"({"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]})",
        R"({"dtype": "F32", "shape": [1.5], "data_offsets": [0, 4]})",
        R"({"dtype": "F32", "shape": [1], "data_offsets": [0]})",
        R"({"dtype": "F32", "shape": [1], "data_offsets": [-4, 0]})",
        R"({"dtype": "F32", "shape": [1], "data_offsets": [0, 18446744073709551615]})"}) {
    CAPTURE(entry);
    const std::string header = std::string(R"({"a": )") + entry + "}";
    CHECK(contains(scratch.refusal_of(file_bytes(header, 4)), "'a' lacks a proper"));
  }
}

TEST_CASE("data that does not fit is refused before memory is taken") {
  Scratch scratch;
  const auto two = [](const std::string& a, const std::string& b) {
    return R"({"a": {"dtype": "U8", "shape": [4], "data_offsets": )" + a +
           R"(}, "b": {"dtype": "U8", "shape": [4], "data_offsets": )" + b + "}}";
  };
  write_file(scratch.path(), file_bytes(two("[4, 8]", "[0, 4]"), 8));
  CHECK(load_tensor(scratch.path() + ":a").numel() == 4);
  for (const auto& [a, b] : {std::pair{"[0, 4]", "[3, 7]"},
                             {"[0, 4]", "[0, 4]"},
                             {"[0, 4]", "[5, 9]"},
                             {"[1, 5]", "[5, 9]"},
                             {"[4, 0]", "[4, 8]"}}) {
    CAPTURE(a);
    CAPTURE(b);
    CHECK(contains(scratch.refusal_of(file_bytes(two(a, b), 9)), "overlaps with others or leaves a gap"));
  }
  const auto one = [](const std::string& shape, const std::string& end) {
    return R"({"a": {"dtype": "F32", "shape": )" + shape + R"(, "data_offsets": [0, )" + end + "]}}";
  };
  CHECK(contains(scratch.refusal_of(file_bytes(one("[2]", "4"), 4)), "do not fit its number of bytes"));
  CHECK(contains(scratch.refusal_of(file_bytes(one("[4000000000, 4000000000]", "4"), 4)), "impossible"));
  CHECK(contains(scratch.refusal_of(file_bytes(one("[1000000000000]", "4000000000000"), 4)), "4 are there"));
  const std::string twice = R"({"a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},)"
                            R"( "a": {"dtype": "U8", "shape": [1], "data_offsets": [1, 2]}})";
  CHECK(contains(scratch.refusal_of(file_bytes(twice, 2)), "'a' is there twice"));
}

}  // namespace
}  // namespace faultwave
