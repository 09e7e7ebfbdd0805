// Any AArch64: bytes are widened to int16.
#include "lanes_neon.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 4, kVectors = 1;
  static constexpr bool kAddsTwos = false;
  struct Sum {
    int32x4_t f0, f1, f2, f3;  // the four channels of a frame
  };
  struct Bytes {
    int16x8_t low, high;  // frames 0 and 1, 2 and 3
  };
  using Weights = int16x4_t;

  static Sum zero() { return {vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0), vdupq_n_s32(0)}; }
  static Bytes load(const uint8_t* p) {
    const uint8x16_t x = vld1q_u8(p);
    return {vreinterpretq_s16_u16(vmovl_u8(vget_low_u8(x))), vreinterpretq_s16_u16(vmovl_u8(vget_high_u8(x)))};
  }
  static Weights weights(const int8_t* p) {
    const int16_t w[4] = {p[0], p[1], p[2], p[3]};
    return vld1_s16(w);
  }
  static Sum dot(Sum sum, Bytes x, Weights w) {
    return {vmlal_s16(sum.f0, vget_low_s16(x.low), w), vmlal_s16(sum.f1, vget_high_s16(x.low), w),
            vmlal_s16(sum.f2, vget_low_s16(x.high), w), vmlal_s16(sum.f3, vget_high_s16(x.high), w)};
  }
  static Ints total(Sum sum) { return {vpaddq_s32(vpaddq_s32(sum.f0, sum.f1), vpaddq_s32(sum.f2, sum.f3))}; }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_neon.h"

namespace kittentts {

const Kernels kNeon = {"neon", false, 0, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
