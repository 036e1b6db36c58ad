// SPDX-License-Identifier: Apache-2.0
// Values and changes.
#include <torch/types.h>

#include <utility>

#include "src/common/parallel_for.h"
#include "src/wave/shadow_forms.h"
#include "src/wave/shadow_values.h"

namespace faultwave::wave {
namespace {

/// to[i] = make(from[i], golden[i], channel) for all values of a shadow, which are of type From.
template <typename Value, typename From, typename To, typename Make>
at::Tensor remade(const Shadow& shadow, const at::Tensor& golden, at::ScalarType type, Make make) {
  const int64_t width = shadow.width();
  const at::Tensor rows = rows_of(golden, shadow.form.axis);
  const Value* before = rows.const_data_ptr<Value>();
  const From* from = shadow.values.const_data_ptr<From>();
  at::Tensor values = at::empty_like(shadow.values, shadow.values.options().dtype(type));
  To* to = values.mutable_data_ptr<To>();
  parallel_for(0, shadow.size(), entries_a_thread(width), [&](int64_t begin, int64_t end) {
    for (int64_t entry = begin; entry < end; ++entry) {
      const Value* row = before + shadow.places[static_cast<size_t>(entry)] * width;
      for (int64_t channel = 0; channel < width; ++channel)
        to[entry * width + channel] = make(from[entry * width + channel], row[channel], channel);
    }
  });
  return values;
}

}  // namespace

Shadow with_values(const Shadow& places, at::Tensor values, Form form) {
  Shadow shadow(std::move(form));
  shadow.trials = places.trials;
  shadow.places = places.places;
  shadow.values = std::move(values);
  return shadow;
}

Shadow settled(Shadow shadow) {
  if (!shadow.form.scale.defined()) return shadow;
  shadow.values = shadow.values * shadow.form.scale;
  shadow.form = shadow.form.without_scale();
  return shadow;
}

Shadow as_values(Shadow shadow, const at::Tensor& golden) {
  if (!shadow.form.is_change) return shadow;
  const Form form = shadow.form.as_values();
  if (!shadow.empty()) {
    shadow.values = with_type(form.type, [&](auto type) {
      using Value = decltype(type);
      using Change = ChangeOf<Value>;
      const float* scale = shadow.form.scale.defined() ? shadow.form.scale.const_data_ptr<float>() : nullptr;
      return remade<Value, Change, Value>(shadow, golden, form.stored_type(),
                                          [scale](Change change, Value before, int64_t channel) {
                                            return changed(before, scaled(change, scale, channel));
                                          });
    });
  }
  shadow.form = form;
  return shadow;
}

Shadow as_changes(Shadow shadow, const at::Tensor& golden) {
  if (shadow.form.is_change) return shadow;
  const Form form = shadow.form.as_changes();
  if (!shadow.empty()) {
    shadow.values = with_type(form.type, [&](auto type) {
      using Value = decltype(type);
      return remade<Value, Value, ChangeOf<Value>>(
          shadow, golden, form.stored_type(),
          [](Value after, Value before, int64_t) { return change_between(before, after); });
    });
  }
  shadow.form = form;
  return shadow;
}

}  // namespace faultwave::wave
