// SPDX-License-Identifier: Apache-2.0
// Fault lines; the grammar is in docs/fault_lines.md.
#include "faultwave/error.h"
#include "faultwave/fault.h"

#include "src/fault/location_text.h"
#include "src/fault/models/all.h"
#include "src/fault/recorded_faults.h"
#include "src/fault/scanner.h"
#include "src/fault/site_name_text.h"

namespace faultwave {
namespace {

SiteKind take_kind(Scanner& scanner) {
  const size_t begin = scanner.position();
  const std::string_view word =
      scanner.take_while([](char c) { return is_letter(c) || c == '-' || c == '_'; });
  if (word.empty()) scanner.fail_expected("a kind of site, such as output: or weight:");
  if (scanner.peek() != ':') {
    scanner.fail_expected("':' after the kind of site (a fault line begins like output:features.3[17,4,9])");
  }
  scanner.take();
  try {
    return parse_site_kind(word);
  } catch (const UserError& error) {
    scanner.fail_at(begin, error.what());
  }
}

BatchPart take_batch(Scanner& scanner) {
  if (!scanner.take_if('@')) return {};
  if (scanner.take_if('*')) return {};
  constexpr std::string_view expected = "a batch element (0 or more), '*' or 'each' after '@'";
  if (is_digit(scanner.peek())) return {BatchPart::Kind::one, scanner.take_integer(expected)};
  for (char letter : std::string_view("each"))
    scanner.expect(letter, expected);
  return {BatchPart::Kind::each, 0};
}

ForwardRange take_forwards(Scanner& scanner) {
  if (!scanner.take_if('%')) return {};
  constexpr std::string_view expected =
      "the number of a forward (0 or more) after '%', or a range such as 5:8";
  const auto take_number = [&] {
    scanner.skip_spaces();
    if (!is_digit(scanner.peek())) scanner.fail_expected(expected);
    const int64_t number = scanner.take_integer(expected);
    scanner.skip_spaces();
    return number;
  };
  ForwardRange forwards;
  const size_t begin = scanner.position();
  forwards.begin = take_number();
  if (!scanner.take_if(':')) {
    if (forwards.begin == ForwardRange::no_end) scanner.fail_at(begin, "there is no such forward");
    forwards.end = forwards.begin + 1;
    return forwards;
  }
  scanner.skip_spaces();
  if (is_digit(scanner.peek())) forwards.end = take_number();
  if (forwards.begin < forwards.end) return forwards;
  scanner.fail_at(begin, "a range of forwards begin:end, its end not included, needs begin < end");
}

Fault take_fault(Scanner& scanner, KnownModels known = KnownModels::all) {
  Fault fault;
  scanner.skip_spaces();
  fault.kind = take_kind(scanner);
  fault.site = take_site_name(scanner);
  if (scanner.peek() != '[') {
    scanner.fail_expected(
        "a location in square brackets right after the site's name ([*] means everything; a name with "
        "spaces, "
        "brackets, quotes, '@' or ';' is written in double quotes)");
  }
  fault.location = take_location(scanner);
  fault.batch = take_batch(scanner);
  if (!is_space(scanner.peek()))
    scanner.fail_expected("'@' and a batch element, or a space and an error model");
  scanner.skip_spaces();
  fault.model = take_error_model(scanner, known);
  scanner.skip_spaces();
  fault.forwards = take_forwards(scanner);
  scanner.skip_spaces();
  if (scanner.take_if('#')) {
    scanner.skip_spaces();
    fault.key = scanner.take_unsigned("a key from 0 to 18446744073709551615");
  }
  scanner.skip_spaces();
  return fault;
}

std::vector<Fault> take_faults(std::string_view line, KnownModels known) {
  Scanner scanner(line, "fault line");
  std::vector<Fault> faults;
  do {
    faults.push_back(take_fault(scanner, known));
  } while (scanner.take_if(';'));
  scanner.expect_end("'%' and a forward, '#' and a key, ';' and another fault, or the end of the line");
  return faults;
}

std::string text_of(const BatchPart& batch) {
  switch (batch.kind) {
    case BatchPart::Kind::all:
      return "";
    case BatchPart::Kind::each:
      return "@each";
    case BatchPart::Kind::one:
      return std::string("@") + std::to_string(batch.element);
  }
  throw InternalError("a batch part of unknown kind");
}

std::string text_of(const ForwardRange& forwards) {
  if (forwards.is_all()) return "";
  const std::string begin = "%" + std::to_string(forwards.begin);
  if (forwards.end == ForwardRange::no_end) return begin + ":";
  return forwards.end == forwards.begin + 1 ? begin : begin + ":" + std::to_string(forwards.end);
}

std::string model_text(const Fault& fault) {
  return fault.model ? fault.model->text() : "";
}

}  // namespace

bool operator==(const Fault& a, const Fault& b) {
  return a.kind == b.kind && a.site == b.site && a.location == b.location && a.batch == b.batch &&
         a.forwards == b.forwards && a.key == b.key && model_text(a) == model_text(b);
}

std::string to_string(const Fault& fault) {
  if (!fault.model)
    throw UserError(ErrorCode::usage, "the fault at site " + fault.site + " has no error model");
  std::string line(to_string(fault.kind));
  line.append(":").append(quote_site_name(fault.site));
  line.append(to_string(fault.location)).append(text_of(fault.batch));
  line.append(" ").append(fault.model->text()).append(text_of(fault.forwards));
  if (fault.key) line.append("#").append(std::to_string(*fault.key));
  return line;
}

std::string to_string(const std::vector<Fault>& faults) {
  std::string line;
  for (const Fault& fault : faults)
    line += (line.empty() ? "" : "; ") + to_string(fault);
  return line;
}

Fault parse_fault(std::string_view line) {
  Scanner scanner(line, "fault line");
  Fault fault = take_fault(scanner);
  if (scanner.peek() == ';')
    scanner.fail_at(scanner.position(), "expected one fault, but ';' begins another");
  scanner.expect_end("'%' and a forward, '#' and a key, or the end of the line");
  return fault;
}

std::vector<Fault> parse_faults(std::string_view line) {
  return take_faults(line, KnownModels::all);
}

std::vector<Fault> parse_recorded_faults(std::string_view line) {
  return take_faults(line, KnownModels::recorded);
}

}  // namespace faultwave
