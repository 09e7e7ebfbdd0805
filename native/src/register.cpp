// What the library exports: RegisterCustomOps for ONNX Runtime, and two strings for the Python package.
#include "kernels.h"
#include "op.h"

using namespace kittentts;

extern "C" ORT_EXPORT OrtStatus* ORT_CALL RegisterCustomOps(OrtSessionOptions* options, const OrtApiBase* base) {
  const OrtApi* api = base->GetApi(kOrtApiVersion);
  if (api == nullptr) {
    // without the table there is no status to make; a session that needs the operators says that it does not know them
    return nullptr;
  }
#define X(number, result, name, arguments) ort.name = reinterpret_cast<result(ORT_CALL*) arguments>(api->entry[number]);
  ORT_ENTRIES(X)
#undef X
  OrtCustomOpDomain* domain = nullptr;
  OrtStatus* status = ort.CreateCustomOpDomain("kittentts", &domain);
  for (const OrtCustomOp* op : {quantized_conv_op(), dynamic_quantized_conv_op(), adaptive_norm_op(), stft_op()}) {
    if (status == nullptr) status = ort.CustomOpDomain_Add(domain, op);
  }
  if (status == nullptr) status = ort.AddCustomOpDomain(options, domain);
  return status;
}

extern "C" ORT_EXPORT const char* kittentts_native_version() { return KITTENTTS_NATIVE_VERSION; }

extern "C" ORT_EXPORT const char* kittentts_native_kernel() { return kernels().name; }

// The name of the kernels at `index` among those that this CPU runs, the best first; null beyond the last.
extern "C" ORT_EXPORT const char* kittentts_native_available_kernel(size_t index) {
  size_t count;
  const Kernels* const* tables = available_kernels(&count);
  return index < count ? tables[index]->name : nullptr;
}
