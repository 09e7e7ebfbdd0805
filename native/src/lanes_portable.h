// Four lanes of float32 in plain C++.
#pragma once

#include <math.h>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace {

struct Lanes {
  static constexpr size_t kLanes = 4;
  float v[4];

  template <class F>
  static Lanes each(F f) {
    Lanes r;
    for (size_t i = 0; i < kLanes; ++i) r.v[i] = f(i);
    return r;
  }
  static Lanes load(const float* p) { return each([&](size_t i) { return p[i]; }); }
  static void store(float* p, Lanes a) {
    for (size_t i = 0; i < kLanes; ++i) p[i] = a.v[i];
  }
  static Lanes set(float x) { return each([&](size_t) { return x; }); }
  static Lanes add(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] + b.v[i]; }); }
  static Lanes sub(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] - b.v[i]; }); }
  static Lanes mul(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] * b.v[i]; }); }
  static Lanes div(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] / b.v[i]; }); }
  static Lanes abs(Lanes a) { return each([&](size_t i) { return fabsf(a.v[i]); }); }
  // b where a is not a number, as SSE's minps and maxps
  static Lanes min(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] < b.v[i] ? a.v[i] : b.v[i]; }); }
  static Lanes max(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] > b.v[i] ? a.v[i] : b.v[i]; }); }
  // a where a >= 0, else b
  static Lanes positive_or(Lanes a, Lanes b) { return each([&](size_t i) { return a.v[i] >= 0 ? a.v[i] : b.v[i]; }); }
  static bool any_at_least(Lanes a, Lanes b) {
    bool any = false;
    for (size_t i = 0; i < kLanes; ++i) any = any || a.v[i] >= b.v[i];
    return any;
  }
  static Lanes quadrant_sign(Lanes quadrant, Lanes value, Lanes odd, Lanes even) {
    return each([&](size_t i) {
      uint32_t q, sign, y;
      std::memcpy(&q, &quadrant.v[i], 4);
      std::memcpy(&sign, &value.v[i], 4);
      std::memcpy(&y, (q & 1) ? &even.v[i] : &odd.v[i], 4);
      y ^= (sign ^ (q << 30)) & 0x80000000u;
      float result;
      std::memcpy(&result, &y, 4);
      return result;
    });
  }
};

// The two accumulators of sums.h.
struct Sums {
  float v[8];

  static Sums load(const float* p) {
    Sums r;
    for (size_t i = 0; i < 8; ++i) r.v[i] = p[i];
    return r;
  }
  static Sums set(float x) {
    Sums r;
    for (float& each : r.v) each = x;
    return r;
  }
  static Sums add(Sums a, Sums b) {
    for (size_t i = 0; i < 8; ++i) a.v[i] = a.v[i] + b.v[i];
    return a;
  }
  static Sums sub(Sums a, Sums b) {
    for (size_t i = 0; i < 8; ++i) a.v[i] = a.v[i] - b.v[i];
    return a;
  }
  static Sums mul(Sums a, Sums b) {
    for (size_t i = 0; i < 8; ++i) a.v[i] = a.v[i] * b.v[i];
    return a;
  }
  static void store(float* p, Sums a) {
    for (size_t i = 0; i < 8; ++i) p[i] = a.v[i];
  }
};

}  // namespace
