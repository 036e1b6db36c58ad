// SPDX-License-Identifier: Apache-2.0
#include "faultwave/population.h"

#include <algorithm>

#include "faultwave/error.h"

namespace faultwave {
namespace {

std::vector<int64_t> element_index(int64_t offset, const std::vector<int64_t>& shape) {
  std::vector<int64_t> index(shape.size());
  for (size_t d = shape.size(); d-- > 0;) {
    index[d] = offset % shape[d];
    offset /= shape[d];
  }
  return index;
}

}  // namespace

Population::Population(std::vector<Site> sites, DrawRule rule) : sites_(std::move(sites)), rule_(rule) {
  std::erase_if(sites_, [](const Site& site) { return site.numel() == 0; });
  if (sites_.empty()) {
    throw UserError(
        ErrorCode::illegal_fault,
        "no site to draw from: no site of that kind and name holds values; `faultwave sites` lists them all");
  }
  uint64_t total = 0;
  for (const Site& site : sites_) {
    total += rule_ == DrawRule::layers ? 1 : static_cast<uint64_t>(site.numel() * site.bits());
    cumulative_.push_back(total);
  }
}

double Population::probability(size_t index) const {
  const uint64_t before = index == 0 ? 0 : cumulative_[index - 1];
  return static_cast<double>(cumulative_[index] - before) / static_cast<double>(cumulative_.back());
}

Fault Population::draw(const ErrorModelPtr& model, Draw& draw) const {
  const uint64_t mark = draw.below(cumulative_.back());
  const auto chosen = std::upper_bound(cumulative_.begin(), cumulative_.end(), mark);
  const Site& site = sites_[static_cast<size_t>(chosen - cumulative_.begin())];
  const auto offset = static_cast<int64_t>(draw.below(static_cast<uint64_t>(site.numel())));

  Fault fault;
  fault.kind = site.kind;
  fault.site = site.name;
  fault.location = Location::element(element_index(offset, site.element_shape()));
  const VictimContext context{site.name, c10::toUnderlying(site.dtype), {}};
  const ErrorModelPtr resolved = model->resolve(context, draw);
  fault.model = resolved ? resolved : model;
  if (fault.model->is_drawn()) fault.key = draw.bits32();
  return fault;
}

}  // namespace faultwave
