// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#pragma GCC visibility push(default)
namespace faultwave {

/// What the wave engine does at one operator call, for some trials. A row is what its rules work on: a pixel
/// with all its channels, a token, or a single value where a tensor has no channels.
struct ExplainedCall {
  std::string site;            ///< name of its first output: "layer1.0.conv1", "layer1.0/add"
  std::string op;              ///< "aten::conv2d"
  std::vector<int64_t> shape;  ///< of that output, batch of one
  bool has_faults = false;     ///< some trials have a fault in its output
  /// Who answered: a rule of its own ("convolution"), "parameters", "stacked", or "generic", which is no
  /// rule. Empty where no trial differs in what it reads; several where trials differ in different arguments.
  std::vector<std::string> rules;
  std::vector<std::string> ways;  ///< that a rule with several took: "points", "whole maps"
  int64_t trials = 0;             ///< that differ in the output
  double rows = 0;                ///< of the output that differ, mean over these trials
  int64_t all_rows = 0;           ///< that it has
};

struct Explanation {
  std::vector<ExplainedCall> calls;     ///< in order of execution
  std::map<std::string, int64_t> left;  ///< trials that would go to the other engine, by reason

  /// Operators that went the generic way, and in how many calls.
  std::map<std::string, int64_t> without_rule() const;
};

}  // namespace faultwave
#pragma GCC visibility pop
