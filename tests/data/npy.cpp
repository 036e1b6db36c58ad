// SPDX-License-Identifier: Apache-2.0
#include "tests/data/data_test.h"

namespace faultwave {
namespace {

struct NumpyType {
  std::string name;
  at::ScalarType type;
};

const std::vector<NumpyType> numpy_types = {
    {"i1", at::kChar},          {"i2", at::kShort},  {"i4", at::kInt},    {"i8", at::kLong},
    {"u1", at::kByte},          {"u2", at::kUInt16}, {"u4", at::kUInt32}, {"u8", at::kUInt64},
    {"f2", at::kHalf},          {"f4", at::kFloat},  {"f8", at::kDouble}, {"c8", at::kComplexFloat},
    {"c16", at::kComplexDouble}};

/// A file of version 1.0 with this header and data.
std::string npy_bytes(const std::string& header, const std::string& data) {
  std::string bytes("\x93NUMPY\x01\x00", 8);
  bytes += static_cast<char>(header.size() & 255);
  bytes += static_cast<char>(header.size() >> 8);
  return bytes + header + data;
}

std::string header_of(const std::string& descr, const std::string& shape) {
  return "{'descr': '" + descr + "', 'fortran_order': False, 'shape': " + shape + ", }\n";
}

TEST_CASE("what numpy.save writes loads bit for bit") {
  for (const NumpyType& type : numpy_types) {
    CAPTURE(type.name);
    CHECK(is_identical(load_tensor(made_file(type.name + ".npy")), pattern_tensor(type.type)));
  }
  CHECK(is_identical(load_tensor(made_file("b1.npy")), pattern_bools()));
}

TEST_CASE("Fortran order, big endian and the later versions load too") {
  const at::Tensor expected = pattern_tensor(at::kFloat);
  for (const char* name : {"fortran.npy", "big_f4.npy", "version2.npy", "version3.npy"}) {
    CAPTURE(name);
    const at::Tensor tensor = load_tensor(made_file(name));
    CHECK(is_identical(tensor, expected));
    CHECK(tensor.is_contiguous());
  }
  CHECK(is_identical(load_tensor(made_file("big_i2.npy")), pattern_tensor(at::kShort)));
  CHECK(is_identical(load_tensor(made_file("big_c8.npy")), pattern_tensor(at::kComplexFloat)));
}

TEST_CASE("any number of axes") {
  CHECK(is_identical(load_tensor(made_file("zero_d.npy")), at::scalar_tensor(2.5F)));
  CHECK(is_identical(load_tensor(made_file("one_axis.npy")), at::arange(5, at::kInt)));
  CHECK(is_identical(load_tensor(made_file("empty.npy")), at::empty({0, 3}, at::kFloat)));
}

TEST_CASE("values that no tensor can have are refused") {
  CHECK(contains(refusal(made_file("text.npy")), "<U1"));
  CHECK(contains(refusal(made_file("objects.npy")), "|O"));
  CHECK(contains(refusal(made_file("dates.npy")), "<M8[s]"));
  CHECK(contains(refusal(made_file("longdouble.npy")), "f16"));
  CHECK(contains(refusal(made_file("records.npy")), "named fields"));
}

TEST_CASE("damaged files are refused") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  const auto refusal_of = [&](const std::string& bytes) {
    write_file(path, bytes);
    return refusal(path);
  };
  const std::string good = read_file(made_file("f4.npy"));
  for (size_t size = 0; size < good.size(); ++size) {
    CAPTURE(size);
    CHECK(refusal_of(good.substr(0, size)) != "");
  }
  CHECK(contains(refusal_of(good.substr(0, good.size() - 1)), "take 96 bytes, and 95 are there"));
  CHECK(contains(refusal_of(good + "x"), "take 96 bytes, and 97 are there"));
  CHECK(contains(refusal_of("GIF89a"), "not an .npy file"));
  std::string future = good;
  future[6] = 4;
  CHECK(contains(refusal_of(future), "version 4"));

  const std::string four(4, '\0');
  for (const char* header : {"", "{", "{}", "{'descr': '<f4', 'fortran_order': False}",
                             "{'descr': '<f4', 'fortran_order': 0, 'shape': (1,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1.5,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': 1}",
                             "{'descr: '<f4', 'fortran_order': False, 'shape': (1,)}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}",
                             "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}"}) {
    CAPTURE(header);
    CHECK(contains(refusal_of(npy_bytes(header, four)), "header is damaged"));
  }
}

TEST_CASE("impossible shapes are refused before memory is taken") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  const auto refusal_of = [&](const std::string& shape) {
    write_file(path, npy_bytes(header_of("<f4", shape), std::string(4, '\0')));
    return refusal(path);
  };
  CHECK(contains(refusal_of("(-1,)"), "[-1] is impossible"));
  CHECK(contains(refusal_of("(4611686018427387904, 4)"), "is impossible"));
  CHECK(contains(refusal_of("(0, 4611686018427387904, 4)"), "is impossible"));
  CHECK(contains(refusal_of("(1000000000000,)"), "take 4000000000000 bytes, and 4 are there"));
  CHECK(contains(refusal_of("(0,)"), "take 0 bytes, and 4 are there"));
  std::string many = "(";
  for (int axis = 0; axis < 65; ++axis)
    many += "1, ";
  CHECK(contains(refusal_of(many + ")"), "is impossible"));
}

TEST_CASE("headers in other words are understood") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  const std::string one("\0\0\x80\x3f", 4);
  write_file(path, npy_bytes("{\"shape\":(1L,),\"fortran_order\":True,\"descr\":\"=f4\"}", one));
  CHECK(is_identical(load_tensor(path), at::ones({1})));
}

TEST_CASE("a bool other than 0 and 1 is damage") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  write_file(path, npy_bytes(header_of("|b1", "(2,)"), std::string("\x01\x02", 2)));
  CHECK(contains(refusal(path), "other than 0 and 1"));
}

TEST_CASE("save_npy and load_tensor are inverse to each other") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  const auto round_trip = [&](const at::Tensor& tensor) {
    save_npy(path, tensor);
    return load_tensor(path);
  };
  for (const NumpyType& type : numpy_types) {
    CAPTURE(type.name);
    const at::Tensor tensor = pattern_tensor(type.type);
    CHECK(is_identical(round_trip(tensor), tensor));
    CHECK(is_identical(round_trip(tensor.permute({2, 0, 1})), tensor.permute({2, 0, 1})));
    CHECK(read_file(path).size() % 64 == tensor.nbytes() % 64);
  }
  CHECK(is_identical(round_trip(pattern_bools()), pattern_bools()));
  CHECK(is_identical(round_trip(at::scalar_tensor(2.5)), at::scalar_tensor(2.5)));
  CHECK(is_identical(round_trip(at::arange(3)), at::arange(3)));
  CHECK(is_identical(round_trip(at::empty({0, 2})), at::empty({0, 2})));
  const at::Tensor needs_gradient = at::ones({2}).requires_grad_();
  CHECK(is_identical(round_trip(needs_gradient), at::ones({2})));
  const at::Tensor conjugate = at::conj(pattern_tensor(at::kComplexFloat));
  CHECK(is_identical(round_trip(conjugate), conjugate.resolve_conj()));
}

TEST_CASE("save_npy writes the same bytes as numpy.save") {
  const TempFolder folder;
  for (const NumpyType& type : numpy_types) {
    CAPTURE(type.name);
    save_npy(folder / "x.npy", pattern_tensor(type.type));
    CHECK(read_file(folder / "x.npy") == read_file(made_file(type.name + ".npy")));
  }
  save_npy(folder / "x.npy", at::scalar_tensor(2.5F));
  CHECK(read_file(folder / "x.npy") == read_file(made_file("zero_d.npy")));
  save_npy(folder / "x.npy", at::arange(5, at::kInt));
  CHECK(read_file(folder / "x.npy") == read_file(made_file("one_axis.npy")));
}

TEST_CASE("types without a NumPy name widen exactly or are refused") {
  const TempFolder folder;
  const std::string path = folder / "x.npy";
  const at::Tensor values = at::tensor({1.5F, -0.25F, 448.0F});
  for (const at::ScalarType type : {at::kBFloat16, at::kFloat8_e4m3fn, at::kFloat8_e5m2}) {
    save_npy(path, values.to(type));
    CHECK(is_identical(load_tensor(path), values.to(type).to(at::kFloat)));
  }
  save_npy(path, at::quantize_per_tensor(at::tensor({1.0F, 2.0F}), 0.5, 3, at::kQUInt8));
  CHECK(is_identical(load_tensor(path), at::tensor({5, 7}, at::kByte)));
  CHECK(contains(error_of(ErrorCode::store, [&] { save_npy(path, at::Tensor()); }), "dense tensor"));
  CHECK(
      contains(error_of(ErrorCode::store, [&] { save_npy(path, at::eye(2).to_sparse()); }), "dense tensor"));
  const at::Tensor half = at::zeros({2}, at::kComplexHalf);
  CHECK(contains(error_of(ErrorCode::store, [&] { save_npy(path, half); }), "no type for ComplexHalf"));
  CHECK_THROWS_AS(save_npy(folder / "none/x.npy", values), UserError);
}

TEST_CASE("tensor files are told apart by suffix") {
  const TempFolder folder;
  write_file(folder / "x.bin", "data");
  CHECK(contains(refusal(folder / "x.bin"), ".npy, .safetensors, .pt or .pth"));
  CHECK(contains(refusal(folder / "none.bin"), "No such file"));
  CHECK(contains(refusal(folder / "none.npy"), "No such file"));
  write_file(folder / "X.NPY", read_file(made_file("f4.npy")));
  CHECK(is_identical(load_tensor(folder / "X.NPY"), pattern_tensor(at::kFloat)));
}

}  // namespace
}  // namespace faultwave
