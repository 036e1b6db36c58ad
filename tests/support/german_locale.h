// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <clocale>
#include <locale>
#include <string>

namespace faultwave {

/// While it lives, numbers are written "1.234,5" by whatever asks the locale: of C++, and of C where the
/// machine has it.
class GermanLocale {
 public:
  GermanLocale() : old_(std::locale::global(std::locale(std::locale::classic(), new Punctuation))) {
    const char* of_c = std::setlocale(LC_ALL, nullptr);
    old_of_c_ = of_c == nullptr ? "C" : of_c;
    std::setlocale(LC_ALL, "de_DE.UTF-8");
  }
  ~GermanLocale() {
    std::locale::global(old_);
    std::setlocale(LC_ALL, old_of_c_.c_str());
  }
  GermanLocale(const GermanLocale&) = delete;
  GermanLocale& operator=(const GermanLocale&) = delete;

 private:
  class Punctuation : public std::numpunct<char> {
   protected:
    char do_decimal_point() const override { return ','; }
    char do_thousands_sep() const override { return '.'; }
    std::string do_grouping() const override { return "\3"; }
  };

  std::locale old_;
  std::string old_of_c_;
};

}  // namespace faultwave
