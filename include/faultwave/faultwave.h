// SPDX-License-Identifier: Apache-2.0
// All public headers.
#pragma once

#include "faultwave/campaign.h"
#include "faultwave/direct_engine.h"
#include "faultwave/engine.h"
#include "faultwave/error.h"
#include "faultwave/error_model.h"
#include "faultwave/fault.h"
#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/interval.h"
#include "faultwave/location.h"
#include "faultwave/network.h"
#include "faultwave/outcome.h"
#include "faultwave/perturb.h"
#include "faultwave/population.h"
#include "faultwave/random.h"
#include "faultwave/receipt.h"
#include "faultwave/report.h"
#include "faultwave/site.h"
#include "faultwave/specification.h"
#include "faultwave/store.h"
