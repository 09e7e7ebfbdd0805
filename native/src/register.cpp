// What the library exports: RegisterCustomOps for ONNX Runtime, and two strings for the Python package.
#include "kernels.h"
#include "op.h"

using namespace kittentts;

namespace {

// The domain with all operators, made once: sessions share it. What goes wrong is kept, and told each time.
struct Domain {
  OrtCustomOpDomain* domain = nullptr;
  bool whole = false;

  explicit Domain(const OrtApi* api) {
#define X(number, result, name, arguments) ort.name = reinterpret_cast<result(ORT_CALL*) arguments>(api->entry[number]);
    ORT_ENTRIES(X)
#undef X
    OrtStatus* status = ort.CreateCustomOpDomain("kittentts", &domain);
    for (const OrtCustomOp* op : {quantized_conv_op(), dynamic_quantized_conv_op(), adaptive_norm_op(), stft_op()}) {
      if (status == nullptr) status = ort.CustomOpDomain_Add(domain, op);
    }
    whole = status == nullptr;
    if (!whole) ort.ReleaseStatus(status);
  }
};

}  // namespace

extern "C" ORT_EXPORT OrtStatus* ORT_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  const OrtApi* api = base->GetApi(kOrtApiVersion);
  // ONNX Runtime older than 1.18: without its table there is no status to make; a graph with the operators is refused as unknown
  if (api == nullptr) return nullptr;
  static const Domain made(api);
  if (!made.whole) return ort.CreateStatus(kFail, "kittentts-native: the operators could not be added to their domain");
  return ort.AddCustomOpDomain(options, made.domain);
}

extern "C" ORT_EXPORT const char* kittentts_native_version() { return KITTENTTS_NATIVE_VERSION; }

extern "C" ORT_EXPORT const char* kittentts_native_kernel() { return kernels().name; }

// The name of the kernels at `index` among those that this CPU runs, the best first; null beyond the last.
extern "C" ORT_EXPORT const char* kittentts_native_available_kernel(size_t index) {
  size_t count;
  const Kernels* const* tables = available_kernels(&count);
  return index < count ? tables[index]->name : nullptr;
}
