// Four lanes of float32 and int32 with AArch64's NEON.
#pragma once

#include <arm_neon.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Lanes {
  static constexpr size_t kLanes = 4;
  float32x4_t v;

  static Lanes load(const float* p) { return {vld1q_f32(p)}; }
  static void store(float* p, Lanes a) { vst1q_f32(p, a.v); }
  static Lanes set(float x) { return {vdupq_n_f32(x)}; }
  static Lanes add(Lanes a, Lanes b) { return {vaddq_f32(a.v, b.v)}; }
  static Lanes sub(Lanes a, Lanes b) { return {vsubq_f32(a.v, b.v)}; }
  static Lanes mul(Lanes a, Lanes b) { return {vmulq_f32(a.v, b.v)}; }
  static Lanes div(Lanes a, Lanes b) { return {vdivq_f32(a.v, b.v)}; }
  static Lanes abs(Lanes a) { return {vabsq_f32(a.v)}; }
  // b where a is not a number
  static Lanes min(Lanes a, Lanes b) { return {vbslq_f32(vcltq_f32(a.v, b.v), a.v, b.v)}; }
  static Lanes max(Lanes a, Lanes b) { return {vbslq_f32(vcgtq_f32(a.v, b.v), a.v, b.v)}; }
  static Lanes positive_or(Lanes a, Lanes b) { return {vbslq_f32(vcgeq_f32(a.v, vdupq_n_f32(0)), a.v, b.v)}; }
  static bool any_at_least(Lanes a, Lanes b) { return vmaxvq_u32(vcgeq_f32(a.v, b.v)) != 0; }
  static Lanes quadrant_sign(Lanes quadrant, Lanes value, Lanes odd, Lanes even) {
    const uint32x4_t q = vreinterpretq_u32_f32(quadrant.v);
    const uint32x4_t chosen = vreinterpretq_u32_f32(vbslq_f32(vtstq_u32(q, vdupq_n_u32(1)), even.v, odd.v));
    const uint32x4_t sign = vandq_u32(veorq_u32(vreinterpretq_u32_f32(value.v), vshlq_n_u32(q, 30)), vdupq_n_u32(0x80000000u));
    return {vreinterpretq_f32_u32(veorq_u32(chosen, sign))};
  }
};

struct Ints {
  int32x4_t v;

  static Ints load(const int32_t* p) { return {vld1q_s32(p)}; }
  static void store(int32_t* p, Ints a) { vst1q_s32(p, a.v); }
  static void store(uint8_t* p, Ints a) { vst1q_u8(p, vreinterpretq_u8_s32(a.v)); }
  static Ints set(int32_t x) { return {vdupq_n_s32(x)}; }
  static Ints add(Ints a, Ints b) { return {vaddq_s32(a.v, b.v)}; }
  static Ints sub(Ints a, Ints b) { return {vsubq_s32(a.v, b.v)}; }
  static Ints either(Ints a, Ints b) { return {vorrq_s32(a.v, b.v)}; }
  template <int kBits>
  static Ints shifted(Ints a) {
    return {vshlq_n_s32(a.v, kBits)};
  }
  static Ints rounded(Lanes a) { return {vcvtnq_s32_f32(a.v)}; }
  static Lanes to_floats(Ints a) { return {vcvtq_f32_s32(a.v)}; }
};

// The two accumulators of sums.h.
struct Sums {
  float32x4_t a, b;

  static Sums load(const float* p) { return {vld1q_f32(p), vld1q_f32(p + 4)}; }
  static void store(float* p, Sums s) {
    vst1q_f32(p, s.a);
    vst1q_f32(p + 4, s.b);
  }
  static Sums set(float x) { return {vdupq_n_f32(x), vdupq_n_f32(x)}; }
  static Sums add(Sums s, Sums t) { return {vaddq_f32(s.a, t.a), vaddq_f32(s.b, t.b)}; }
  static Sums sub(Sums s, Sums t) { return {vsubq_f32(s.a, t.a), vsubq_f32(s.b, t.b)}; }
  static Sums mul(Sums s, Sums t) { return {vmulq_f32(s.a, t.a), vmulq_f32(s.b, t.b)}; }
};

}  // namespace
