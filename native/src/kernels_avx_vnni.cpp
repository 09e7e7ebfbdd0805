// x86-64 with AVX2 and AVX-VNNI (AVX's dot product of bytes).
#include <cstring>

#include "lanes_avx2.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 4, kVectors = 3;
  static constexpr bool kAddsTwos = false;
  using Sum = __m256i;
  using Bytes = __m256i;
  using Weights = __m256i;

  static Sum zero() { return _mm256_setzero_si256(); }
  static Bytes load(const uint8_t* p) { return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)); }
  static Weights weights(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    return _mm256_set1_epi32(four);
  }
  static Sum dot(Sum sum, Bytes x, Weights w) { return _mm256_dpbusd_avx_epi32(sum, x, w); }
  static Ints total(Sum sum) { return {sum}; }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_sse2.h"

namespace kittentts {

const Kernels kAvxVnni = {"avx_vnni", false, 0, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
