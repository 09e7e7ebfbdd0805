// Any x86-64: bytes are widened to int16, whose products are added in pairs as int32.
#include <cstring>

#include "lanes_sse2.h"

namespace {

struct Dot {
  static constexpr size_t kRowsAtOnce = 4, kVectors = 1;
  static constexpr bool kAddsTwos = false;
  struct Sum {
    __m128i low, high;  // of channels 0+1 and 2+3, of frames 0 and 1, and 2 and 3
  };
  using Bytes = Sum;
  using Weights = __m128i;

  static Sum zero() { return {_mm_setzero_si128(), _mm_setzero_si128()}; }
  static Bytes load(const uint8_t* p) {
    const __m128i x = _mm_loadu_si128(reinterpret_cast<const __m128i*>(p));
    return {_mm_unpacklo_epi8(x, _mm_setzero_si128()), _mm_unpackhi_epi8(x, _mm_setzero_si128())};
  }
  static Weights weights(const int8_t* p) {
    int32_t four;
    std::memcpy(&four, p, sizeof four);
    const __m128i w = _mm_set1_epi32(four);
    return _mm_srai_epi16(_mm_unpacklo_epi8(w, w), 8);
  }
  static Sum dot(Sum sum, Bytes x, Weights w) {
    return {_mm_add_epi32(sum.low, _mm_madd_epi16(x.low, w)), _mm_add_epi32(sum.high, _mm_madd_epi16(x.high, w))};
  }
  static Ints total(Sum sum) {
    const __m128 low = _mm_castsi128_ps(sum.low), high = _mm_castsi128_ps(sum.high);
    return {_mm_add_epi32(_mm_castps_si128(_mm_shuffle_ps(low, high, 0x88)), _mm_castps_si128(_mm_shuffle_ps(low, high, 0xdd)))};
  }
};

}  // namespace

#include "kernel_parts.h"
#include "pack_bytes_sse2.h"

namespace kittentts {

const Kernels kSse2 = {"sse2", false, 0, conv, pack_float, pack_bytes, range, norm_rows, stft};

}  // namespace kittentts
