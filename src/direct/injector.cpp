// SPDX-License-Identifier: Apache-2.0
#include "faultwave/injector.h"

#include <torch/nn/module.h>

#include <algorithm>
#include <exception>
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
#include "src/model/kept_tensors.h"
#include "src/model/profile.h"

namespace faultwave {
namespace {

template <typename Items>
std::vector<NamedTensor> named_tensors(const Items& items) {
  std::vector<NamedTensor> tensors;
  for (const auto& item : items)
    tensors.push_back({item.key(), item.value()});
  return tensors;
}

std::function<void()> enter_eval(torch::nn::Module& module) {
  std::vector<std::pair<std::shared_ptr<torch::nn::Module>, bool>> children;
  for (const auto& child : module.modules(/*include_self=*/false))
    children.emplace_back(child, child->is_training());
  const bool was_training = module.is_training();
  module.eval();
  // Modules switch their children when they switch, so parents go back first.
  return [&module, was_training, children] {
    module.train(was_training);
    for (const auto& [child, training] : children)
      child->train(training);
  };
}

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
  std::random_device device;
  return device();  // 32 bits: short enough to copy by hand
}

}  // namespace

Subject describe(torch::nn::Module& module) {
  Subject subject;
  subject.parameters = named_tensors(module.named_parameters());
  subject.buffers = named_tensors(module.named_buffers());
  subject.enter_eval = [&module] { return enter_eval(module); };
  std::vector<at::Tensor> buffers;
  for (const NamedTensor& buffer : subject.buffers)
    buffers.push_back(buffer.tensor);
  subject.keep_state = [state = std::make_shared<detail::ReusedState>(std::move(buffers))] {
    return state->keep();
  };
  return subject;
}

Subject describe(const std::shared_ptr<Network>& network) {
  Subject subject;
  subject.forward = [network](const std::vector<c10::IValue>& inputs) { network->forward(inputs); };
  subject.parameters = network->parameters();
  subject.buffers = network->buffers();
  subject.scope = [network] { return network->current_scope(); };
  subject.keep_state = [network] { return network->keep_state(); };
  for (const InputSpec& input : network->inputs())
    subject.input_names.push_back(input.name);
  return subject;
}

Injector::Injector(Subject subject, std::vector<c10::IValue> example)
    : profile_(std::make_unique<detail::Profile>(std::move(subject), example)) {}

Injector::Injector(torch::nn::Module& module, std::function<void(const std::vector<c10::IValue>&)> forward,
                   std::vector<c10::IValue> example)
    : Injector(
          [&] {
            Subject subject = describe(module);
            subject.forward = std::move(forward);
            return subject;
          }(),
          std::move(example)) {}

Injector::Injector(const std::shared_ptr<Network>& network, std::vector<c10::IValue> example)
    : Injector(describe(network), std::move(example)) {}

Injector::~Injector() = default;
Injector::Injector(Injector&&) noexcept = default;

const std::vector<Site>& Injector::sites() const {
  return profile_->sites();
}

const Site& Injector::site(SiteKind kind, std::string_view name) const {
  return sites()[static_cast<size_t>(profile_->find(kind, name))];
}

std::vector<Site> Injector::select(SiteKind kind, const std::vector<std::string>& globs) const {
  std::vector<Site> selected;
  for (const Site& site : sites()) {
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
  const Site& place = site(fault.kind, fault.site);
  check_batch(fault, place, batch(), batch_is_free());
  return detail::resolve_fault(fault, place, context_of(place, int8_scale(place)));
}

Fault Injector::random_fault(SiteKind kind, const ErrorModelPtr& model, std::optional<uint64_t> key) const {
  Draw draw(key.value_or(key_from_entropy()));
  const Population population(select(kind), DrawRule::layers, model);
  return resolve(population.fault(population.draw(draw), draw));
}

namespace detail {

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
  for (const Fault& fault : faults)
    resolved.push_back(injector.resolve(fault));
  faults_ = std::make_unique<detail::ArmedFaults>(*injector.profile_, resolved, forwards);
}

Armed::~Armed() = default;

void Armed::disarm() {
  if (!faults_->is_armed()) return;
  faults_->disarm();
  std::string lines;
  for (const std::string& line : missed())
    lines += (lines.empty() ? "'" : ", '") + line + "'";
  if (lines.empty()) return;
  throw UserError(ErrorCode::illegal_fault, "armed and hit nothing: " + lines +
                                                "; run the network that was profiled, on this thread, while "
                                                "the fault is armed (a network that was moved "
                                                "or converted since needs a new Injector)");
}

std::vector<std::string> Armed::missed() const {
  return faults_->missed();
}

std::vector<Receipt> Armed::receipts() const {
  return faults_->receipts();
}

}  // namespace faultwave
