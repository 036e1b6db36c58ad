// SPDX-License-Identifier: Apache-2.0
#include "src/intercept/fast_path.h"

#include <ATen/Operators.h>
#include <ATen/core/boxing/KernelFunction.h>
#include <ATen/core/boxing/impl/boxing.h>
#include <c10/util/SmallVector.h>

#include <deque>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <tuple>
#include <type_traits>
#include <utility>
#include <vector>

#include "src/intercept/intercept.h"

namespace faultwave::intercept {
namespace {

using TensorPointers = c10::SmallVector<const at::Tensor*, 8>;

void collect(TensorPointers& tensors, const at::Tensor& tensor) {
  if (tensor.defined()) tensors.push_back(&tensor);
}
void collect(TensorPointers& tensors, const std::optional<at::Tensor>& tensor) {
  if (tensor && tensor->defined()) tensors.push_back(&*tensor);
}
template <typename Other>
void collect(TensorPointers&, const Other&) {}

bool reads_chosen(const at::Tensor& tensor) {
  // Null, which is never chosen, for tensors without memory; undefined ones have none.
  const void* const storage = tensor.unsafeGetTensorImpl()->unsafe_storage().unsafeGetStorageImpl();
  for (const void* chosen : chosen_storages) {
    if (storage == chosen) return true;
  }
  return false;
}
bool reads_chosen(const std::optional<at::Tensor>& tensor) {
  return tensor && reads_chosen(*tensor);
}
template <typename Other>
bool reads_chosen(const Other&) {
  return false;
}

/// A kernel with the operator's own signature. `Op` is one of the structs of ATen/Operators.h.
template <typename Op, c10::DispatchKey key, typename Signature = typename Op::schema>
struct FastPath;

template <typename Op, c10::DispatchKey key, typename Result, typename... Arguments>
struct FastPath<Op, key, Result(Arguments...)> {
  static Result call(c10::DispatchKeySet keys, Arguments... arguments) {
    if constexpr (key == chosen_key) {
      // The key stays on for what the operator calls: those calls are decided on in the same way.
      if (!(reads_chosen(arguments) || ...)) return Op::redispatch(keys.remove(key), arguments...);
    }
    return ask(keys, arguments...);
  }

 private:
  // Apart, so that the way of the many calls that nobody wants is short.
  [[gnu::noinline]] static Result ask(c10::DispatchKeySet keys, Arguments... arguments) {
    static const c10::OperatorHandle op =
        c10::Dispatcher::singleton().findSchemaOrThrow(Op::name, Op::overload_name);
    TensorPointers tensors;
    (collect(tensors, arguments), ...);
    Handler* handler = active_handler();
    if (handler == nullptr) c10::impl::tls_set_dispatch_key_included(key, false);  // as in call_boxed
    if (handler == nullptr || !handler->wants(op, tensors)) {
      c10::impl::ExcludeDispatchKeyGuard off(key);
      return Op::redispatch(keys.remove(key), arguments...);
    }
    torch::jit::Stack stack = c10::impl::boxArgs<Arguments...>(arguments...);
    call_boxed<key>(op, keys, &stack);
    if constexpr (std::is_same_v<Result, at::Tensor&>) {
      return std::get<0>(std::tie(arguments...));  // an in-place operator gives back its first argument
    } else {
      return c10::impl::PopResult<Result>::call(stack);
    }
  }
};

struct TypedKernel {
  c10::OperatorName name;
  c10::KernelFunction under_every_key;
  c10::KernelFunction under_chosen_key;
};

template <typename... Ops>
std::vector<TypedKernel> kernels_of() {
  return {TypedKernel{
      {Ops::name, Ops::overload_name},
      c10::KernelFunction::makeFromUnboxedFunction(TORCH_FN((&FastPath<Ops, every_key>::call))),
      c10::KernelFunction::makeFromUnboxedFunction(TORCH_FN((&FastPath<Ops, chosen_key>::call)))}...};
}

const std::vector<TypedKernel>& typed_kernels() {
  namespace ops = at::_ops;
  static const std::vector<TypedKernel> kernels =
      kernels_of<ops::conv1d, ops::conv2d, ops::conv3d, ops::batch_norm, ops::linear, ops::layer_norm,
                 ops::relu, ops::relu_, ops::relu6, ops::relu6_, ops::hardtanh, ops::hardtanh_, ops::silu,
                 ops::silu_, ops::gelu, ops::hardswish_, ops::sigmoid, ops::add_Tensor, ops::add__Tensor,
                 ops::mul_Tensor, ops::max_pool2d, ops::avg_pool2d, ops::adaptive_avg_pool2d, ops::dropout,
                 ops::flatten_using_ints>();
  return kernels;
}

c10::KernelFunction kernel_for(const c10::OperatorName& name, c10::DispatchKey key) {
  const bool every = key == every_key;
  for (const TypedKernel& kernel : typed_kernels()) {
    if (kernel.name == name) return every ? kernel.under_every_key : kernel.under_chosen_key;
  }
  return every ? c10::KernelFunction::makeFromBoxedFunction<&call_boxed<every_key>>()
               : c10::KernelFunction::makeFromBoxedFunction<&call_boxed<chosen_key>>();
}

}  // namespace

void register_kernel(const c10::OperatorHandle& op, c10::DispatchKey key) {
  // A registration ends with its handle, and these are for good: a network may run on another thread when
  // statics are destroyed.
  static auto* const handles = new std::deque<c10::RegistrationHandleRAII>;
  static auto* const known = new std::set<std::tuple<std::string, std::string, c10::DispatchKey>>;
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const c10::OperatorName& name = op.operator_name();
  if (!known->emplace(name.name, name.overload_name, key).second) return;
  handles->push_back(c10::Dispatcher::singleton().registerImpl(name, key, kernel_for(name, key), std::nullopt,
                                                               nullptr, "faultwave"));
}

void register_fast_paths() {
  static const bool once = [] {
    for (const TypedKernel& kernel : typed_kernels()) {
      const auto op = c10::Dispatcher::singleton().findSchema(kernel.name);
      if (op) register_kernel(*op, every_key);
    }
    return true;
  }();
  (void)once;
}

}  // namespace faultwave::intercept
