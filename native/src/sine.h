// The sine of Eigen with SSE2 and without FMA (its psin_float, version 3.4; ONNX Runtime's Sin), for any number of lanes.
// After Eigen, Copyright (C) 2009-2019 Gael Guennebaud and others, Mozilla Public License 2.0.
#pragma once

#include <cstdint>
#include <cstring>

namespace {

constexpr float kHuge = 25966.0f;  // from here on the argument is reduced in fixed point

inline uint32_t bits_of(float x) {
  uint32_t bits;
  std::memcpy(&bits, &x, sizeof bits);
  return bits;
}

// x in [25966, inf) minus the nearest multiple of pi/2, by the method of Payne and Hanek; `quadrant` is the multiple modulo 4.
inline float reduce_huge(float x, uint32_t* quadrant) {
  // 192 bits of 2/pi, by bytes
  static const uint32_t two_over_pi[] = {0x00000028, 0x000028be, 0x0028be60, 0x28be60db, 0xbe60db93, 0x60db9391, 0xdb939105,
                                         0x9391054a, 0x91054a7f, 0x054a7f09, 0x4a7f09d5, 0x7f09d5f4, 0x09d5f47d, 0xd5f47d4d,
                                         0xf47d4d37, 0x7d4d3770, 0x4d377036, 0x377036d8, 0x7036d8a5, 0x36d8a566, 0xd8a5664f,
                                         0xa5664f10, 0x664f10e4, 0x4f10e410, 0x10e41000, 0xe4100000};
  const uint32_t bits = bits_of(x);
  const uint32_t exponent = (bits >> 23) - 118;
  const uint32_t mantissa = ((bits & 0x007fffffu) | 0x00800000u) << (exponent & 7);
  const uint32_t i = exponent >> 3;
  uint64_t p = uint64_t(mantissa) * two_over_pi[i + 7];
  p = uint64_t(mantissa) * two_over_pi[i + 3] + (p >> 32);
  p = (uint64_t(mantissa * two_over_pi[i - 1]) << 32) + p;
  const uint64_t q = (p + (uint64_t(1) << 61)) >> 62;
  *quadrant = uint32_t(q);
  p -= q << 62;
  return float(double(int64_t(p)) * 3.4061215800865545e-19);  // pi/2 * 2^-62
}

// V: lanes of float32 (see lanes_*.h).
template <class V>
inline V sine(V value) {
  const V magnitude = V::abs(value);
  const V magic = V::set(12582912.0f);  // 1.5 * 2^23: adding it rounds to an integer
  const V rounded = V::add(V::mul(magnitude, V::set(0.636619746685028076171875f)), magic);
  const V y = V::sub(rounded, magic);
  V x = V::add(V::mul(y, V::set(-1.5703125f)), magnitude);
  x = V::add(V::mul(y, V::set(-0.000483989715576171875f)), x);
  x = V::add(V::mul(y, V::set(1.62865035235881805419921875e-07f)), x);
  x = V::add(V::mul(y, V::set(5.5644315544167710640977020375430583953857421875e-11f)), x);
  V quadrant = rounded;  // the low bits
  if (V::any_at_least(magnitude, V::set(kHuge))) {
    float magnitudes[V::kLanes], reduced[V::kLanes], quadrants[V::kLanes];
    V::store(magnitudes, magnitude);
    V::store(reduced, x);
    V::store(quadrants, rounded);
    for (size_t i = 0; i < V::kLanes; ++i) {
      if (magnitudes[i] >= kHuge && bits_of(magnitudes[i]) < 0x7f800000u) {
        uint32_t q;
        reduced[i] = reduce_huge(magnitudes[i], &q);
        std::memcpy(&quadrants[i], &q, sizeof q);
      }
    }
    x = V::load(reduced);
    quadrant = V::load(quadrants);
  }
  const V x2 = V::mul(x, x);
  V even = V::set(2.4372266125283204019069671630859375e-05f);
  even = V::add(V::mul(even, x2), V::set(-0.00138865201734006404876708984375f));
  even = V::add(V::mul(even, x2), V::set(0.041666619479656219482421875f));
  even = V::add(V::mul(even, x2), V::set(-0.5f));
  even = V::add(V::mul(even, x2), V::set(1.0f));  // the cosine of x
  V odd = V::set(-0.0001959234114083702898469196984621021329076029360294342041015625f);
  odd = V::add(V::mul(odd, x2), V::set(0.0083326873655616851693794799871284340042620897293090820312500000f));
  odd = V::add(V::mul(odd, x2), V::set(-0.1666666203982298255503735617821803316473960876464843750000000000f));
  odd = V::mul(odd, x2);
  odd = V::add(V::mul(odd, x), x);  // the sine of x
  // bit 0 of the quadrant chooses, bit 1 and the sign of the value give the sign
  return V::quadrant_sign(quadrant, value, odd, even);
}

}  // namespace
