// SPDX-License-Identifier: Apache-2.0
// Runs a network once: faultwave-run-network [--threads N] [--save COPY] NETWORK INPUT.pt... OUT.pt
// Inputs are tensors as torch.save writes them; OUT.pt gets the tuple of the outputs, for torch.load. COPY
// gets the network as Network::save writes it.

#include <ATen/Parallel.h>
#include <torch/csrc/jit/serialization/pickle.h>

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
  return torch::jit::pickle_load(std::vector<char>(std::istreambuf_iterator<char>(file), {}));
}

void write_tensors(const std::string& path, const std::vector<at::Tensor>& tensors) {
  const std::vector<c10::IValue> values(tensors.begin(), tensors.end());
  const std::vector<char> bytes = torch::jit::pickle_save(c10::ivalue::Tuple::create(values));
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  file.close();
  if (!file) throw faultwave::UserError(faultwave::ErrorCode::store, path + " cannot be written");
}

struct Arguments {
  int threads = 0;   // 0: as many as PyTorch likes
  std::string copy;  // "": none
  std::vector<std::string> files;
};

Arguments parse(const std::vector<std::string>& words) {
  Arguments arguments;
  for (size_t i = 0; i < words.size(); ++i) {
    const bool has_value = i + 1 < words.size();
    if (words[i] == "--threads" && has_value) {
      arguments.threads = std::atoi(words[++i].c_str());
    } else if (words[i] == "--save" && has_value) {
      arguments.copy = words[++i];
    } else {
      arguments.files.push_back(words[i]);
    }
  }
  if (arguments.files.size() < 2) {
    throw faultwave::UserError(
        faultwave::ErrorCode::usage,
        "usage: faultwave-run-network [--threads N] [--save COPY] NETWORK INPUT.pt... OUT.pt");
  }
  return arguments;
}

void run(const Arguments& arguments) {
  const at::NoGradGuard no_gradients;
  if (arguments.threads > 0) at::set_num_threads(arguments.threads);
  const auto network = faultwave::Network::open(arguments.files.front());
  std::vector<c10::IValue> inputs;
  for (size_t i = 1; i + 1 < arguments.files.size(); ++i)
    inputs.push_back(read_tensor(arguments.files[i]));
  write_tensors(arguments.files.back(), network->forward(inputs));
  if (!arguments.copy.empty()) network->save(arguments.copy);
}

}  // namespace

int main(int count, char** values) {
  try {
    run(parse(std::vector<std::string>(values + 1, values + count)));
  } catch (const faultwave::UserError& error) {
    std::cerr << "faultwave-run-network: " << error.what() << "\n";
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::cerr << "faultwave-run-network: " << error.what() << "\n";
    return 1;
  }
  return 0;
}
