// SPDX-License-Identifier: Apache-2.0
#include <filesystem>
#include <fstream>

#include <doctest/doctest.h>

#include "faultwave/error.h"

#include "zoo/zoo.h"

namespace {

using faultwave::ErrorCode;
using faultwave::UserError;

/// A file name of its own for each test, removed at the end.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& name)
      : path_(
            (std::filesystem::temp_directory_path() / ("faultwave_zoo_" + std::to_string(::getpid()) + name))
                .string()) {}
  ~TemporaryFile() { std::filesystem::remove(path_); }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

void write_bytes(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary) << bytes;
}

void save_dictionary(const std::string& path,
                     const std::vector<std::pair<std::string, torch::Tensor>>& entries) {
  c10::impl::GenericDict dictionary(c10::StringType::get(), c10::TensorType::get());
  for (const auto& [name, tensor] : entries)
    dictionary.insert(name, tensor);
  const std::vector<char> bytes = torch::pickle_save(dictionary);
  write_bytes(path, std::string(bytes.begin(), bytes.end()));
}

/// A safetensors file with FP32 tensors: `header` is its JSON.
void save_safetensors(const std::string& path, const std::string& header, const std::vector<float>& values) {
  const uint64_t length = header.size();
  std::string bytes(reinterpret_cast<const char*>(&length), sizeof length);
  bytes += header;
  bytes.append(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(float));
  write_bytes(path, bytes);
}

std::string message_of(torch::nn::Module& module, const std::string& path) {
  try {
    faultwave::zoo::load_state_dict(module, path);
  } catch (const UserError& error) {
    CHECK(error.code() == ErrorCode::bad_input);
    return error.what();
  }
  return "nothing was thrown";
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

}  // namespace

TEST_CASE("a pickled dictionary fills parameters and buffers by name") {
  TemporaryFile file(".pt");
  save_dictionary(file.path(), {{"weight", torch::tensor({2.0f, 3.0f})},
                                {"bias", torch::tensor({4.0f, 5.0f})},
                                {"running_mean", torch::tensor({6.0f, 7.0f})},
                                {"running_var", torch::tensor({8.0f, 9.0f})},
                                {"num_batches_tracked", torch::tensor(11)},
                                {"unknown", torch::tensor(1)}});
  torch::nn::BatchNorm2d norm(2);
  faultwave::zoo::load_state_dict(*norm, file.path());
  CHECK(norm->weight.equal(torch::tensor({2.0f, 3.0f})));
  CHECK(norm->bias.equal(torch::tensor({4.0f, 5.0f})));
  CHECK(norm->running_mean.equal(torch::tensor({6.0f, 7.0f})));
  CHECK(norm->running_var.equal(torch::tensor({8.0f, 9.0f})));
  CHECK(norm->num_batches_tracked.item<int64_t>() == 11);
  CHECK(norm->weight.requires_grad());
}

TEST_CASE("a safetensors file fills parameters by name") {
  TemporaryFile file(".safetensors");
  save_safetensors(file.path(),
                   R"({"weight":{"dtype":"F32","shape":[1,2],"data_offsets":[0,8]},)"
                   R"("bias":{"dtype":"F32","shape":[1],"data_offsets":[8,12]}})",
                   {1.5f, -2.5f, 0.25f});
  torch::nn::Linear linear(2, 1);
  faultwave::zoo::load_state_dict(*linear, file.path());
  CHECK(linear->weight.equal(torch::tensor({{1.5f, -2.5f}})));
  CHECK(linear->bias.equal(torch::tensor({0.25f})));
}

TEST_CASE("a dictionary that does not fit leaves the module as it was") {
  TemporaryFile file(".pt");
  torch::nn::Linear linear(2, 1);
  const torch::Tensor weight = linear->weight.detach().clone();

  save_dictionary(file.path(), {{"weight", torch::ones({1, 2})}});
  CHECK(contains(message_of(*linear, file.path()), "lacks the tensor 'bias'"));
  save_dictionary(file.path(), {{"weight", torch::ones({1, 2})}, {"bias", torch::ones({3})}});
  CHECK(contains(message_of(*linear, file.path()), "holds 'bias' of shape [3]; expected [1]"));
  CHECK(linear->weight.equal(weight));
}

TEST_CASE("files that are no dictionaries are refused") {
  TemporaryFile file(".pt");
  torch::nn::Linear linear(2, 1);
  CHECK(contains(message_of(*linear, file.path()), "cannot be opened"));
  write_bytes(file.path(), "PK and then nothing that makes sense");
  CHECK(contains(message_of(*linear, file.path()), "is damaged"));
  const std::vector<char> bytes = torch::pickle_save(torch::ones({2}));
  write_bytes(file.path(), std::string(bytes.begin(), bytes.end()));
  CHECK(contains(message_of(*linear, file.path()), "holds no dictionary"));
}
