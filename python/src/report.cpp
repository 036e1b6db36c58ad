// SPDX-License-Identifier: Apache-2.0
#include "faultwave/report.h"

#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "faultwave/error.h"
#include "faultwave/estimates.h"
#include "faultwave/interval.h"

#include "bindings.h"

namespace faultwave::python {
namespace {

enum class Format { csv, json };

void write_trials(const Store& store, const std::string& path, Format format) {
  std::ofstream out(path, std::ios::binary);
  if (format == Format::csv) {
    write_csv(store, out);
  } else {
    write_json(store, out);
  }
  out.flush();
  if (!out) throw UserError(ErrorCode::store, "'" + path + "' cannot be written");
}

/// Rates by layer and bit at once: one group a site and choice, site by site.
std::vector<RateGroup> by_layer_and_bit(const Store& store) {
  const CampaignInfo& info = store.info();
  const Estimates estimates(info, store.rounds(), store.cells());
  std::vector<RateGroup> groups;
  for (size_t number = 0; number < info.sites.size(); ++number) {
    for (size_t position = 0; position < info.choices.size(); ++position) {
      const auto within = [&](int64_t site, int64_t choice) {
        return site == static_cast<int64_t>(number) && choice == static_cast<int64_t>(position);
      };
      RateGroup group{.name = info.choices[position], .tally = Tally(info.criteria.size()), .rates = {}};
      for (const CellTally& cell : estimates.cells()) {
        if (within(cell.site, cell.choice)) group.tally += cell.tally;
      }
      for (size_t criterion = 0; criterion < info.criteria.size(); ++criterion)
        group.rates.push_back(estimates.part(criterion, within));
      group.crash = estimates.part(Counted::What::crash, within);
      group.hang = estimates.part(Counted::What::hang, within);
      groups.push_back(std::move(group));
    }
  }
  return groups;
}

/// How a rate and its interval came about: the first criterion of a campaign after so many trials.
struct Looked {
  int64_t trials = 0;
  Interval rate;
};

/// What one would have read after each of these numbers of trials, in the order in which they were drawn. Of
/// campaigns whose trials count alike and whose number of trials was fixed.
std::vector<Looked> convergence(const Store& store, size_t criterion, const std::vector<int64_t>& looks) {
  std::vector<Looked> found;
  int64_t trials = 0;
  int64_t count = 0;
  size_t next = 0;
  const auto look = [&] {
    for (; next < looks.size() && looks[next] == trials; ++next)
      found.push_back({trials, clopper_pearson(count, trials, store.info().confidence)});
  };
  store.each_block([&](const Block&, int64_t, const std::vector<TrialOutcome>& outcomes) {
    for (const TrialOutcome& outcome : outcomes) {
      if (!outcome.is_done) continue;
      ++trials;
      count += (outcome.fired >> criterion) & 1;
      look();
    }
  });
  return found;
}

void bind_summary(py::module_& m) {
  py::class_<Interval>(m, "Interval")
      .def_readonly("estimate", &Interval::estimate)
      .def_readonly("low", &Interval::low)
      .def_readonly("high", &Interval::high)
      .def_readonly("confidence", &Interval::confidence);

  py::class_<RateGroup>(m, "RateGroup")
      .def_readonly("name", &RateGroup::name)
      .def_readonly("tally", &RateGroup::tally)
      .def_readonly("rates", &RateGroup::rates)
      .def_readonly("crash", &RateGroup::crash)
      .def_readonly("hang", &RateGroup::hang);

  py::class_<Accuracy>(m, "Accuracy")
      .def_readonly("inputs", &Accuracy::inputs)
      .def_readonly("golden_right", &Accuracy::golden_right)
      .def_readonly("lost", &Accuracy::lost)
      .def_readonly("won", &Accuracy::won)
      .def_property_readonly("golden", &Accuracy::golden)
      .def_property_readonly("faulty", &Accuracy::faulty);

  py::class_<Summary>(m, "Summary")
      .def_property_readonly("interval",
                             [](const Summary& summary) { return std::string(to_string(summary.interval)); })
      .def_readonly("ended", &Summary::ended)
      .def_readonly("has_layers", &Summary::has_layers)
      .def_readonly("overall", &Summary::overall)
      .def_readonly("accuracy", &Summary::accuracy)
      .def_readonly("groups", &Summary::groups)
      .def_property_readonly("decided_again",
                             [](const Summary& summary) { return summary.counts.decided_again; })
      .def_property_readonly("audited", [](const Summary& summary) { return summary.counts.audited; })
      .def(
          "text",
          [](const Summary& summary, size_t most, size_t width) { return text_report(summary, most, width); },
          py::arg("most") = 0, py::arg("width") = 0)
      .def("json", [](const Summary& summary) { return json_report(summary); });
}

}  // namespace

void bind_report(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;
  bind_summary(m);

  py::class_<Looked>(m, "Looked").def_readonly("trials", &Looked::trials).def_readonly("rate", &Looked::rate);

  m.def(
      "summarize",
      [](const Store& store, const std::string& by) { return summarize(store, parse_group_by(by)); },
      py::arg("store"), py::arg("by") = "layer", WithoutGil());
  m.def("by_layer_and_bit", &by_layer_and_bit, py::arg("store"), WithoutGil());
  m.def("convergence", &convergence, py::arg("store"), py::arg("criterion"), py::arg("looks"), WithoutGil());
  m.def(
      "clopper_pearson",
      [](int64_t count, int64_t trials, double confidence) {
        const Interval interval = clopper_pearson(count, trials, confidence);
        return std::pair(interval.low, interval.high);
      },
      py::arg("count"), py::arg("trials"), py::arg("confidence"));
  m.def(
      "write_csv",
      [](const Store& store, const std::string& path) { write_trials(store, path, Format::csv); },
      py::arg("store"), py::arg("path"), WithoutGil());
  m.def(
      "write_json",
      [](const Store& store, const std::string& path) { write_trials(store, path, Format::json); },
      py::arg("store"), py::arg("path"), WithoutGil());
}

}  // namespace faultwave::python
