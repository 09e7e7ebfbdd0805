// x86-64 with AVX-512 (F, BW, DQ, VL) and its dot product of bytes (VNNI).
#include <cstring>

#include "lanes_avx512.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 8, kVectors = 3;
  static constexpr bool kAddsTwos = false;
  using Sum = __m512i;
  using Bytes = __m512i;
  using Weights = __m512i;

  static Sum zero() { return _mm512_setzero_si512(); }
  static Bytes load(const uint8_t* p) { return _mm512_loadu_si512(p); }
  static Weights weights(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm512_set1_epi32(four);
  }
  static Sum dot(Sum sum, Bytes x, Weights w) { return _mm512_dpbusd_epi32(sum, x, w); }
  static Ints total(Sum sum) { return {sum}; }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_sse2.h"

namespace kittentts {

const Kernels kAvx512Vnni = {"avx512_vnni", false, 0, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
