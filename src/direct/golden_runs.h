// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <vector>

#include "faultwave/inputs.h"
#include "faultwave/network.h"
#include "faultwave/workload.h"

#include "src/model/batch_axes.h"
#include "src/model/batch_sizes.h"
#include "src/model/steady_network.h"

namespace faultwave::detail {

/// Runs a network without faults: puts inputs together to batches, and takes outputs apart again.
class GoldenRuns {
 public:
  GoldenRuns(std::shared_ptr<Network> network, std::shared_ptr<const InputSet> inputs,
             const WorkloadOptions& options);

  /// Learns whether the network gives the same outputs again, and whether inputs may share a forward.
  /// `batch_is_free`: the network ran at another batch size. To be called once, before the rest.
  void look(bool batch_is_free);

  SteadyNetwork& network() { return steady_; }
  const InputSet& inputs() const { return *inputs_; }

  /// These inputs as a batch that the network takes: the last one is repeated where there are too few.
  std::vector<c10::IValue> batch(const std::vector<int64_t>& inputs) const;
  /// How many elements a batch has.
  int64_t size_of(const std::vector<c10::IValue>& batch) const { return axes_.batch_of(batch); }
  /// How many inputs, up to `wanted`, a forward may hold; 1 where their outputs depend on the inputs beside
  /// them, or cannot be told apart.
  int64_t most_at_once(int64_t wanted) const;
  /// The fewest that the network takes.
  int64_t smallest_batch() const { return smallest_batch_; }
  bool is_unsteady() const { return is_unsteady_; }

  /// Outputs of one element of a batch: the batch axis removed.
  std::vector<at::Tensor> element(const std::vector<at::Tensor>& outputs, int64_t number) const;
  /// Of output `position`.
  at::Tensor element(const at::Tensor& output, size_t position, int64_t number) const;
  /// Whether each of the outputs has a batch axis of this size, as the first ones had.
  bool splits(const std::vector<at::Tensor>& outputs, int64_t size) const;

  struct Golden {
    std::vector<int64_t> inputs;
    std::vector<at::Tensor> outputs;  // whole batch, CPU
    double seconds = 0;               // that the forward took
  };
  /// `batch` is that of `inputs`. The last few are kept; what is returned is valid until the next call.
  /// Throws UserError(bad_network), naming the input that the network fails on.
  const Golden& golden(const std::vector<int64_t>& inputs, const std::vector<c10::IValue>& batch);
  /// Gives back what is kept.
  void forget() { golden_.clear(); }

  /// Within a handler of `error`, which the network threw on these inputs: throws what names the one that it
  /// fails on alone.
  [[noreturn]] void refuse_failing(const std::vector<int64_t>& inputs, const std::exception& error);

 private:
  std::vector<at::Tensor> run(const std::vector<int64_t>& inputs, const std::vector<c10::IValue>& batch);
  void find_output_axes(const std::vector<at::Tensor>& single);
  bool find_axes(const std::vector<at::Tensor>& small, const std::vector<at::Tensor>& large);
  void run_alone(const std::vector<at::Tensor>& single);
  std::vector<c10::IValue> other_than_first() const;

  std::shared_ptr<const InputSet> inputs_;
  WorkloadOptions options_;
  SteadyNetwork steady_;
  std::vector<c10::IValue> single_;  // the first input as a batch of one
  BatchAxes axes_;
  BatchSizes sizes_;
  std::vector<int64_t> output_axes_;  // batch axis of each output, -1 for none
  std::list<Golden> golden_;          // most recently used first
  int64_t smallest_batch_ = 1;
  bool shares_ = true;
  bool is_unsteady_ = false;
};

}  // namespace faultwave::detail
