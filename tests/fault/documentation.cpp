// SPDX-License-Identifier: Apache-2.0
// What docs/fault_lines.md and docs/error_models.md show is what the library does.
#include <fstream>
#include <sstream>

#include "faultwave/fault.h"

#include "tests/fault/support.h"

namespace faultwave {
namespace {

std::string read_page(const std::string& name) {
  std::ifstream file(std::string(FAULTWAVE_DOCS) + "/" + name);
  REQUIRE(file.is_open());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The code in the first column of the table under a heading, with \| read as |.
std::vector<std::string> first_column(const std::string& page, const std::string& heading) {
  std::istringstream lines(page.substr(page.find(heading) + heading.size()));
  std::vector<std::string> cells;
  for (std::string line; std::getline(lines, line) && !line.starts_with("#");) {
    if (!line.starts_with("| `")) continue;
    std::string cell = line.substr(3, line.find("` |") - 3);
    for (size_t bar = cell.find("\\|"); bar != std::string::npos; bar = cell.find("\\|"))
      cell.erase(bar, 1);
    cells.push_back(cell);
  }
  return cells;
}

}  // namespace

TEST_CASE("every example of the page on fault lines prints and parses to the identity") {
  register_user_model("salt", [](const at::Tensor& values, const VictimContext&, Draw&) { return values; });
  const std::vector<std::string> examples = first_column(read_page("fault_lines.md"), "## Examples");
  CHECK(examples.size() == 22);
  for (const std::string& line : examples) {
    CAPTURE(line);
    CHECK(to_string(parse_faults(line)) == line);
  }
}

TEST_CASE("the page on fault lines shows the messages as they are") {
  const std::string page = read_page("fault_lines.md");
  CHECK_HOLDS(page, error_of(ErrorCode::usage, [] { parse_fault("output:a[1,2 flip"); }));
  CHECK_HOLDS(page, error_of(ErrorCode::illegal_fault,
                             [] { bit_flip({40})->check({"conv1", at::kFloat, std::nullopt}); }));
}

TEST_CASE("the page on error models has every model of the help, in its order") {
  const std::string page = read_page("error_models.md");
  size_t position = 0;
  std::string last_name;
  for (const ErrorModelHelp& row : error_model_help()) {
    const std::string name = row.form.substr(0, row.form.find('('));
    if (name == last_name) continue;
    const size_t found = page.find("\n| `" + name, position);
    CHECK_MESSAGE(found != std::string::npos, name);
    position = found;
    last_name = name;
  }
}

}  // namespace faultwave
