#include <faultwave/random.h>
#include <torch/torch.h>
#include <iostream>
int main() { faultwave::Draw d(1); std::cout << d.bits32() << torch::ones(2).sum().item<float>() << " " << torch::hasCUDA() << torch::cuda::is_available() << "\n"; }
