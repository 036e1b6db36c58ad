// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>
#include <fnmatch.h>
#include <nlohmann/json.hpp>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "src/cli/commands.h"
#include "src/cli/network_inputs.h"
#include "src/common/numbers.h"
#include "src/common/torch_names.h"
#include "src/report/numbers.h"

namespace faultwave::cli {
namespace {

struct SitesOptions {
  SubjectFlags subject;
  std::vector<std::string> kinds;
  std::vector<std::string> names;
  std::vector<std::string> operators;
  bool only_defaults = false;
  bool json = false;
};

bool matches_any(const std::vector<std::string>& globs, const std::string& text) {
  return globs.empty() || std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
           return fnmatch(glob.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
         });
}

/// `conv2d` and `aten::conv2d` both name the operator.
bool is_operator(const std::vector<std::string>& globs, const std::string& op) {
  const size_t colons = op.rfind("::");
  return matches_any(globs, op) || (colons != std::string::npos && matches_any(globs, op.substr(colons + 2)));
}

std::vector<Site> wanted_sites(const SitesOptions& options, const Injector& injector) {
  std::vector<SiteKind> kinds;
  for (const std::string& kind : options.kinds)
    kinds.push_back(parse_site_kind(kind));
  std::vector<Site> sites;
  std::vector<Site> all = injector.sites();
  if (!kinds.empty())
    all.insert(all.end(), injector.gradient_sites().begin(), injector.gradient_sites().end());
  for (const Site& site : all) {
    const bool kind_fits = kinds.empty() || std::find(kinds.begin(), kinds.end(), site.kind) != kinds.end();
    const bool is_wanted = kind_fits && matches_any(options.names, site.name) &&
                           is_operator(options.operators, site.op) &&
                           (site.is_default || !options.only_defaults);
    if (is_wanted) sites.push_back(site);
  }
  return sites;
}

/// Without spaces, so that the columns can be told apart.
std::string shape_column(const Site& site) {
  return "[" + join_integers(site.shape) + "]";
}

nlohmann::ordered_json to_json(const Site& site) {
  return {{"name", site.name},
          {"kind", to_string(site.kind)},
          {"op", site.op},
          {"shape", site.shape},
          {"element_shape", site.element_shape()},
          {"batch_axis", site.batch.dim},
          {"batch_rows", site.batch.rows},
          {"batch_run", site.batch.run},
          {"dtype", dtype_name(site.dtype)},
          {"elements", site.numel()},
          {"bits", site.numel() * site.bits()},
          {"default", site.is_default}};
}

void print_table(const std::vector<Site>& sites) {
  size_t kind_width = 14;
  size_t name_width = 4;
  size_t op_width = 2;
  size_t shape_width = 5;
  for (const Site& site : sites) {
    name_width = std::max(name_width, site.name.size());
    kind_width = std::max(kind_width, to_string(site.kind).size() + 1);
    op_width = std::max(op_width, site.op.size());
    shape_width = std::max(shape_width, shape_column(site).size());
  }
  const auto row = [&](const std::string& mark, const std::string& kind, const std::string& name,
                       const std::string& op, const std::string& shape, const std::string& dtype,
                       const std::string& elements, const std::string& bits) {
    std::cout << std::left << std::setw(2) << mark << std::setw(static_cast<int>(kind_width)) << kind
              << std::setw(static_cast<int>(name_width) + 2) << name
              << std::setw(static_cast<int>(op_width) + 2) << op
              << std::setw(static_cast<int>(shape_width) + 2) << shape << std::setw(10) << dtype << std::right
              << std::setw(13) << elements << std::setw(16) << bits << "\n";
  };
  row("", "kind", "name", "op", "shape", "dtype", "elements", "bits");
  int64_t elements = 0;
  int64_t bits = 0;
  for (const Site& site : sites) {
    row(site.is_default ? "*" : "", std::string(to_string(site.kind)), site.name, site.op, shape_column(site),
        dtype_name(site.dtype), grouped(site.numel()), grouped(site.numel() * site.bits()));
    elements += site.numel();
    bits += site.numel() * site.bits();
  }
  row("", "", "total of " + grouped(static_cast<int64_t>(sites.size())) + " sites", "", "", "",
      grouped(elements), grouped(bits));
  std::cout << "* default site; elements and bits are those of one batch element\n";
}

void list_sites(const SitesOptions& options) {
  const std::shared_ptr<NetworkFile> network = open_network(options.subject);
  const Injector injector(network, network_inputs(options.subject, *network));
  const std::vector<Site> sites = wanted_sites(options, injector);
  if (options.json) {
    nlohmann::ordered_json list = nlohmann::ordered_json::array();
    for (const Site& site : sites)
      list.push_back(to_json(site));
    std::cout << list.dump(2) << "\n";
    return;
  }
  if (sites.empty()) {
    throw UserError(ErrorCode::usage,
                    "'" + options.subject.model + "' has " + std::to_string(injector.sites().size()) +
                        " sites, none of which passes the filters; leave some out to see more");
  }
  print_table(sites);
}

}  // namespace

void add_sites(CLI::App& program) {
  CLI::App* command = program.add_subcommand(
      "sites", "List the places of a network where faults can be injected, in execution order");
  const auto options = std::make_shared<SitesOptions>();
  add_subject_flags(*command, options->subject, /*made_up_inputs_will_do=*/true);
  command
      ->add_option("--kind", options->kinds,
                   "Only this kind: output, input, weight, bias, buffer, network-input, or "
                   "{output,weight,bias}-gradient")
      ->type_name("KIND")
      ->allow_extra_args(false);
  command->add_option("--name", options->names, "Only names that match this glob, such as 'layer1.*'")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  command->add_option("--op", options->operators, "Only this operator, such as conv2d or 'conv*'")
      ->type_name("GLOB")
      ->allow_extra_args(false);
  command->add_flag("--default", options->only_defaults, "Only default sites");
  command->add_flag("--json", options->json, "Print JSON: a list of objects");
  command->callback([options] { list_sites(*options); });
}

}  // namespace faultwave::cli
