// SPDX-License-Identifier: Apache-2.0
// For sources that build torch modules: the zoo, some tests, benches and examples.
#pragma once

#include <torch/script.h>
#include <torch/torch.h>
