// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/dispatch/Dispatcher.h>
#include <ATen/core/stack.h>
#include <c10/core/impl/LocalDispatchKeySet.h>

#include <atomic>
#include <string>
#include <thread>

#include "src/intercept/fast_path.h"

namespace faultwave::intercept {

/// One operator call of the running network, seen as the user made it: above autograd and before
/// decomposition.
class OperatorCall {
 public:
  OperatorCall(const c10::OperatorHandle& op, c10::DispatchKeySet keys, torch::jit::Stack& stack);

  const c10::OperatorHandle& op() const { return op_; }
  const c10::FunctionSchema& schema() const { return op_.schema(); }

  /// Arguments before run(), in the order of the schema, defaults filled in. May be replaced.
  c10::ArrayRef<c10::IValue> arguments() const;
  c10::IValue& argument(size_t index);

  /// Results after run(), in the order of the schema. May be replaced, except those of an operator that
  /// writes to its argument: callers of `x.relu_()` keep x itself, so change the tensor instead.
  c10::ArrayRef<c10::IValue> results() const;
  c10::IValue& result(size_t index);

  /// Calls the operator; arguments give way to results. Operators inside it are not seen, unless it opens up.
  void run();

  /// Whether it is a fused fast path that hides whole layers: the operators inside it are then seen as well,
  /// each while run() is under way. Such an operator writes to none of its arguments. On nested tensors it
  /// stays closed: what it reads there is packed, in shapes that are others for each input.
  bool opens_up() const { return opens_up_; }

 private:
  const c10::OperatorHandle& op_;
  c10::DispatchKeySet keys_;
  torch::jit::Stack& stack_;
  size_t base_;  // where arguments, and later results, begin on the stack
  bool opens_up_;
};

/// Sees every operator call of one thread. Must call `call.run()` exactly once. May throw, which ends the
/// network's forward with that exception.
class Handler {
 public:
  virtual ~Handler() = default;

  /// From now on it sees nothing more, and its thread may begin another Intercept. From any thread; must then
  /// stay in memory until its thread has done so, or has ended.
  void abandon() { is_abandoned_ = true; }
  bool is_abandoned() const { return is_abandoned_; }

  virtual void on_call(OperatorCall& call) = 0;

  /// Asked first for the operators of fast_path.cpp, with the tensors among the arguments in their order.
  /// False: the call goes on unseen, which spares it the way through boxed arguments. True: on_call follows
  /// at once.
  virtual bool wants(const c10::OperatorHandle& op, c10::ArrayRef<const at::Tensor*> tensors) { return true; }

 private:
  std::atomic<bool> is_abandoned_ = false;
};

/// The handler of this thread that sees calls now; null if there is none.
inline Handler* active_handler() {
  return current_handler != nullptr && !current_handler->is_abandoned() ? current_handler : nullptr;
}

/// What a handler of this thread threw as a UserError since its Intercept began is thrown again, and nothing
/// done if there was none: for those who run a network whose interpreter makes other exceptions of it.
void rethrow_handler_error();

/// From now on, and for all threads, this operator opens up too, beside those that libtorch has;
/// "aten::name". Not while a network runs.
void open_up(const std::string& name);

/// From now on, and for all threads, Intercept with ChosenCalls sees this operator. Cheap where that holds
/// already, about 20 us the first time. While it is first chosen no other thread may be inside PyTorch's
/// registration of operators (loading a library of operators); running networks are not disturbed.
void choose_operator(const c10::OperatorHandle& op);

/// Calls of operators given to choose_operator that read one of these memories (StorageImpl). They must
/// outlive the Intercept.
struct ChosenCalls {
  c10::ArrayRef<const void*> storages;
};

/// Interception is on for the current thread during this object's life. Throws UserError(usage) if it is on
/// already. Costs nothing while no object exists. A process that is forked meanwhile has it off.
///
/// Which keys a thread has on is also part of torch's modes (inference_mode, say), which put back what they
/// found. So an Intercept switches its own key and touches nothing else, and a mode that began before it and
/// ends within it, or the other way round, does no harm but to is_whole().
class Intercept {
 public:
  /// Sees every operator call.
  explicit Intercept(Handler& handler);
  /// Sees at least the chosen calls. Operators that nobody gave to choose_operator are not seen, and cost
  /// nothing. Fused fast paths are open.
  Intercept(Handler& handler, ChosenCalls chosen);
  /// On another thread it abandons the handler.
  ~Intercept();
  Intercept(const Intercept&) = delete;
  Intercept& operator=(const Intercept&) = delete;

  /// Whether this is the thread that it is on for.
  bool is_on_this_thread() const { return thread_ == std::this_thread::get_id(); }
  /// Whether it is still on; false where a mode of torch that began earlier has ended since. On its thread.
  bool is_whole() const { return c10::impl::tls_is_dispatch_key_included(key_); }

 private:
  Intercept(Handler& handler, c10::DispatchKey key);

  Handler& handler_;
  c10::DispatchKey key_;
  std::thread::id thread_ = std::this_thread::get_id();
};

/// What runs on this thread during this object's life is not seen: the program's own work inside a network's
/// forward.
class Unseen {
 private:
  c10::impl::ExcludeDispatchKeyGuard every_{every_key};
  c10::impl::ExcludeDispatchKeyGuard chosen_{chosen_key};
};

}  // namespace faultwave::intercept
