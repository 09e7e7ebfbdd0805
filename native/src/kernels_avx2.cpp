// x86-64 with AVX2: products of neighbouring bytes are added as int16, which is exact where 255 * (|w0| + |w1|) fits; and those of
// two entries before they become int32, where that fits, which saves a fourth of the multiplications.
#include <cstring>

#include "lanes_avx2.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 4, kVectors = 2;
  static constexpr bool kAddsTwos = true;
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
  static Sum dot(Sum sum, Bytes x, Weights w) { return add(sum, _mm256_maddubs_epi16(x, w)); }
  static Sum dot_two(Sum sum, Bytes x, Weights w, Bytes next, Weights w_next) {
    return add(sum, _mm256_add_epi16(_mm256_maddubs_epi16(x, w), _mm256_maddubs_epi16(next, w_next)));
  }
  static Sum add(Sum sum, __m256i pairs) { return _mm256_add_epi32(sum, _mm256_madd_epi16(pairs, _mm256_set1_epi16(1))); }
  static Ints total(Sum sum) { return {sum}; }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_sse2.h"

namespace kittentts {

const Kernels kAvx2 = {"avx2", true, 0, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
