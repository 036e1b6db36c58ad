// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <string>

#include "faultwave/interval.h"

namespace faultwave {

/// "1,234,567".
std::string grouped(int64_t number);

/// "4.20 %".
std::string percent(double proportion);

/// "4.20 % [3.12, 5.51]".
std::string percent(const Interval& interval);

/// The shortest text that reads back as the same FP64 number; "nan", "inf", "-inf".
std::string exact(double number);

/// Three digits: "0.0123", "1,230", "4.5e-07".
std::string significant(double number);

/// "0x3f800000", as many digits as `bits` bits take.
std::string hexadecimal(uint64_t value, int64_t bits);

}  // namespace faultwave
