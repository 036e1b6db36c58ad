// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/Tensor.h>
#include <ATen/core/ivalue.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "faultwave/fault.h"
#include "faultwave/network.h"
#include "faultwave/receipt.h"
#include "faultwave/site.h"

namespace torch::nn {
class Module;
}

#pragma GCC visibility push(default)
namespace faultwave {

class Injector;

namespace detail {
class Profile;
class ArmedFaults;
class LastPopulation;

/// For engines.
const Profile& profile_of(const Injector& injector);

/// Keeps the state of an injector's network for the life of the scope.
class StateScope {
 public:
  explicit StateScope(const Injector& injector);
  /// Puts back what put_back() has not; a failure is passed over then, since something else is wrong already.
  ~StateScope();
  StateScope(const StateScope&) = delete;
  StateScope& operator=(const StateScope&) = delete;
  void put_back();
  /// A result that lies in the memory of the state is copied, so that it stays what it is.
  void detach(at::Tensor& result) const;
  void detach(std::vector<at::Tensor>& results) const;
  template <typename Other>
  void detach(Other&) const {}

 private:
  std::shared_ptr<KeptState> state_;
};
}  // namespace detail

/// Knows a network's sites and arms faults in it. The network itself is never changed.
///
/// Construction runs one dummy inference in eval mode, without gradients, and one more at twice the batch
/// size to learn which axes grow with the batch; training modes, state and random generators are afterwards
/// as before. The object may be shared by threads once constructed, except for calibrate() and learn().
class Injector {
 public:
  /// C++ module: `Injector injector(net, example)` for a module holder or shared_ptr whose forward takes a
  /// tensor.
  template <typename Net>
    requires requires(Net net, const at::Tensor& input) { net->forward(input); }
  Injector(Net net, const at::Tensor& example) : Injector(network_of(std::move(net)), {example}) {}

  /// C++ module with any forward: `forward` gets the example inputs (or those at twice the batch size). The
  /// module must outlive the injector.
  Injector(torch::nn::Module& module, std::function<void(const std::vector<c10::IValue>&)> forward,
           std::vector<c10::IValue> example);

  /// Any network. `batch_axes`: along which axis each input counts the batch, -1 for an input that is the
  /// same for all of it; empty: axis 0 of each tensor that is as long there as the first.
  Injector(std::shared_ptr<Network> network, std::vector<c10::IValue> example,
           const std::vector<int64_t>& batch_axes = {});

  ~Injector();
  Injector(Injector&&) noexcept;

  /// All sites of a forward, in execution order; weights, biases and buffers before the operator that reads
  /// them first.
  const std::vector<Site>& sites() const;
  /// Those of a backward pass, in the order of what they are gradients of: of outputs that are floating
  /// point, and of weights and biases that, when the injector is made, require a gradient, too. None is a
  /// default site.
  const std::vector<Site>& gradient_sites() const;
  /// Throws UserError(illegal_fault) with near names if there is none.
  const Site& site(SiteKind kind, std::string_view name) const;
  /// Sites of a kind whose name matches one of the globs (`*`, `?`, `[a-z]`); no globs: the default ones of
  /// the kind.
  std::vector<Site> select(SiteKind kind, const std::vector<std::string>& globs = {}) const;

  /// Size of the batch axis in the example.
  int64_t batch() const;
  /// Whether the network ran at another batch size than the example's.
  bool batch_is_free() const;

  /// Records each site's largest absolute value over these inputs, for INT8 emulation; the profile has
  /// already done so for the example.
  void calibrate(const std::vector<std::vector<c10::IValue>>& inputs);
  /// Largest absolute value / 127, or empty for a site that was never finite or is not floating point.
  std::optional<double> int8_scale(const Site& site) const;

  /// Runs `loop`, code of the user's own around forwards of the network, and learns from it what the example
  /// does not tell of other forwards: which axes of sites have other lengths (Site::free_axes), and in which
  /// order calls without parameters come where a decode step has a few calls more or less than the prefill.
  /// May be called again, for other loops. Runs without faults, in eval mode, without gradients; what the
  /// network writes to its own state is put back. What was learnt so far stays when `loop` throws.
  void learn(const std::function<void()>& loop);

  /// Runs `forward`, which runs the network once, and calls `visit(i, values)` with the values of the output
  /// site `sites[i]` as they are when its operator has just run; `values` belong to the network, and later
  /// operators may overwrite them. A site that the run does not pass is left out.
  void observe(const std::vector<Site>& sites, const std::function<void()>& forward,
               const std::function<void(size_t, const at::Tensor&)>& visit) const;

  /// Checks a fault against the profile and fills in what is left to draw, with the fault's own key. The
  /// result is what the receipt prints. Where the site has free axes, the location stays as it is: each
  /// forward draws in its own shape, and any index on a free axis may come to lie inside of it. Throws
  /// UserError(illegal_fault).
  Fault resolve(const Fault& fault) const;

  /// A fault at one random neuron (default output sites, layer first, as PyTorchFI does), drawn with `key`.
  /// Without a key, a fresh one from the system's entropy.
  template <typename Model>
  Fault random_neuron(const Model& model, std::optional<uint64_t> key = {}) const {
    return random_fault(SiteKind::output, to_error_model(model), key);
  }
  /// Likewise for a weight.
  template <typename Model>
  Fault random_weight(const Model& model, std::optional<uint64_t> key = {}) const {
    return random_fault(SiteKind::weight, to_error_model(model), key);
  }
  Fault random_fault(SiteKind kind, const ErrorModelPtr& model, std::optional<uint64_t> key = {}) const;

  /// Arms the faults, calls `function` once, disarms, and returns its result. Throws UserError(illegal_fault)
  /// if a fault is illegal, or hit nothing. `receipts`, where given, is filled. What the network wrote to its
  /// buffers (or to whatever else Subject::keep_state keeps) is put back, also after an exception; a training
  /// step, whose buffers are to move, belongs into the scope of an Armed. A tensor, or vector of tensors,
  /// that is returned is copied where it lies in that memory; a result of another type must not.
  template <typename Function>
  std::invoke_result_t<Function> run(const std::vector<Fault>& faults, Function&& function,
                                     std::vector<Receipt>* receipts = nullptr) const;
  template <typename Function>
  std::invoke_result_t<Function> run(const Fault& fault, Function&& function,
                                     std::vector<Receipt>* receipts = nullptr) const {
    return run(std::vector<Fault>{fault}, std::forward<Function>(function), receipts);
  }

 private:
  friend class Armed;
  friend const detail::Profile& detail::profile_of(const Injector& injector);
  friend class detail::StateScope;
  std::unique_ptr<detail::Profile> profile_;
  std::unique_ptr<detail::LastPopulation> last_population_;
};

/// Faults are armed on the current thread from construction to the end of the scope, in every forward of the
/// network (any number, training included), or in those that the fault names (Fault::forwards). Other threads
/// are not affected and may arm faults of their own.
///
/// A forward may run at other lengths than the example: each location is resolved in the shape that the
/// tensor has then, with the fault's own key, and what lies outside of it hits nothing in that forward. Rank,
/// type and batch axis must be those of the profile; otherwise the forward ends with
/// UserError(illegal_fault).
///
/// Faults in gradients act in backward passes within the scope, on whatever thread they run, as far as these
/// go back through forwards within the scope on this thread; `%` names these forwards. Each backward pass
/// applies the fault, with the same draws.
///
/// One Armed at a time per thread: a second throws UserError(usage). What the network writes to its own
/// buffers meanwhile stays, as in any forward.
///
/// End the scope with disarm(), which throws if a fault hit nothing. The destructor disarms too, and never
/// throws, so that an Armed may be a member or stand in a container; who leaves it to the destructor asks
/// missed() first.
class Armed {
 public:
  Armed(const Injector& injector, const Fault& fault) : Armed(injector, std::vector<Fault>{fault}) {}
  /// Throws UserError(illegal_fault) before anything is armed.
  Armed(const Injector& injector, const std::vector<Fault>& faults, Forwards forwards = Forwards::any);
  ~Armed();
  Armed(const Armed&) = delete;
  Armed& operator=(const Armed&) = delete;

  /// Disarms now. Throws UserError(illegal_fault) if a fault hit nothing, and UserError(usage) on another
  /// thread than that of the scope, or if a mode of torch that began before the scope has ended within it;
  /// disarmed it is all the same, and a second call does nothing.
  void disarm();
  /// Likewise after a forward that threw: says nothing of faults that hit nothing, but throws what a fault
  /// threw as a UserError, which an interpreter in between may have made another exception of.
  void disarm_after_error();
  /// Disarms now, from any thread, and says nothing.
  void abandon();
  /// The lines of the faults that have hit nothing so far; none if all have. Armed or not.
  std::vector<std::string> missed() const;
  /// One receipt a fault, in the order given. Waits for the device if the network runs on one.
  std::vector<Receipt> receipts() const;

 private:
  std::unique_ptr<detail::ArmedFaults> faults_;
};

/// Short names for error models in C++: `injector.random_neuron(faultwave::RandomValue{-1, 1})`.
struct RandomValue {
  double low = -1, high = 1;
};
struct BitFlip {
  std::optional<int> bit;
};
struct Zero {};
struct Constant {
  double value = 0;
};
struct Noise {
  double sigma = 1;
};
struct Scale {
  double factor = 1;
};
ErrorModelPtr to_error_model(const RandomValue& model);
ErrorModelPtr to_error_model(const BitFlip& model);
ErrorModelPtr to_error_model(const Zero& model);
ErrorModelPtr to_error_model(const Constant& model);
ErrorModelPtr to_error_model(const Noise& model);
ErrorModelPtr to_error_model(const Scale& model);
inline ErrorModelPtr to_error_model(const ErrorModelPtr& model) {
  return model;
}

template <typename Function>
std::invoke_result_t<Function> Injector::run(const std::vector<Fault>& faults, Function&& function,
                                             std::vector<Receipt>* receipts) const {
  detail::StateScope state(*this);
  Armed armed(*this, faults);
  auto finish = [&] {
    armed.disarm();
    if (receipts != nullptr) *receipts = armed.receipts();
  };
  if constexpr (std::is_void_v<std::invoke_result_t<Function>>) {
    std::forward<Function>(function)();
    finish();
    state.put_back();
  } else {
    auto result = std::forward<Function>(function)();
    finish();
    state.detach(result);
    state.put_back();
    return result;
  }
}

}  // namespace faultwave
#pragma GCC visibility pop
