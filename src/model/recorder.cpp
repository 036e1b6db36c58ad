// SPDX-License-Identifier: Apache-2.0
#include "src/model/recorder.h"

#include <torch/types.h>

#include <cmath>
#include <utility>

#include "src/model/channel_axis.h"

namespace faultwave::detail {

double largest_magnitude(const at::Tensor& tensor) {
  if (tensor.numel() == 0 || tensor.layout() != at::kStrided) return 0;
  if (!at::isFloatingType(tensor.scalar_type()) && !tensor.is_quantized()) return 0;
  at::Tensor values = tensor.detach();
  if (values.is_quantized()) values = values.dequantize();
  if (values.element_size() == 1) values = values.to(at::kFloat);  // FP8 has few operators of its own
  const double largest = values.abs().max().item<double>();
  if (std::isfinite(largest)) return largest;
  return at::where(values.isfinite(), values.abs(), at::zeros({}, values.options())).max().item<double>();
}

Recorder::Recorder(const StoredTensors& stored, const std::vector<c10::IValue>& inputs,
                   std::function<std::string()> scope, bool measure)
    : stored_(stored), scope_(std::move(scope)), measure_(measure) {
  for (const c10::IValue& input : inputs)
    inputs_.push_back(input.isTensor() ? input.toTensor() : at::Tensor());
}

const Recorder::Known* Recorder::recall(const at::Tensor& tensor) const {
  const auto found = known_.find(tensor.unsafeGetTensorImpl());
  // An address may have been given to another tensor since.
  if (found == known_.end() || found->second.alive.expired()) return nullptr;
  return &found->second;
}

RecordedTensor Recorder::describe(TensorPlace place, const at::Tensor& tensor, bool is_result) const {
  RecordedTensor recorded;
  recorded.place = place;
  recorded.shape = tensor.sizes().vec();
  recorded.dtype = tensor.scalar_type();
  recorded.stored = stored_.find(tensor);
  for (size_t i = 0; i < inputs_.size(); ++i) {
    if (inputs_[i].defined() && inputs_[i].is_same(tensor)) recorded.network_input = static_cast<int>(i);
  }
  const Known* known = recall(tensor);
  recorded.channel_axis = known ? known->channel_axis : channel_axis_by_rank(tensor.dim());
  if (known && !is_result) {
    recorded.producer = known->call;
    recorded.produced = known->result;
  }
  if (measure_) recorded.largest = known && !is_result ? known->largest : largest_magnitude(tensor);
  return recorded;
}

void Recorder::on_call(intercept::OperatorCall& call) {
  // The number is taken before the call, since a fused path records the operators inside it meanwhile.
  const size_t number = calls_.size();
  RecordedCall record{call.op(), scope_ ? scope_() : std::string(), false, call.opens_up(), {}, {}};
  for_each_tensor(call.arguments(), [&](TensorPlace place, const at::Tensor& tensor) {
    if (tensor.is_nested()) return;  // has no shape, so its values are no site
    record.arguments.push_back(describe(place, tensor, /*is_result=*/false));
  });
  for (const c10::IValue& argument : call.arguments())
    record.has_packed_parameters |= argument.isObject();
  calls_.push_back(std::move(record));

  call.run();

  for_each_tensor(call.results(), [&](TensorPlace place, const at::Tensor& tensor) {
    if (tensor.is_nested()) return;
    RecordedTensor recorded = describe(place, tensor, /*is_result=*/true);
    recorded.network_input = -1;
    recorded.channel_axis = channel_axis_of_result(calls_[number].op.operator_name().name, recorded.shape,
                                                   calls_[number].arguments);
    known_.insert_or_assign(
        tensor.unsafeGetTensorImpl(),
        Known{c10::weak_intrusive_ptr<c10::TensorImpl>(tensor.getIntrusivePtr()), recorded.channel_axis,
              recorded.largest, static_cast<int>(number), static_cast<int>(calls_[number].results.size())});
    calls_[number].results.push_back(std::move(recorded));
  });
}

}  // namespace faultwave::detail
