// SPDX-License-Identifier: Apache-2.0
#include "src/wave/kernels/loops.h"

namespace faultwave::wave {

const Kernels& avx512_kernels() {
  return kLoops;
}

}  // namespace faultwave::wave
