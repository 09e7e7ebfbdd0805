// Four lanes of float32 and int32 with SSE2, which every x86-64 CPU has.
#pragma once

#include <emmintrin.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Lanes {
  static constexpr size_t kLanes = 4;
  __m128 v;

  static Lanes load(const float* p) { return {_mm_loadu_ps(p)}; }
  static void store(float* p, Lanes a) { _mm_storeu_ps(p, a.v); }
  static Lanes set(float x) { return {_mm_set1_ps(x)}; }
  static Lanes add(Lanes a, Lanes b) { return {_mm_add_ps(a.v, b.v)}; }
  static Lanes sub(Lanes a, Lanes b) { return {_mm_sub_ps(a.v, b.v)}; }
  static Lanes mul(Lanes a, Lanes b) { return {_mm_mul_ps(a.v, b.v)}; }
  static Lanes div(Lanes a, Lanes b) { return {_mm_div_ps(a.v, b.v)}; }
  static Lanes abs(Lanes a) { return {_mm_andnot_ps(_mm_set1_ps(-0.0f), a.v)}; }
  static Lanes min(Lanes a, Lanes b) { return {_mm_min_ps(a.v, b.v)}; }
  static Lanes max(Lanes a, Lanes b) { return {_mm_max_ps(a.v, b.v)}; }
  static Lanes select(__m128 mask, __m128 a, __m128 b) { return {_mm_or_ps(_mm_and_ps(mask, a), _mm_andnot_ps(mask, b))}; }
  static Lanes positive_or(Lanes a, Lanes b) { return select(_mm_cmpge_ps(a.v, _mm_setzero_ps()), a.v, b.v); }
  static bool any_at_least(Lanes a, Lanes b) { return _mm_movemask_ps(_mm_cmpge_ps(a.v, b.v)) != 0; }
  static Lanes quadrant_sign(Lanes quadrant, Lanes value, Lanes odd, Lanes even) {
    const __m128i q = _mm_castps_si128(quadrant.v);
    const __m128 is_even = _mm_castsi128_ps(_mm_srai_epi32(_mm_slli_epi32(q, 31), 31));
    const __m128 sign = _mm_xor_ps(value.v, _mm_castsi128_ps(_mm_slli_epi32(q, 30)));
    return {_mm_xor_ps(select(is_even, even.v, odd.v).v, _mm_and_ps(sign, _mm_set1_ps(-0.0f)))};
  }
};

struct Ints {
  __m128i v;

  static Ints load(const int32_t* p) { return {_mm_loadu_si128(reinterpret_cast<const __m128i*>(p))}; }
  static void store(void* p, Ints a) { _mm_storeu_si128(static_cast<__m128i*>(p), a.v); }
  static Ints set(int32_t x) { return {_mm_set1_epi32(x)}; }
  static Ints add(Ints a, Ints b) { return {_mm_add_epi32(a.v, b.v)}; }
  static Ints sub(Ints a, Ints b) { return {_mm_sub_epi32(a.v, b.v)}; }
  static Ints either(Ints a, Ints b) { return {_mm_or_si128(a.v, b.v)}; }
  template <int kBits>
  static Ints shifted(Ints a) {
    return {_mm_slli_epi32(a.v, kBits)};
  }
  static Ints rounded(Lanes a) { return {_mm_cvtps_epi32(a.v)}; }
  static Lanes to_floats(Ints a) { return {_mm_cvtepi32_ps(a.v)}; }
};

// The two accumulators of sums.h.
struct Sums {
  __m128 a, b;

  static Sums load(const float* p) { return {_mm_loadu_ps(p), _mm_loadu_ps(p + 4)}; }
  static void store(float* p, Sums s) {
    _mm_storeu_ps(p, s.a);
    _mm_storeu_ps(p + 4, s.b);
  }
  static Sums set(float x) { return {_mm_set1_ps(x), _mm_set1_ps(x)}; }
  static Sums add(Sums s, Sums t) { return {_mm_add_ps(s.a, t.a), _mm_add_ps(s.b, t.b)}; }
  static Sums sub(Sums s, Sums t) { return {_mm_sub_ps(s.a, t.a), _mm_sub_ps(s.b, t.b)}; }
  static Sums mul(Sums s, Sums t) { return {_mm_mul_ps(s.a, t.a), _mm_mul_ps(s.b, t.b)}; }
};

}  // namespace
