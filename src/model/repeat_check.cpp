// SPDX-License-Identifier: Apache-2.0
#include "src/model/repeat_check.h"

#include <torch/types.h>

#include <algorithm>
#include <cstring>
#include <exception>
#include <string>
#include <utility>

#include "faultwave/error.h"

#include "src/common/memory_shortage.h"
#include "src/intercept/intercept.h"
#include "src/model/recorder.h"
#include "src/model/site_names.h"

namespace faultwave::detail {
namespace {

/// Whether a call takes statistics of its batch although it has stored ones: a batch norm in train mode.
bool takes_batch_statistics(const intercept::OperatorCall& call) {
  if (call.op().operator_name().name.find("batch_norm") == std::string::npos) return false;
  const std::vector<c10::Argument>& schema = call.schema().arguments();
  bool trains = false;
  bool has_stored = false;
  for (size_t i = 0; i < schema.size(); ++i) {
    const c10::IValue& value = call.arguments()[i];
    if (schema[i].name() == "training" || schema[i].name() == "train")
      trains = value.isBool() && value.toBool();
    if (schema[i].name() == "running_mean") has_stored = value.isTensor() && value.toTensor().defined();
  }
  return trains && has_stored;
}

bool is_tensor(const c10::Argument& argument) {
  return argument.type()->isSubtypeOf(*c10::OptionalType::ofTensor()) ||
         argument.type()->isSubtypeOf(*c10::ListType::ofTensors());
}

/// Whether a call makes a number of the values of a tensor that is no parameter or buffer. Sizes are no
/// values.
bool asks_for_a_value(const intercept::OperatorCall& call, const StoredTensors& stored) {
  const std::string name = short_op_name(call.op().operator_name().name);
  for (const char* about_sizes :
       {"result_type", "size", "stride", "dim", "numel", "sym_", "is_", "storage_offset", "__contains__"}) {
    if (name.rfind(about_sizes, 0) == 0 && name != "is_nonzero") return false;
  }
  const std::vector<c10::Argument>& results = call.schema().returns();
  if (results.empty() || std::any_of(results.begin(), results.end(), is_tensor)) return false;
  bool reads = false;
  for_each_tensor(call.arguments(), [&](TensorPlace, const at::Tensor& tensor) {
    reads |= stored.find(tensor) == StoredTensors::none;
  });
  return reads;
}

/// What is seen of one operator call in search of what makes a network unsteady.
struct Seen {
  bool has_drawn = false;
  bool trains = false;
  bool asks = false;
  std::vector<at::Tensor> results;  // kept where asked for
};

/// Writes down the calls of one forward.
class Witness : public Recorder {
 public:
  Witness(const StoredTensors& stored, const std::vector<c10::IValue>& inputs, const Network& network,
          const SteadyNetwork::Forward& forward, bool keeps_results)
      : Recorder(
            stored, inputs, [&network] { return network.current_scope(); }, /*measure=*/false),
        stored_(stored),
        forward_(forward),
        keeps_results_(keeps_results) {}

  void on_call(intercept::OperatorCall& call) override {
    const size_t number = seen_.size();
    seen_.push_back({.has_drawn = false,
                     .trains = takes_batch_statistics(call),
                     .asks = asks_for_a_value(call, stored_),
                     .results = {}});
    Recorder::on_call(call);
    if (!has_drawn_ && forward_.has_drawn()) seen_[number].has_drawn = has_drawn_ = true;
    if (!keeps_results_) return;
    for (const at::Tensor& result : tensors_of(call.results()))
      seen_[number].results.push_back(result.clone());
  }

  const std::vector<Seen>& seen() const { return seen_; }

 private:
  const StoredTensors& stored_;
  const SteadyNetwork::Forward& forward_;
  bool keeps_results_;
  bool has_drawn_ = false;
  std::vector<Seen> seen_;
};

/// Calls of one forward with the names that their sites have.
struct Testimony {
  std::vector<at::Tensor> outputs;
  std::vector<Seen> seen;
  std::vector<std::string> calls;  // "aten::dropout at drop"
};

Testimony run_seen(SteadyNetwork& network, const std::vector<c10::IValue>& inputs, bool keeps_results) {
  const StoredTensors stored(network.network().parameters(), network.network().buffers());
  SteadyNetwork::Forward forward(network, inputs);
  Witness witness(stored, inputs, network.network(), forward, keeps_results);
  Testimony testimony;
  {
    const intercept::Intercept on(witness);
    testimony.outputs = forward.run();
  }
  testimony.outputs = forward.keep(std::move(testimony.outputs));
  testimony.seen = witness.seen();
  CallNamer namer(stored);
  for (const RecordedCall& call : witness.take())
    testimony.calls.push_back(call.op.operator_name().name + " at " + namer.name(call));
  return testimony;
}

/// The first call for which it holds; "" if there is none.
template <typename Holds>
std::string first_call(const Testimony& testimony, Holds holds) {
  for (size_t i = 0; i < testimony.calls.size() && i < testimony.seen.size(); ++i) {
    if (holds(testimony.seen[i])) return testimony.calls[i];
  }
  return "";
}

[[noreturn]] void refuse(const std::string& what) {
  throw UserError(ErrorCode::bad_network, what);
}

Habits habits_in(const Testimony& testimony) {
  const auto any = [&](auto holds) {
    return std::any_of(testimony.seen.begin(), testimony.seen.end(), holds);
  };
  return {.draws = any([](const Seen& seen) { return seen.has_drawn; }),
          .trains = any([](const Seen& seen) { return seen.trains; }),
          .asks = any([](const Seen& seen) { return seen.asks; })};
}

[[noreturn]] void refuse_without_key(const Testimony& testimony) {
  const std::string remedy =
      ": call eval() on the network before it is exported, or give a random key "
      "(`random_key`), by which every forward, golden or faulty, holds one input and "
      "draws the same numbers";
  const std::string drawing = first_call(testimony, [](const Seen& seen) { return seen.has_drawn; });
  if (!drawing.empty()) refuse("the network draws random numbers (" + drawing + ")" + remedy);
  refuse("the network is in train mode (" +
         first_call(testimony, [](const Seen& seen) { return seen.trains; }) +
         " normalises each input by what else is in the batch)" + remedy);
}

/// The first operator that gives something else in a second run.
[[noreturn]] void refuse_as_differing(SteadyNetwork& network, const std::vector<c10::IValue>& inputs) {
  const Testimony first = run_seen(network, inputs, /*keeps_results=*/true);
  const Testimony second = run_seen(network, inputs, /*keeps_results=*/true);
  std::string where;
  const size_t calls = std::min(first.calls.size(), second.seen.size());
  for (size_t i = 0; i < calls && where.empty(); ++i) {
    if (first.calls[i] != second.calls[i] || !are_same(first.seen[i].results, second.seen[i].results))
      where = ", and so does " + first.calls[i];
  }
  refuse("the network, run again on the same input without a fault, gives other outputs" + where +
         ": what a fault does cannot be told from that");
}

/// Values a thousand times as large, of either sign: what a fault may make of them. Integers, which may be
/// indices, stay as they are.
at::Tensor far_from(const at::Tensor& input) {
  if (!input.is_floating_point()) return input;
  const at::Tensor signs = at::arange(input.numel(), input.device()).remainder(2).mul(-2).add(1);
  return input * signs.view(input.sizes()).to(input.scalar_type()) * 1024;
}

/// The first element of a batch, and behind it that of another batch, as often as there is room.
std::vector<c10::IValue> first_beside(const std::vector<c10::IValue>& batch,
                                      const std::vector<c10::IValue>& other, const BatchAxes& axes,
                                      bool is_far) {
  const int64_t room = axes.batch_of(batch) - 1;
  std::vector<c10::IValue> mixed = batch;
  for (size_t i = 0; i < batch.size(); ++i) {
    const int64_t axis = axes.of(i);
    if (axis == BatchAxes::none) continue;
    const at::Tensor beside = is_far ? far_from(other[i].toTensor()) : other[i].toTensor();
    mixed[i] = at::cat(
        {batch[i].toTensor().narrow(axis, 0, 1), beside.narrow(axis, 0, 1).repeat_interleave(room, axis)},
        axis);
  }
  return mixed;
}

/// Only for what it leaves behind: whoever is to use this input hears of its failure then.
void run_beside(SteadyNetwork& network, const std::vector<c10::IValue>& inputs) {
  try {
    network.run(inputs);
  } catch (const std::exception& error) {
    pass_shortage(error);
  }
}

std::vector<int64_t> versions_of(const std::vector<NamedTensor>& tensors) {
  std::vector<int64_t> versions;
  for (const NamedTensor& named : tensors)
    versions.push_back(named.tensor.is_inference() ? 0 : named.tensor._version());
  return versions;
}

/// Of tensors that a run has written to and that are not kept.
void refuse_lost(const SteadyNetwork& network, const std::vector<NamedTensor>& tensors,
                 const std::vector<int64_t>& versions) {
  const std::vector<int64_t> now = versions_of(tensors);
  for (size_t i = 0; i < tensors.size(); ++i) {
    if (now[i] == versions[i] || network.state()->keeps(tensors[i].tensor)) continue;
    refuse("the network writes to " + tensors[i].name +
           " while it runs, and what was there cannot be put back; make it a buffer");
  }
}

bool are_same(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes() || a.scalar_type() != b.scalar_type() || a.layout() != b.layout()) return false;
  if (a.layout() != at::kStrided || a.is_quantized()) return a.dequantize().equal(b.dequantize());
  const at::Tensor left = a.contiguous().cpu();
  const at::Tensor right = b.contiguous().cpu();
  if (std::memcmp(left.const_data_ptr(), right.const_data_ptr(), left.nbytes()) == 0) return true;
  if (!left.is_floating_point() && !left.is_complex()) return false;
  const at::Tensor nan = left.isnan();
  if (!nan.equal(right.isnan())) return false;
  return at::where(nan, at::zeros({}, left.options()), left)
      .equal(at::where(nan, at::zeros({}, right.options()), right));
}

}  // namespace

bool elements_meet(SteadyNetwork& network, const BatchAxes& axes, const std::vector<at::Tensor>& alike,
                   const std::vector<c10::IValue>& batch, const std::vector<c10::IValue>& other,
                   const std::vector<int64_t>& output_axes) {
  const auto first_elements = [&](std::vector<at::Tensor> outputs) {
    for (size_t i = 0; i < outputs.size(); ++i)
      outputs[i] = outputs[i].select(output_axes.at(i), 0);
    return outputs;
  };
  // What lies far away shows where a largest value, say, is shared; not every network takes it.
  for (const bool is_far : {true, false}) {
    try {
      const std::vector<at::Tensor> mixed = network.run(first_beside(batch, other, axes, is_far));
      return !are_same(first_elements(alike), first_elements(mixed));
    } catch (const std::exception& error) {
      pass_shortage(error);
    }
  }
  return true;
}

bool are_same(const std::vector<at::Tensor>& a, const std::vector<at::Tensor>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const at::Tensor& x, const at::Tensor& y) { return are_same(x, y); });
}

RepeatCheck check_repeats(SteadyNetwork& network, const std::vector<c10::IValue>& inputs,
                          const std::optional<std::vector<c10::IValue>>& others) {
  std::vector<NamedTensor> tensors = network.network().parameters();
  for (NamedTensor& buffer : network.network().buffers())
    tensors.push_back(std::move(buffer));
  const std::vector<int64_t> versions = versions_of(tensors);

  Testimony first = run_seen(network, inputs, /*keeps_results=*/false);
  const Habits found = habits_in(first);
  if (found.needs_key() && !network.has_random_key()) refuse_without_key(first);
  if (others) run_beside(network, *others);
  if (!are_same(first.outputs, network.run(inputs))) refuse_as_differing(network, inputs);
  refuse_lost(network, tensors, versions);
  return {found, std::move(first.outputs)};
}

}  // namespace faultwave::detail
