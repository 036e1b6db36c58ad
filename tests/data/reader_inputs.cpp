// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include "faultwave/input_reader.h"

#include "tests/data/data_test.h"

namespace faultwave {
namespace {

/// Reads rows of a tensor, and counts how often.
struct Rows {
  at::Tensor values;
  int reads = 0;

  std::shared_ptr<InputSet> inputs(std::vector<int64_t> batch_axes = {0}) {
    return inputs_from_reader(
        values.size(0),
        [this](int64_t index) {
          ++reads;
          return Input{values[index]};
        },
        std::move(batch_axes));
  }
};

TEST_CASE("inputs that are read one by one are those of a tensor, with its fingerprint") {
  Rows rows{at::arange(24, at::kFloat).view({4, 6})};
  const auto inputs = rows.inputs();
  CHECK(inputs->size() == 4);
  CHECK(inputs->name(3) == "#3");
  CHECK(inputs->batch_axes() == std::vector<int64_t>{0});
  CHECK(is_identical(inputs->get(2).at(0), rows.values[2]));
  CHECK(inputs->fingerprint() == inputs_from_tensor(rows.values)->fingerprint());
}

TEST_CASE("the fingerprint reads each input once") {
  Rows rows{at::arange(24, at::kFloat).view({4, 6})};
  const auto inputs = rows.inputs();
  inputs->fingerprint();
  inputs->fingerprint();
  CHECK(rows.reads == 4);
}

TEST_CASE("without batch axes each input is taken as it is") {
  Rows rows{at::zeros({2, 6})};
  CHECK(rows.inputs({})->batch_axes() == std::vector<int64_t>{-1});
}

TEST_CASE("an input that is another one when it is read again is refused") {
  Rows rows{at::zeros({3, 2})};
  const auto inputs = rows.inputs();
  inputs->get(1);
  rows.values[1].fill_(1);
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs->get(1); }),
                 "input 1 is not what it was when it was read before"));
}

TEST_CASE("inputs that differ in shape or number are refused") {
  const auto inputs = inputs_from_reader(3, [](int64_t index) {
    return index == 2 ? Input{at::zeros({2}), at::zeros({2})} : Input{at::zeros({2 + index})};
  });
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs->get(1); }), "pad them to one shape"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs->get(2); }), "input 2"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs->get(3); }), "input 3 does not exist"));
}

TEST_CASE("an empty data set, and names that do not fit, are refused") {
  const InputReader read = [](int64_t) { return Input{at::zeros({2})}; };
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs_from_reader(0, read); }), "holds no inputs"));
  CHECK(contains(error_of(ErrorCode::bad_input, [&] { inputs_from_reader(2, read, {}, {"a"}); }),
                 "1 names for 2 inputs"));
  CHECK(inputs_from_reader(2, read, {}, {"a", "b"})->name(1) == "b");
}

TEST_CASE("what a reader throws goes on") {
  CHECK_THROWS_WITH_AS(inputs_from_reader(1, [](int64_t) -> Input { throw std::runtime_error("gone"); }),
                       "gone", std::runtime_error);
}

}  // namespace
}  // namespace faultwave
