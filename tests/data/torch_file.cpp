// SPDX-License-Identifier: Apache-2.0
#include "tests/data/data_test.h"

namespace faultwave {
namespace {

TEST_CASE("what torch.save writes loads bit for bit") {
  const std::vector<std::pair<std::string, at::ScalarType>> types = {
      {"int8", at::kChar},         {"int16", at::kShort},
      {"int32", at::kInt},         {"int64", at::kLong},
      {"uint8", at::kByte},        {"float16", at::kHalf},
      {"bfloat16", at::kBFloat16}, {"float32", at::kFloat},
      {"float64", at::kDouble},    {"complex64", at::kComplexFloat}};
  for (const auto& [name, type] : types) {
    CAPTURE(name);
    CHECK(is_identical(load_tensor(made_file(name + ".pt")), pattern_tensor(type)));
  }
  CHECK(is_identical(load_tensor(made_file("bool.pt")), pattern_bools()));
  CHECK(is_identical(load_tensor(made_file("zero_d.pt")), at::scalar_tensor(2.5F)));
}

TEST_CASE("containers with one tensor stand for it") {
  for (const char* name : {"list.pt", "tuple.pt", "dictionary.pt"}) {
    CAPTURE(name);
    CHECK(is_identical(load_tensor(made_file(name)), pattern_tensor(at::kFloat)));
  }
}

TEST_CASE("parameters and views load as plain tensors") {
  const at::Tensor parameter = load_tensor(made_file("parameter.pt"));
  CHECK(is_identical(parameter, at::ones({2, 3})));
  CHECK_FALSE(parameter.requires_grad());

  const at::Tensor expected = pattern_tensor(at::kFloat);
  const at::Tensor transposed = load_tensor(made_file("transposed.pt"));
  CHECK(is_identical(transposed, expected.transpose(0, 2)));
  CHECK(transposed.is_contiguous());
  CHECK(is_identical(load_tensor(made_file("slice.pt")), expected.slice(0, 1).slice(2, 0, 4, 2)));
}

TEST_CASE("anything but one dense tensor is refused") {
  CHECK(contains(refusal(made_file("two.pt")), "it holds 2 tensors"));
  CHECK(contains(refusal(made_file("nested.pt")), "it holds 0 tensors"));
  CHECK(contains(refusal(made_file("number.pt")), "it holds 0 tensors"));
  CHECK(contains(refusal(made_file("module.pt")), "Python object (torch.nn.modules.linear.Linear)"));
  CHECK(contains(refusal(made_file("ordered.pt")), "OrderedDict"));
  CHECK(contains(refusal(made_file("sparse.pt")), "sparse"));
  CHECK(contains(refusal(made_file("float8.pt")), ".safetensors"));
  CHECK(contains(refusal(made_file("legacy.pt")), "old PyTorch"));
  CHECK(contains(refusal(made_file("torchscript.pt")), "TorchScript network"));
}

TEST_CASE("a tensor that reaches beyond its data is refused") {
  for (const char* name : {"too_long.pt", "offset.pt", "stride.pt", "huge.pt", "short_data.pt"}) {
    CAPTURE(name);
    CHECK(contains(refusal(made_file(name)), "damaged"));
  }
}

TEST_CASE("truncated files are refused wherever they end") {
  const TempFolder folder;
  const std::string path = folder / "x.pt";
  const std::string good = read_file(made_file("float32.pt"));
  for (size_t size = 0; size < good.size(); size += 7) {
    CAPTURE(size);
    write_file(path, good.substr(0, size));
    CHECK(refusal(path) != "");
  }
}

TEST_CASE("a damaged byte does no harm") {
  const TempFolder folder;
  const std::string path = folder / "x.pt";
  const std::string good = read_file(made_file("float32.pt"));
  for (size_t place = 0; place < good.size(); ++place) {
    std::string damaged = good;
    damaged[place] = static_cast<char>(damaged[place] ^ (1 << place % 8));
    write_file(path, damaged);
    try {
      const at::Tensor tensor = load_tensor(path);
      CHECK(tensor.nbytes() <= 96);
    } catch (const UserError& error) {
      CHECK(error.code() == ErrorCode::bad_input);
    }
  }
}

}  // namespace
}  // namespace faultwave
