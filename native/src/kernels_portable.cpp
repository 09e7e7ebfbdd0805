// Plain C++, for every CPU, and what the other kernels are compared with.
#include "kernels_portable.h"


#include "lanes_portable.h"
#include "fft.h"
#include "norm_rows.h"

namespace kittentts {

namespace {

void conv(const ConvBlock& b) {
  for (size_t row = 0; row < b.rows; ++row) {
    for (size_t t = 0; t < b.times; ++t) {
      uint32_t sum = uint32_t(b.add[row]);
      for (size_t e = 0; e < b.entries; ++e) {
        const uint8_t* x = b.x + b.offsets[e] + 4 * t;
        const int8_t* w = b.weights + (e * kRows + row) * kGroup;
        for (size_t c = 0; c < kGroup; ++c) sum += uint32_t(int32_t(x[c]) * int32_t(w[c]));
      }
      if (b.window_sums != nullptr) sum -= uint32_t(b.w_zero[row]) * uint32_t(b.window_sums[t]);
      float y = float(int32_t(sum)) * b.scale[row];
      if (b.residual != nullptr) y = y + b.residual[row * b.y_stride + t];
      b.y[row * b.y_stride + t] = y;
    }
  }
}

void pack_float(const float* const rows[kGroup], size_t n, const Quantization& q, uint8_t* out) {
  for (size_t c = 0; c < kGroup; ++c) {
    for (size_t i = 0; i < n; ++i) out[4 * i + c] = quantized(rows[c][i], q);
  }
}

void range(const float* x, size_t n, float* low, float* high) {
  for (size_t i = 0; i < n; ++i) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
}

}  // namespace

void pack_bytes_portable(const uint8_t* const rows[kGroup], size_t n, uint8_t* out) {
  for (size_t c = 0; c < kGroup; ++c) {
    for (size_t i = 0; i < n; ++i) out[4 * i + c] = rows[c][i];
  }
}

const Kernels kPortable = {"portable", false, 0, conv, pack_float, pack_bytes_portable, range, norm_rows, stft};

}  // namespace kittentts
