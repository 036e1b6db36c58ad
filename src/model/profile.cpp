// SPDX-License-Identifier: Apache-2.0
#include "src/model/profile.h"

#include <torch/types.h>
#include <torch/utils.h>

#include <algorithm>
#include <set>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"
#include "src/common/near_names.h"
#include "src/model/batch_runs.h"
#include "src/model/call_tracker.h"
#include "src/model/loop_recorder.h"
#include "src/model/preserved_state.h"
#include "src/model/site_names.h"

namespace faultwave::detail {
namespace {

std::string numbered(const std::string& name, size_t number) {
  return number == 0 ? name : name + ":" + std::to_string(number);
}

bool same_operators(const std::vector<RecordedCall>& a, const std::vector<RecordedCall>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const RecordedCall& x, const RecordedCall& y) {
    return x.op == y.op && x.arguments.size() == y.arguments.size() && x.results.size() == y.results.size();
  });
}

/// Raises the largest value seen at every site that a matched call touches.
class Calibrator : public intercept::Handler {
 public:
  Calibrator(const Profile& profile, std::vector<double>& largest) : tracker_(profile), largest_(largest) {}

  void on_call(intercept::OperatorCall& call) override {
    const ProfiledCall* profiled = tracker_.match(call);
    if (profiled == nullptr) return call.run();
    raise(profiled->inputs, call.arguments());
    raise(profiled->network_inputs, call.arguments());
    call.run();
    raise(profiled->outputs, call.results());
  }

 private:
  void raise(const std::vector<SiteUse>& uses, c10::ArrayRef<c10::IValue> values) {
    for (const SiteUse& use : uses) {
      const at::Tensor tensor = tensor_at(values, use.place);
      if (!tensor.defined()) continue;
      largest_[use.site] = std::max(largest_[use.site], largest_magnitude(tensor));
    }
  }

  CallTracker tracker_;
  std::vector<double>& largest_;
};

}  // namespace

Profile::Profile(std::shared_ptr<Network> network, const std::vector<c10::IValue>& example,
                 const std::vector<int64_t>& batch_axes)
    : network_(std::move(network)),
      input_names_(network_->input_names()),
      axes_(example, batch_axes),
      stored_(network_->parameters(), network_->buffers()),
      batch_(axes_.batch_of(example)) {
  PreservedState preserved(*network_);
  recorded_ = record(example, true, preserved);
  if (recorded_.empty()) {
    throw UserError(
        ErrorCode::bad_network,
        "the dummy inference called no operator that can be seen: the forward given must run the network "
        "on the calling thread");
  }
  add_sites(recorded_);
  find_batch_axes(recorded_, example, preserved);
  if (batch_is_free_) find_batch_runs(example, preserved);
  add_gradient_sites();
  preserved.put_back();
}

void Profile::forward_under(intercept::Handler& handler, const std::vector<c10::IValue>& inputs,
                            PreservedState& preserved) const {
  torch::NoGradGuard no_grad;
  preserved.put_back();
  intercept::Intercept on(handler);
  network_->forward(inputs);
}

std::vector<RecordedCall> Profile::record(const std::vector<c10::IValue>& inputs, bool measure,
                                          PreservedState& preserved) const {
  Recorder recorder(stored_, inputs, [this] { return network_->current_scope(); }, measure);
  try {
    forward_under(recorder, inputs, preserved);
    preserved.put_back();  // sites are described as they are stored
  } catch (const UserError&) {
    throw;
  } catch (const std::exception& error) {
    pass_shortage(error);
    throw UserError(ErrorCode::bad_network, "the dummy inference failed: " + reason_of(error) +
                                                "; give an example input that the network accepts");
  }
  return recorder.take();
}

void Profile::add_sites(const std::vector<RecordedCall>& calls) {
  site_of_stored_.assign(stored_.size(), -1);
  calls_reading_.resize(stored_.size());
  std::map<int, int> site_of_network_input;
  CallNamer namer(stored_);
  for (const RecordedCall& call : calls) {
    const std::string name = namer.name(call);
    const std::string op = call.op.operator_name().name;
    const bool layer = is_layer(call, stored_);
    ProfiledCall profiled{
        .op = call.op, .stored = {}, .storages = {}, .inputs = {}, .network_inputs = {}, .outputs = {}};
    size_t data_arguments = 0;
    for (const RecordedTensor& argument : call.arguments) {
      if (argument.stored != StoredTensors::none) {
        profiled.stored.push_back(argument.stored);
        profiled.storages.push_back(storage_of(stored_[argument.stored].tensor));
        profiled.has_own_storages &= !stored_.shares_storage(argument.stored);
        int& site = site_of_stored_[argument.stored];
        if (site >= 0) continue;
        const StoredTensors::Entry& entry = stored_[argument.stored];
        RecordedTensor whole = argument;
        whole.shape = entry.tensor.sizes().vec();
        whole.dtype = entry.tensor.scalar_type();
        whole.channel_axis = entry.tensor.dim() > 0 ? 0 : -1;
        whole.largest = largest_magnitude(entry.tensor);
        site = add_site(stored_site_kind(entry), stored_site_name(entry), whole, "", true);
        continue;
      }
      if (argument.network_input >= 0) {
        const auto [known, is_new] = site_of_network_input.try_emplace(argument.network_input, -1);
        if (is_new) {
          const size_t number = static_cast<size_t>(argument.network_input);
          const bool has_name = number < input_names_.size();
          const std::string input = has_name ? input_names_[number] : std::to_string(number);
          known->second = add_site(SiteKind::network_input, input, argument, "", true);
        }
        profiled.network_inputs.push_back({known->second, argument.place});
      }
      const bool first = data_arguments == 0;
      const int site =
          add_site(SiteKind::input, numbered(name, data_arguments++), argument, op, layer && first);
      profiled.inputs.push_back({site, argument.place});
    }
    size_t results = 0;
    for (const RecordedTensor& result : call.results) {
      const bool first = results == 0;
      const int site = add_site(SiteKind::output, numbered(name, results++), result, op, layer && first);
      profiled.outputs.push_back({site, result.place});
    }
    if (!profiled.stored.empty()) calls_reading_[profiled.stored.front()].push_back(calls_.size());
    calls_.push_back(std::move(profiled));
  }
  mark_only_readers();
  list_uses();
}

void Profile::mark_only_readers() {
  std::vector<int> readers(stored_.size());
  for (const ProfiledCall& call : calls_) {
    for (const int stored : std::set<int>(call.stored.begin(), call.stored.end()))
      ++readers[static_cast<size_t>(stored)];
  }
  for (ProfiledCall& call : calls_) {
    call.is_only_reader = !call.stored.empty() && call.has_own_storages &&
                          readers[static_cast<size_t>(call.stored.front())] == 1;
    if (call.is_only_reader) intercept::choose_operator(call.op);
  }
}

void Profile::list_uses() {
  uses_.resize(sites_.size());
  const auto list = [&](size_t call, CallUse::Role role, const std::vector<SiteUse>& uses) {
    for (const SiteUse& use : uses)
      uses_[static_cast<size_t>(use.site)].push_back({call, role, use.place});
  };
  for (size_t i = 0; i < calls_.size(); ++i) {
    list(i, CallUse::Role::input, calls_[i].inputs);
    list(i, CallUse::Role::network_input, calls_[i].network_inputs);
    list(i, CallUse::Role::output, calls_[i].outputs);
  }
}

int Profile::add_site(SiteKind kind, const std::string& name, const RecordedTensor& tensor,
                      const std::string& op, bool is_default) {
  Site site;
  site.name = name;
  site.kind = kind;
  site.op = op;
  site.shape = tensor.shape;
  site.dtype = tensor.dtype;
  site.channel_axis = tensor.channel_axis;
  site.is_default = is_default;
  const int number = static_cast<int>(sites_.size());
  site.number = number;
  by_name_.emplace(std::make_pair(kind, name), number);
  sites_.push_back(std::move(site));
  largest_.push_back(tensor.largest);
  return number;
}

void Profile::find_batch_axes(const std::vector<RecordedCall>& calls, const std::vector<c10::IValue>& example,
                              PreservedState& preserved) {
  if (!axes_.grow()) return;  // each forward is of one input
  std::vector<RecordedCall> doubled;
  try {
    doubled = record(axes_.doubled(example), false, preserved);
    batch_is_free_ = same_operators(calls, doubled);
  } catch (const std::exception&) {
    // The network insists on its batch size: axes are then told from the one shape that is known.
    batch_is_free_ = false;
  }
  const auto set_all = [&](const std::vector<SiteUse>& uses, const std::vector<RecordedTensor>* tensors) {
    for (const SiteUse& use : uses) {
      const std::vector<int64_t>* shape = nullptr;
      for (size_t i = 0; tensors != nullptr && i < tensors->size(); ++i) {
        if ((*tensors)[i].place == use.place) shape = &(*tensors)[i].shape;
      }
      set_batch_axis(use.site, shape);
    }
  };
  for (size_t i = 0; i < calls_.size(); ++i) {
    set_all(calls_[i].inputs, batch_is_free_ ? &doubled[i].arguments : nullptr);
    set_all(calls_[i].network_inputs, batch_is_free_ ? &doubled[i].arguments : nullptr);
    set_all(calls_[i].outputs, batch_is_free_ ? &doubled[i].results : nullptr);
  }
}

void Profile::set_batch_axis(int number, const std::vector<int64_t>* doubled) {
  Site& site = sites_[number];
  BatchAxis axis;
  if (doubled == nullptr) {
    if (!site.shape.empty() && site.shape[0] == batch_) axis.dim = 0;
  } else if (doubled->size() == site.shape.size()) {
    int grown = 0;
    for (size_t d = 0; d < site.shape.size(); ++d) {
      if ((*doubled)[d] == site.shape[d]) continue;
      ++grown;
      if ((*doubled)[d] == 2 * site.shape[d] && site.shape[d] % batch_ == 0) {
        const int64_t rows = site.shape[d] / batch_;
        axis = {static_cast<int64_t>(d), rows, rows};
      }
    }
    if (grown != 1) axis = {};
  }
  site.batch = axis;
  // From an axis of the whole tensor to one of the element shape.
  if (axis.dim >= 0 && axis.rows == 1) {
    if (site.channel_axis > axis.dim)
      --site.channel_axis;
    else if (site.channel_axis == axis.dim)
      site.channel_axis = site.shape.size() > 1 ? 0 : -1;
  }
}

void Profile::find_batch_runs(const std::vector<c10::IValue>& example, PreservedState& preserved) {
  std::vector<RowSampler::Target> targets;
  for (size_t number = 0; number < sites_.size(); ++number) {
    const BatchAxis& axis = sites_[number].batch;
    if (axis.dim < 0 || axis.rows == 1 || uses_[number].empty()) continue;
    targets.push_back({static_cast<int>(number), uses_[number].front(), axis.dim});
  }
  if (targets.empty()) return;
  RowSampler once(targets);
  RowSampler twice(targets);
  forward_under(once, example, preserved);
  forward_under(twice, axes_.doubled(example), preserved);
  for (const auto& [site, rows] : once.rows_by_site()) {
    const auto found = twice.rows_by_site().find(site);
    if (found == twice.rows_by_site().end()) continue;
    BatchAxis& axis = sites_[static_cast<size_t>(site)].batch;
    axis.run = find_run(rows, found->second, batch_, axis.rows);
  }
}

void Profile::add_gradient_sites() {
  for (const Site& site : sites_) {
    if (!at::isFloatingType(site.dtype)) continue;
    if (site.kind == SiteKind::output) add_gradient_site(SiteKind::output_gradient, site);
    if (site.kind != SiteKind::weight && site.kind != SiteKind::bias) continue;
    if (!stored_[stored_of_site(site.number)].tensor.requires_grad()) continue;
    add_gradient_site(site.kind == SiteKind::weight ? SiteKind::weight_gradient : SiteKind::bias_gradient,
                      site);
  }
}

void Profile::add_gradient_site(SiteKind kind, const Site& of) {
  Site site = of;
  site.kind = kind;
  site.is_default = false;
  site.number = static_cast<int>(sites_.size() + gradient_sites_.size());
  by_name_.emplace(std::make_pair(kind, site.name), site.number);
  uses_.emplace_back();
  if (kind == SiteKind::output_gradient) {
    for (CallUse use : uses_of(of.number)) {
      use.role = CallUse::Role::output_gradient;
      uses_.back().push_back(use);
    }
  }
  largest_.push_back(0);
  gradient_of_.push_back(of.number);
  gradient_sites_.push_back(std::move(site));
}

const Site& Profile::site(int number) const {
  const auto position = static_cast<size_t>(number);
  return position < sites_.size() ? sites_[position] : gradient_sites_.at(position - sites_.size());
}

int Profile::base_of(int site) const {
  const auto position = static_cast<size_t>(site);
  return position < sites_.size() ? site : gradient_of_.at(position - sites_.size());
}

int Profile::number_of(const Fault& fault) const {
  const auto number = static_cast<size_t>(fault.site_number);
  const bool is_number = fault.site_number >= 0 && number < sites_.size() + gradient_sites_.size();
  const bool is_known =
      is_number && site(fault.site_number).kind == fault.kind && site(fault.site_number).name == fault.site;
  return is_known ? fault.site_number : find(fault.kind, fault.site);
}

int Profile::find(SiteKind kind, std::string_view name) const {
  const auto found = by_name_.find({kind, std::string(name)});
  if (found != by_name_.end()) return found->second;
  std::vector<std::string> names;
  std::string other_kinds;
  for (const Site& site : gradient_sites_) {
    if (site.kind == kind) names.push_back(site.name);
  }
  for (const Site& site : sites_) {
    if (site.kind == kind) names.push_back(site.name);
    if (site.name == name)
      other_kinds += (other_kinds.empty() ? "" : ", ") + std::string(to_string(site.kind));
  }
  std::string message = "no " + std::string(to_string(kind)) + " site is named '" + std::string(name) + "'";
  if (!other_kinds.empty()) {
    message += " (it is the name of a site of kind " + other_kinds + ")";
  } else {
    message += did_you_mean(name, names);
  }
  if (is_gradient(kind) && !other_kinds.empty())
    message += "; outputs that are floating point have a gradient, and parameters that require one, too";
  throw UserError(ErrorCode::illegal_fault, message);
}

int Profile::stored_of_site(int site) const {
  const auto found = std::find(site_of_stored_.begin(), site_of_stored_.end(), base_of(site));
  if (found == site_of_stored_.end()) throw InternalError("a site that is not a stored tensor");
  return static_cast<int>(found - site_of_stored_.begin());
}

void Profile::calibrate(const std::vector<std::vector<c10::IValue>>& inputs) {
  PreservedState preserved(*network_);
  for (const std::vector<c10::IValue>& input : inputs) {
    Calibrator calibrator(*this, largest_);
    forward_under(calibrator, input, preserved);
  }
  preserved.put_back();
}

void Profile::learn(const std::function<void()>& loop) {
  PreservedState preserved(*network_);
  LoopRecorder recorder(*this);
  {
    torch::NoGradGuard no_grad;
    intercept::Intercept on(recorder);
    loop();
  }
  preserved.put_back();
  recorder.align(recorded_);
  for (const auto& [call, ways] : recorder.ways())
    add_ways(call, ways);
  mark_free_axes(recorder);
  for (Site& site : gradient_sites_)
    site.free_axes = sites_[static_cast<size_t>(base_of(site.number))].free_axes;
}

Way Profile::own_way(size_t call) const {
  Way way;
  for (size_t next = call + 1; next < calls_.size() && calls_[next].stored.empty(); ++next)
    way.push_back({calls_[next].op, static_cast<int>(next)});
  return way;
}

void Profile::add_ways(size_t call, const std::vector<Way>& ways) {
  const auto known = ways_.find(call);
  std::vector<Way> all = known == ways_.end() ? std::vector<Way>{own_way(call)} : known->second;
  for (const Way& way : ways) {
    if (std::find(all.begin(), all.end(), way) == all.end()) all.push_back(way);
  }
  if (all.size() > 1) ways_[call] = std::move(all);
}

const std::vector<Way>& Profile::ways_after(size_t call) const {
  static const std::vector<Way> none;
  const auto found = ways_.find(call);
  return found == ways_.end() ? none : found->second;
}

void Profile::mark_free_axes(const LoopRecorder& loop) {
  const auto for_each_use = [this](size_t number, const RecordedCall& call, const auto& visit) {
    const auto visit_all = [&](const std::vector<SiteUse>& uses, const std::vector<RecordedTensor>& tensors) {
      for (const SiteUse& use : uses) {
        for (const RecordedTensor& tensor : tensors) {
          if (tensor.place == use.place) visit(use.site, tensor);
        }
      }
    };
    visit_all(calls_[number].inputs, call.arguments);
    visit_all(calls_[number].network_inputs, call.arguments);
    visit_all(calls_[number].outputs, call.results);
  };
  // The batch of each forward, which an axis tells that counts nothing else.
  std::map<int64_t, int64_t> batches;
  loop.for_each_match([&](size_t number, const RecordedCall& call, int64_t forward) {
    for_each_use(number, call, [&](int site, const RecordedTensor& tensor) {
      const BatchAxis& axis = sites_[static_cast<size_t>(site)].batch;
      const auto dim = static_cast<size_t>(axis.dim);
      if (axis.dim >= 0 && axis.rows == 1 && dim < tensor.shape.size())
        batches.try_emplace(forward, tensor.shape[dim]);
    });
  });
  loop.for_each_match([&](size_t number, const RecordedCall& call, int64_t forward) {
    const auto batch = batches.try_emplace(forward, batch_).first->second;
    for_each_use(number, call,
                 [&](int site, const RecordedTensor& tensor) { mark_free_axes(site, tensor, batch); });
  });
}

void Profile::mark_free_axes(int number, const RecordedTensor& tensor, int64_t batch) {
  Site& site = sites_[static_cast<size_t>(number)];
  if (tensor.shape.size() != site.shape.size()) return;
  for (size_t d = 0; d < site.shape.size(); ++d) {
    const auto axis = static_cast<int64_t>(d);
    const int64_t expected = axis == site.batch.dim ? site.batch.rows * batch : site.shape[d];
    if (tensor.shape[d] == expected) continue;
    const auto place = std::lower_bound(site.free_axes.begin(), site.free_axes.end(), axis);
    if (place == site.free_axes.end() || *place != axis) site.free_axes.insert(place, axis);
  }
}

}  // namespace faultwave::detail
