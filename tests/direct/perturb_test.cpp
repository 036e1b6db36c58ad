// SPDX-License-Identifier: Apache-2.0
#include "faultwave/perturb.h"

#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "tests/direct/tiny_networks.h"
#include "tests/support/expect_error.h"

namespace faultwave {
namespace {

TEST_CASE("weights are changed for good, with a receipt") {
  tiny::Residual net;
  const std::vector<Receipt> receipts =
      perturb(*net, parse_faults("weight:conv[0,0,0,0] flip(31); bias:conv[0] constant(4)"));
  CHECK(net->conv->weight.item<float>() == -2);
  CHECK(net->conv->bias.item<float>() == 4);
  CHECK(net->conv->weight.requires_grad());
  CHECK(receipts[0].victims[0].before == 2);
  CHECK(receipts[0].victims[0].after == -2);
  CHECK(receipts[1].hits == 1);
}

TEST_CASE("buffers can be changed, neurons cannot") {
  torch::nn::BatchNorm1d norm(2);
  perturb(*norm, parse_faults("buffer:running_var[1] constant(9)"));
  CHECK(norm->running_var.equal(torch::tensor({1.f, 9.f})));
  check_contains(
      error_of(ErrorCode::illegal_fault, [&] { perturb(*norm, parse_faults("output:norm[0] zero")); }),
      "at run time");
}

TEST_CASE("one illegal fault, and nothing is written") {
  tiny::Residual net;
  const std::string message = error_of(ErrorCode::illegal_fault, [&] {
    perturb(*net, parse_faults("bias:conv[0] zero; weight:conf[0,0,0,0] zero"));
  });
  check_contains(message, "did you mean conv?");
  CHECK(net->conv->bias.item<float>() == 1);
  check_contains(
      error_of(ErrorCode::illegal_fault, [&] { perturb(*net, parse_faults("bias:conv[1] zero")); }), "conv");
}

}  // namespace
}  // namespace faultwave
