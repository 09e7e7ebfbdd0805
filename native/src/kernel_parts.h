// The kernels, for any instruction set. Include after a lanes_*.h and a struct Dot:
//
//   kRowsAtOnce          output channels whose sums fit the registers, 4 or 8
//   kVectors             vectors of Lanes::kLanes frames a tile, 1 .. 3
//   kAddsTwos            whether there is dot_two(Sum, Bytes, Weights, Bytes, Weights) -> Sum, faster than dot twice where twos_fit_16_bits
//   Sum, Bytes, Weights  sums of one vector of frames; x of these frames; four weights for each
//   zero(), load(const uint8_t*), weights(const int8_t*), dot(Sum, Bytes, Weights) -> Sum, total(Sum) -> Ints
#pragma once

#include "fft.h"
#include "kernels_portable.h"
#include "norm_rows.h"

namespace {

using kittentts::ConvBlock;
using kittentts::kGroup;
using kittentts::kRows;
using kittentts::Quantization;

// Sums of one output channel. Named variables and no loops over them: compilers keep arrays of vectors in memory.
struct RowSums {
  Dot::Sum v0, v1, v2;
};

struct TileBytes {
  Dot::Bytes v0, v1, v2;
};

template <size_t kVectors>
inline void take(RowSums& sums, const TileBytes& x, const int8_t* four) {
  const Dot::Weights w = Dot::weights(four);
  sums.v0 = Dot::dot(sums.v0, x.v0, w);
  if (kVectors > 1) sums.v1 = Dot::dot(sums.v1, x.v1, w);
  if (kVectors > 2) sums.v2 = Dot::dot(sums.v2, x.v2, w);
}

// D is Dot: as a parameter, so that there need be no dot_two where this is not called.
template <size_t kVectors, class D = Dot>
inline void take_two(RowSums& sums, const TileBytes& x, const TileBytes& next, const int8_t* four) {
  const Dot::Weights w = Dot::weights(four), w_next = Dot::weights(four + kRows * kGroup);
  sums.v0 = D::dot_two(sums.v0, x.v0, w, next.v0, w_next);
  if (kVectors > 1) sums.v1 = D::dot_two(sums.v1, x.v1, w, next.v1, w_next);
  if (kVectors > 2) sums.v2 = D::dot_two(sums.v2, x.v2, w, next.v2, w_next);
}

template <size_t kVectors>
inline TileBytes load_tile(const uint8_t* at) {
  constexpr size_t kBytes = kGroup * Lanes::kLanes;
  TileBytes bytes;
  bytes.v0 = Dot::load(at);
  bytes.v1 = kVectors > 1 ? Dot::load(at + kBytes) : bytes.v0;
  bytes.v2 = kVectors > 2 ? Dot::load(at + 2 * kBytes) : bytes.v0;
  return bytes;
}

// `count` frames from t on.
inline void put(const ConvBlock& b, size_t row, size_t t, size_t count, Ints sum) {
  constexpr size_t kLanes = Lanes::kLanes;
  float* y = b.y + row * b.y_stride + t;
  const float* residual = b.residual == nullptr ? nullptr : b.residual + row * b.y_stride + t;
  Ints total = Ints::add(sum, Ints::set(b.add[row]));
  if (count < kLanes) {
    int32_t sums[kLanes];
    Ints::store(sums, total);
    for (size_t i = 0; i < count; ++i) {
      uint32_t one = uint32_t(sums[i]);
      if (b.window_sums != nullptr) one -= uint32_t(b.w_zero[row]) * uint32_t(b.window_sums[t + i]);
      const float scaled = float(int32_t(one)) * b.scale[row];
      y[i] = residual == nullptr ? scaled : scaled + residual[i];
    }
    return;
  }
  if (b.window_sums != nullptr) {
    // the product of two int32, its low half: not in every instruction set
    int32_t window[kLanes];
    for (size_t i = 0; i < kLanes; ++i) window[i] = int32_t(uint32_t(b.w_zero[row]) * uint32_t(b.window_sums[t + i]));
    total = Ints::sub(total, Ints::load(window));
  }
  Lanes scaled = Lanes::mul(Ints::to_floats(total), Lanes::set(b.scale[row]));
  if (residual != nullptr) scaled = Lanes::add(scaled, Lanes::load(residual));
  Lanes::store(y, scaled);
}

template <size_t kVectors>
inline void put_row(const ConvBlock& b, size_t row, size_t t, size_t last, const RowSums& sums) {
  constexpr size_t kLanes = Lanes::kLanes;
  if (row >= b.rows) return;
  put(b, row, t, kVectors > 1 ? kLanes : last, Dot::total(sums.v0));
  if (kVectors > 1) put(b, row, t + kLanes, kVectors > 2 ? kLanes : last, Dot::total(sums.v1));
  if (kVectors > 2) put(b, row, t + 2 * kLanes, last, Dot::total(sums.v2));
}

// kVectors vectors of frames from t on for kRowsAtOnce output channels from `row` on; of the last vector, `last` frames are stored.
template <size_t kVectors>
void conv_tile(const ConvBlock& b, size_t row, size_t t, size_t last) {
  constexpr bool kEight = Dot::kRowsAtOnce == 8;
  static_assert(!Dot::kAddsTwos || !kEight, "the loop over twos is for four rows");
  const RowSums zero = {Dot::zero(), Dot::zero(), Dot::zero()};
  RowSums s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
  const uint8_t* x = b.x + kGroup * t;
  const int8_t* w = b.weights + row * kGroup;
  size_t e = 0;
  if constexpr (Dot::kAddsTwos) {
    for (; b.twos_fit_16_bits && e + 2 <= b.entries; e += 2, w += 2 * kRows * kGroup) {
      const TileBytes bytes = load_tile<kVectors>(x + b.offsets[e]), next = load_tile<kVectors>(x + b.offsets[e + 1]);
      take_two<kVectors>(s0, bytes, next, w);
      take_two<kVectors>(s1, bytes, next, w + 4);
      take_two<kVectors>(s2, bytes, next, w + 8);
      take_two<kVectors>(s3, bytes, next, w + 12);
    }
  }
  for (; e < b.entries; ++e, w += kRows * kGroup) {
    const TileBytes bytes = load_tile<kVectors>(x + b.offsets[e]);
    take<kVectors>(s0, bytes, w);
    take<kVectors>(s1, bytes, w + 4);
    take<kVectors>(s2, bytes, w + 8);
    take<kVectors>(s3, bytes, w + 12);
    if (kEight) {
      take<kVectors>(s4, bytes, w + 16);
      take<kVectors>(s5, bytes, w + 20);
      take<kVectors>(s6, bytes, w + 24);
      take<kVectors>(s7, bytes, w + 28);
    }
  }
  put_row<kVectors>(b, row, t, last, s0);
  put_row<kVectors>(b, row + 1, t, last, s1);
  put_row<kVectors>(b, row + 2, t, last, s2);
  put_row<kVectors>(b, row + 3, t, last, s3);
  if (kEight) {
    put_row<kVectors>(b, row + 4, t, last, s4);
    put_row<kVectors>(b, row + 5, t, last, s5);
    put_row<kVectors>(b, row + 6, t, last, s6);
    put_row<kVectors>(b, row + 7, t, last, s7);
  }
}

void conv(const ConvBlock& b) {
  constexpr size_t kLanes = Lanes::kLanes, kTile = Dot::kVectors * kLanes;
  static_assert(kTile <= kittentts::kTimes, "a tile reads no further than this beyond the end");
  for (size_t row = 0; row < b.rows; row += Dot::kRowsAtOnce) {
    size_t t = 0;
    for (; b.times - t >= kTile; t += kTile) conv_tile<Dot::kVectors>(b, row, t, kLanes);
    const size_t left = b.times - t;
    if (left > 2 * kLanes) {
      conv_tile<Dot::kVectors>(b, row, t, left - 2 * kLanes);  // only where there are three
    } else if (left > kLanes) {
      conv_tile<(Dot::kVectors > 1 ? 2 : 1)>(b, row, t, left - kLanes);
    } else if (left > 0) {
      conv_tile<1>(b, row, t, left);
    }
  }
}

void pack_float(const float* const rows[kGroup], size_t n, const Quantization& q, uint8_t* out) {
  constexpr size_t kLanes = Lanes::kLanes;
  const Lanes scale = Lanes::set(q.scale), least = Lanes::set(float(-q.zero_point)), greatest = Lanes::set(float(255 - q.zero_point));
  const Ints zero = Ints::set(q.zero_point);
  const auto byte = [&](const float* x) {
    const Lanes y = Lanes::div(Lanes::load(x), scale);
    return Ints::add(Ints::rounded(Lanes::min(Lanes::max(y, least), greatest)), zero);
  };
  size_t i = 0;
  for (; i + kLanes <= n; i += kLanes) {
    const Ints low = Ints::either(byte(rows[0] + i), Ints::shifted<8>(byte(rows[1] + i)));
    const Ints high = Ints::either(Ints::shifted<16>(byte(rows[2] + i)), Ints::shifted<24>(byte(rows[3] + i)));
    Ints::store(out + kGroup * i, Ints::either(low, high));  // little-endian
  }
  for (; i < n; ++i) {
    for (size_t c = 0; c < kGroup; ++c) out[kGroup * i + c] = kittentts::quantized(rows[c][i], q);
  }
}

void range(const float* x, size_t n, float* low, float* high) {
  constexpr size_t kLanes = Lanes::kLanes;
  Lanes low0 = Lanes::set(*low), high0 = Lanes::set(*high), low1 = low0, high1 = high0;
  size_t i = 0;
  for (; i + 2 * kLanes <= n; i += 2 * kLanes) {
    const Lanes a = Lanes::load(x + i), b = Lanes::load(x + i + kLanes);
    low0 = Lanes::min(a, low0);
    high0 = Lanes::max(a, high0);
    low1 = Lanes::min(b, low1);
    high1 = Lanes::max(b, high1);
  }
  float lows[kLanes], highs[kLanes];
  Lanes::store(lows, Lanes::min(low0, low1));
  Lanes::store(highs, Lanes::max(high0, high1));
  for (size_t j = 0; j < kLanes; ++j) {
    if (lows[j] < *low) *low = lows[j];
    if (highs[j] > *high) *high = highs[j];
  }
  for (; i < n; ++i) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
}

}  // namespace
