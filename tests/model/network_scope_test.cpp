// SPDX-License-Identifier: Apache-2.0
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include "src/intercept/intercept.h"
#include "src/model/module_path.h"
#include "tests/model/recorded_calls.h"

namespace faultwave {
namespace {

/// Notes where each operator is called from.
class Scopes : public intercept::Handler {
 public:
  explicit Scopes(const Network& network) : network_(network) {}
  void on_call(intercept::OperatorCall& call) override {
    seen.emplace_back(call.op().operator_name().name, network_.current_scope());
    call.run();
  }
  std::vector<std::pair<std::string, std::string>> seen;

 private:
  const Network& network_;
};

using Seen = std::vector<std::pair<std::string, std::string>>;

Seen scopes_of(const std::string& file) {
  const at::NoGradGuard no_gradients;
  const auto network = open_test_network(file);
  const auto call = recorded_calls(file.substr(0, file.find('.'))).at(0);
  Scopes scopes(*network);
  {
    const intercept::Intercept on(scopes);
    network->forward(call.inputs);
  }
  CHECK_EQ(network->current_scope(), "");
  return scopes.seen;
}

const Seen kResidual = {
    {"aten::conv2d", "stem"},
    {"aten::conv2d", "blocks.0.conv1"},
    {"aten::batch_norm", "blocks.0.bn1"},
    {"aten::relu", "blocks.0"},
    {"aten::conv2d", "blocks.0.conv2"},
    {"aten::add", "blocks.0"},
    {"aten::relu", "blocks.0"},
    {"aten::conv2d", "blocks.1.conv1"},
    {"aten::batch_norm", "blocks.1.bn1"},
    {"aten::relu", "blocks.1"},
    {"aten::conv2d", "blocks.1.conv2"},
    {"aten::add", "blocks.1"},
    {"aten::relu", "blocks.1"},
    {"aten::adaptive_avg_pool2d", "pool"},
    {"aten::flatten", ""},
    {"aten::linear", "head"},
    {"aten::relu", ""},
    {"aten::linear", "head"},
};

TEST_CASE("an exported program's operators know their module, however it was exported") {
  CHECK(scopes_of("residual.pt2") == kResidual);
  CHECK(scopes_of("residual_strict.pt2") == kResidual);
}

TEST_CASE("a TorchScript network's operators know their module, lists of modules included") {
  Seen expected = kResidual;
  for (auto& [op, scope] : expected) {
    if (op == "aten::conv2d") op = "aten::_convolution";  // what tracing writes down
  }
  CHECK(scopes_of("traced.pt") == expected);
}

TEST_CASE("module paths are read from every way of writing them") {
  using detail::module_path;
  CHECK_EQ(module_path(""), "");
  CHECK_EQ(module_path("L__self__,,m.Net"), "");
  CHECK_EQ(module_path("L__self__,,m.Net;L__self__a,a,m.A;L__self__a.b@1,a.b@1,m.B"), "a.b");
  CHECK_EQ(module_path("L__self__,L['self'],m.Net;x,L['self'].blocks[0]._modules['conv'],m.C"),
           "blocks.0.conv");
  CHECK_EQ(
      module_path("_empty_nn_module_stack_from_metadata_hook,_empty_nn_module_stack_from_metadata_hook,_e"),
      "");
}

}  // namespace
}  // namespace faultwave
