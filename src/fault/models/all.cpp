// SPDX-License-Identifier: Apache-2.0
#include "src/fault/models/all.h"

namespace faultwave {

// Each is defined in the source of its name. To add a model: declare its syntax here and list it below.
ModelSyntax random_value_syntax();
ModelSyntax bit_flip_syntax();
ModelSyntax burst_flip_syntax();
ModelSyntax stuck_at_0_syntax();
ModelSyntax stuck_at_1_syntax();
ModelSyntax zero_syntax();
ModelSyntax constant_syntax();
ModelSyntax gaussian_noise_syntax();
ModelSyntax scale_syntax();
ModelSyntax user_model_syntax();

Registry<ModelSyntax>& error_models() {
  static Registry<ModelSyntax> models({
      random_value_syntax(),
      bit_flip_syntax(),
      burst_flip_syntax(),
      stuck_at_0_syntax(),
      stuck_at_1_syntax(),
      zero_syntax(),
      constant_syntax(),
      gaussian_noise_syntax(),
      scale_syntax(),
      user_model_syntax(),
  });
  return models;
}

}  // namespace faultwave
