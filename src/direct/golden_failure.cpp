// SPDX-License-Identifier: Apache-2.0
#include "src/direct/golden_failure.h"

#include <set>
#include <string>

#include "faultwave/error.h"

#include "src/common/exception_text.h"
#include "src/common/memory_shortage.h"

namespace faultwave::detail {
namespace {

std::string named(const InputSet& set, int64_t input) {
  const std::string number = std::to_string(input);
  const std::string name = set.name(input);
  return "input " + number + (name == "#" + number ? "" : " (" + name + ")");
}

[[noreturn]] void refuse(const std::string& inputs, const std::exception& error) {
  throw UserError(ErrorCode::bad_network,
                  "the fault-free network fails on " + inputs + ": " + reason_of(error));
}

}  // namespace

void refuse_input(const InputSet& set, int64_t input, const std::exception& error) {
  pass_shortage(error);
  refuse(named(set, input), error);
}

void refuse_failing_input(const InputSet& set, const std::vector<int64_t>& inputs,
                          const std::exception& error, const std::function<void(int64_t)>& run) {
  pass_shortage(error);
  const std::set<int64_t> each(inputs.begin(), inputs.end());
  for (const int64_t input : each) {
    if (each.size() == 1) break;  // it ran alone already
    try {
      run(input);
    } catch (const std::exception& alone) {
      refuse_input(set, input, alone);
    }
  }
  std::string all;
  for (const int64_t input : each)
    all += (all.empty() ? "" : ", ") + named(set, input);
  refuse(all + (each.size() > 1 ? " together" : ""), error);
}

}  // namespace faultwave::detail
