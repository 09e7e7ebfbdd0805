// A sine with the bits of ONNX Runtime's `Sin` on x86-64, for any number of lanes.
//
// That one reduces the argument by multiples of pi/2 in four steps, and sums two polynomials, without fused multiply-add. The bits depend
// on its constants and on the order of its steps, so these are the same here.
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

// The binary digits of 2/pi, behind two zeros; before and after them as many bytes as the smallest and largest exponents reach for.
constexpr uint8_t kTwoOverPi[] = {0x00, 0x00, 0x00, 0x28, 0xbe, 0x60, 0xdb, 0x93, 0x91, 0x05, 0x4a, 0x7f, 0x09, 0xd5, 0xf4,
                                  0x7d, 0x4d, 0x37, 0x70, 0x36, 0xd8, 0xa5, 0x66, 0x4f, 0x10, 0xe4, 0x10, 0x00, 0x00};

inline uint64_t four_digits(const uint8_t* p) {
  return uint64_t(p[0]) << 24 | uint64_t(p[1]) << 16 | uint64_t(p[2]) << 8 | uint64_t(p[3]);
}

// x in [25966, inf) minus the nearest multiple of pi/2; `quadrant` is the multiple modulo 4.
//
// The method of Payne and Hanek: x is a mantissa times a power of 2, so of the digits of 2/pi only 96 decide about x * 2/pi modulo 4. The
// product's last 32 bits are cut off.
inline float reduce_huge(float x, uint32_t* quadrant) {
  const uint32_t bits = bits_of(x);
  const uint32_t shift = (bits >> 23) - 118;
  const uint64_t mantissa = uint64_t((bits & 0x007fffffu) | 0x00800000u) << (shift % 8);
  const uint8_t* digits = kTwoOverPi + shift / 8 - 1;
  // in units of 2^-62 multiples
  const uint64_t multiples =
      (mantissa * four_digits(digits) << 32) + mantissa * four_digits(digits + 4) + (mantissa * four_digits(digits + 8) >> 32);
  const uint64_t nearest = (multiples + (uint64_t(1) << 61)) >> 62;
  *quadrant = uint32_t(nearest);
  const int64_t rest = int64_t(multiples - (nearest << 62));
  return float(double(rest) * (1.5707963267948966 / 4611686018427387904.0));  // pi/2 / 2^62
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
