// SPDX-License-Identifier: Apache-2.0
#include "src/cli/flags.h"

#include <ATen/Parallel.h>

#include <CLI/CLI.hpp>

#include "faultwave/extension.h"

#include "src/common/number_ranges.h"
#include "src/common/numbers.h"
#include "src/common/torch_names.h"

namespace faultwave::cli {

void add_network_flags(CLI::App& command, NetworkFlags& flags) {
  command.add_option("--device", flags.device, "Where the network runs: cpu, cuda or cuda:N")
      ->type_name("DEVICE");
  command
      .add_option("--dtype", flags.dtype,
                  "Floating-point type that the network is converted to: float64, float32, float16, bfloat16")
      ->type_name("DTYPE");
  command
      .add_option("--threads", flags.threads,
                  "Threads of one forward on the CPU (default: as libtorch chooses)")
      ->type_name("N")
      ->check(in_range("--threads"));
}

CLI::Validator in_range(const std::string& key) {
  const NumberRange& range = number_range(key);
  return CLI::Validator(
      [&range](const std::string& text) {
        const std::optional<double> number = parse_number(text);
        return number && range.holds(*number) ? std::string() : range.refusal(text);
      },
      range.text());
}

void add_plugin_flag(CLI::App& command, std::vector<std::string>& files) {
  command
      .add_option(
          "--plugin", files,
          "A shared library with error models, criteria or number formats (docs/extending.md); may be "
          "repeated")
      ->type_name("FILE")
      ->allow_extra_args(false);
}

void load_plugins(const std::vector<std::string>& files) {
  for (const std::string& file : files)
    load_plugin(file);
}

void apply(const NetworkFlags& flags) {
  if (!flags.device.empty()) check_device_present(parse_device(flags.device));
  if (!flags.dtype.empty()) parse_dtype(flags.dtype);
  if (flags.threads > 0) at::set_num_threads(flags.threads);
}

void apply(const NetworkFlags& flags, Specification& specification) {
  apply(flags);
  if (!flags.device.empty()) specification.device = parse_device(flags.device).str();
  if (!flags.dtype.empty()) specification.dtype = dtype_name(parse_dtype(flags.dtype));
}

}  // namespace faultwave::cli
