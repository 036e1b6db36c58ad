// SPDX-License-Identifier: Apache-2.0
#include "faultwave/store.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "bindings.h"

namespace faultwave::python {
namespace {

py::dict counts_of(const Tally& tally) {
  py::dict counts;
  for (const OutcomeClass outcome : kOutcomeClasses)
    counts[py::str(std::string(to_string(outcome)))] = tally.of(outcome);
  return counts;
}

void bind_info(py::module_& m) {
  py::class_<StoredSite>(m, "StoredSite")
      .def_property_readonly("kind", [](const StoredSite& site) { return std::string(to_string(site.kind)); })
      .def_readonly("name", &StoredSite::name)
      .def_readonly("op", &StoredSite::op)
      .def_readonly("dtype", &StoredSite::dtype)
      .def_property_readonly("shape", [](const StoredSite& site) { return py::tuple(py::cast(site.shape)); })
      .def_readonly("values", &StoredSite::values)
      .def_readonly("bits", &StoredSite::bits)
      .def_readonly("probability", &StoredSite::probability)
      .def("__repr__", [](const StoredSite& site) {
        return "StoredSite('" + std::string(to_string(site.kind)) + ":" + site.name + "')";
      });

  py::class_<CampaignInfo>(m, "CampaignInfo")
      .def_readonly("specification", &CampaignInfo::specification)
      .def_readonly("trials", &CampaignInfo::trials)
      .def_readonly("inputs", &CampaignInfo::inputs)
      .def_readonly("eligible_inputs", &CampaignInfo::eligible_inputs)
      .def_readonly("confidence", &CampaignInfo::confidence)
      .def_readonly("error", &CampaignInfo::error)
      .def_readonly("draw", &CampaignInfo::draw)
      .def_readonly("criteria", &CampaignInfo::criteria)
      .def_readonly("criteria_text", &CampaignInfo::criteria_text)
      .def_readonly("sites", &CampaignInfo::sites)
      .def_readonly("choices", &CampaignInfo::choices)
      .def_readonly("labels", &CampaignInfo::labels);
}

}  // namespace

void bind_store(py::module_& m) {
  using WithoutGil = py::call_guard<py::gil_scoped_release>;
  bind_info(m);

  py::class_<Tally>(m, "Tally")
      .def_readonly("trials", &Tally::trials)
      .def_readonly("fired", &Tally::fired)
      .def_property_readonly("classes", &counts_of);

  py::class_<TrialRow>(m, "TrialRow")
      .def_readonly("trial", &TrialRow::trial)
      .def_readonly("input", &TrialRow::input)
      .def_readonly("fault", &TrialRow::fault)
      .def_property_readonly("index", [](const TrialRow& row) { return py::tuple(py::cast(row.index)); })
      .def_readonly("value_before", &TrialRow::value_before)
      .def_readonly("value_after", &TrialRow::value_after)
      .def_readonly("hits", &TrialRow::hits)
      .def_property_readonly("outcome",
                             [](const TrialRow& row) { return std::string(to_string(row.outcome)); })
      .def_readonly("fired", &TrialRow::fired)
      .def_readonly("crash", &TrialRow::crash)
      .def_readonly("label", &TrialRow::label)
      .def_readonly("golden_class", &TrialRow::golden_class)
      .def_readonly("faulty_class", &TrialRow::faulty_class);

  py::class_<Store, std::shared_ptr<Store>>(m, "Store")
      .def_static(
          "create",
          [](const std::string& path, const CampaignInfo& info) {
            return std::make_shared<Store>(Store::create(path, info));
          },
          py::arg("path"), py::arg("info"), WithoutGil())
      .def_static(
          "in_memory",
          [](const CampaignInfo& info) { return std::make_shared<Store>(Store::in_memory(info)); },
          py::arg("info"), WithoutGil())
      .def_static(
          "open",
          [](const std::string& path, bool writable) {
            return std::make_shared<Store>(
                Store::open(path, writable ? Store::Access::write : Store::Access::read));
          },
          py::arg("path"), py::arg("writable") = false, WithoutGil())
      .def("close", [](Store& store) { const Store closed = std::move(store); })  // to be used no more
      .def_property_readonly("path", &Store::path)
      // A copy: it outlives the store, which may be closed.
      .def_property_readonly("info", [](const Store& store) { return store.info(); })
      .def("ended", &Store::ended)
      .def("trials_done", &Store::trials_done)
      .def("row", &Store::row, py::arg("trial"));
}

}  // namespace faultwave::python
