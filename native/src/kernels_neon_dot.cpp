// AArch64 with the dot product of signed bytes: x is moved by 128, and the operator adds 128 * the sum of the weights.
#include <cstring>

#include "lanes_neon.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 8, kVectors = 3;
  static constexpr bool kAddsTwos = false;
  using Sum = int32x4_t;
  using Bytes = int8x16_t;
  using Weights = int8x16_t;

  static Sum zero() { return vdupq_n_s32(0); }
  static Bytes load(const uint8_t* p) { return vreinterpretq_s8_u8(veorq_u8(vld1q_u8(p), vdupq_n_u8(0x80))); }
  static Weights weights(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return vreinterpretq_s8_s32(vdupq_n_s32(four));
  }
  static Sum dot(Sum sum, Bytes x, Weights w) { return vdotq_s32(sum, x, w); }
  static Ints total(Sum sum) { return {sum}; }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_neon.h"

namespace kittentts {

const Kernels kNeonDot = {"neon_dot", false, 128, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
