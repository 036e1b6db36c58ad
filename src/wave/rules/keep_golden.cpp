// SPDX-License-Identifier: Apache-2.0
#include "src/wave/rules/keep_golden.h"

#include <torch/types.h>

#include <bit>

#include "src/common/parallel_for.h"

namespace faultwave::wave {

void keep_golden(const Shadow& in, const at::Tensor& golden_in, at::Tensor& output,
                 const at::Tensor& golden_out) {
  const int64_t width = in.width();
  const at::Tensor rows_in = rows_of(golden_in, in.form.axis);
  const at::Tensor rows_out = rows_of(golden_out, in.form.axis);
  const float* values = in.values.const_data_ptr<float>();
  const float* before = rows_in.const_data_ptr<float>();
  const float* after = rows_out.const_data_ptr<float>();
  float* out = output.mutable_data_ptr<float>();
  parallel_for(0, in.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const int64_t place = in.places[static_cast<size_t>(entry)];
      for (int64_t i = 0; i < width; ++i) {
        const bool is_golden = std::bit_cast<uint32_t>(values[entry * width + i]) ==
                               std::bit_cast<uint32_t>(before[place * width + i]);
        if (is_golden) out[entry * width + i] = after[place * width + i];
      }
    }
  });
}

}  // namespace faultwave::wave
