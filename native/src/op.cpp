#include "op.h"

#include <atomic>
#include <limits>
#include <mutex>

namespace kittentts {

Ort ort{};

void check(OrtStatus* status) {
  if (status == nullptr) return;
  // no entry for its message is declared: the operators call with arguments that cannot fail, but for a full memory
  ort.ReleaseStatus(status);
  throw std::runtime_error("kittentts-native: ONNX Runtime refused a call");
}

void refuse(const std::string& op, const std::string& what) { throw Error("kittentts." + op + ": " + what); }

size_t product(const std::string& op, std::initializer_list<size_t> sizes) {
  size_t result = 1;
  for (const size_t size : sizes) {
    if (size != 0 && result > size_t(std::numeric_limits<int64_t>::max()) / 8 / size) refuse(op, "the sizes are too large");
    result *= size;
  }
  return result;
}

std::string describe(const Tensor& tensor) {
  std::string text = tensor.type == kFloat   ? "float32["
                     : tensor.type == kUint8 ? "uint8["
                     : tensor.type == kInt8  ? "int8["
                     : tensor.type == kInt32 ? "int32["
                                             : "type " + std::to_string(tensor.type) + "[";
  for (size_t i = 0; i < tensor.shape.size(); ++i) text += (i ? ", " : "") + std::to_string(tensor.shape[i]);
  return text + "]";
}

Tensor tensor_of(const OrtValue* value) {
  Tensor tensor;
  if (value == nullptr) return tensor;
  OrtTensorTypeAndShapeInfo* info = nullptr;
  check(ort.GetTensorTypeAndShape(value, &info));
  size_t rank = 0;
  OrtStatus* status = ort.GetTensorElementType(info, &tensor.type);
  if (status == nullptr) status = ort.GetDimensionsCount(info, &rank);
  tensor.shape.resize(rank);
  if (status == nullptr) status = ort.GetDimensions(info, tensor.shape.data(), rank);
  ort.ReleaseTensorTypeAndShapeInfo(info);
  check(status);
  tensor.size = 1;
  for (const int64_t n : tensor.shape) tensor.size *= size_t(n);
  check(ort.GetTensorMutableData(const_cast<OrtValue*>(value), &tensor.data));
  return tensor;
}

Inputs::Inputs(const char* op, const OrtKernelContext* context) : op_(op), context_(context), count_(0) {
  check(ort.KernelContext_GetInputCount(context, &count_));
}

Tensor Inputs::optional(size_t index, const char* name, int type) const {
  const OrtValue* value = nullptr;
  if (index < count_) check(ort.KernelContext_GetInput(context_, index, &value));
  Tensor tensor = tensor_of(value);
  if (value != nullptr && tensor.type != type) {
    Tensor expected;
    expected.type = type;
    refuse(op_, std::string(name) + " is " + describe(tensor) + ", not " + describe(expected).substr(0, describe(expected).find('[')));
  }
  return tensor;
}

Tensor Inputs::required(size_t index, const char* name, int type) const {
  Tensor tensor = optional(index, name, type);
  if (!tensor.given()) refuse(op_, std::string("input ") + name + " is missing");
  return tensor;
}

Tensor constant(const OrtKernelInfo* info, size_t index) {
  int is_constant = 0;
  const OrtValue* value = nullptr;
  OrtStatus* status = ort.KernelInfoGetConstantInput_tensor(info, index, &is_constant, &value);
  if (status != nullptr) {
    ort.ReleaseStatus(status);
    return {};
  }
  return is_constant ? tensor_of(value) : Tensor{};
}

Tensor output(OrtKernelContext* context, size_t index, const std::vector<int64_t>& shape) {
  OrtValue* value = nullptr;
  check(ort.KernelContext_GetOutput(context, index, shape.data(), shape.size(), &value));
  return tensor_of(value);
}

namespace {

// Whether an attribute was read; one that is missing keeps its default.
bool read(OrtStatus* status) {
  if (status == nullptr) return true;
  ort.ReleaseStatus(status);
  return false;
}

}  // namespace

int64_t int_attribute(const OrtKernelInfo* info, const char* name, int64_t otherwise) {
  int64_t value = otherwise;
  return read(ort.KernelInfoGetAttribute_int64(info, name, &value)) ? value : otherwise;
}

float float_attribute(const OrtKernelInfo* info, const char* name, float otherwise) {
  float value = otherwise;
  return read(ort.KernelInfoGetAttribute_float(info, name, &value)) ? value : otherwise;
}

std::string string_attribute(const OrtKernelInfo* info, const char* name, const char* otherwise) {
  size_t size = 0;
  read(ort.KernelInfoGetAttribute_string(info, name, nullptr, &size));
  std::string value(size, '\0');
  if (size == 0 || !read(ort.KernelInfoGetAttribute_string(info, name, &value[0], &size))) return otherwise;
  value.resize(size - 1);  // the size counts the terminating zero
  return value;
}

std::vector<int64_t> ints_attribute(const OrtKernelInfo* info, const char* name, std::vector<int64_t> otherwise) {
  size_t size = 0;
  read(ort.KernelInfoGetAttributeArray_int64(info, name, nullptr, &size));
  std::vector<int64_t> value(size);
  if (size == 0 || !read(ort.KernelInfoGetAttributeArray_int64(info, name, value.data(), &size))) return otherwise;
  return value;
}

namespace {

struct Loop {
  void (*task)(void*, size_t);
  void* data;
  std::atomic<bool> failed;
  std::mutex mutex;
  std::exception_ptr error;
};

void ORT_CALL run_task(void* data, size_t i) {
  Loop& loop = *static_cast<Loop*>(data);
  if (loop.failed) return;
  try {
    loop.task(loop.data, i);
  } catch (...) {
    const std::lock_guard<std::mutex> lock(loop.mutex);
    if (!loop.failed.exchange(true)) loop.error = std::current_exception();
  }
}

}  // namespace

void parallel(const OrtKernelContext* context, size_t total, void (*task)(void* data, size_t i), void* data) {
  if (total == 0) return;
  Loop loop{task, data, {false}, {}, nullptr};
  check(ort.KernelContext_ParallelFor(context, run_task, total, 0, &loop));
  if (loop.error) std::rethrow_exception(loop.error);
}

}  // namespace kittentts
