// SPDX-License-Identifier: Apache-2.0
// Faults in weights, biases and running statistics. A value of a parameter belongs to one output channel (of
// a convolution: a filter; of a linear layer: a row of the matrix), and no other channel differs. The
// channels of many trials, each with its own faulty parameters, are computed by one call on the golden
// activation, as if they were the channels of one layer.
#include <torch/types.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <utility>

#include "src/wave/operators/operator.h"

namespace faultwave::wave {
namespace {

// Results of so many bytes are computed at a time.
constexpr int64_t kResultBytes = int64_t{64} << 20;

/// A parameter of a call.
struct PlacedParameter {
  int position;
  int64_t axis;  ///< of the tensor, that output channels run along; negative: from the last axis
};

/// A layer's description, with the places that its arguments have in a call.
struct PlacedLayer {
  PlacedLayer(const Call& call, const Layer& layer)
      : about(layer), activation(call.position_of(layer.activation)) {
    for (const Parameter& parameter : layer.parameters)
      parameters.push_back({call.position_of(parameter.argument), parameter.axis});
    if (!layer.groups.empty()) groups = call.position_of(layer.groups);
  }

  bool is_parameter(const detail::TensorPlace& place) const {
    return place.element < 0 && std::any_of(
                                    parameters.begin(), parameters.end(),
                                    [&](PlacedParameter p) { return p.position == place.position; });
  }

  const Layer& about;
  int activation;
  std::vector<PlacedParameter> parameters;
  int groups = -1;
};

/// An output channel that is another one in this trial.
struct Channel {
  int32_t trial;
  int64_t number;
  friend auto operator<=>(const Channel&, const Channel&) = default;
};

/// Parameters of the channels that differ, as if those were all channels of the layer.
class FaultyLayer {
 public:
  FaultyLayer(const Call& call, const PlacedLayer& layer) : call_(call) {
    std::set<Channel> channels;
    for (const PlacedParameter& parameter : layer.parameters) {
      if (parameter.position < 0 || call.shadow_of(parameter.position) == nullptr) continue;
      const at::Tensor golden = call.tensor(parameter.position);
      const Shadow points = to_points(*call.shadow_of(parameter.position), golden);
      const RowSpace space(golden.sizes(), axis_of(parameter));
      for (size_t i = 0; i < points.trials.size(); ++i)
        channels.insert({points.trials[i], space.channel_of(points.places[i])});
      points_.emplace(parameter.position, points);
    }
    channels_.assign(channels.begin(), channels.end());
  }

  const std::vector<Channel>& channels() const { return channels_; }

  /// Faulty values of these channels, laid out as the parameter, with them along its axis; undefined where
  /// the layer has no such parameter.
  at::Tensor faulty(const PlacedParameter& parameter, size_t begin, size_t end) const {
    const at::Tensor rows = golden_rows(parameter, begin, end);
    const auto points = points_.find(parameter.position);
    if (points != points_.end()) write(points->second, parameter, begin, end, rows);
    return in_layout(rows, parameter);
  }
  /// The same without faults.
  at::Tensor golden(const PlacedParameter& parameter, size_t begin, size_t end) const {
    return in_layout(golden_rows(parameter, begin, end), parameter);
  }
  bool has(const PlacedParameter& parameter) const {
    if (parameter.position < 0) return false;
    const c10::IValue& value = call_.arguments[static_cast<size_t>(parameter.position)];
    return value.isTensor() && value.toTensor().defined();
  }
  at::Tensor numbers(size_t begin, size_t end) const {
    std::vector<int64_t> list;
    for (size_t i = begin; i < end; ++i)
      list.push_back(channels_[i].number);
    return at::tensor(list, at::kLong);
  }

 private:
  int64_t axis_of(const PlacedParameter& parameter) const {
    return parameter.axis < 0 ? call_.tensor(parameter.position).dim() - 1 : parameter.axis;
  }

  /// [channels, values of a channel], in memory of its own.
  at::Tensor golden_rows(const PlacedParameter& parameter, size_t begin, size_t end) const {
    const at::Tensor whole = call_.tensor(parameter.position);
    const at::Tensor picked = whole.movedim(axis_of(parameter), 0).index_select(0, numbers(begin, end));
    return picked.contiguous().view({static_cast<int64_t>(end - begin), -1});
  }

  void write(const Shadow& points, const PlacedParameter& parameter, size_t begin, size_t end,
             const at::Tensor& rows) const {
    const RowSpace space(call_.tensor(parameter.position).sizes(), axis_of(parameter));
    float* to = rows.mutable_data_ptr<float>();
    const float* values = points.values.const_data_ptr<float>();
    for (size_t i = begin; i < end; ++i) {
      const Segment part = segment_of(points, channels_[i].trial);
      for (int64_t entry = part.begin; entry < part.end; ++entry) {
        const int64_t place = points.places[static_cast<size_t>(entry)];
        if (space.channel_of(place) != channels_[i].number) continue;
        to[static_cast<int64_t>(i - begin) * rows.size(1) + space.row_of(place)] = values[entry];
      }
    }
  }

  at::Tensor in_layout(const at::Tensor& rows, const PlacedParameter& parameter) const {
    const int64_t axis = axis_of(parameter);
    std::vector<int64_t> sizes = call_.tensor(parameter.position).sizes().vec();
    sizes.erase(sizes.begin() + axis);
    sizes.insert(sizes.begin(), rows.size(0));
    return rows.view(sizes).movedim(0, axis).contiguous();
  }

  const Call& call_;
  std::map<int, Shadow> points_;  // by position
  std::vector<Channel> channels_;
};

c10::IValue or_none(const at::Tensor& tensor) {
  return tensor.defined() ? c10::IValue(tensor) : c10::IValue();
}

/// Channels from `begin` to one before `end` of the result, along the axis of output channels. Layers that
/// are linear in their parameters compute what the faults change and add it to the golden result, so that a
/// place where nothing changes stays golden.
class ChannelsOf {
 public:
  ChannelsOf(const Call& call, const PlacedLayer& layer)
      : call_(call),
        placed_(layer),
        layer_(call, layer),
        axis_(axis_in(call.result(), layer.about.channel_axis)) {}

  Shadow compute() const {
    const at::Tensor golden = call_.result();
    const int64_t channel_bytes = golden.numel() / golden.size(axis_) * 4;
    const auto most = static_cast<size_t>(std::max<int64_t>(kResultBytes / channel_bytes, 1));
    const size_t count = layer_.channels().size();
    PointList points;
    for (size_t begin = 0; begin < count;) {
      size_t end = std::min(begin + most, count);
      while (end < count && layer_.channels()[end].trial == layer_.channels()[end - 1].trial)
        ++end;
      add_points(rows_of_channels(channels(begin, end)), begin, end, points);
      begin = end;
    }
    Shadow shadow = points.take();
    drop_golden(shadow, golden);
    return shadow;
  }

 private:
  at::Tensor activation() const { return call_.tensor(placed_.activation); }
  c10::IValue& activation_in(std::vector<c10::IValue>& stack) const {
    return stack[static_cast<size_t>(placed_.activation)];
  }
  int64_t groups() const { return call_.arguments[static_cast<size_t>(placed_.groups)].toInt(); }

  static int64_t axis_in(const at::Tensor& result, int64_t axis) {
    return axis < 0 ? result.dim() + axis : axis;
  }

  at::Tensor channels(size_t begin, size_t end) const {
    switch (placed_.about.kind) {
      case Layer::Kind::channel_norm:
        return normalised_by_channel(begin, end);
      case Layer::Kind::group_norm:
        return normalised_by_group(begin, end);
      case Layer::Kind::row_norm:
        return scaled(begin, end);
      default:
        return golden_channels(begin, end) + change(begin, end);
    }
  }

  at::Tensor golden_channels(size_t begin, size_t end) const {
    return call_.result().index_select(axis_, layer_.numbers(begin, end));
  }

  /// By a layer of as many channels whose parameters are the differences.
  at::Tensor change(size_t begin, size_t end) const {
    std::vector<c10::IValue> stack = call_.arguments;
    for (const PlacedParameter& parameter : placed_.parameters) {
      if (!layer_.has(parameter)) continue;
      stack[static_cast<size_t>(parameter.position)] =
          layer_.faulty(parameter, begin, end) - layer_.golden(parameter, begin, end);
    }
    if (placed_.about.kind == Layer::Kind::convolution) use_one_group_each(stack, begin, end);
    return call_.run(std::move(stack));
  }

  /// A filter of a grouped convolution sees the input channels of its group.
  void use_one_group_each(std::vector<c10::IValue>& stack, size_t begin, size_t end) const {
    const int64_t groups = this->groups();
    if (groups == 1) return;
    const at::Tensor weight = call_.tensor(placed_.parameters.front().position);
    const int64_t inputs = weight.size(1);
    const int64_t filters = weight.size(0) / groups;
    std::vector<int64_t> seen;
    for (size_t i = begin; i < end; ++i) {
      for (int64_t k = 0; k < inputs; ++k)
        seen.push_back(layer_.channels()[i].number / filters * inputs + k);
    }
    activation_in(stack) = activation().index_select(1, at::tensor(seen, at::kLong));
    stack[static_cast<size_t>(placed_.groups)] = static_cast<int64_t>(end - begin);
  }

  at::Tensor normalised_by_channel(size_t begin, size_t end) const {
    std::vector<c10::IValue> stack = call_.arguments;
    activation_in(stack) = activation().index_select(1, layer_.numbers(begin, end));
    for (const PlacedParameter& parameter : placed_.parameters) {
      if (layer_.has(parameter))
        stack[static_cast<size_t>(parameter.position)] = layer_.faulty(parameter, begin, end);
    }
    return call_.run(std::move(stack));
  }

  /// By a norm with one group for each channel: the one that it is in.
  at::Tensor normalised_by_group(size_t begin, size_t end) const {
    const int64_t size = activation().size(1) / groups();
    std::vector<int64_t> members;
    std::vector<int64_t> own;  // where the channel itself stands among them
    for (size_t i = begin; i < end; ++i) {
      const int64_t number = layer_.channels()[i].number;
      own.push_back(static_cast<int64_t>(members.size()) + number % size);
      for (int64_t k = 0; k < size; ++k)
        members.push_back(number / size * size + k);
    }
    const at::Tensor all = at::tensor(members, at::kLong);
    const at::Tensor ours = at::tensor(own, at::kLong);
    std::vector<c10::IValue> stack = call_.arguments;
    activation_in(stack) = activation().index_select(1, all);
    stack[static_cast<size_t>(placed_.groups)] = static_cast<int64_t>(end - begin);
    for (const PlacedParameter& parameter : placed_.parameters) {
      if (!layer_.has(parameter)) continue;
      const at::Tensor golden = call_.tensor(parameter.position).index_select(0, all);
      stack[static_cast<size_t>(parameter.position)] =
          golden.index_copy(0, ours, layer_.faulty(parameter, begin, end));
    }
    return call_.run(std::move(stack)).index_select(1, ours);
  }

  /// Normalised without parameters, then scaled and shifted by the faulty ones.
  at::Tensor scaled(size_t begin, size_t end) const {
    std::vector<c10::IValue> stack = call_.arguments;
    at::Tensor affine[2];
    for (size_t i = 0; i < 2; ++i) {
      const PlacedParameter& parameter = placed_.parameters[i];
      if (layer_.has(parameter)) affine[i] = layer_.faulty(parameter, begin, end);
      stack[static_cast<size_t>(parameter.position)] = or_none({});
    }
    at::Tensor normalised =
        call_.run(std::move(stack)).index_select(axis_, layer_.numbers(begin, end)).movedim(axis_, -1);
    if (affine[0].defined()) normalised = normalised * affine[0];
    if (affine[1].defined()) normalised = normalised + affine[1];
    return normalised.movedim(-1, axis_);
  }

  /// [channels, rows of the result]
  at::Tensor rows_of_channels(const at::Tensor& values) const {
    return values.movedim(axis_, 0).contiguous().view({values.size(axis_), -1});
  }

  void add_points(const at::Tensor& rows, size_t begin, size_t end, PointList& points) const {
    const RowSpace space(call_.result().sizes(), axis_);
    const std::vector<Channel>& channels = layer_.channels();
    std::vector<std::pair<int64_t, float>> ordered;
    for (size_t i = begin; i < end;) {
      const int32_t trial = channels[i].trial;
      ordered.clear();
      for (; i < end && channels[i].trial == trial; ++i) {
        const float* from = rows.const_data_ptr<float>() + static_cast<int64_t>(i - begin) * space.rows;
        for (int64_t row = 0; row < space.rows; ++row)
          ordered.emplace_back(space.offset(row, channels[i].number), from[row]);
      }
      std::sort(ordered.begin(), ordered.end(),
                [](const auto& a, const auto& b) { return a.first < b.first; });
      for (const auto& [offset, value] : ordered)
        points.add(trial, static_cast<int32_t>(offset), value);
    }
  }

  const Call& call_;
  const PlacedLayer& placed_;
  FaultyLayer layer_;
  int64_t axis_;
};

/// Whether a layer of the channels that differ does what the whole layer does.
bool fits(const Call& call, const PlacedLayer& layer) {
  const bool parameters_alone =
      std::all_of(call.shadowed.begin(), call.shadowed.end(),
                  [&](const ShadowedArgument& argument) { return layer.is_parameter(argument.place); });
  if (!parameters_alone || call.results.size() != 1) return false;
  const Layer& about = layer.about;
  const int64_t axes = call.tensor(layer.activation).dim();
  const auto axes_of_weight = [&] { return call.tensor(layer.parameters.front().position).dim(); };
  switch (about.kind) {
    case Layer::Kind::convolution:
      return axes == axes_of_weight();
    case Layer::Kind::transposed_convolution:
      return axes == axes_of_weight() && call.argument(about.groups).toInt() == 1;
    case Layer::Kind::matrix:
      return axes >= 2 && axes_of_weight() == 2 &&
             (about.factor.empty() || call.argument(about.factor).toScalar().toDouble() == 1);
    case Layer::Kind::channel_norm:
      return about.training.empty() || !call.argument(about.training).toBool();
    case Layer::Kind::group_norm:
      return true;
    case Layer::Kind::row_norm:
      return call.argument(about.shape).toIntVector().size() == 1;
  }
  return false;
}

/// Trials with a faulty value that a layer of its own does not treat as the whole layer does: libtorch's
/// kernels differ in whether NaN and Inf are multiplied with the zeros of a padding, and huge products
/// overflow in one order of a sum and not in another.
std::vector<char> trials_with_huge_values(const Call& call) {
  constexpr float kHuge = 1e30F;
  std::vector<char> huge;
  for (const ShadowedArgument& argument : call.shadowed) {
    const Shadow& shadow = argument.shadow;
    if (shadow.empty()) continue;
    huge.resize(std::max(huge.size(), static_cast<size_t>(shadow.trials.back()) + 1), 0);
    const float* values = shadow.values.const_data_ptr<float>();
    for (int64_t i = 0; i < shadow.values.numel(); ++i) {
      const auto entry = static_cast<size_t>(i / shadow.width());
      if (!(std::abs(values[i]) <= kHuge)) huge[static_cast<size_t>(shadow.trials[entry])] = 1;
    }
  }
  return huge;
}

Call part_of(const Call& call, const std::vector<char>& trials) {
  Call part = call;
  part.shadowed.clear();
  for (const ShadowedArgument& argument : call.shadowed) {
    Shadow some = select_trials(argument.shadow, trials);
    if (!some.empty()) part.shadowed.push_back({argument.place, std::move(some)});
  }
  return part;
}

}  // namespace

std::optional<std::vector<Shadow>> apply_parameter_rule(const Call& call) {
  const std::optional<Layer>& about = call.described().layer;
  if (!about) return std::nullopt;
  const PlacedLayer layer(call, *about);
  if (!fits(call, layer)) return std::nullopt;
  std::vector<char> chosen = trials_with_huge_values(call);
  if (std::find(chosen.begin(), chosen.end(), 1) == chosen.end())
    return std::vector<Shadow>{ChannelsOf(call, layer).compute()};

  Shadow shadow = apply_generic_rule(part_of(call, chosen)).front();
  for (char& trial : chosen)
    trial = !trial;
  const Call others = part_of(call, chosen);
  if (!others.shadowed.empty()) shadow = merge(shadow, ChannelsOf(others, layer).compute(), call.result());
  return std::vector<Shadow>{std::move(shadow)};
}

}  // namespace faultwave::wave
