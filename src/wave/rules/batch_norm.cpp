// SPDX-License-Identifier: Apache-2.0
#include <torch/types.h>

#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/rule.h"
#include "src/wave/rules/keep_golden.h"

namespace faultwave::wave {
namespace {

at::Tensor or_fill(const c10::IValue& value, int64_t channels, double fill) {
  return value.isTensor() && value.toTensor().defined() ? value.toTensor()
                                                        : at::full({channels}, fill, at::kFloat);
}

/// Whoever reads the rows next multiplies by the factor while it reads.
Shadow waiting_for(const at::Tensor& factor, Shadow rows) {
  at::Tensor& scale = rows.form.scale;
  scale = scale.defined() ? scale * factor : factor;
  return rows;
}

}  // namespace

// batch_norm(input, weight, bias, running_mean, running_var, training, momentum, eps, cudnn_enabled) in eval
// mode: out = input * scale + shift, by channel.
std::optional<std::vector<Shadow>> batch_norm_rule(const Call& call) {
  if (!call.is_only_shadowed(0) || call.argument("training").toBool()) return std::nullopt;
  const at::Tensor golden = call.tensor(0);
  const at::Tensor result = call.result();
  const int64_t channels = golden.size(1);
  const double eps = call.argument("eps").toDouble();
  const at::Tensor scale =
      (or_fill(call.argument("weight"), channels, 1) / (call.tensor("running_var") + eps).sqrt())
          .contiguous();
  const at::Tensor shift =
      (or_fill(call.argument("bias"), channels, 0) - call.tensor("running_mean") * scale).contiguous();
  const Shadow& given = *call.shadow_of(0);
  const bool is_by_channel = given.is_points() || given.form.axis == 1;
  const Shadow in = is_by_channel ? given : to_rows(settled(given), golden, 1);
  if (in.form.is_change && !in.is_points()) return std::vector<Shadow>{waiting_for(scale, in)};
  const RowSpace space(golden.sizes(), 1);
  const int64_t width = in.width();

  Shadow out = with_values(in, at::empty_like(in.values), in.form);
  const float* from = in.values.const_data_ptr<float>();
  const float* scales = scale.const_data_ptr<float>();
  const float* shifts = shift.const_data_ptr<float>();
  float* to = out.values.mutable_data_ptr<float>();
  parallel_for(0, in.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const int64_t place = in.places[static_cast<size_t>(entry)];
      const int64_t channel = in.is_points() ? space.channel_of(place) : 0;
      for (int64_t i = 0; i < width; ++i)
        to[entry * width + i] =
            from[entry * width + i] * scales[channel + i] + (in.form.is_change ? 0.0f : shifts[channel + i]);
    }
  });
  if (!in.form.is_change) keep_golden(in, golden, out.values, result);
  drop_golden(out, result);
  return std::vector<Shadow>{std::move(out)};
}

}  // namespace faultwave::wave
