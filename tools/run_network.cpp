// SPDX-License-Identifier: Apache-2.0
// Runs a network once: faultwave-run-network [--threads N] NETWORK INPUT.pt... OUT.pt
// Inputs are tensors as torch.save writes them; OUT.pt gets the tuple of the outputs, for torch.load.

#include <ATen/Parallel.h>
#include <torch/script.h>

#include <cstdlib>
#include <exception>
#include <fstream>
#include <iostream>
#include <iterator>
#include <string>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/network.h"

namespace {

c10::IValue read_tensor(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw faultwave::UserError(faultwave::ErrorCode::bad_input, path + " cannot be read");
  return torch::pickle_load(std::vector<char>(std::istreambuf_iterator<char>(file), {}));
}

void write_tensors(const std::string& path, const std::vector<at::Tensor>& tensors) {
  const std::vector<c10::IValue> values(tensors.begin(), tensors.end());
  const std::vector<char> bytes = torch::pickle_save(c10::ivalue::Tuple::create(values));
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw faultwave::UserError(faultwave::ErrorCode::store, path + " cannot be written");
}

void run(const std::vector<std::string>& arguments) {
  const at::NoGradGuard no_gradients;
  const auto network = faultwave::Network::open(arguments.front());
  std::vector<c10::IValue> inputs;
  for (size_t i = 1; i + 1 < arguments.size(); ++i) inputs.push_back(read_tensor(arguments[i]));
  write_tensors(arguments.back(), network->forward(inputs));
}

}  // namespace

int main(int count, char** values) {
  std::vector<std::string> arguments(values + 1, values + count);
  if (arguments.size() > 2 && arguments[0] == "--threads") {
    at::set_num_threads(std::atoi(arguments[1].c_str()));
    arguments.erase(arguments.begin(), arguments.begin() + 2);
  }
  if (arguments.size() < 2) {
    std::cerr << "usage: faultwave-run-network [--threads N] NETWORK INPUT.pt... OUT.pt\n";
    return static_cast<int>(faultwave::ErrorCode::usage);
  }
  try {
    run(arguments);
  } catch (const faultwave::UserError& error) {
    std::cerr << "faultwave-run-network: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "faultwave-run-network: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
