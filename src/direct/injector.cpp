// SPDX-License-Identifier: Apache-2.0
#include "faultwave/injector.h"

#include <algorithm>
#include <exception>
#include <mutex>
#include <random>
#include <utility>

#include <fnmatch.h>

#include "faultwave/error.h"
#include "faultwave/population.h"
#include "faultwave/random.h"

#include "src/direct/armed_faults.h"
#include "src/direct/observer.h"
#include "src/direct/resolve_fault.h"
#include "src/fault/victim_context.h"
#include "src/model/memory_network.h"
#include "src/model/profile.h"

namespace faultwave {

/// What the last random fault was drawn from, since the next one is likely drawn from the same. Thread-safe.
class detail::LastPopulation {
 public:
  std::shared_ptr<const Population> get(const Injector& injector, SiteKind kind, const ErrorModelPtr& model) {
    const std::lock_guard lock(mutex_);
    if (population_ == nullptr || kind_ != kind || population_->model() != model) {
      population_ = std::make_shared<Population>(injector.select(kind), DrawRule::layers, model);
      kind_ = kind;
    }
    return population_;
  }

 private:
  std::mutex mutex_;
  SiteKind kind_ = SiteKind::output;
  std::shared_ptr<const Population> population_;
};

namespace {

void check_batch(const Fault& fault, const Site& site, int64_t batch, bool batch_is_free) {
  if (fault.batch.kind == BatchPart::Kind::all) return;
  if (site.batch.dim < 0) {
    detail::refuse_fault(fault,
                         "the site does not grow with the batch, so that '@' has no meaning; leave it out");
  }
  if (fault.batch.kind != BatchPart::Kind::one) return;
  if (fault.batch.element < 0 || (!batch_is_free && fault.batch.element >= batch)) {
    detail::refuse_fault(fault, "no batch element @" + std::to_string(fault.batch.element) +
                                    ": expected @0 to @" + std::to_string(batch - 1));
  }
}

uint64_t key_from_entropy() {
  static thread_local std::random_device device;
  return device();  // 32 bits: short enough to copy by hand
}

}  // namespace

Injector::Injector(std::shared_ptr<Network> network, std::vector<c10::IValue> example,
                   const std::vector<int64_t>& batch_axes)
    : profile_(std::make_unique<detail::Profile>(std::move(network), example, batch_axes)),
      last_population_(std::make_unique<detail::LastPopulation>()) {}

Injector::Injector(torch::nn::Module& module, std::function<void(const std::vector<c10::IValue>&)> forward,
                   std::vector<c10::IValue> example)
    : Injector(std::make_shared<detail::ModuleNetwork>(
                   module,
                   [forward = std::move(forward)](const std::vector<c10::IValue>& inputs) {
                     forward(inputs);
                     return std::vector<at::Tensor>{};
                   }),
               std::move(example)) {}

Injector::~Injector() = default;
Injector::Injector(Injector&&) noexcept = default;

const std::vector<Site>& Injector::sites() const {
  return profile_->sites();
}

const std::vector<Site>& Injector::gradient_sites() const {
  return profile_->gradient_sites();
}

const Site& Injector::site(SiteKind kind, std::string_view name) const {
  return profile_->site(profile_->find(kind, name));
}

std::vector<Site> Injector::select(SiteKind kind, const std::vector<std::string>& globs) const {
  std::vector<Site> selected;
  for (const Site& site : is_gradient(kind) ? gradient_sites() : sites()) {
    if (site.kind != kind) continue;
    const bool wanted = globs.empty() ? site.is_default
                                      : std::any_of(globs.begin(), globs.end(), [&](const std::string& glob) {
                                          return fnmatch(glob.c_str(), site.name.c_str(), FNM_NOESCAPE) == 0;
                                        });
    if (wanted) selected.push_back(site);
  }
  return selected;
}

int64_t Injector::batch() const {
  return profile_->batch();
}
bool Injector::batch_is_free() const {
  return profile_->batch_is_free();
}

void Injector::calibrate(const std::vector<std::vector<c10::IValue>>& inputs) {
  profile_->calibrate(inputs);
}

std::optional<double> Injector::int8_scale(const Site& site) const {
  return int8_scale_of(profile_->largest(profile_->find(site.kind, site.name)));
}

void Injector::learn(const std::function<void()>& loop) {
  profile_->learn(loop);
}

void Injector::observe(const std::vector<Site>& sites, const std::function<void()>& forward,
                       const std::function<void(size_t, const at::Tensor&)>& visit) const {
  std::vector<int> numbers;
  for (const Site& site : sites)
    numbers.push_back(profile_->find(site.kind, site.name));
  detail::Observer observer(*profile_, numbers, visit);
  intercept::Intercept on(observer);
  forward();
}

Fault Injector::resolve(const Fault& fault) const {
  const int number = profile_->number_of(fault);
  const Site& place = profile_->site(number);
  check_batch(fault, place, batch(), batch_is_free());
  Fault resolved =
      detail::resolve_fault(fault, place, context_of(place, int8_scale_of(profile_->largest(number))));
  resolved.site_number = number;
  return resolved;
}

Fault Injector::random_fault(SiteKind kind, const ErrorModelPtr& model, std::optional<uint64_t> key) const {
  Draw draw(key ? *key : key_from_entropy());  // asking the system takes 12 us
  const auto population = last_population_->get(*this, kind, model);
  return resolve(population->fault(population->draw(draw), draw));
}

namespace detail {

const Profile& profile_of(const Injector& injector) {
  return *injector.profile_;
}

StateScope::StateScope(const Injector& injector) : state_(injector.profile_->keep_state()) {}

StateScope::~StateScope() {
  try {
    put_back();
  } catch (const std::exception&) {  // no memory, while something else is wrong
  }
}

void StateScope::put_back() {
  if (const std::shared_ptr<KeptState> state = std::exchange(state_, nullptr)) state->put_back();
}

void StateScope::detach(at::Tensor& result) const {
  if (result.defined() && state_->keeps(result)) result = result.clone();
}

void StateScope::detach(std::vector<at::Tensor>& results) const {
  for (at::Tensor& result : results)
    detach(result);
}

}  // namespace detail

Armed::Armed(const Injector& injector, const std::vector<Fault>& faults, Forwards forwards) {
  std::vector<Fault> resolved;
  std::vector<Location> written;
  for (const Fault& fault : faults) {
    resolved.push_back(injector.resolve(fault));
    written.push_back(fault.location);
  }
  faults_ = std::make_unique<detail::ArmedFaults>(*injector.profile_, resolved, forwards, written);
}

Armed::~Armed() {
  if (faults_ == nullptr || faults_->is_on_this_thread()) return;
  faults_->abandon();
  // The other thread may be looking at them right now, so they stay.
  static_cast<void>(faults_.release());
}

void Armed::disarm() {
  faults_->disarm();
}

void Armed::disarm_after_error() {
  faults_->disarm_after_error();
}

void Armed::abandon() {
  faults_->abandon();
}

std::vector<std::string> Armed::missed() const {
  return faults_->missed();
}

std::vector<Receipt> Armed::receipts() const {
  return faults_->receipts();
}

}  // namespace faultwave
