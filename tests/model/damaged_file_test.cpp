// SPDX-License-Identifier: Apache-2.0
// Files that were damaged, or made to do harm: each is refused with one sentence, and takes no memory on its
// word.
#include <string>
#include <utility>

#include <doctest/doctest.h>
#include <nlohmann/json.hpp>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/model/text_nesting.h"
#include "tests/model/recorded_calls.h"
#include "tests/support/expect_error.h"
#include "tests/support/zip_file.h"

namespace faultwave {
namespace {

using nlohmann::json;

std::string refusal(const std::string& path) {
  const std::string message = error_of(ErrorCode::bad_input, [&] { Network::open(path); });
  CHECK(message.find('\n') == std::string::npos);
  return message;
}

/// The network with its program's description changed, sums and sizes made to fit.
template <typename Change>
std::string with_model(const TempFolder& folder, const std::string& name, Change change) {
  change_record(test_file(name), folder / name, "models/model.json", [&](const std::string& text) {
    json model = json::parse(text);
    change(model);
    return model.dump();
  });
  return folder / name;
}

TEST_CASE("a bit that flipped in weights, or in how they are packed, is noticed") {
  const TempFolder folder;
  for (const auto& [name, record] :
       {std::pair("residual.pt2", "weights/weight_0"), std::pair("traced.pt", "data/0"),
        std::pair("frozen.pt", "constants/0")}) {
    CAPTURE(name);
    const std::string whole = read_file(test_file(name));
    const std::string path = folder / name;
    std::string values = whole;
    const size_t header = whole.find(record);
    values[header + std::string(record).size() + 80] ^= 1;
    write_file(path, values);
    check_contains(refusal(path), "check sum");
    std::string packing = whole;
    packing[whole.rfind("PK\x01\x02", whole.rfind(std::string(record))) + 10] ^= 1;
    write_file(path, packing);
    check_contains(refusal(path), "is packed in way 1");
  }
}

TEST_CASE("values that a file says it has are not made up") {
  const TempFolder folder;
  const auto declare = [](const std::string& text) {
    json config = json::parse(text);
    json& metadata = config["config"]["stem.weight"]["tensor_meta"];
    metadata["sizes"] = json::array({{{"as_int", int64_t{1} << 31}}});
    metadata["strides"] = json::array({{{"as_int", 1}}});
    return config.dump();
  };
  change_record(test_file("residual.pt2"), folder / "more.pt2", "weights_config.json", declare);
  check_contains(refusal(folder / "more.pt2"), "too few bytes are kept for stem.weight");
  change_record(folder / "more.pt2", folder / "none.pt2", "weights/weight_0",
                [](const std::string&) { return ""; });
  check_contains(refusal(folder / "none.pt2"), "too few bytes are kept for stem.weight");
}

TEST_CASE("a tensor of TorchScript that reaches beyond its storage is refused before it is read") {
  const TempFolder folder;
  // "K\x04K\x03K\x03K\x03" are the sizes of a convolution's weight in the pickle; 0x7f in place of 4.
  const auto enlarge = [](const std::string& pickle) {
    std::string changed = pickle;
    const size_t sizes = changed.find("(K\x04K\x03K\x03K\x03");
    REQUIRE(sizes != std::string::npos);
    changed[sizes + 2] = '\x7f';
    return changed;
  };
  change_record(test_file("traced.pt"), folder / "weights.pt", "/data.pkl", enlarge);
  check_contains(refusal(folder / "weights.pt"), "in data.pkl, a tensor reaches beyond its data");
  change_record(test_file("frozen.pt"), folder / "constants.pt", "/constants.pkl", enlarge);
  check_contains(refusal(folder / "constants.pt"), "in constants.pkl, a tensor reaches beyond its data");
}

TEST_CASE("expressions of any depth, and numbers of any size, are no danger") {
  const TempFolder folder;
  const auto repeated = [](const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i)
      result += text;
    return result;
  };
  const at::Tensor image = torch::ones({1, 3, 8, 8});
  for (const std::string& guard :
       {repeated("(", 5000) + "1" + repeated(")", 5000), repeated("-", 5000) + "1",
        repeated("not ", 5000) + "1", repeated("2**", 5000) + "1",
        repeated("Max(", 5000) + "1" + repeated(")", 5000), repeated("1+", 50'000) + "1",
        std::string("((-(2**62))*2)//(-1) == 1"), std::string("((-(2**62))*2)%(-1) == 5")}) {
    const std::string path =
        with_model(folder, "residual.pt2", [&](json& model) { model["guards_code"] = json::array({guard}); });
    const at::NoGradGuard no_gradients;
    try {
      Network::open(path)->forward({image});
    } catch (const UserError& error) {
      CHECK(error.code() == ErrorCode::bad_input);
    }
  }
  change_record(test_file("residual.pt2"), folder / "deep.pt2", "models/model.json",
                [&](const std::string&) { return repeated("[", 200'000) + repeated("]", 200'000); });
  check_contains(refusal(folder / "deep.pt2"), "nested too deep");
}

TEST_CASE("how deep code is nested") {
  using detail::is_code_too_deep;
  const auto repeated = [](const std::string& text, int times) {
    std::string result;
    for (int i = 0; i < times; ++i)
      result += text;
    return result;
  };
  CHECK_FALSE(is_code_too_deep("def f(self):\n  return [" + repeated("-1, ", 100'000) + "2]\n"));
  CHECK_FALSE(is_code_too_deep(repeated("  a = torch.add(b, c)\n", 100'000)));
  CHECK_FALSE(is_code_too_deep("s = \"" + repeated("(", 100'000) + "\"\n"));
  CHECK(is_code_too_deep("x = " + repeated("(", 10'000)));
  CHECK(is_code_too_deep("x = " + repeated("- ", 10'000) + "1"));
  CHECK(is_code_too_deep("x = 1" + repeated(" + f(a, b)", 10'000)));
  CHECK(is_code_too_deep("x = " + repeated("not ", 10'000) + "y"));
  CHECK(is_code_too_deep("if x:\n" + std::string(10'000, ' ') + "y = 1\n"));
}

TEST_CASE("a description with values of other kinds is damaged, not a mistake of ours") {
  const TempFolder folder;
  const auto damaged = [&](auto change) { return refusal(with_model(folder, "residual.pt2", change)); };
  check_contains(damaged([](json& model) { model["graph_module"]["graph"]["nodes"] = 7; }), "damaged");
  check_contains(damaged([](json& model) {
                   model["graph_module"]["graph"]["nodes"][0]["inputs"][0]["arg"] = {{"as_int", 1e300}};
                 }),
                 "damaged");
}

TEST_CASE("why a network of TorchScript raised is told") {
  const auto network = open_test_network("raises.pt");
  try {
    network->forward({torch::full({3}, 100.0)});
    FAIL("nothing was thrown");
  } catch (const std::exception& error) {
    CHECK(reason_of(error) == "ValueError: the sum is too large");
  }
}

TEST_CASE("a FIFO or a device is no network") {
  check_contains(refusal("/dev/zero"), "not a regular file");
}

}  // namespace
}  // namespace faultwave
