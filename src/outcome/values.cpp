// SPDX-License-Identifier: Apache-2.0
#include "src/outcome/values.h"

namespace faultwave {

at::Tensor plain_values(const at::Tensor& tensor) {
  at::Tensor plain = tensor;
  if (!plain.is_cpu()) plain = plain.cpu();
  if (plain.is_quantized()) plain = plain.int_repr();
  if (plain.is_neg()) plain = plain.resolve_neg();
  if (plain.is_complex()) plain = at::view_as_real(plain.resolve_conj());
  if (!plain.is_contiguous()) plain = plain.contiguous();
  return plain;
}

}  // namespace faultwave
