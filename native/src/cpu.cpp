// Chooses the kernels for this CPU.
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "kernels_portable.h"

#if defined(__x86_64__) || defined(_M_X64)
#define KITTENTTS_X86 1
#endif

#ifdef KITTENTTS_X86
#ifdef _MSC_VER
#include <immintrin.h>
#include <intrin.h>
#else
#include <cpuid.h>
#endif
#endif

namespace kittentts {

extern const Kernels kAvx512Vnni;

namespace {

struct Candidate {
  const Kernels* table;
  bool runs_here;
};

#ifdef KITTENTTS_X86

struct Registers {
  uint32_t a, b, c, d;
};

Registers cpuid(uint32_t leaf, uint32_t subleaf) {
  Registers r{};
#ifdef _MSC_VER
  int info[4];
  __cpuidex(info, int(leaf), int(subleaf));
  r = {uint32_t(info[0]), uint32_t(info[1]), uint32_t(info[2]), uint32_t(info[3])};
#else
  __get_cpuid_count(leaf, subleaf, &r.a, &r.b, &r.c, &r.d);
#endif
  return r;
}

// Which registers the operating system saves: bits of XCR0.
uint64_t saved_registers() {
  if ((cpuid(1, 0).c & (1u << 27)) == 0) return 0;  // OSXSAVE
#ifdef _MSC_VER
  return _xgetbv(0);
#else
  uint32_t low, high;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return (uint64_t(high) << 32) | low;
#endif
}

bool all_of(uint32_t word, std::initializer_list<int> bits) {
  for (const int bit : bits) {
    if (((word >> bit) & 1) == 0) return false;
  }
  return true;
}

#endif

const Kernels& choose() {
#ifdef KITTENTTS_X86
  const uint64_t saved = saved_registers();
  const Registers leaf7 = cpuid(7, 0);
  const bool avx2 = (saved & 0x6) == 0x6 && all_of(leaf7.b, {5});
  const bool avx512 = avx2 && (saved & 0xe6) == 0xe6 && all_of(leaf7.b, {16, 17, 30, 31});  // F, DQ, BW, VL
  const Candidate candidates[] = {{&kAvx512Vnni, avx512 && all_of(leaf7.c, {11})}, {&kPortable, true}};  // best first
#else
  const Candidate candidates[] = {{&kPortable, true}};
#endif
  const char* forced = std::getenv("KITTENTTS_NATIVE_KERNEL");
  for (const Candidate& each : candidates) {
    if (each.runs_here && (forced == nullptr || std::strcmp(forced, each.table->name) == 0)) return *each.table;
  }
  return kPortable;
}

}  // namespace

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace kittentts
