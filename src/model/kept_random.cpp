// SPDX-License-Identifier: Apache-2.0
#include "src/model/kept_random.h"

#include <ATen/Context.h>
#include <torch/types.h>

#include <algorithm>
#include <mutex>

namespace faultwave::detail {
namespace {

/// The CPU's engine is read itself: its state as a tensor would cost more than a small network's forward.
class LockedCpuGenerator {
 public:
  LockedCpuGenerator() : generator_(at::detail::getDefaultCPUGenerator()), lock_(generator_.mutex()) {}
  at::CPUGeneratorImpl* operator->() { return at::check_generator<at::CPUGeneratorImpl>(generator_); }

 private:
  at::Generator generator_;
  std::lock_guard<std::mutex> lock_;
};

}  // namespace

KeptRandom::KeptRandom(std::vector<c10::Device> devices) : devices_(std::move(devices)) {
  keep();
}

KeptRandom::Position KeptRandom::position() {
  LockedCpuGenerator generator;
  return {generator->engine().data(), generator->next_float_normal_sample(),
          generator->next_double_normal_sample()};
}

KeptRandom::Others KeptRandom::others() const {
  Others others;
  for (const c10::Device& device : devices_) {
    at::Generator generator = at::globalContext().defaultGenerator(device);
    const std::lock_guard<std::mutex> lock(generator.mutex());
    others.emplace_back(generator, generator.get_state());
  }
  return others;
}

void KeptRandom::keep() {
  kept_ = start_ = position();
  kept_others_ = start_others_ = others();
}

void KeptRandom::seed(uint64_t key) {
  LockedCpuGenerator()->set_current_seed(key);
  for (auto& [generator, state] : kept_others_) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_current_seed(key);
  }
  start_ = position();
  start_others_ = others();
}

bool KeptRandom::has_moved() const {
  const Position now = position();
  const at::mt19937_data_pod& start = start_.engine;
  const bool is_same = now.engine.left_ == start.left_ && now.engine.next_ == start.next_ &&
                       now.engine.seed_ == start.seed_ && now.engine.state_ == start.state_ &&
                       now.next_float == start_.next_float && now.next_double == start_.next_double;
  if (!is_same) return true;
  const Others others_now = others();
  for (size_t i = 0; i < others_now.size(); ++i) {
    if (!others_now[i].second.equal(start_others_[i].second)) return true;
  }
  return false;
}

void KeptRandom::put_back() {
  {
    LockedCpuGenerator generator;
    at::mt19937 engine;
    engine.set_data(kept_.engine);
    generator->set_engine(engine);
    generator->set_next_float_normal_sample(kept_.next_float);
    generator->set_next_double_normal_sample(kept_.next_double);
  }
  for (auto& [generator, state] : kept_others_) {
    const std::lock_guard<std::mutex> lock(generator.mutex());
    generator.set_state(state);
  }
}

std::vector<c10::Device> devices_of(const std::vector<NamedTensor>& tensors) {
  std::vector<c10::Device> devices;
  for (const NamedTensor& named : tensors) {
    const c10::Device device = named.tensor.device();
    const bool is_known = std::find(devices.begin(), devices.end(), device) != devices.end();
    if (!device.is_cpu() && device.type() != at::kMeta && !is_known) devices.push_back(device);
  }
  return devices;
}

}  // namespace faultwave::detail
