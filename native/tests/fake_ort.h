// As much of ONNX Runtime as the operators call, for tests of them without it. Its objects are what OrtValue* etc. point to.
#pragma once

#include <cstring>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include "op.h"

struct OrtStatus {
  std::string message;
};

struct OrtValue {
  int type = kUndefined;
  std::vector<int64_t> shape;
  std::vector<char> bytes;  // of its exact size: the address sanitizer sees the first byte beyond
};

struct OrtTensorTypeAndShapeInfo {
  const OrtValue* value;
};

struct OrtKernelInfo {
  std::map<std::string, int64_t> ints;
  std::map<std::string, float> floats;
  std::map<std::string, std::string> strings;
  std::map<std::string, std::vector<int64_t>> lists;
  std::map<size_t, OrtValue> constants;
};

struct OrtKernelContext {
  std::vector<const OrtValue*> inputs;
  std::vector<OrtValue> outputs;
  size_t wanted_outputs = 1;
  size_t threads = 1;
};

namespace fake {

inline size_t size_of(int type) { return type == kFloat || type == kInt32 ? 4 : 1; }

inline OrtValue zeros(int type, std::vector<int64_t> shape) {
  OrtValue value;
  value.type = type;
  size_t size = 1;
  for (const int64_t n : shape) size *= size_t(n);
  value.shape = std::move(shape);
  value.bytes.resize(size * size_of(type));
  return value;
}

template <class T>
OrtValue value_of(int type, std::vector<int64_t> shape, const std::vector<T>& data) {
  OrtValue value = zeros(type, std::move(shape));
  if (!data.empty()) std::memcpy(value.bytes.data(), data.data(), value.bytes.size());
  return value;
}

template <class T>
std::vector<T> data_of(const OrtValue& value) {
  std::vector<T> data(value.bytes.size() / sizeof(T));
  if (!data.empty()) std::memcpy(data.data(), value.bytes.data(), value.bytes.size());
  return data;
}

template <class Map, class Value>
OrtStatus* look_up(const Map& map, const char* name, Value* out) {
  const auto found = map.find(name);
  if (found == map.end()) return new OrtStatus{std::string("no attribute ") + name};
  *out = found->second;
  return nullptr;
}

inline void install() {
  Ort& ort = kittentts::ort;
  ort.CreateStatus = [](int, const char* message) { return new OrtStatus{message}; };
  ort.ReleaseStatus = [](OrtStatus* status) { delete status; };
  ort.GetTensorTypeAndShape = [](const OrtValue* value, OrtTensorTypeAndShapeInfo** out) -> OrtStatus* {
    *out = new OrtTensorTypeAndShapeInfo{value};
    return nullptr;
  };
  ort.ReleaseTensorTypeAndShapeInfo = [](OrtTensorTypeAndShapeInfo* info) { delete info; };
  ort.GetTensorElementType = [](const OrtTensorTypeAndShapeInfo* info, int* out) -> OrtStatus* {
    *out = info->value->type;
    return nullptr;
  };
  ort.GetDimensionsCount = [](const OrtTensorTypeAndShapeInfo* info, size_t* out) -> OrtStatus* {
    *out = info->value->shape.size();
    return nullptr;
  };
  ort.GetDimensions = [](const OrtTensorTypeAndShapeInfo* info, int64_t* out, size_t count) -> OrtStatus* {
    for (size_t i = 0; i < count; ++i) out[i] = info->value->shape[i];
    return nullptr;
  };
  ort.GetTensorMutableData = [](OrtValue* value, void** out) -> OrtStatus* {
    *out = value->bytes.data();
    return nullptr;
  };
  ort.KernelInfoGetAttribute_int64 = [](const OrtKernelInfo* info, const char* name, int64_t* out) {
    return look_up(info->ints, name, out);
  };
  ort.KernelInfoGetAttribute_float = [](const OrtKernelInfo* info, const char* name, float* out) {
    return look_up(info->floats, name, out);
  };
  ort.KernelInfoGetAttribute_string = [](const OrtKernelInfo* info, const char* name, char* out, size_t* size) -> OrtStatus* {
    std::string text;
    if (OrtStatus* missing = look_up(info->strings, name, &text)) return missing;
    if (out != nullptr) std::memcpy(out, text.c_str(), text.size() + 1);
    *size = text.size() + 1;
    return nullptr;
  };
  ort.KernelInfoGetAttributeArray_int64 = [](const OrtKernelInfo* info, const char* name, int64_t* out, size_t* size) -> OrtStatus* {
    std::vector<int64_t> list;
    if (OrtStatus* missing = look_up(info->lists, name, &list)) return missing;
    for (size_t i = 0; out != nullptr && i < list.size(); ++i) out[i] = list[i];
    *size = list.size();
    return nullptr;
  };
  ort.KernelInfoGetConstantInput_tensor = [](const OrtKernelInfo* info, size_t index, int* is_constant, const OrtValue** out) -> OrtStatus* {
    const auto found = info->constants.find(index);
    *is_constant = found != info->constants.end();
    *out = *is_constant ? &found->second : nullptr;
    return nullptr;
  };
  ort.KernelContext_GetInputCount = [](const OrtKernelContext* context, size_t* out) -> OrtStatus* {
    *out = context->inputs.size();
    return nullptr;
  };
  ort.KernelContext_GetInput = [](const OrtKernelContext* context, size_t index, const OrtValue** out) -> OrtStatus* {
    *out = context->inputs[index];
    return nullptr;
  };
  ort.KernelContext_GetOutput = [](OrtKernelContext* context, size_t index, const int64_t* dims, size_t count, OrtValue** out) -> OrtStatus* {
    context->outputs.resize(2);
    *out = nullptr;
    if (index >= context->wanted_outputs) return nullptr;
    context->outputs[index] = zeros(kFloat, std::vector<int64_t>(dims, dims + count));
    *out = &context->outputs[index];
    return nullptr;
  };
  ort.KernelContext_ParallelFor = [](const OrtKernelContext* context, void (*task)(void*, size_t), size_t total, size_t, void* data) -> OrtStatus* {
    std::vector<std::thread> threads;
    for (size_t k = 1; k < context->threads; ++k) {
      threads.emplace_back([=] {
        for (size_t i = k; i < total; i += context->threads) task(data, i);
      });
    }
    for (size_t i = 0; i < total; i += context->threads) task(data, i);
    for (std::thread& thread : threads) thread.join();
    return nullptr;
  };
}

// Builds and runs an operator; what it refuses comes back as text, else outputs are in the context.
inline std::string run(const OrtCustomOp* op, const OrtKernelInfo& info, OrtKernelContext* context) {
  void* kernel = nullptr;
  OrtStatus* status = op->CreateKernelV2(op, nullptr, &info, &kernel);
  if (status == nullptr) {
    status = op->KernelComputeV2(kernel, context);
    op->KernelDestroy(kernel);
  }
  const std::string message = status == nullptr ? "" : status->message;
  delete status;
  return message;
}

}  // namespace fake
