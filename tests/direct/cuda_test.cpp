// SPDX-License-Identifier: Apache-2.0
// The same faults on a GPU as on the CPU.
#include <torch/torch.h>

#include <doctest/doctest.h>

#include "faultwave/injector.h"

#include "tests/direct/tiny_networks.h"

namespace {

bool has_gpu() {
  if (torch::cuda::is_available()) return true;
  MESSAGE("skipped: this test needs a CUDA device, and libtorch sees none here");
  return false;
}

TEST_CASE("a GPU run is hit in the same values with the same bits") {
  if (!has_gpu()) return;
  torch::NoGradGuard no_grad;
  tiny::Residual on_cpu;
  tiny::Residual on_gpu;
  on_gpu->to(torch::kCUDA);
  const at::Tensor x = tiny::image().repeat({3, 1, 1, 1});
  const at::Tensor x_gpu = x.cuda();
  faultwave::Injector cpu(on_cpu, x);
  faultwave::Injector gpu(on_gpu, x_gpu);
  for (const std::string line : {
           "output:conv[0,1,1] flip(30)",
           "output:conv[?]@each random(-1,1)#3",
           "output:add[*] noise(0.5)#4",
           "input:conv[0,0,0]@1 zero",
           "network-input:0[ch=0] constant(7)",
           "weight:conv[0,0,0,0] flip(int8:6)",
           "bias:conv[0] stuck1(20)",
       }) {
    CAPTURE(line);
    std::vector<faultwave::Receipt> cpu_receipts;
    std::vector<faultwave::Receipt> gpu_receipts;
    const at::Tensor expected =
        cpu.run(faultwave::parse_fault(line), [&] { return on_cpu->forward(x); }, &cpu_receipts);
    const at::Tensor actual =
        gpu.run(faultwave::parse_fault(line), [&] { return on_gpu->forward(x_gpu); }, &gpu_receipts);
    CHECK(actual.is_cuda());
    CHECK(actual.cpu().equal(expected));
    CHECK(gpu_receipts[0].victims[0].index == cpu_receipts[0].victims[0].index);
    CHECK(gpu_receipts[0].victims[0].bits_after == cpu_receipts[0].victims[0].bits_after);
  }
  CHECK(on_gpu->forward(x_gpu).cpu().equal(on_cpu->forward(x)));
}

}  // namespace
