// Pieces of the portable kernels that the others use, too.
#pragma once

#include <math.h>

#include "kernels.h"

namespace kittentts {

extern const Kernels kPortable;
extern const Kernels kAvx512Vnni, kAvxVnni, kAvx2, kSse2;  // x86-64
extern const Kernels kNeonDot, kNeon;                      // AArch64

void pack_bytes_portable(const uint8_t* const rows[kGroup], size_t n, uint8_t* out);

namespace {

// As MLAS: what is out of range is clamped before it is rounded; not a number gives 0.
inline uint8_t quantized(float x, const Quantization& q) {
  float y = x / q.scale;
  const float least = float(-q.zero_point), greatest = float(255 - q.zero_point);
  y = y > least ? y : least;
  y = y < greatest ? y : greatest;
  return uint8_t(int32_t(nearbyintf(y)) + q.zero_point);
}

}  // namespace

}  // namespace kittentts
