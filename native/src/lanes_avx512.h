// Sixteen lanes of float32 with AVX-512 (F, DQ).
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Lanes {
  static constexpr size_t kLanes = 16;
  __m512 v;

  static Lanes load(const float* p) { return {_mm512_loadu_ps(p)}; }
  static void store(float* p, Lanes a) { _mm512_storeu_ps(p, a.v); }
  static Lanes set(float x) { return {_mm512_set1_ps(x)}; }
  static Lanes add(Lanes a, Lanes b) { return {_mm512_add_ps(a.v, b.v)}; }
  static Lanes sub(Lanes a, Lanes b) { return {_mm512_sub_ps(a.v, b.v)}; }
  static Lanes mul(Lanes a, Lanes b) { return {_mm512_mul_ps(a.v, b.v)}; }
  static Lanes div(Lanes a, Lanes b) { return {_mm512_div_ps(a.v, b.v)}; }
  static Lanes abs(Lanes a) { return {_mm512_abs_ps(a.v)}; }
  static Lanes min(Lanes a, Lanes b) { return {_mm512_min_ps(a.v, b.v)}; }
  static Lanes max(Lanes a, Lanes b) { return {_mm512_max_ps(a.v, b.v)}; }
  static Lanes positive_or(Lanes a, Lanes b) {
    return {_mm512_mask_mov_ps(b.v, _mm512_cmp_ps_mask(a.v, _mm512_setzero_ps(), _CMP_GE_OQ), a.v)};
  }
  static bool any_at_least(Lanes a, Lanes b) { return _mm512_cmp_ps_mask(a.v, b.v, _CMP_GE_OQ) != 0; }
  static Lanes quadrant_sign(Lanes quadrant, Lanes value, Lanes odd, Lanes even) {
    const __m512i q = _mm512_castps_si512(quadrant.v);
    const __m512 chosen = _mm512_mask_mov_ps(odd.v, _mm512_test_epi32_mask(q, _mm512_set1_epi32(1)), even.v);
    const __m512i sign = _mm512_and_si512(_mm512_xor_si512(_mm512_castps_si512(value.v), _mm512_slli_epi32(q, 30)),
                                          _mm512_set1_epi32(int(0x80000000u)));
    return {_mm512_castsi512_ps(_mm512_xor_si512(_mm512_castps_si512(chosen), sign))};
  }
};

struct Ints {
  __m512i v;

  static Ints load(const int32_t* p) { return {_mm512_loadu_si512(p)}; }
  static void store(void* p, Ints a) { _mm512_storeu_si512(p, a.v); }
  static Ints set(int32_t x) { return {_mm512_set1_epi32(x)}; }
  static Ints add(Ints a, Ints b) { return {_mm512_add_epi32(a.v, b.v)}; }
  static Ints sub(Ints a, Ints b) { return {_mm512_sub_epi32(a.v, b.v)}; }
  static Ints either(Ints a, Ints b) { return {_mm512_or_si512(a.v, b.v)}; }
  template <int kBits>
  static Ints shifted(Ints a) {
    return {_mm512_slli_epi32(a.v, kBits)};
  }
  static Ints rounded(Lanes a) { return {_mm512_cvtps_epi32(a.v)}; }
  static Lanes to_floats(Ints a) { return {_mm512_cvtepi32_ps(a.v)}; }
};

}  // namespace

#include "sums_avx.h"
