// SPDX-License-Identifier: Apache-2.0
#include "tests/fault/support.h"

#include <torch/types.h>

#include <cstring>

#include "faultwave/random.h"

namespace faultwave::test {

at::Tensor from_words(at::ScalarType dtype, const Words& words) {
  at::Tensor values = at::empty({static_cast<int64_t>(words.size())}, dtype);
  auto* memory = static_cast<uint8_t*>(values.data_ptr());
  const auto size = static_cast<size_t>(values.element_size());
  for (size_t i = 0; i < words.size(); ++i)
    std::memcpy(memory + i * size, &words[i], size);
  return values;
}

Words to_words(const at::Tensor& values) {
  Words words(values.numel(), 0);
  const auto* memory = static_cast<const uint8_t*>(values.data_ptr());
  const auto size = static_cast<size_t>(values.element_size());
  for (size_t i = 0; i < words.size(); ++i)
    std::memcpy(&words[i], memory + i * size, size);
  return words;
}

Words apply_to_words(const ErrorModelPtr& model, at::ScalarType dtype, const Words& words, uint64_t key) {
  const VictimContext context{"conv1", dtype, std::nullopt};
  model->check(context);
  at::Tensor values = from_words(dtype, words);
  Draw draw(key);
  model->apply(values, context, draw);
  return to_words(values);
}

std::vector<float> apply_to_floats(const ErrorModelPtr& model, const std::vector<float>& values,
                                   uint64_t key) {
  const VictimContext context{"conv1", at::kFloat, std::nullopt};
  model->check(context);
  at::Tensor tensor = torch::tensor(values);
  Draw draw(key);
  model->apply(tensor, context, draw);
  const float* data = tensor.const_data_ptr<float>();
  return {data, data + tensor.numel()};
}

}  // namespace faultwave::test
