// Four rows of bytes side by side, with NEON.
#pragma once

#include <arm_neon.h>

#include "kernels_portable.h"

namespace {

void pack_bytes(const uint8_t* const rows[kittentts::kGroup], size_t n, uint8_t* out) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const uint8x16x4_t four = {{vld1q_u8(rows[0] + i), vld1q_u8(rows[1] + i), vld1q_u8(rows[2] + i), vld1q_u8(rows[3] + i)}};
    vst4q_u8(out + 4 * i, four);
  }
  const uint8_t* const left[kittentts::kGroup] = {rows[0] + i, rows[1] + i, rows[2] + i, rows[3] + i};
  kittentts::pack_bytes_portable(left, n - i, out + 4 * i);
}

}  // namespace
