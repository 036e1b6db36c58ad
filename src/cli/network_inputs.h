// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ATen/core/ivalue.h>

#include <memory>
#include <string>
#include <vector>

#include "faultwave/inputs.h"
#include "faultwave/network.h"

#include "src/cli/flags.h"

namespace CLI {
class App;
}

namespace faultwave::cli {

/// Flags that say which network and what goes into it.
struct SubjectFlags {
  std::string model;
  std::vector<std::string> inputs;  ///< files, one a network input
  std::vector<std::string> shapes;  ///< "1,3,224,224", in place of files
  int64_t resize = 0;               ///< of Preprocess; 0 if not given
  int64_t crop = 0;
  std::vector<double> mean;
  std::vector<double> std;
  NetworkFlags network;
};

/// Adds MODEL, --input and how images are prepared, --device, --dtype, --threads. `--shape` is added where
/// made-up inputs will do. `flags` must live until the callback of the command has run.
void add_subject_flags(CLI::App& command, SubjectFlags& flags, bool made_up_inputs_will_do);

/// Opens the network where and as the flags say. Throws UserError.
std::shared_ptr<NetworkFile> open_network(const SubjectFlags& flags);

/// The inputs of one forward, on the device and in the type of the network: from --input files (an image, or
/// a tensor without batch axis, becomes a batch of one; a folder of images a batch of all); else made up
/// (normal values drawn from a fixed key; zeros for integers) in the shapes of --shape or those that the
/// network declares, free sizes as in InputSpec::example. A batch of one is repeated where the network takes
/// none. Throws UserError.
std::vector<c10::IValue> network_inputs(const SubjectFlags& flags, const NetworkFile& network);

/// Names of the files, where --input is a folder; else none.
std::vector<std::string> input_names(const SubjectFlags& flags);

/// What a user should know of the inputs: NaN in them, preprocessing that does nothing, and the like.
std::vector<std::string> input_warnings(const SubjectFlags& flags, const std::vector<c10::IValue>& inputs);

}  // namespace faultwave::cli
