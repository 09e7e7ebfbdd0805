// Four rows of bytes side by side, with SSE2.
#pragma once

#include <emmintrin.h>

#include "kernels_portable.h"

namespace {

void pack_bytes(const uint8_t* const rows[kittentts::kGroup], size_t n, uint8_t* out) {
  size_t i = 0;
  for (; i + 16 <= n; i += 16) {
    const auto load = [&](size_t c) { return _mm_loadu_si128(reinterpret_cast<const __m128i*>(rows[c] + i)); };
    const auto store = [&](size_t part, __m128i v) { _mm_storeu_si128(reinterpret_cast<__m128i*>(out + 4 * i + 16 * part), v); };
    const __m128i r0 = load(0), r1 = load(1), r2 = load(2), r3 = load(3);
    const __m128i low01 = _mm_unpacklo_epi8(r0, r1), high01 = _mm_unpackhi_epi8(r0, r1);
    const __m128i low23 = _mm_unpacklo_epi8(r2, r3), high23 = _mm_unpackhi_epi8(r2, r3);
    store(0, _mm_unpacklo_epi16(low01, low23));
    store(1, _mm_unpackhi_epi16(low01, low23));
    store(2, _mm_unpacklo_epi16(high01, high23));
    store(3, _mm_unpackhi_epi16(high01, high23));
  }
  const uint8_t* const left[kittentts::kGroup] = {rows[0] + i, rows[1] + i, rows[2] + i, rows[3] + i};
  kittentts::pack_bytes_portable(left, n - i, out + 4 * i);
}

}  // namespace
