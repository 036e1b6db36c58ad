// SPDX-License-Identifier: Apache-2.0
#include "faultwave/perturb.h"

#include <torch/nn/module.h>
#include <torch/utils.h>

#include "faultwave/error.h"
#include "faultwave/injector.h"

#include "src/common/near_names.h"
#include "src/direct/resolve_fault.h"
#include "src/fault/fault_plan.h"
#include "src/fault/victim_context.h"
#include "src/model/memory_network.h"
#include "src/model/recorder.h"
#include "src/model/site_names.h"
#include "src/model/stored_tensors.h"

namespace faultwave {
namespace {

using detail::StoredTensors;

Site stored_site(const StoredTensors::Entry& entry) {
  Site site;
  site.name = detail::stored_site_name(entry);
  site.kind = detail::stored_site_kind(entry);
  site.shape = entry.tensor.sizes().vec();
  site.dtype = entry.tensor.scalar_type();
  site.channel_axis = entry.tensor.dim() > 0 ? 0 : -1;
  return site;
}

int find_stored(const StoredTensors& stored, const Fault& fault) {
  std::vector<std::string> names;
  for (int number = 0; number < stored.size(); ++number) {
    const Site site = stored_site(stored[number]);
    if (site.kind != fault.kind) continue;
    if (site.name == fault.site) return number;
    names.push_back(site.name);
  }
  const bool is_stored =
      fault.kind == SiteKind::weight || fault.kind == SiteKind::bias || fault.kind == SiteKind::buffer;
  if (!is_stored) {
    detail::refuse_fault(
        fault, "only weights, biases and buffers can be changed for good; arm it at run time instead");
  }
  detail::refuse_fault(fault, "the network has no " + std::string(to_string(fault.kind)) +
                                  " site of that name" + did_you_mean(fault.site, names));
}

}  // namespace

std::vector<Receipt> perturb(const std::vector<NamedTensor>& parameters,
                             const std::vector<NamedTensor>& buffers, const std::vector<Fault>& faults) {
  torch::NoGradGuard no_grad;
  const StoredTensors stored(parameters, buffers);
  std::vector<std::pair<at::Tensor, detail::FaultPlan>> plans;
  for (const Fault& fault : faults) {
    const int number = find_stored(stored, fault);
    if (fault.batch.kind != BatchPart::Kind::all)
      detail::refuse_fault(fault, "a stored tensor has no batch; leave '@' out");
    if (!fault.forwards.is_all())
      detail::refuse_fault(fault, "what is changed for good runs no forward; leave '%' out");
    const at::Tensor& tensor = stored[number].tensor;
    const Site site = stored_site(stored[number]);
    const VictimContext context = context_of(site, int8_scale_of(detail::largest_magnitude(tensor)));
    plans.emplace_back(tensor, detail::FaultPlan(detail::resolve_fault(fault, site, context), site, context));
  }
  std::vector<Receipt> receipts;
  for (auto& [tensor, plan] : plans) {
    plan.hit_in_place(tensor, 1);
    receipts.push_back(plan.receipt());
  }
  return receipts;
}

std::vector<Receipt> perturb(torch::nn::Module& module, const std::vector<Fault>& faults) {
  return perturb(detail::parameters_of(module), detail::buffers_of(module), faults);
}

std::vector<Receipt> perturb(const Network& network, const std::vector<Fault>& faults) {
  return perturb(network.parameters(), network.buffers(), faults);
}

}  // namespace faultwave
