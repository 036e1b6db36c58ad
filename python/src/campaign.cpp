// SPDX-License-Identifier: Apache-2.0
#include "faultwave/campaign.h"

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"

#include "bindings.h"
#include "python_call.h"
#include "reporter.h"

namespace faultwave::python {
namespace {

std::shared_ptr<Campaign> open(const std::shared_ptr<Network>& network,
                               const std::shared_ptr<InputSet>& inputs, const std::vector<int64_t>& labels,
                               const std::shared_ptr<ErrorModel>& error,
                               const std::vector<std::shared_ptr<Criterion>>& criteria,
                               const std::string& network_fingerprint, const Specification& specification,
                               const std::shared_ptr<Store>& recorded) {
  const Experiment experiment{.network = network,
                              .inputs = inputs,
                              .labels = labels,
                              .error = error,
                              .criteria = {criteria.begin(), criteria.end()},
                              .network_fingerprint = network_fingerprint};
  return std::make_shared<Campaign>(open_campaign(experiment, specification, recorded.get()));
}

/// Of the files that a specification names, with the criteria and error model of the program.
py::tuple load(const Specification& specification) {
  Experiment experiment;
  {
    const py::gil_scoped_release no_gil;
    experiment = load_experiment(specification);
  }
  return py::make_tuple(experiment.network, std::const_pointer_cast<InputSet>(experiment.inputs),
                        experiment.labels, experiment.network_fingerprint);
}

/// Whether it is at its end. Signals that Python handles are noticed between calls of the engine.
bool run(const Campaign& campaign, Store& store, const py::object& progress) {
  Reporter report(progress);
  forget_exception();
  const py::gil_scoped_release no_gil;
  const CancelCheck never = [] {
    check_signals();
    return false;
  };
  return campaign.run(store, never, [&](const Progress& now) { report(now); });
}

/// One trial that was run again as a real faulty run, with all that came of it.
struct Replayed {
  Trial trial;
  std::vector<at::Tensor> golden;
  std::vector<at::Tensor> faulty;
  std::vector<Receipt> receipts;
  std::string crash;
  Outcome outcome{.kind = OutcomeClass::crash};
};

std::vector<at::Tensor> copies(const std::vector<at::Tensor>& tensors) {
  std::vector<at::Tensor> copied;
  for (const at::Tensor& tensor : tensors)
    copied.push_back(tensor.clone());
  return copied;
}

Shares shares_of(const Store* store, int64_t number) {
  return store == nullptr ? Shares{} : shares_of_trial(store->rounds(), number);
}

void check_number(const Campaign& campaign, int64_t number) {
  if (number >= 0 && number < campaign.trials()) return;
  throw UserError(ErrorCode::usage, "there is no trial " + std::to_string(number) +
                                        ": the campaign has trials 0 to " +
                                        std::to_string(campaign.trials() - 1));
}

Trial draw(const Campaign& campaign, int64_t number, const std::shared_ptr<Store>& store) {
  check_number(campaign, number);
  return campaign.draw(number, shares_of(store.get(), number));
}

Replayed replay(const Campaign& campaign, int64_t number, const std::shared_ptr<Store>& store) {
  Replayed replayed;
  replayed.trial = draw(campaign, number, store);
  const CampaignParts& parts = campaign.parts();
  const std::vector<int64_t>& labels = parts.labels;
  Engine& exact = parts.exact ? *parts.exact : *parts.engine;
  exact.run({replayed.trial}, [&](size_t, const TrialOutputs& outputs) {
    replayed.golden = copies(outputs.golden);
    replayed.faulty = copies(outputs.faulty);
    replayed.receipts = outputs.receipts;
    replayed.crash = outputs.crash;
    if (!outputs.crash.empty()) return;
    const auto label = labels.empty()
                           ? std::nullopt
                           : std::make_optional(labels.at(static_cast<size_t>(replayed.trial.input)));
    replayed.outcome = judge({outputs.golden, outputs.faulty, label}, parts.criteria);
  });
  return replayed;
}

void bind_trials(py::module_& m) {
  py::class_<Trial>(m, "Trial")
      .def_readonly("number", &Trial::number)
      .def_readonly("input", &Trial::input)
      .def_readonly("faults", &Trial::faults)
      .def("__repr__", [](const Trial& trial) {
        return "Trial(" + std::to_string(trial.number) + ", input=" + std::to_string(trial.input) + ", " +
               std::string(py::repr(py::cast(to_string(trial.faults)))) + ")";
      });

  py::class_<Replayed>(m, "Replayed")
      .def_readonly("trial", &Replayed::trial)
      .def_readonly("golden", &Replayed::golden)
      .def_readonly("faulty", &Replayed::faulty)
      .def_readonly("receipts", &Replayed::receipts)
      .def_readonly("crash", &Replayed::crash)
      .def_property_readonly("outcome",
                             [](const Replayed& r) { return std::string(to_string(r.outcome.kind)); })
      .def_property_readonly("fired", [](const Replayed& r) { return r.outcome.fired; });
}

void bind_progress(py::module_& m) {
  py::class_<Progress>(m, "Progress")
      .def_readonly("done", &Progress::done)
      .def_readonly("total", &Progress::total)
      .def_readonly("done_before", &Progress::done_before)
      .def_readonly("tally", &Progress::tally)
      .def_readonly("rate", &Progress::rate)
      .def_readonly("half_width", &Progress::half_width)
      .def_property_readonly("seconds", [](const Progress& progress) { return progress.elapsed.count(); });

  py::class_<WaveReport>(m, "WaveReport")
      .def_readonly("forwards", &WaveReport::forwards)
      .def_readonly("trials", &WaveReport::trials)
      .def_readonly("left", &WaveReport::left);
}

}  // namespace

void bind_campaign(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;
  bind_trials(m);
  bind_progress(m);

  py::class_<Campaign, std::shared_ptr<Campaign>>(m, "Campaign")
      .def(py::init(&open), py::arg("network"), py::arg("inputs"), py::arg("labels"), py::arg("error"),
           py::arg("criteria"), py::arg("network_fingerprint"), py::arg("specification"), py::arg("recorded"),
           WithoutGil())
      .def_property_readonly("specification", &Campaign::specification)
      .def_property_readonly("trials", &Campaign::trials)
      .def_property_readonly("columns", &Campaign::columns)
      .def_property_readonly(
          "sites", [](const Campaign& campaign) { return campaign.parts().sampler->population().sites(); })
      .def_property_readonly("warnings", [](const Campaign& campaign) { return campaign.parts().warnings; })
      .def_property_readonly("wave_report",
                             [](const Campaign& campaign) -> std::optional<WaveReport> {
                               if (!campaign.parts().wave_report) return std::nullopt;
                               return campaign.parts().wave_report();
                             })
      .def(
          "info",
          [](const Campaign& campaign, const std::string& shard) {
            return campaign.info(campaign.specification(), "", parse_shard(shard));
          },
          py::arg("shard") = "1/1")
      .def("draw", &draw, py::arg("number"), py::arg("store") = nullptr, WithoutGil())
      .def("run", &run, py::arg("store"), py::arg("progress"))
      .def("replay", &replay, py::arg("number"), py::arg("store") = nullptr, WithoutGil());

  m.def("load_experiment", &load, py::arg("specification"));
  m.def("check_same_campaign", &check_same_campaign, py::arg("recorded"), py::arg("now"), py::arg("where"));
  m.def("file_fingerprint", &file_fingerprint, py::arg("path"), WithoutGil());
}

}  // namespace faultwave::python
