# SPDX-License-Identifier: Apache-2.0
# Public headers of a later layer that a folder of src/ still includes, each "FOLDER HEADER". To be emptied, never to grow.
set(FAULTWAVE_LAYER_EXCEPTIONS
  "model injector.h"
  "sample engine.h"
)
