// SPDX-License-Identifier: Apache-2.0
// Whether a recorded campaign is the one at hand.
#include <filesystem>

#include "faultwave/campaign.h"
#include "faultwave/error.h"

#include "src/campaign/recorded_extensions.h"

namespace faultwave {
namespace {

/// "network 'model.pt2'", as a specification names it, for a message; "network" where it is in memory.
std::string named(const std::string& what, const std::string& path) {
  return path.empty() ? what : what + " '" + path + "'";
}

std::string first_digits(const std::string& fingerprint) {
  return fingerprint.empty() ? "none" : fingerprint.substr(0, 12) + "...";
}

void check_equal(const std::string& recorded, const std::string& now, const std::string& where,
                 const std::string& what) {
  if (recorded == now) return;
  throw UserError(ErrorCode::mismatch, "'" + where + "' was begun with another " + what + ": " + recorded +
                                           " there and " + now + " here");
}

void check_fingerprint(const std::string& recorded, const std::string& now, const std::string& where,
                       const std::string& what) {
  if (recorded == now) return;
  throw UserError(ErrorCode::mismatch, "the " + what + " changed since '" + where + "' was begun (SHA-256 " +
                                           first_digits(recorded) + " there and " + first_digits(now) +
                                           " here): put the old one back, or begin a new campaign");
}

bool same_site(const StoredSite& a, const StoredSite& b) {
  return a.kind == b.kind && a.name == b.name && a.op == b.op && a.dtype == b.dtype && a.shape == b.shape &&
         a.probability == b.probability;
}

void check_sites(const std::vector<StoredSite>& recorded, const std::vector<StoredSite>& now,
                 const std::string& where) {
  check_equal(std::to_string(recorded.size()), std::to_string(now.size()), where, "number of sites");
  for (size_t i = 0; i < now.size(); ++i) {
    if (same_site(recorded[i], now[i])) continue;
    throw UserError(ErrorCode::mismatch, "'" + where + "' was begun with other sites: number " +
                                             std::to_string(i) + " is " + recorded[i].name + " there and " +
                                             now[i].name + " here, or its shape or type differs");
  }
}

/// What the files say, and fingerprints of them do not: which faults a list came to, and which inputs the
/// network classifies rightly, which another machine may see otherwise.
void check_drawn_from(const CampaignInfo& recorded, const CampaignInfo& now, const std::string& where,
                      const Specification& spec) {
  if (recorded.list != now.list) {
    throw UserError(ErrorCode::mismatch, "the faults of " + named("list", spec.list) + " changed since '" +
                                             where +
                                             "' was begun: put the old ones back, or begin a new "
                                             "campaign");
  }
  if (recorded.eligible_inputs != now.eligible_inputs) {
    throw UserError(ErrorCode::mismatch,
                    "'" + where + "' was begun where the network was right on other inputs (" +
                        std::to_string(recorded.eligible_inputs.size()) + " there and " +
                        std::to_string(now.eligible_inputs.size()) +
                        " here), so `only_right` would draw others: use the same kind of machine");
  }
}

}  // namespace

void check_same_campaign(const CampaignInfo& recorded, const CampaignInfo& now, const std::string& where) {
  check_equal(recorded.program_version, now.program_version, where, "version of Faultwave");
  check_equal(recorded.torch_version, now.torch_version, where, "version of libtorch");
  const Specification& spec = now.specification;
  if (to_string(recorded.specification) != to_string(spec)) {
    throw UserError(ErrorCode::mismatch, "'" + where + "' belongs to another campaign: " +
                                             describe_difference(recorded.specification, spec));
  }
  check_same_extensions(recorded, now, where);
  check_fingerprint(recorded.model_fingerprint, now.model_fingerprint, where, named("network", spec.model));
  check_fingerprint(recorded.inputs_fingerprint, now.inputs_fingerprint, where, named("input", spec.input));
  check_fingerprint(recorded.labels_fingerprint, now.labels_fingerprint, where, named("labels", spec.labels));
  check_sites(recorded.sites, now.sites, where);
  check_drawn_from(recorded, now, where, spec);
}

Specification recorded_specification(const Store& store, const std::string& moved_to) {
  const CampaignInfo& info = store.info();
  check_plugins(info, store.path());
  const std::string path = moved_to.empty() ? info.specification_path : moved_to;
  if (!moved_to.empty() || std::filesystem::exists(path)) {
    const Specification file = load_specification(path);
    if (to_string(file) != info.specification_file) {
      const Specification recorded = parse_recorded_specification(info.specification_file, store.path());
      throw UserError(ErrorCode::mismatch, "'" + path + "' is not what '" + store.path() +
                                               "' was begun with: " + describe_difference(recorded, file));
    }
  }
  const std::string folder = path.empty() ? "" : std::filesystem::absolute(path).parent_path().string();
  Specification specification = info.specification;
  specification.folder = folder;
  return specification;
}

void check_new_database(const std::string& path, const Specification& specification) {
  if (!std::filesystem::exists(path)) {
    Store::check_new(path);
    return;
  }
  const Store store = Store::open(path, Store::Access::read);
  const Specification& recorded = store.info().specification;
  Specification now = specification;
  // Those that were chosen are recorded, and the file names none.
  if (now.criteria.empty() && !names_criteria(store.info())) now.criteria = recorded.criteria;
  if (to_string(recorded) == to_string(now)) {
    const Shard& shard = store.info().shard;
    const std::string part = shard.is_whole() ? "" : "shard " + to_string(shard) + " of ";
    throw UserError(
        ErrorCode::store,
        "'" + path + "' holds " + part + "this campaign already (" + std::to_string(store.trials_done()) +
            " of " + std::to_string(shard_trials(store.info()).size()) + " trials done): " +
            (store.ended().empty() ? "go on with `faultwave resume`, or " : "") + "choose another name");
  }
  throw UserError(ErrorCode::store, "'" + path + "' belongs to another campaign (" +
                                        describe_difference(recorded, now) + "): choose another name");
}

}  // namespace faultwave
