// SPDX-License-Identifier: Apache-2.0
// For test programs and benches that build torch modules themselves.
#pragma once

#include <torch/script.h>
#include <torch/torch.h>
