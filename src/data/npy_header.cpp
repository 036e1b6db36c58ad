// SPDX-License-Identifier: Apache-2.0
#include "src/data/npy_header.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "src/common/input_file.h"
#include "src/common/plain_text.h"

namespace faultwave {
namespace {

struct NpyName {
  std::string_view name;  // kind and bytes a value
  at::ScalarType dtype;
};

constexpr std::array<NpyName, 14> npy_types = {{
    {"b1", at::ScalarType::Bool},
    {"i1", at::ScalarType::Char},
    {"i2", at::ScalarType::Short},
    {"i4", at::ScalarType::Int},
    {"i8", at::ScalarType::Long},
    {"u1", at::ScalarType::Byte},
    {"u2", at::ScalarType::UInt16},
    {"u4", at::ScalarType::UInt32},
    {"u8", at::ScalarType::UInt64},
    {"f2", at::ScalarType::Half},
    {"f4", at::ScalarType::Float},
    {"f8", at::ScalarType::Double},
    {"c8", at::ScalarType::ComplexFloat},
    {"c16", at::ScalarType::ComplexDouble},
}};

/// Reads the few forms of Python that a header is made of: {'key': value, ...} with text, True, False, (1,
/// 2).
class HeaderParser {
 public:
  HeaderParser(std::string_view text, const std::string& path) : rest_(text), path_(path) {}

  NpyHeader parse() {
    expect('{');
    while (!accept('}')) {
      const std::string key = parse_text();
      expect(':');
      parse_value(key);
      if (!accept(',')) {
        expect('}');
        break;
      }
    }
    skip_spaces();
    if (!rest_.empty() || !has_descr_ || !has_order_ || !has_shape_) damaged();
    return std::move(header_);
  }

 private:
  [[noreturn]] void damaged() const {
    cannot_read(path_,
                "its header is damaged; expected descr, fortran_order and shape as numpy.save writes them");
  }

  void skip_spaces() {
    const size_t first = std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size());
    rest_.remove_prefix(first);
  }

  bool accept(char wanted) {
    skip_spaces();
    if (rest_.empty() || rest_.front() != wanted) return false;
    rest_.remove_prefix(1);
    return true;
  }

  bool accept(std::string_view wanted) {
    skip_spaces();
    if (!rest_.starts_with(wanted)) return false;
    rest_.remove_prefix(wanted.size());
    return true;
  }

  void expect(char wanted) {
    if (!accept(wanted)) damaged();
  }

  std::string parse_text() {
    skip_spaces();
    if (rest_.empty() || (rest_.front() != '\'' && rest_.front() != '"')) damaged();
    const char quote = rest_.front();
    const size_t end = rest_.find(quote, 1);
    if (end == std::string_view::npos) damaged();
    std::string text(rest_.substr(1, end - 1));
    rest_.remove_prefix(end + 1);
    return text;
  }

  void parse_value(const std::string& key) {
    if (key == "descr") {
      if (accept('[')) cannot_read(path_, "it holds records with named fields; expected an array of numbers");
      header_.descr = parse_text();
      has_descr_ = true;
    } else if (key == "fortran_order") {
      header_.fortran_order = accept("True");
      if (!header_.fortran_order && !accept("False")) damaged();
      has_order_ = true;
    } else if (key == "shape") {
      header_.shape = parse_shape();
      has_shape_ = true;
    } else {
      damaged();
    }
  }

  std::vector<int64_t> parse_shape() {
    std::vector<int64_t> shape;
    expect('(');
    while (!accept(')')) {
      skip_spaces();
      int64_t size = 0;
      const auto result = std::from_chars(rest_.data(), rest_.data() + rest_.size(), size);
      if (result.ec != std::errc()) damaged();
      rest_.remove_prefix(result.ptr - rest_.data());
      accept('L');  // Python 2 wrote long integers so
      shape.push_back(size);
      if (!accept(',')) {
        expect(')');
        break;
      }
    }
    return shape;
  }

  std::string_view rest_;
  const std::string& path_;
  NpyHeader header_;
  bool has_descr_ = false;
  bool has_order_ = false;
  bool has_shape_ = false;
};

}  // namespace

NpyHeader parse_npy_header(std::string_view text, const std::string& path) {
  return HeaderParser(text, path).parse();
}

NpyType parse_npy_type(const std::string& descr, const std::string& path) {
  const std::string_view name = std::string_view(descr).substr(std::min<size_t>(1, descr.size()));
  const auto known =
      std::find_if(npy_types.begin(), npy_types.end(), [&](auto& type) { return type.name == name; });
  if (known == npy_types.end() || std::string_view("<>|=").find(descr.front()) == std::string_view::npos) {
    cannot_read(
        path, "its values have NumPy's type '" + shortened(descr, 100) +
                  "'; expected bool, integers of 8 to 64 bits, floating point of 16 to 64 bits, or complex");
  }
  return {.dtype = known->dtype, .is_big_endian = descr.front() == '>'};
}

std::string npy_descr(at::ScalarType dtype) {
  for (const NpyName& type : npy_types) {
    if (type.dtype != dtype) continue;
    const bool is_one_byte = type.name.ends_with('1');
    return std::string(is_one_byte ? "|" : "<").append(type.name);
  }
  return "";
}

}  // namespace faultwave
