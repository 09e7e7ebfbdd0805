// The order in which Eigen with SSE2 sums a row of floats (its ReduceMean and InstanceNormalization in ONNX Runtime).
//
// Elements before the first 16-byte boundary wait; from there on eight elements at a time go to two accumulators of four lanes. The second
// is added to the first, then four more elements if there are; lanes 2 and 3 are added to 0 and 1, then 1 to 0. Then come the elements
// that waited, then the rest. Fewer than four elements after the boundary: all in order. Tensors begin at a 16-byte boundary.
#pragma once

#include <cstddef>

namespace {

struct Row {
  size_t start;  // elements before the boundary
  size_t end8;   // end of the whole eights
  size_t end4;   // end of the whole fours
};

// Row of `frames` elements that begins `offset` elements after a boundary.
inline Row row_of(size_t offset, size_t frames) {
  size_t start = (4 - offset % 4) % 4;
  if (start > frames) start = frames;
  return {start, start + (frames - start) / 8 * 8, start + (frames - start) / 4 * 4};
}

// `sums`: the eight lanes over start .. end8; all zero where end8 == start. f(i) is element i.
template <class F>
inline float finish_sum(const Row& row, size_t frames, const float sums[8], F f) {
  if (row.end4 == row.start) {
    float total = f(0);
    for (size_t i = 1; i < frames; ++i) total = total + f(i);
    return total;
  }
  float lane[4];
  for (size_t j = 0; j < 4; ++j) {
    if (row.end8 == row.start) {
      lane[j] = f(row.start + j);
    } else {
      lane[j] = sums[j] + sums[4 + j];
      if (row.end4 > row.end8) lane[j] = lane[j] + f(row.end8 + j);
    }
  }
  float total = (lane[0] + lane[2]) + (lane[1] + lane[3]);
  for (size_t i = 0; i < row.start; ++i) total = total + f(i);
  for (size_t i = row.end4; i < frames; ++i) total = total + f(i);
  return total;
}

}  // namespace
