// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <thread>

#include "tests/data/data_test.h"
#include "tests/data/image_writer.h"

namespace faultwave {
namespace {

std::string refusal_of_inputs(const std::string& path, const Preprocess& preprocess = {}) {
  return error_of(ErrorCode::bad_input, [&] { open_inputs(path, preprocess); });
}

TEST_CASE("the first axis of a tensor counts inputs") {
  const at::Tensor values = at::arange(24, at::kFloat).view({2, 3, 4});
  const auto inputs = inputs_from_tensor(values);
  CHECK(inputs->size() == 2);
  CHECK(is_identical(inputs->get(0).at(0), values[0]));
  CHECK(is_identical(inputs->get(1).at(0), values[1]));
  CHECK(inputs->name(1) == "#1");
  CHECK(inputs_from_tensor(at::arange(5))->get(3).at(0).item<int64_t>() == 3);
}

TEST_CASE("nobody's writing changes an input") {
  at::Tensor values = at::zeros({2, 3});
  const auto inputs = inputs_from_tensor(values);
  values.fill_(7);
  inputs->get(0).at(0).fill_(8);
  CHECK(is_identical(inputs->get(0).at(0), at::zeros({3})));
}

TEST_CASE("an input that does not exist is refused") {
  const auto inputs = inputs_from_tensor(at::zeros({2, 3}));
  for (const int64_t index : {-1, 2}) {
    const std::string message = error_of(ErrorCode::bad_input, [&] { inputs->get(index); });
    CHECK(contains(message, "input " + std::to_string(index) + " does not exist: there are 2"));
    CHECK_THROWS_AS(inputs->name(index), UserError);
  }
}

TEST_CASE("tensors without inputs are refused") {
  const auto refusal_of_tensor = [](const at::Tensor& tensor) {
    return error_of(ErrorCode::bad_input, [&] { inputs_from_tensor(tensor); });
  };
  CHECK(contains(refusal_of_tensor(at::scalar_tensor(3.0)), "single number without axes"));
  CHECK(contains(refusal_of_tensor(at::zeros({0, 3})), "[0, 3] holds no values"));
  CHECK(contains(refusal_of_tensor(at::zeros({2, 0})), "[2, 0] holds no values"));
  CHECK(contains(refusal_of_tensor(at::Tensor()), "dense tensor"));
  CHECK(contains(refusal_of_tensor(at::eye(2).to_sparse()), "dense tensor"));
  CHECK(contains(refusal_of_inputs(made_file("zero_d.npy")), "zero_d.npy' cannot be used as inputs"));
  CHECK(contains(refusal_of_inputs(made_file("empty.npy")), "holds no values"));
}

TEST_CASE("tensor files of every format open") {
  const at::Tensor expected = pattern_tensor(at::kFloat);
  for (const char* name : {"f4.npy", "float32.pt", "single.safetensors", "all.safetensors:F32"}) {
    CAPTURE(name);
    const char* folder = std::getenv("FAULTWAVE_TEST_DATA");
    REQUIRE(folder != nullptr);
    const auto inputs = open_inputs(std::string(folder) + "/inputs/" + name);
    CHECK(inputs->size() == 2);
    CHECK(is_identical(inputs->get(1).at(0), expected[1]));
    CHECK(inputs->fingerprint() == inputs_from_tensor(expected)->fingerprint());
  }
}

TEST_CASE("a folder of images opens in the order of the bytes of their names") {
  const TempFolder folder;
  write_png(folder / "b.png", plain_image(2, 3, 2, 0, 0));
  write_jpeg(folder / "a10.jpg", plain_image(2, 3, 1, 0, 0));
  write_png(folder / "a9.PNG", plain_image(2, 3, 3, 0, 0));
  write_png(folder / "Z.png", plain_image(2, 3, 4, 0, 0));
  write_png(folder / "\xc3\xa4.png", plain_image(2, 3, 5, 0, 0));
  write_file(folder / ".hidden", "passed over");
  const auto inputs = open_inputs(folder.path());
  REQUIRE(inputs->size() == 5);
  const std::vector<std::string> names = {"Z.png", "a10.jpg", "a9.PNG", "b.png", "\xc3\xa4.png"};
  for (int64_t i = 0; i < 5; ++i)
    CHECK(inputs->name(i) == names[i]);
  CHECK(inputs->get(0).at(0)[0][0][0].item<float>() == 4.0F / 255.0F);
  CHECK(inputs->get(3).at(0)[0][0][0].item<float>() == 2.0F / 255.0F);
  CHECK(inputs->get(3).at(0).sizes() == at::IntArrayRef({3, 2, 3}));
}

TEST_CASE("one image is a set of one") {
  const TempFolder folder;
  write_png(folder / "x.png", plain_image(4, 4, 9, 9, 9));
  const auto inputs = open_inputs(folder / "x.png", {.crop = 2});
  CHECK(inputs->size() == 1);
  CHECK(inputs->name(0) == "x.png");
  CHECK(is_identical(inputs->get(0).at(0), load_image(folder / "x.png", {.crop = 2})));
  inputs->get(0).at(0).zero_();
  CHECK(inputs->get(0).at(0)[0][0][0].item<float>() == 9.0F / 255.0F);
}

TEST_CASE("folders that are no plain set of images are refused") {
  const TempFolder folder;
  CHECK(contains(refusal_of_inputs(folder.path()), "holds no images"));
  write_png(folder / "a.png", plain_image(4, 4, 0, 0, 0));
  SUBCASE("another kind of file") {
    write_file(folder / "labels.txt", "cat");
    CHECK(contains(refusal_of_inputs(folder.path()), "it holds 'labels.txt', which is not an image"));
  }
  SUBCASE("a folder") {
    std::filesystem::create_directory(folder / "more");
    CHECK(contains(refusal_of_inputs(folder.path()), "it holds the folder 'more'"));
  }
  SUBCASE("two sizes, which a crop makes one") {
    write_png(folder / "b.png", plain_image(4, 5, 0, 0, 0));
    const std::string message = refusal_of_inputs(folder.path());
    CHECK(contains(message, "b.png': it has 5 x 4 pixels after preprocessing"));
    CHECK(contains(message, "a.png' has 4 x 4"));
    CHECK(open_inputs(folder.path(), {.crop = 4})->size() == 2);
  }
  SUBCASE("an image smaller than the crop, before any is decoded") {
    CHECK(contains(refusal_of_inputs(folder.path(), {.crop = 5}), "the crop takes 5 x 5"));
  }
  SUBCASE("a damaged header") {
    write_file(folder / "b.png", "hello");
    CHECK(contains(refusal_of_inputs(folder.path()), "b.png': it is not a PNG or JPEG image"));
  }
}

TEST_CASE("an image that changes after opening is refused") {
  const TempFolder folder;
  write_png(folder / "a.png", plain_image(4, 4, 0, 0, 0));
  const auto inputs = open_inputs(folder.path());
  write_png(folder / "a.png", plain_image(4, 5, 0, 0, 0));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs->get(0); }), "has changed"));
}

TEST_CASE("paths that are no inputs are refused") {
  const TempFolder folder;
  write_file(folder / "x.txt", "text");
  CHECK(contains(refusal_of_inputs(folder / "x.txt"), "expected a tensor file"));
  CHECK(contains(refusal_of_inputs(folder / "none"), "No such file"));
  CHECK(contains(refusal_of_inputs(folder / "none.npy"), "No such file"));
  CHECK(contains(refusal_of_inputs(folder / "none.png"), "No such file"));
}

TEST_CASE("fingerprints tell values, shapes, types and orders apart") {
  const at::Tensor values = at::arange(24, at::kInt).view({2, 3, 4});
  const auto fingerprint = [](const at::Tensor& tensor) { return inputs_from_tensor(tensor)->fingerprint(); };
  std::set<std::string> seen;
  for (const at::Tensor& other :
       {values, values.view({2, 4, 3}), values.view({4, 3, 2}), values.flip(0), values + 1,
        values.to(at::kLong), values.view(at::kFloat), values.slice(0, 0, 1), at::cat({values, values})}) {
    seen.insert(fingerprint(other));
  }
  CHECK(seen.size() == 9);
  CHECK(fingerprint(values.clone()) == fingerprint(values));
  CHECK(fingerprint(values.transpose(1, 2).contiguous().transpose(1, 2)) == fingerprint(values));
  // -0 and 0 differ, as everywhere where inputs are compared bit for bit.
  CHECK(fingerprint(at::tensor({0.0F})) != fingerprint(at::tensor({-0.0F})));
}

TEST_CASE("a fingerprint never changes: it is stored in campaigns") {
  // Python: d = lambda t: hashlib.sha256(b"Int [2]\n" + struct.pack("<2i", *t)).digest()
  //         hashlib.sha256(b"2 inputs\n" + d((1, 2)) + d((3, 4))).hexdigest()
  const at::Tensor values = at::tensor({1, 2, 3, 4}, at::kInt).view({2, 2});
  CHECK(inputs_from_tensor(values)->fingerprint() ==
        "ee701d2d7df013f660be369d1a83918451b7408af9835bba1d07b22422055c19");
}

TEST_CASE("the same images have one fingerprint, as files and as a tensor") {
  const TempFolder folder;
  write_png(folder / "a.png", plain_image(3, 4, 10, 20, 30));
  write_png(folder / "b.png", plain_image(3, 4, 40, 50, 60));
  const Preprocess preprocess = {.crop = 3, .mean = {0.5, 0.5, 0.5}};
  const auto inputs = open_inputs(folder.path(), preprocess);
  const at::Tensor stacked = at::stack({inputs->get(0).at(0), inputs->get(1).at(0)});
  CHECK(inputs->fingerprint() == inputs_from_tensor(stacked)->fingerprint());
  CHECK(inputs->fingerprint() != open_inputs(folder.path(), {.crop = 3})->fingerprint());
}

TEST_CASE("many threads may read one set") {
  const TempFolder folder;
  for (int i = 0; i < 8; ++i) {
    write_png(folder / (std::to_string(i) + ".png"), plain_image(16, 16, static_cast<uint8_t>(i), 0, 0));
  }
  const auto inputs = open_inputs(folder.path());
  std::vector<int> wrong(4);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int64_t i = 0; i < 200; ++i) {
        const int64_t index = (i * 3 + t) % 8;
        const float expected = static_cast<float>(index) / 255.0F;
        wrong[t] += inputs->get(index).at(0)[0][5][5].item<float>() != expected ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads)
    thread.join();
  CHECK(wrong == std::vector<int>(4));
}

}  // namespace
}  // namespace faultwave
