// SPDX-License-Identifier: Apache-2.0
#include "tests/mutation/attempt.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <atomic>
#include <sstream>
#include <vector>

#include "faultwave/campaign.h"
#include "faultwave/error.h"
#include "faultwave/fault.h"
#include "faultwave/injector.h"
#include "faultwave/inputs.h"
#include "faultwave/network.h"
#include "faultwave/report.h"
#include "faultwave/specification.h"
#include "faultwave/store.h"

#include "tests/support/temp_folder.h"

namespace faultwave::mutation {
namespace {

std::vector<c10::IValue> inputs_for(const NetworkFile& network) {
  std::vector<c10::IValue> inputs;
  for (const InputSpec& spec : network.inputs()) {
    std::vector<int64_t> shape = spec.shape.value_or(std::vector<int64_t>{2, 3, 8, 8});
    for (int64_t& size : shape)
      size = size < 0 ? 2 : std::min<int64_t>(size, 64);
    inputs.emplace_back(at::ones(shape, at::TensorOptions(spec.dtype.value_or(at::kFloat))));
  }
  return inputs;
}

}  // namespace

void try_fault_line(const std::string& path) {
  for (const Fault& fault : parse_faults(read_file(path)))
    to_string(fault);
}

void try_specification(const std::string& path) {
  to_string(load_specification(path));
}

void try_network(const std::string& path) {
  Network::open(path);
}

void try_running(const std::string& path) {
  const std::shared_ptr<NetworkFile> network = Network::open(path);
  const Injector injector(network, inputs_for(*network));
}

void try_tensor(const std::string& path) {
  load_tensor(path).sum();
}

void try_image(const std::string& path) {
  open_inputs(path, Preprocess{})->get(0);
}

void try_database(const std::string& path) {
  const Store store = Store::open(path, Store::Access::read);
  for (const GroupBy by :
       {GroupBy::layer, GroupBy::bit, GroupBy::channel, GroupBy::golden_class, GroupBy::input}) {
    const Summary summary = summarize(store, by);
    text_report(summary);
    json_report(summary);
  }
  std::ostringstream out;
  write_csv(store, out);
  write_json(store, out);
}

void try_resuming(const std::string& path) {
  Store store = Store::open(path, Store::Access::write);
  const Campaign campaign = open_campaign(recorded_specification(store), &store);
  check_same_campaign(store.info(), campaign.info(recorded_specification(store), ""), path);
  const CancelCheck never;
  campaign.run(store, never, {});
  summarize(store);
}

}  // namespace faultwave::mutation
