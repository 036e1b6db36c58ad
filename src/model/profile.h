// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/network.h"
#include "faultwave/site.h"

#include "src/model/batch_axes.h"
#include "src/model/preserved_state.h"
#include "src/model/recorder.h"
#include "src/model/stored_tensors.h"
#include "src/model/tensor_places.h"

namespace faultwave::detail {

class LoopRecorder;

/// A site at the place where a call has it.
struct SiteUse {
  int site = 0;
  TensorPlace place;
};

/// Where a call has a site.
struct CallUse {
  enum class Role { input, network_input, output, output_gradient };
  size_t call = 0;
  Role role = Role::input;
  TensorPlace place;
};

/// One operator call of the profiled forward, as the tracker and the engines need it.
struct ProfiledCall {
  c10::OperatorHandle op;
  /// Numbers of the stored tensors among the arguments, in order: the call's signature.
  std::vector<int> stored;
  std::vector<const void*> storages;  ///< their memory
  bool has_own_storages = true;       ///< no stored tensor shares its memory with another
  /// No other call reads its first stored tensor, so it can be recognised without its place in the sequence.
  bool is_only_reader = false;
  std::vector<SiteUse> inputs;
  std::vector<SiteUse> network_inputs;
  std::vector<SiteUse> outputs;
};

/// A call that reads nothing stored, on a way from one call that does to the next.
struct WayCall {
  c10::OperatorHandle op;
  int number = -1;  ///< of the profiled call that it is; -1 for one that the profiled forward did not have
  bool operator==(const WayCall& other) const { return op == other.op && number == other.number; }
};
using Way = std::vector<WayCall>;

/// What one dummy inference tells of a network: its sites, and the sequence of its operator calls.
class Profile {
 public:
  /// Runs the network once, and once more at twice the batch size; both again where batch elements have
  /// several rows of an axis. Throws UserError(bad_network) with the
  /// network's own message if the first run fails.
  /// `batch_axes`: see Injector.
  Profile(std::shared_ptr<Network> network, const std::vector<c10::IValue>& example,
          const std::vector<int64_t>& batch_axes);

  const std::vector<Site>& sites() const { return sites_; }
  const std::vector<Site>& gradient_sites() const { return gradient_sites_; }
  /// By its number: of sites(), or behind them of gradient_sites().
  const Site& site(int number) const;
  const std::vector<ProfiledCall>& calls() const { return calls_; }
  const StoredTensors& stored() const { return stored_; }

  /// Number of a site; throws UserError(illegal_fault) with near names, or the kinds under which the name
  /// exists.
  int find(SiteKind kind, std::string_view name) const;

  /// Likewise of the site of a fault, which may know it.
  int number_of(const Fault& fault) const;

  /// Where calls take or give the values of a site, in order; none for stored tensors. By site, since going
  /// through all calls would cost more than all the rest of arming a fault.
  const std::vector<CallUse>& uses_of(int site) const { return uses_[static_cast<size_t>(site)]; }

  /// The site of stored tensor `number`, -1 if no operator reads it.
  int site_of_stored(int number) const { return site_of_stored_[static_cast<size_t>(number)]; }
  /// Numbers of the calls whose first stored tensor is this one, in order.
  const std::vector<size_t>& calls_reading(int stored) const {
    return calls_reading_[static_cast<size_t>(stored)];
  }
  /// The orders in which calls that read nothing stored may follow this call, which does: as in the profile,
  /// and as learn() has seen them. None where it has seen no other than the profile's.
  const std::vector<Way>& ways_after(size_t call) const;
  /// The stored tensor behind a weight, bias or buffer site, or behind a gradient of one.
  int stored_of_site(int site) const;

  int64_t batch() const { return batch_; }
  bool batch_is_free() const { return batch_is_free_; }

  /// Keeps what a forward of the network may change. Never null.
  std::shared_ptr<KeptState> keep_state() const { return network_->keep_state(); }

  /// Largest absolute value seen at a site; 0 if none was.
  double largest(int site) const { return largest_[static_cast<size_t>(site)]; }
  void calibrate(const std::vector<std::vector<c10::IValue>>& inputs);
  /// See Injector.
  void learn(const std::function<void()>& loop);

 private:
  std::vector<RecordedCall> record(const std::vector<c10::IValue>& inputs, bool measure,
                                   PreservedState& preserved) const;
  void add_sites(const std::vector<RecordedCall>& calls);
  void mark_only_readers();
  void list_uses();
  /// The calls between this one and the next that reads something stored.
  Way own_way(size_t call) const;
  void add_ways(size_t call, const std::vector<Way>& ways);
  void mark_free_axes(const LoopRecorder& loop);
  void mark_free_axes(int site, const RecordedTensor& tensor, int64_t batch);
  void add_gradient_sites();
  void add_gradient_site(SiteKind kind, const Site& of);
  /// The site that a gradient is a gradient of; any other is its own.
  int base_of(int site) const;
  int add_site(SiteKind kind, const std::string& name, const RecordedTensor& tensor, const std::string& op,
               bool is_default);
  void find_batch_axes(const std::vector<RecordedCall>& calls, const std::vector<c10::IValue>& example,
                       PreservedState& preserved);
  void set_batch_axis(int site, const std::vector<int64_t>* doubled);
  /// Shapes do not tell which rows of an axis belong to which batch element where each has several; values
  /// do.
  void find_batch_runs(const std::vector<c10::IValue>& example, PreservedState& preserved);
  /// One forward from the state and the random numbers that the first one began with.
  void forward_under(intercept::Handler& handler, const std::vector<c10::IValue>& inputs,
                     PreservedState& preserved) const;

  std::shared_ptr<Network> network_;
  std::vector<std::string> input_names_;
  BatchAxes axes_;
  StoredTensors stored_;
  std::vector<Site> sites_;
  std::vector<Site> gradient_sites_;
  std::vector<int> gradient_of_;  // by gradient site
  std::vector<ProfiledCall> calls_;
  std::vector<RecordedCall> recorded_;       // the same calls, as learn() needs them
  std::map<size_t, std::vector<Way>> ways_;  // by call
  std::vector<std::vector<CallUse>> uses_;
  std::vector<double> largest_;
  std::vector<int> site_of_stored_;
  std::vector<std::vector<size_t>> calls_reading_;
  std::map<std::pair<SiteKind, std::string>, int> by_name_;
  int64_t batch_ = 1;
  bool batch_is_free_ = false;
};

}  // namespace faultwave::detail
