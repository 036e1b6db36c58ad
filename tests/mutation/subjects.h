// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "faultwave/random.h"

#include "tests/support/temp_folder.h"

namespace faultwave::mutation {

/// A valid file, how it is spoilt, and what is then tried with it.
struct Subject {
  std::string name;
  std::string original;  ///< path of the valid file
  /// Puts a mutated copy into a folder and gives its path.
  std::function<std::string(const TempFolder&, Draw&)> spoil;
  std::function<void(const std::string& path)> attempt;
  bool runs_code = false;  ///< of the file: then a shortage is the network's own
};

/// Files of every kind that the program reads. `originals` gets those that are made here.
std::vector<Subject> all_subjects(const TempFolder& originals);

}  // namespace faultwave::mutation
