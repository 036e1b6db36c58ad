// SPDX-License-Identifier: Apache-2.0
#include "src/store/trial_table.h"

#include <limits>
#include <optional>
#include <string>

#include "faultwave/error.h"

#include "src/store/info_table.h"

namespace faultwave {
namespace {

// The columns in the order in which bind_row and read_row go through them.
const std::string kColumns =
    "trial, input, fault, site, choice, victim, value_before, value_after, bits_before, bits_after, "
    "forwards, hits, "
    "outcome, fired, crash, label, golden_class, golden_probability, faulty_class, faulty_probability";

OutcomeClass parse_outcome(const std::string& text) {
  for (const OutcomeClass outcome : kOutcomeClasses) {
    if (to_string(outcome) == text) return outcome;
  }
  throw std::bad_optional_access();
}

void bind_optional(Statement& statement, const std::optional<int64_t>& value) {
  if (value) {
    statement.bind(*value);
  } else {
    statement.bind_null();
  }
}

void bind_class(Statement& statement, const std::optional<int64_t>& index, double probability) {
  bind_optional(statement, index);
  if (index) {
    statement.bind(probability);
  } else {
    statement.bind_null();
  }
}

void bind_row(Statement& insert, const TrialRow& row) {
  insert.bind(row.trial).bind(row.input).bind(row.fault).bind(row.site).bind(row.choice);
  insert.bind(join_numbers(row.index));
  insert.bind(row.value_before).bind(row.value_after);
  insert.bind(static_cast<int64_t>(row.bits_before)).bind(static_cast<int64_t>(row.bits_after));
  insert.bind(row.forwards).bind(row.hits).bind(to_string(row.outcome)).bind(int64_t{row.fired});
  if (row.crash.empty()) {
    insert.bind_null();
  } else {
    insert.bind(row.crash);
  }
  bind_optional(insert, row.label);
  bind_class(insert, row.golden_class, row.golden_probability);
  bind_class(insert, row.faulty_class, row.faulty_probability);
}

/// SQLite has no NaN: it keeps NULL in its place.
double real_or_nan(const Statement& select, int column) {
  return select.is_null(column) ? std::numeric_limits<double>::quiet_NaN() : select.real(column);
}

/// SQLite keeps -0.0 as 0; its bits, which are not all zero, tell.
double with_sign(double value, uint64_t bits) {
  return value == 0 && bits != 0 ? -0.0 : value;
}

std::optional<int64_t> optional_integer(const Statement& select, int column) {
  if (select.is_null(column)) return std::nullopt;
  return select.integer(column);
}

TrialRow read_values(const Statement& select) {
  TrialRow row;
  row.trial = select.integer(0);
  row.input = select.integer(1);
  row.fault = select.text(2);
  row.site = select.integer(3);
  row.choice = select.integer(4);
  row.index = split_numbers(select.text(5));
  row.value_before = real_or_nan(select, 6);
  row.value_after = real_or_nan(select, 7);
  row.bits_before = static_cast<uint64_t>(select.integer(8));
  row.bits_after = static_cast<uint64_t>(select.integer(9));
  row.value_before = with_sign(row.value_before, row.bits_before);
  row.value_after = with_sign(row.value_after, row.bits_after);
  row.forwards = select.integer(10);
  row.hits = select.integer(11);
  row.outcome = parse_outcome(select.text(12));
  row.fired = static_cast<uint32_t>(select.integer(13));
  row.crash = select.text(14);
  row.label = optional_integer(select, 15);
  row.golden_class = optional_integer(select, 16);
  row.golden_probability = real_or_nan(select, 17);
  row.faulty_class = optional_integer(select, 18);
  row.faulty_probability = real_or_nan(select, 19);
  return row;
}

TrialRow read_row(const Database& database, const Statement& select) {
  try {
    return read_values(select);
  } catch (const std::bad_optional_access&) {
    database.damaged("the row of trial " + std::to_string(select.integer(0)) +
                     " has an outcome or an index that is none");
  }
}

}  // namespace

void insert_trials(const Database& database, const std::vector<TrialRow>& rows) {
  const std::string sql = "INSERT INTO trials (" + kColumns +
                          ") VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)";
  Statement insert(database, sql.c_str());
  for (const TrialRow& row : rows) {
    bind_row(insert, row);
    insert.run();
  }
}

std::vector<TrialRow> find_trials(const Database& database, int64_t first_trial, int64_t trials) {
  const std::string sql = "SELECT " + kColumns + " FROM trials WHERE trial >= ? AND trial < ? ORDER BY trial";
  Statement select(database, sql.c_str());
  select.bind(first_trial).bind(first_trial + trials);
  std::vector<TrialRow> rows;
  while (select.step())
    rows.push_back(read_row(database, select));
  return rows;
}

std::optional<TrialRow> find_trial(const Database& database, int64_t number) {
  const std::string sql = "SELECT " + kColumns + " FROM trials WHERE trial = ?";
  Statement select(database, sql.c_str());
  select.bind(number);
  if (!select.step()) return std::nullopt;
  return read_row(database, select);
}

}  // namespace faultwave
