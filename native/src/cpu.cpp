// Chooses the kernels for this CPU.
#include <cstdlib>
#include <cstring>

#include "kernels_portable.h"

namespace kittentts {

namespace {

struct Candidate {
  const Kernels* table;
  bool runs_here;
};

const Kernels& choose() {
  const Candidate candidates[] = {{&kPortable, true}};  // best first
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
