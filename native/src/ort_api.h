// The few entries of ONNX Runtime's C interface that the operators use, declared by hand: no package registry carries the headers.
// Tables only ever grow at their end, so the numbers hold for every version from 1.18 (interface 18) on.
#pragma once

#include <cstddef>
#include <cstdint>

#ifdef _WIN32
#define ORT_CALL __stdcall
#define ORT_EXPORT __declspec(dllexport)
#else
#define ORT_CALL
#define ORT_EXPORT __attribute__((visibility("default")))
#endif

extern "C" {

struct OrtStatus;
struct OrtValue;
struct OrtKernelInfo;
struct OrtKernelContext;
struct OrtSessionOptions;
struct OrtCustomOpDomain;
struct OrtTensorTypeAndShapeInfo;

constexpr uint32_t kOrtApiVersion = 18;
constexpr size_t kOrtApiEntries = 278;

struct OrtApi {
  void(ORT_CALL* entry[kOrtApiEntries])();
};

struct OrtApiBase {
  const OrtApi*(ORT_CALL* GetApi)(uint32_t version);
  const char*(ORT_CALL* GetVersionString)();
};

// ONNXTensorElementDataType
enum OrtElementType : int { kUndefined = 0, kFloat = 1, kUint8 = 2, kInt8 = 3, kInt32 = 6 };

// OrtErrorCode
enum OrtError : int { kFail = 1, kInvalidArgument = 2 };

// OrtCustomOpInputOutputCharacteristic
enum OrtCharacteristic : int { kRequired = 0, kOptional = 1 };

struct OrtCustomOp {
  uint32_t version;
  void*(ORT_CALL* CreateKernel)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*);
  const char*(ORT_CALL* GetName)(const OrtCustomOp*);
  const char*(ORT_CALL* GetExecutionProviderType)(const OrtCustomOp*);
  int(ORT_CALL* GetInputType)(const OrtCustomOp*, size_t index);
  size_t(ORT_CALL* GetInputTypeCount)(const OrtCustomOp*);
  int(ORT_CALL* GetOutputType)(const OrtCustomOp*, size_t index);
  size_t(ORT_CALL* GetOutputTypeCount)(const OrtCustomOp*);
  void(ORT_CALL* KernelCompute)(void* kernel, OrtKernelContext*);
  void(ORT_CALL* KernelDestroy)(void* kernel);
  int(ORT_CALL* GetInputCharacteristic)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* GetOutputCharacteristic)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* GetInputMemoryType)(const OrtCustomOp*, size_t index);
  int(ORT_CALL* GetVariadicInputMinArity)(const OrtCustomOp*);
  int(ORT_CALL* GetVariadicInputHomogeneity)(const OrtCustomOp*);
  int(ORT_CALL* GetVariadicOutputMinArity)(const OrtCustomOp*);
  int(ORT_CALL* GetVariadicOutputHomogeneity)(const OrtCustomOp*);
  OrtStatus*(ORT_CALL* CreateKernelV2)(const OrtCustomOp*, const OrtApi*, const OrtKernelInfo*, void** kernel);
  OrtStatus*(ORT_CALL* KernelComputeV2)(void* kernel, OrtKernelContext*);
  OrtStatus*(ORT_CALL* InferOutputShapeFn)(const OrtCustomOp*, void*);
  int(ORT_CALL* GetStartVersion)(const OrtCustomOp*);
  int(ORT_CALL* GetEndVersion)(const OrtCustomOp*);
  size_t(ORT_CALL* GetMayInplace)(int** inputs, int** outputs);
  void(ORT_CALL* ReleaseMayInplace)(int* inputs, int* outputs);
  size_t(ORT_CALL* GetAliasMap)(int** inputs, int** outputs);
  void(ORT_CALL* ReleaseAliasMap)(int* inputs, int* outputs);
};

}  // extern "C"

// The same table with the types of the entries that are used. The number is the position in OrtApi, from 0.
#define ORT_ENTRIES(X)                                                                                               \
  X(0, OrtStatus*, CreateStatus, (int code, const char* message))                                                    \
  X(26, OrtStatus*, CreateCustomOpDomain, (const char* name, OrtCustomOpDomain** out))                               \
  X(27, OrtStatus*, CustomOpDomain_Add, (OrtCustomOpDomain*, const OrtCustomOp*))                                    \
  X(28, OrtStatus*, AddCustomOpDomain, (OrtSessionOptions*, OrtCustomOpDomain*))                                     \
  X(51, OrtStatus*, GetTensorMutableData, (OrtValue*, void** out))                                                   \
  X(60, OrtStatus*, GetTensorElementType, (const OrtTensorTypeAndShapeInfo*, int* out))                              \
  X(61, OrtStatus*, GetDimensionsCount, (const OrtTensorTypeAndShapeInfo*, size_t* out))                             \
  X(62, OrtStatus*, GetDimensions, (const OrtTensorTypeAndShapeInfo*, int64_t* dims, size_t count))                  \
  X(65, OrtStatus*, GetTensorTypeAndShape, (const OrtValue*, OrtTensorTypeAndShapeInfo** out))                       \
  X(85, OrtStatus*, KernelInfoGetAttribute_float, (const OrtKernelInfo*, const char* name, float* out))              \
  X(86, OrtStatus*, KernelInfoGetAttribute_int64, (const OrtKernelInfo*, const char* name, int64_t* out))            \
  X(87, OrtStatus*, KernelInfoGetAttribute_string, (const OrtKernelInfo*, const char* name, char* out, size_t* size)) \
  X(88, OrtStatus*, KernelContext_GetInputCount, (const OrtKernelContext*, size_t* out))                             \
  X(90, OrtStatus*, KernelContext_GetInput, (const OrtKernelContext*, size_t index, const OrtValue** out))           \
  X(91, OrtStatus*, KernelContext_GetOutput,                                                                         \
    (OrtKernelContext*, size_t index, const int64_t* dims, size_t count, OrtValue** out))                            \
  X(93, void, ReleaseStatus, (OrtStatus*))                                                                           \
  X(99, void, ReleaseTensorTypeAndShapeInfo, (OrtTensorTypeAndShapeInfo*))                                           \
  X(163, OrtStatus*, KernelInfoGetAttributeArray_int64,                                                              \
    (const OrtKernelInfo*, const char* name, int64_t* out, size_t* size))                                            \
  X(249, OrtStatus*, KernelInfoGetConstantInput_tensor,                                                              \
    (const OrtKernelInfo*, size_t index, int* is_constant, const OrtValue** out))                                    \
  X(274, OrtStatus*, KernelContext_ParallelFor,                                                                      \
    (const OrtKernelContext*, void(ORT_CALL * fn)(void* data, size_t index), size_t total, size_t batches, void* data))

struct Ort {
#define X(number, result, name, arguments) result(ORT_CALL* name) arguments;
  ORT_ENTRIES(X)
#undef X
};
