// SPDX-License-Identifier: Apache-2.0
#include "src/fault/batch_offsets.h"

namespace faultwave::detail {
namespace {

/// A batch axis cut into turns: in each, every element has `run` rows, which hold `own` values.
struct Turns {
  int64_t own;
  int64_t all;  // values of the whole batch in one turn

  Turns(c10::IntArrayRef shape, const BatchAxis& batch) {
    int64_t below = 1;
    for (size_t d = static_cast<size_t>(batch.dim) + 1; d < shape.size(); ++d)
      below *= shape[d];
    own = batch.run * below;
    all = shape[static_cast<size_t>(batch.dim)] / batch.rows * own;
  }
};

}  // namespace

std::vector<int64_t> element_shape(c10::IntArrayRef shape, const BatchAxis& batch) {
  Site site;
  site.shape = shape.vec();
  site.batch = batch;
  return site.element_shape();
}

std::vector<int64_t> whole_offsets(const std::vector<int64_t>& element_offsets, c10::IntArrayRef shape,
                                   const BatchAxis& batch, int64_t element) {
  if (batch.dim < 0) return element_offsets;
  const Turns turns(shape, batch);
  std::vector<int64_t> offsets;
  offsets.reserve(element_offsets.size());
  for (int64_t offset : element_offsets)
    offsets.push_back(offset / turns.own * turns.all + element * turns.own + offset % turns.own);
  return offsets;
}

int64_t element_offset(int64_t whole_offset, c10::IntArrayRef shape, const BatchAxis& batch) {
  if (batch.dim < 0) return whole_offset;
  const Turns turns(shape, batch);
  return whole_offset / turns.all * turns.own + whole_offset % turns.own;
}

}  // namespace faultwave::detail
