// What every operator needs of ONNX Runtime: errors, tensors, attributes, loops on the session's threads.
#pragma once

#include <cstdint>
#include <exception>
#include <stdexcept>
#include <string>
#include <vector>

#include "ort_api.h"

namespace kittentts {

extern Ort ort;  // filled by RegisterCustomOps

// Thrown inside, turned into an OrtStatus before it reaches ONNX Runtime.
using Error = std::invalid_argument;

void check(OrtStatus* status);                   // throws what the status says
[[noreturn]] void refuse(const std::string& op, const std::string& what);

// A product of sizes, or an error where it does not fit.
size_t product(const std::string& op, std::initializer_list<size_t> sizes);

struct Tensor {
  void* data = nullptr;  // null: the input is missing
  int type = kUndefined;
  std::vector<int64_t> shape;
  size_t size = 0;  // elements

  bool given() const { return data != nullptr || !shape.empty(); }
  template <class T>
  T* as() const {
    return static_cast<T*>(data);
  }
};

std::string describe(const Tensor& tensor);

Tensor tensor_of(const OrtValue* value);  // null: an empty Tensor

// Inputs of a running kernel; an input left out is an empty Tensor.
class Inputs {
 public:
  Inputs(const char* op, const OrtKernelContext* context);
  Tensor optional(size_t index, const char* name, int type) const;
  Tensor required(size_t index, const char* name, int type) const;

 private:
  std::string op_;
  const OrtKernelContext* context_;
  size_t count_;
};

// A constant initializer; an empty Tensor where it is missing or not constant.
Tensor constant(const OrtKernelInfo* info, size_t index);

Tensor output(OrtKernelContext* context, size_t index, const std::vector<int64_t>& shape);

int64_t int_attribute(const OrtKernelInfo* info, const char* name, int64_t otherwise);
float float_attribute(const OrtKernelInfo* info, const char* name, float otherwise);
std::string string_attribute(const OrtKernelInfo* info, const char* name, const char* otherwise);
std::vector<int64_t> ints_attribute(const OrtKernelInfo* info, const char* name, std::vector<int64_t> otherwise);

// task(i) for i in 0 .. total - 1 on the session's threads; throws what the first failing task threw.
void parallel(const OrtKernelContext* context, size_t total, void (*task)(void* data, size_t i), void* data);

template <class F>
void parallel(const OrtKernelContext* context, size_t total, F task) {
  parallel(context, total, [](void* data, size_t i) { (*static_cast<F*>(data))(i); }, &task);
}

// Runs f, and gives what it threw as a status.
template <class F>
OrtStatus* guarded(F f) noexcept {
  try {
    f();
    return nullptr;
  } catch (const Error& error) {
    return ort.CreateStatus(kInvalidArgument, error.what());
  } catch (const std::exception& error) {
    return ort.CreateStatus(kFail, error.what());
  } catch (...) {
    return ort.CreateStatus(kFail, "kittentts-native: unknown error");
  }
}

struct InputSpec {
  int type;
  int characteristic;
};

// Kernel is a class with kName, kInputs, kRequiredOutputs, kOutputs, a constructor from const OrtKernelInfo* and
// void compute(OrtKernelContext*) const.
template <class Kernel>
OrtCustomOp custom_op() {
  OrtCustomOp op{};
  op.version = kOrtApiVersion;
  op.GetName = [](const OrtCustomOp*) { return Kernel::kName; };
  op.GetExecutionProviderType = [](const OrtCustomOp*) -> const char* { return nullptr; };
  op.GetInputTypeCount = [](const OrtCustomOp*) { return sizeof Kernel::kInputs / sizeof Kernel::kInputs[0]; };
  op.GetInputType = [](const OrtCustomOp*, size_t i) { return Kernel::kInputs[i].type; };
  op.GetInputCharacteristic = [](const OrtCustomOp*, size_t i) { return Kernel::kInputs[i].characteristic; };
  op.GetInputMemoryType = [](const OrtCustomOp*, size_t) { return 0; };
  op.GetOutputTypeCount = [](const OrtCustomOp*) { return Kernel::kOutputs; };
  op.GetOutputType = [](const OrtCustomOp*, size_t) { return int(kFloat); };
  op.GetOutputCharacteristic = [](const OrtCustomOp*, size_t i) { return int(i == 0 ? kRequired : kOptional); };
  op.GetVariadicInputMinArity = [](const OrtCustomOp*) { return 1; };
  op.GetVariadicInputHomogeneity = [](const OrtCustomOp*) { return 0; };
  op.GetVariadicOutputMinArity = [](const OrtCustomOp*) { return 1; };
  op.GetVariadicOutputHomogeneity = [](const OrtCustomOp*) { return 0; };
  op.GetStartVersion = [](const OrtCustomOp*) { return 1; };
  op.GetEndVersion = [](const OrtCustomOp*) { return 1; };
  op.CreateKernelV2 = [](const OrtCustomOp*, const OrtApi*, const OrtKernelInfo* info, void** kernel) {
    return guarded([&] { *kernel = new Kernel(info); });
  };
  op.KernelComputeV2 = [](void* kernel, OrtKernelContext* context) {
    return guarded([&] { static_cast<const Kernel*>(kernel)->compute(context); });
  };
  op.KernelDestroy = [](void* kernel) { delete static_cast<Kernel*>(kernel); };
  return op;
}

const OrtCustomOp* quantized_conv_op();
const OrtCustomOp* dynamic_quantized_conv_op();
const OrtCustomOp* adaptive_norm_op();
const OrtCustomOp* stft_op();

}  // namespace kittentts
