// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "tests/model/recorded_calls.h"
#include "tests/support/zip_file.h"

namespace faultwave {
namespace {

/// What opening a file says, with the code in front: "3 FILE does not exist". "" if it opens.
std::string complaint(const std::string& path, const OpenOptions& options = {}) {
  try {
    Network::open(path, options);
  } catch (const UserError& error) {
    return std::to_string(static_cast<int>(error.code())) + " " + error.what();
  }
  return {};
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST_CASE("parameters, buffers and constants have their names and values") {
  const auto network = open_test_network("residual.pt2");
  CHECK_EQ(network->format(), "exported program");
  const auto parameters = names_of(network->parameters());
  CHECK_EQ(parameters.size(), 16);
  CHECK_EQ(parameters.front(), "stem.weight");
  CHECK_EQ(parameters.back(), "head.bias");
  CHECK_UNARY(find_tensor(network->parameters(), "blocks.1.conv2.weight").sizes() ==
              at::IntArrayRef({4, 4, 3, 3}));
  CHECK_UNARY(find_tensor(network->buffers(), "blocks.0.bn1.running_var").sizes() == at::IntArrayRef({4}));
  CHECK(find_tensor(network->parameters(), "stem.weight").requires_grad());

  const auto constants = open_test_network("constants.pt2")->buffers();
  CHECK(torch::equal(find_tensor(constants, "factor"), torch::tensor({1.f, 10.f, 100.f})));
  CHECK(torch::equal(find_tensor(constants, "offset"), torch::arange(3.f)));
  CHECK_UNARY(find_tensor(constants, "strided").strides() == at::IntArrayRef({1, 3}));
}

TEST_CASE("a tied weight appears under both names as one tensor") {
  const auto parameters = open_test_network("tied.pt2")->parameters();
  CHECK(names_of(parameters) == std::vector<std::string>{"table.weight", "head.weight"});
  CHECK(parameters[0].tensor.is_same(parameters[1].tensor));
}

TEST_CASE("inputs are described, those that were fixed at the export left out") {
  const auto inputs = open_test_network("containers.pt2")->inputs();
  REQUIRE_EQ(inputs.size(), 4);
  CHECK_EQ(inputs[0].name, "x");
  CHECK_EQ(inputs[1].name, "pair_0");
  CHECK_EQ(inputs[2].name, "tables_b");
  CHECK_UNARY(*inputs[0].dtype == at::kFloat);
  CHECK(*inputs[0].shape == std::vector<int64_t>{-1, 4});
  CHECK(*inputs[3].shape == std::vector<int64_t>{4});

  const auto scripted = open_test_network("scripted.pt")->inputs();
  REQUIRE_EQ(scripted.size(), 2);
  CHECK_EQ(scripted[1].name, "y");
  CHECK_FALSE(scripted[1].shape.has_value());
}

TEST_CASE("inputs that fit: the smallest batch, otherwise the sizes of the export") {
  const auto example = [](const std::string& file) {
    return *open_test_network(file)->inputs().at(0).example;
  };
  CHECK(example("residual.pt2") == std::vector<int64_t>{1, 3, 8, 8});
  CHECK(example("least_two.pt2") == std::vector<int64_t>{2, 3, 8, 8});
  CHECK(example("containers.pt2") == std::vector<int64_t>{2, 4});
  CHECK(example("residual_half.pt2") == std::vector<int64_t>{2, 3, 8, 8});
  const auto pair = open_test_network("containers.pt2")->inputs().at(1);
  CHECK(*pair.example == std::vector<int64_t>{4, 4});
  CHECK(*open_test_network("dynamic_int.pt2")->inputs().at(1).example == std::vector<int64_t>{4});
  CHECK_FALSE(open_test_network("scripted.pt")->inputs().at(0).example.has_value());
}

TEST_CASE("an exported program says which batches it takes") {
  const auto network = open_test_network("least_two.pt2");
  CHECK_FALSE(network->takes({{1, 3, 8, 8}}));
  CHECK(network->takes({{2, 3, 8, 8}}));
  CHECK(network->takes({{100, 3, 8, 8}}));
  CHECK_FALSE(network->takes({{2, 3, 8, 9}}));
  CHECK_FALSE(network->takes({{2, 3, 8}}));
  CHECK_FALSE(network->takes({}));
  const auto pairs = open_test_network("containers.pt2");
  CHECK(pairs->takes({{3, 4}, {6, 4}, {4}, {4}}));
  CHECK_FALSE(pairs->takes({{3, 4}, {5, 4}, {4}, {4}}));
  CHECK_FALSE(pairs->takes({{33, 4}, {66, 4}, {4}, {4}}));
}

TEST_CASE("a frozen network's constants are listed") {
  const auto network = open_test_network("frozen.pt");
  CHECK_EQ(network->format(), "torchscript");
  CHECK(network->parameters().empty());
  const auto buffers = network->buffers();
  REQUIRE_FALSE(buffers.empty());
  CHECK_EQ(buffers[0].name, "constant.0");
  const auto calls = recorded_calls("frozen");
  const at::NoGradGuard no_gradients;
  for (const NamedTensor& constant : buffers)
    constant.tensor.zero_();
  CHECK_FALSE(same_bits(network->forward(calls[0].inputs).at(0), calls[0].outputs.at(0)));
}

TEST_CASE("conversion to another type reaches parameters, buffers, constants and the inputs' description") {
  OpenOptions options;
  options.dtype = at::kDouble;
  const at::NoGradGuard no_gradients;
  for (const char* name : {"residual", "constants", "size_arithmetic", "no_grad", "counter"}) {
    const auto network = open_test_network(std::string(name) + ".pt2", options);
    for (const NamedTensor& named : network->parameters())
      CHECK_UNARY(named.tensor.scalar_type() == at::kDouble);
    const auto call = recorded_calls(name).at(0);
    INFO(std::string(name));
    const auto outputs = network->forward({call.inputs[0].toTensor().to(at::kDouble)});
    CHECK(at::allclose(outputs[0], call.outputs[0].to(at::kDouble), 1e-4, 1e-5));
    CHECK_UNARY(outputs[0].scalar_type() == at::kDouble);
  }
  CHECK_UNARY(*open_test_network("residual.pt2", options)->inputs()[0].dtype == at::kDouble);
  CHECK_UNARY(*open_test_network("embedding.pt2", options)->inputs()[0].dtype == at::kLong);

  const auto traced = open_test_network("traced.pt", options);
  const auto call = recorded_calls("traced").at(0);
  const auto output = traced->forward({call.inputs[0].toTensor().to(at::kDouble)}).at(0);
  CHECK(at::allclose(output, call.outputs[0].to(at::kDouble), 1e-4, 1e-5));

  options.dtype = at::kInt;
  CHECK(contains(complaint(test_file("residual.pt2"), options), "4 a network cannot be converted to int32"));
}

TEST_CASE("a network that cannot be run is refused by the name of what is not supported") {
  const std::string branches = complaint(test_file("branches.pt2"));
  CHECK(contains(branches, "branches.pt2: the exported program's node cond (torch.ops.higher_order.cond)"));
  CHECK(contains(branches, "the higher-order operator cond is not supported"));
  CHECK_EQ(branches[0], '4');
  const std::string unknown = complaint(test_file("python_operator.pt2"));
  CHECK(contains(unknown, "there is no operator faultwave_test::double_it"));
  CHECK_EQ(unknown[0], '4');
  const std::string newer = complaint(test_file("newer_schema.pt2"));
  CHECK(contains(newer, "schema version 9, and this Faultwave knows version 8"));
  CHECK_EQ(newer[0], '4');
}

TEST_CASE("files that hold no network say what they hold") {
  const TempFolder folder;
  write_file(folder / "empty.pt", "");
  write_file(folder / "text.pt2", "model = net\n");
  write_file(folder / "noise.pt", std::string("\x01\x02\x03\x00\xff", 5));
  write_file(folder / "tensors.safetensors", std::string("\x08\0\0\0\0\0\0\0{\"a\":{}}", 16));
  CHECK(contains(complaint(folder / "missing.pt2"), "3 " + (folder / "missing.pt2") + " does not exist"));
  CHECK(contains(complaint(folder.path().string()), "is a folder"));
  CHECK(contains(complaint(folder / "empty.pt"), "is empty; write the network with torch.export.save"));
  CHECK(contains(complaint(folder / "text.pt2"), "is a text file"));
  CHECK(contains(complaint(folder / "noise.pt"), "is neither a TorchScript archive nor an exported program"));
  CHECK(contains(complaint(folder / "tensors.safetensors"), "is a safetensors file"));
  CHECK(contains(complaint(test_file("state_dict.pt")), "holds a state dict or tensors"));
  CHECK(contains(complaint(test_file("pickled_module.pt")), "holds a pickled Python module"));
  CHECK(contains(complaint(test_file("pickled_object.pt")), "holds a Python object"));
  CHECK(contains(complaint(test_file("old_style.pt")), "is a Python pickle"));
}

TEST_CASE("a damaged archive is refused wherever it was cut or changed") {
  const TempFolder folder;
  for (const char* name : {"residual.pt2", "traced.pt"}) {
    const std::string whole = read_file(test_file(name));
    for (const size_t length : {whole.size() - 1, whole.size() / 2, size_t{100}}) {
      write_file(folder / name, whole.substr(0, length));
      CHECK(contains(complaint(folder / name), "damaged or incomplete"));
      CHECK_EQ(complaint(folder / name)[0], '3');
    }
  }
  change_record(test_file("residual.pt2"), folder / "changed.pt2", "models/model.json", [](std::string text) {
    return text.replace(text.find("\"graph_module\""), 14, "\"graph_modern\"");
  });
  CHECK(contains(complaint(folder / "changed.pt2"), "is damaged: its description of the program"));
}

TEST_CASE("wrong inputs are refused by name, with what was expected and given") {
  const auto network = open_test_network("residual.pt2");
  const auto refused = [&](const std::vector<c10::IValue>& inputs, const std::string& part) {
    try {
      network->forward(inputs);
      FAIL_CHECK("accepted, expected: " << part);
    } catch (const UserError& error) {
      CHECK_UNARY(error.code() == ErrorCode::bad_input);
      INFO(error.what());
      CHECK(contains(error.what(), part));
    }
  };
  refused({}, "takes 1 inputs (x), but 0 were given");
  refused({torch::ones({1, 3, 8, 9})}, "input x: expected shape [s");
  refused({torch::ones({1, 3, 8, 9})}, "3, 8, 8] with 1 <= s");
  refused({torch::ones({1, 3, 8, 9})}, "but got [1, 3, 8, 9] where s");
  refused({torch::ones({3, 8, 8})}, "but got [3, 8, 8]");
  refused({torch::ones({65, 3, 8, 8})}, "= 65");
  refused({torch::ones({1, 3, 8, 8}, at::kDouble)}, "input x: expected float32, but got float64");
  refused({c10::IValue(3)}, "expected a tensor, but got Int");
}

TEST_CASE("free sizes of several inputs must agree, also where one is derived from another") {
  const auto network = open_test_network("containers.pt2");
  const at::Tensor four = torch::ones({4});
  CHECK_NOTHROW(network->forward({torch::ones({3, 4}), torch::ones({6, 4}), four, four}));
  CHECK_THROWS_AS(network->forward({torch::ones({3, 4}), torch::ones({7, 4}), four, four}), UserError);
  CHECK_THROWS_AS(network->forward({torch::ones({1, 4}), torch::ones({2, 4}), four, four}), UserError);
}

TEST_CASE("conditions that the exporter found in the code are checked") {
  const auto network = open_test_network("size_arithmetic.pt2");
  CHECK_NOTHROW(network->forward({torch::ones({5, 6})}));
  CHECK_THROWS_WITH_AS(network->forward({torch::ones({2, 6})}),
                       doctest::Contains("do not fulfil a condition"), UserError);
}

TEST_CASE("a free number is taken as an int or as a tensor") {
  const auto network = open_test_network("dynamic_int.pt2");
  const at::Tensor x = torch::ones({2, 3});
  CHECK_UNARY(network->forward({x, 5}).at(0).sizes() == at::IntArrayRef({2, 5}));
  CHECK_UNARY(network->forward({x, torch::tensor(5)}).at(0).sizes() == at::IntArrayRef({2, 5}));
  CHECK_THROWS_WITH_AS(network->forward({x, 5.5}), doctest::Contains("expected a whole number"), UserError);
}

TEST_CASE("TorchScript inputs are checked, and an optional one may be left out") {
  const auto network = open_test_network("scripted.pt");
  CHECK_NOTHROW(network->forward({torch::ones({3})}));
  CHECK_THROWS_WITH_AS(network->forward({}), doctest::Contains("missing value for argument 'x'"), UserError);
  CHECK_THROWS_WITH_AS(network->forward({c10::IValue("text")}),
                       doctest::Contains("does not take these inputs"), UserError);
}

}  // namespace
}  // namespace faultwave
