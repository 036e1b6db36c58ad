// SPDX-License-Identifier: Apache-2.0
#include "src/intercept/fast_path.h"

#include <ATen/Operators.h>
#include <ATen/core/boxing/impl/boxing.h>
#include <c10/util/SmallVector.h>
#include <torch/library.h>

#include <memory>
#include <optional>
#include <tuple>
#include <type_traits>

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

/// A kernel with the operator's own signature. `Op` is one of the structs of ATen/Operators.h.
template <typename Op, typename Signature = typename Op::schema>
struct FastPath;

template <typename Op, typename Result, typename... Arguments>
struct FastPath<Op, Result(Arguments...)> {
  static Result call(c10::DispatchKeySet keys, Arguments... arguments) {
    static const c10::OperatorHandle op =
        c10::Dispatcher::singleton().findSchemaOrThrow(Op::name, Op::overload_name);
    TensorPointers tensors;
    (collect(tensors, arguments), ...);
    Handler* handler = current_handler;
    if (handler == nullptr || !handler->wants(op, tensors)) {
      c10::impl::ExcludeDispatchKeyGuard off(intercept_key);
      return Op::call(arguments...);
    }
    torch::jit::Stack stack = c10::impl::boxArgs<Arguments...>(arguments...);
    call_boxed(op, keys, stack);
    if constexpr (std::is_same_v<Result, at::Tensor&>) {
      return std::get<0>(std::tie(arguments...));  // an in-place operator gives back its first argument
    } else {
      return c10::impl::PopResult<Result>::call(stack);
    }
  }
};

/// "conv2d", or "add.Tensor".
template <typename Op>
std::string registered_name() {
  const std::string name = std::string(Op::name).substr(std::string("aten::").size());
  const std::string overload = Op::overload_name;
  return overload.empty() ? name : name + "." + overload;
}

template <typename... Ops>
void add_all(torch::Library& library) {
  (library.impl(registered_name<Ops>().c_str(), torch::CppFunction(&FastPath<Ops>::call)), ...);
}

}  // namespace

void register_fast_paths() {
  namespace ops = at::_ops;
  static const auto library = [] {
    auto made = std::make_unique<torch::Library>(torch::Library::IMPL, "aten", intercept_key, __FILE__, __LINE__);
    add_all<ops::conv1d, ops::conv2d, ops::conv3d, ops::batch_norm, ops::linear, ops::layer_norm, ops::relu, ops::relu_,
            ops::relu6, ops::relu6_, ops::hardtanh, ops::hardtanh_, ops::silu, ops::silu_, ops::gelu, ops::hardswish_,
            ops::sigmoid, ops::add_Tensor, ops::add__Tensor, ops::mul_Tensor, ops::max_pool2d, ops::avg_pool2d,
            ops::adaptive_avg_pool2d, ops::dropout, ops::flatten_using_ints>(*made);
    return made;
  }();
  (void)library;
}

}  // namespace faultwave::intercept
