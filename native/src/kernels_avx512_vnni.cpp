// x86-64 with AVX-512 (F, BW, DQ, VL) and its dot product of bytes (VNNI).
#include <cstring>

#include "kernels_portable.h"
#include "lanes_avx512.h"
#include "norm_rows.h"

namespace kittentts {

namespace {

// Named variables and no loops over them: compilers keep arrays of vectors in memory.
struct Sum {
  __m512i v0, v1, v2;  // 48 frames of an output channel
};

template <size_t kVectors>
inline void take(Sum& sum, const Sum& frames, const int8_t* w) {
  int32_t four;
  std::memcpy(&four, w, sizeof four);
  const __m512i weights = _mm512_set1_epi32(four);
  sum.v0 = _mm512_dpbusd_epi32(sum.v0, frames.v0, weights);
  if (kVectors > 1) sum.v1 = _mm512_dpbusd_epi32(sum.v1, frames.v1, weights);
  if (kVectors > 2) sum.v2 = _mm512_dpbusd_epi32(sum.v2, frames.v2, weights);
}

// The frames of `mask` from frame t on.
inline void put(const ConvBlock& b, size_t row, size_t t, __mmask16 mask, __m512i sum) {
  __m512i total = _mm512_add_epi32(sum, _mm512_set1_epi32(b.add[row]));
  if (b.window_sums != nullptr) {
    const __m512i window = _mm512_maskz_loadu_epi32(mask, b.window_sums + t);
    total = _mm512_sub_epi32(total, _mm512_mullo_epi32(window, _mm512_set1_epi32(b.w_zero[row])));
  }
  __m512 y = _mm512_mul_ps(_mm512_cvtepi32_ps(total), _mm512_set1_ps(b.scale[row]));
  if (b.residual != nullptr) y = _mm512_add_ps(y, _mm512_maskz_loadu_ps(mask, b.residual + row * b.y_stride + t));
  _mm512_mask_storeu_ps(b.y + row * b.y_stride + t, mask, y);
}

template <size_t kVectors>
inline void put_row(const ConvBlock& b, size_t row, size_t t, __mmask16 last, const Sum& sum) {
  if (row >= b.rows) return;
  put(b, row, t, kVectors > 1 ? __mmask16(0xffff) : last, sum.v0);
  if (kVectors > 1) put(b, row, t + 16, kVectors > 2 ? __mmask16(0xffff) : last, sum.v1);
  if (kVectors > 2) put(b, row, t + 32, last, sum.v2);
}

// kVectors * 16 frames from t on for kRows output channels; of the last 16, `valid` are stored.
template <size_t kVectors>
void conv_tile(const ConvBlock& b, size_t t, size_t valid) {
  const Sum zero = {_mm512_setzero_si512(), _mm512_setzero_si512(), _mm512_setzero_si512()};
  Sum s0 = zero, s1 = zero, s2 = zero, s3 = zero, s4 = zero, s5 = zero, s6 = zero, s7 = zero;
  const uint8_t* x = b.x + 4 * t;
  const int8_t* w = b.weights;
  for (size_t e = 0; e < b.entries; ++e, w += kRows * kGroup) {
    const uint8_t* at = x + b.offsets[e];
    Sum frames = zero;
    frames.v0 = _mm512_loadu_si512(at);
    if (kVectors > 1) frames.v1 = _mm512_loadu_si512(at + 64);
    if (kVectors > 2) frames.v2 = _mm512_loadu_si512(at + 128);
    take<kVectors>(s0, frames, w);
    take<kVectors>(s1, frames, w + 4);
    take<kVectors>(s2, frames, w + 8);
    take<kVectors>(s3, frames, w + 12);
    take<kVectors>(s4, frames, w + 16);
    take<kVectors>(s5, frames, w + 20);
    take<kVectors>(s6, frames, w + 24);
    take<kVectors>(s7, frames, w + 28);
  }
  const __mmask16 last = valid == 16 ? __mmask16(0xffff) : __mmask16((1u << valid) - 1);
  put_row<kVectors>(b, 0, t, last, s0);
  put_row<kVectors>(b, 1, t, last, s1);
  put_row<kVectors>(b, 2, t, last, s2);
  put_row<kVectors>(b, 3, t, last, s3);
  put_row<kVectors>(b, 4, t, last, s4);
  put_row<kVectors>(b, 5, t, last, s5);
  put_row<kVectors>(b, 6, t, last, s6);
  put_row<kVectors>(b, 7, t, last, s7);
}

void conv(const ConvBlock& b) {
  size_t t = 0;
  for (; b.times - t >= 48; t += 48) conv_tile<3>(b, t, 16);
  const size_t left = b.times - t;
  if (left > 32) {
    conv_tile<3>(b, t, left - 32);
  } else if (left > 16) {
    conv_tile<2>(b, t, left - 16);
  } else if (left > 0) {
    conv_tile<1>(b, t, left);
  }
}

void pack_float(const float* const rows[kGroup], size_t n, const Quantization& q, uint8_t* out) {
  const __m512 scale = _mm512_set1_ps(q.scale);
  const __m512 least = _mm512_set1_ps(float(-q.zero_point)), greatest = _mm512_set1_ps(float(255 - q.zero_point));
  const __m512i zero = _mm512_set1_epi32(q.zero_point);
  for (size_t i = 0; i < n; i += 16) {
    const __mmask16 mask = n - i >= 16 ? __mmask16(0xffff) : __mmask16((1u << (n - i)) - 1);
    __m512i bytes = _mm512_setzero_si512();
    for (size_t c = 0; c < kGroup; ++c) {
      const __m512 y = _mm512_div_ps(_mm512_maskz_loadu_ps(mask, rows[c] + i), scale);
      const __m512 clamped = _mm512_min_ps(_mm512_max_ps(y, least), greatest);
      const __m512i byte = _mm512_add_epi32(_mm512_cvtps_epi32(clamped), zero);
      bytes = _mm512_or_si512(bytes, _mm512_sll_epi32(byte, _mm_cvtsi32_si128(int(8 * c))));
    }
    _mm512_mask_storeu_epi32(out + 4 * i, mask, bytes);
  }
}

void range(const float* x, size_t n, float* low, float* high) {
  __m512 least[4], greatest[4];
  for (size_t j = 0; j < 4; ++j) {
    least[j] = _mm512_set1_ps(*low);
    greatest[j] = _mm512_set1_ps(*high);
  }
  size_t i = 0;
  for (; i + 64 <= n; i += 64) {
    for (size_t j = 0; j < 4; ++j) {
      const __m512 value = _mm512_loadu_ps(x + i + 16 * j);
      least[j] = _mm512_min_ps(value, least[j]);
      greatest[j] = _mm512_max_ps(value, greatest[j]);
    }
  }
  for (; i < n; ++i) {
    if (x[i] < *low) *low = x[i];
    if (x[i] > *high) *high = x[i];
  }
  for (size_t j = 1; j < 4; ++j) {
    least[0] = _mm512_min_ps(least[j], least[0]);
    greatest[0] = _mm512_max_ps(greatest[j], greatest[0]);
  }
  const float a = _mm512_reduce_min_ps(least[0]), b = _mm512_reduce_max_ps(greatest[0]);
  if (a < *low) *low = a;
  if (b > *high) *high = b;
}

}  // namespace

extern const Kernels kAvx512Vnni;
const Kernels kAvx512Vnni = {"avx512_vnni", false, conv, pack_float, pack_bytes_portable, range, norm_rows};

}  // namespace kittentts
