// The two accumulators of sums.h in one register of AVX.
#pragma once

#include <immintrin.h>

namespace {

struct Sums {
  __m256 v;

  static Sums load(const float* p) { return {_mm256_loadu_ps(p)}; }
  static void store(float* p, Sums a) { _mm256_storeu_ps(p, a.v); }
  static Sums set(float x) { return {_mm256_set1_ps(x)}; }
  static Sums add(Sums a, Sums b) { return {_mm256_add_ps(a.v, b.v)}; }
  static Sums sub(Sums a, Sums b) { return {_mm256_sub_ps(a.v, b.v)}; }
  static Sums mul(Sums a, Sums b) { return {_mm256_mul_ps(a.v, b.v)}; }
};

}  // namespace
