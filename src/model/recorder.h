// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/ivalue.h>

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "src/intercept/intercept.h"
#include "src/model/stored_tensors.h"
#include "src/model/tensor_places.h"

namespace faultwave::detail {

/// A tensor as an operator got or gave it.
struct RecordedTensor {
  TensorPlace place;
  std::vector<int64_t> shape;
  at::ScalarType dtype = at::ScalarType::Float;
  int stored = StoredTensors::none;  ///< number of the stored tensor that it is or views
  int network_input = -1;            ///< number of the network's input that it is
  int channel_axis = -1;             ///< axis that counts feature maps, of the whole tensor
  double largest = 0;                ///< largest finite absolute value; 0 for integers
  /// Of an argument: the call that returned it last, and as which tensor; -1 where it comes from outside.
  int producer = -1;
  int produced = 0;
};

/// One operator call of the dummy inference.
struct RecordedCall {
  c10::OperatorHandle op;
  std::string scope;                   ///< module path where the network tells, "" where not
  bool has_packed_parameters = false;  ///< an argument is an object, as quantised layers keep their weights
  bool opens_up = false;               ///< stands for the calls that follow it (OperatorCall::opens_up)
  std::vector<RecordedTensor> arguments;
  std::vector<RecordedTensor> results;
};

/// Writes down every operator call of one forward.
class Recorder : public intercept::Handler {
 public:
  /// `measure`: find the largest absolute value of every result, too.
  Recorder(const StoredTensors& stored, const std::vector<c10::IValue>& inputs,
           std::function<std::string()> scope, bool measure);

  void on_call(intercept::OperatorCall& call) override;

  /// How many calls have been written down.
  size_t size() const { return calls_.size(); }
  std::vector<RecordedCall> take() { return std::move(calls_); }

 private:
  struct Known {
    c10::weak_intrusive_ptr<c10::TensorImpl> alive;
    int channel_axis;
    double largest;
    int call;
    int result;
  };
  RecordedTensor describe(TensorPlace place, const at::Tensor& tensor, bool is_result) const;
  const Known* recall(const at::Tensor& tensor) const;

  const StoredTensors& stored_;
  std::vector<at::Tensor> inputs_;
  std::function<std::string()> scope_;
  bool measure_;
  std::vector<RecordedCall> calls_;
  std::unordered_map<const c10::TensorImpl*, Known> known_;
};

/// Largest finite absolute value; 0 for an empty tensor, integers, or one without finite values.
double largest_magnitude(const at::Tensor& tensor);

}  // namespace faultwave::detail
