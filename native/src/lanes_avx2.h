// Eight lanes of float32 and int32 with AVX2.
#pragma once

#include <immintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Lanes {
  static constexpr size_t kLanes = 8;
  __m256 v;

  static Lanes load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static void store(float* p, Lanes a) { _mm256_storeu_ps(p, a.v); }
  static Lanes set(float x) { return {_mm256_set1_ps(x)}; }
  static Lanes add(Lanes a, Lanes b) { return {_mm256_add_ps(a.v, b.v)}; }
  static Lanes sub(Lanes a, Lanes b) { return {_mm256_sub_ps(a.v, b.v)}; }
  static Lanes mul(Lanes a, Lanes b) { return {_mm256_mul_ps(a.v, b.v)}; }
  static Lanes div(Lanes a, Lanes b) { return {_mm256_div_ps(a.v, b.v)}; }
  static Lanes abs(Lanes a) { return {_mm256_andnot_ps(_mm256_set1_ps(-0.0f), a.v)}; }
  static Lanes min(Lanes a, Lanes b) { return {_mm256_min_ps(a.v, b.v)}; }
  static Lanes max(Lanes a, Lanes b) { return {_mm256_max_ps(a.v, b.v)}; }
  static Lanes positive_or(Lanes a, Lanes b) {
    return {_mm256_blendv_ps(b.v, a.v, _mm256_cmp_ps(a.v, _mm256_setzero_ps(), _CMP_GE_OQ))};
  }
  static bool any_at_least(Lanes a, Lanes b) { return _mm256_movemask_ps(_mm256_cmp_ps(a.v, b.v, _CMP_GE_OQ)) != 0; }
  static Lanes quadrant_sign(Lanes quadrant, Lanes value, Lanes odd, Lanes even) {
    const __m256i q = _mm256_castps_si256(quadrant.v);
    // blendv looks at the sign of each lane
    const __m256 chosen = _mm256_blendv_ps(odd.v, even.v, _mm256_castsi256_ps(_mm256_slli_epi32(q, 31)));
    const __m256 sign = _mm256_xor_ps(value.v, _mm256_castsi256_ps(_mm256_slli_epi32(q, 30)));
    return {_mm256_xor_ps(chosen, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)))};
  }
};

struct Ints {
  __m256i v;

  static Ints load(const int32_t* p) { return {_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p))}; }
  static void store(void* p, Ints a) { _mm256_storeu_si256(static_cast<__m256i*>(p), a.v); }
  static Ints set(int32_t x) { return {_mm256_set1_epi32(x)}; }
  static Ints add(Ints a, Ints b) { return {_mm256_add_epi32(a.v, b.v)}; }
  static Ints sub(Ints a, Ints b) { return {_mm256_sub_epi32(a.v, b.v)}; }
  static Ints either(Ints a, Ints b) { return {_mm256_or_si256(a.v, b.v)}; }
  template <int kBits>
  static Ints shifted(Ints a) {
    return {_mm256_slli_epi32(a.v, kBits)};
  }
  static Ints rounded(Lanes a) { return {_mm256_cvtps_epi32(a.v)}; }
  static Lanes to_floats(Ints a) { return {_mm256_cvtepi32_ps(a.v)}; }
};

}  // namespace

#include "sums_avx.h"
