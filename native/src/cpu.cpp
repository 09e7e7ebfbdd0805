// Chooses the kernels for this CPU.
#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "kernels_portable.h"

#if defined(__x86_64__) || defined(_M_X64)
#define KITTENTTS_X86 1
#endif

#if defined(__aarch64__) || defined(_M_ARM64)
#define KITTENTTS_ARM64 1
#endif

#if defined(KITTENTTS_X86) && defined(_MSC_VER)
#include <immintrin.h>
#include <intrin.h>
#elif defined(KITTENTTS_X86)
#include <cpuid.h>
#elif defined(KITTENTTS_ARM64) && defined(__APPLE__)
#include <sys/sysctl.h>
#elif defined(KITTENTTS_ARM64) && defined(_WIN32)
#include <windows.h>
#elif defined(KITTENTTS_ARM64) && defined(__linux__)
#include <sys/auxv.h>
#endif

namespace kittentts {

namespace {

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

#if defined(KITTENTTS_ARM64)

bool has_dot_product() {
#if defined(__APPLE__)
  int value = 0;
  size_t size = sizeof value;
  return sysctlbyname("hw.optional.arm.FEAT_DotProd", &value, &size, nullptr, 0) == 0 && value != 0;
#elif defined(_WIN32)
  return IsProcessorFeaturePresent(43) != 0;  // PF_ARM_V82_DP_INSTRUCTIONS_AVAILABLE
#elif defined(__linux__)
  return (getauxval(AT_HWCAP) & (1ul << 20)) != 0;  // HWCAP_ASIMDDP
#else
  return false;
#endif
}

#endif

constexpr size_t kMost = 5;

struct Tables {
  const Kernels* table[kMost];
  size_t count;

  void add_if(bool runs_here, const Kernels& kernels) {
    if (runs_here) table[count++] = &kernels;
  }
};

Tables find() {
  Tables found{};
#if defined(KITTENTTS_X86)
  const uint64_t saved = saved_registers();
  const Registers leaf7 = cpuid(7, 0), leaf7_1 = leaf7.a >= 1 ? cpuid(7, 1) : Registers{};
  const bool avx2 = (saved & 0x6) == 0x6 && all_of(leaf7.b, {5});
  const bool avx512 = avx2 && (saved & 0xe6) == 0xe6 && all_of(leaf7.b, {16, 17, 30, 31});  // F, DQ, BW, VL
  found.add_if(avx512 && all_of(leaf7.c, {11}), kAvx512Vnni);
  found.add_if(avx2 && all_of(leaf7_1.a, {4}), kAvxVnni);
  found.add_if(avx2, kAvx2);
  found.add_if(true, kSse2);
#elif defined(KITTENTTS_ARM64)
  found.add_if(has_dot_product(), kNeonDot);
  found.add_if(true, kNeon);
#endif
  found.add_if(true, kPortable);
  return found;
}

const Tables& tables() {
  static const Tables found = find();
  return found;
}

const Kernels& choose() {
  const Tables& found = tables();
  const char* forced = std::getenv("KITTENTTS_NATIVE_KERNEL");
  if (forced == nullptr) return *found.table[0];
  for (size_t i = 0; i < found.count; ++i) {
    if (std::strcmp(forced, found.table[i]->name) == 0) return *found.table[i];
  }
  return kPortable;
}

}  // namespace

const Kernels* const* available_kernels(size_t* count) {
  *count = tables().count;
  return tables().table;
}

const Kernels& kernels() {
  static const Kernels& chosen = choose();
  return chosen;
}

}  // namespace kittentts
