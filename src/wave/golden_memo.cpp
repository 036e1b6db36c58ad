// SPDX-License-Identifier: Apache-2.0
#include "src/wave/golden_memo.h"

namespace faultwave::wave {
namespace {

thread_local GoldenMemo* current = nullptr;

}  // namespace

GoldenMemo::GoldenMemo() : before_(current) {
  current = this;
}

GoldenMemo::~GoldenMemo() {
  current = before_;
}

GoldenMemo* GoldenMemo::of_this_thread() {
  return current;
}

}  // namespace faultwave::wave
