// QuantizedConv and DynamicQuantizedConv, see OPERATORS.md.
#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>

#include "conv_plan.h"
#include "kernels.h"
#include "op.h"

namespace kittentts {

namespace {

const float* residual_of(const char* op, const Tensor& residual, const std::vector<int64_t>& shape) {
  if (!residual.given()) return nullptr;
  if (residual.shape != shape) {
    Tensor y;
    y.type = kFloat;
    y.shape = shape;
    refuse(op, "residual is " + describe(residual) + ", the output " + describe(y));
  }
  return residual.as<const float>();
}

class QuantizedConv {
 public:
  static constexpr const char* kName = "QuantizedConv";
  static constexpr InputSpec kInputs[] = {{kUint8, kRequired}, {kUint8, kOptional}, {kInt8, kRequired}, {kInt8, kOptional},
                                          {kFloat, kRequired}, {kInt32, kOptional}, {kFloat, kOptional}};
  static constexpr size_t kOutputs = 1;

  explicit QuantizedConv(const OrtKernelInfo* info) : plan_(kName, info, 2, 3) {}

  void compute(OrtKernelContext* context) const {
    const Inputs inputs(kName, context);
    const Tensor x = inputs.required(0, "x", kUint8), x_zero = inputs.optional(1, "x_zero_point", kUint8);
    const ConvShape shape = plan_.shape_of(x, inputs.optional(3, "w_zero_point", kInt8));
    if (x_zero.given() && x_zero.size != 1) refuse(kName, "x_zero_point is " + describe(x_zero) + ", not one element");
    const Tensor scale = inputs.required(4, "scale", kFloat), bias = inputs.optional(5, "bias", kInt32);
    ConvOutput out{};
    out.scale = plan_.per_channel(scale, "scale");
    if (bias.given()) {
      if (bias.size != plan_.outputs()) refuse(kName, "bias is " + describe(bias));
      out.bias.assign(bias.as<const int32_t>(), bias.as<const int32_t>() + bias.size);
    }
    const std::vector<int64_t> y_shape = {x.shape[0], int64_t(plan_.outputs()), int64_t(shape.frames_out)};
    out.residual = residual_of(kName, inputs.optional(6, "residual", kFloat), y_shape);
    out.y = output(context, 0, y_shape).as<float>();
    const int32_t zero = x_zero.given() ? x_zero.as<const uint8_t>()[0] : 0;
    plan_.run(context, shape, {nullptr, x.as<const uint8_t>(), {1.0f, zero}}, out);
  }

 private:
  ConvPlan plan_;
};

constexpr InputSpec QuantizedConv::kInputs[];

// As ONNX Runtime's DynamicQuantizeLinear.
Quantization quantization_of(float low, float high) {
  low = std::min(low, 0.0f);
  high = std::max(high, 0.0f);
  const float scale = high == low ? 1.0f : (high - low) / 255.0f;
  const float zero = 0.0f - low / scale;
  return {scale, int32_t(std::nearbyint(std::max(0.0f, std::min(255.0f, zero))))};
}

// int32(floor(x)) as the x86 CPU converts: what is out of range gives the least int32.
int32_t floor_to_int32(float x) {
  const float floored = std::floor(x);
  return floored >= -2147483648.0f && floored < 2147483648.0f ? int32_t(floored) : std::numeric_limits<int32_t>::min();
}

class DynamicQuantizedConv {
 public:
  static constexpr const char* kName = "DynamicQuantizedConv";
  static constexpr InputSpec kInputs[] = {{kFloat, kRequired}, {kInt8, kRequired}, {kInt8, kOptional}, {kFloat, kRequired},
                                          {kFloat, kOptional}, {kFloat, kOptional}, {kFloat, kOptional}};
  static constexpr size_t kOutputs = 1;

  explicit DynamicQuantizedConv(const OrtKernelInfo* info) : plan_(kName, info, 1, 2) {}

  void compute(OrtKernelContext* context) const {
    const Inputs inputs(kName, context);
    const Tensor x = inputs.required(0, "x", kFloat);
    const ConvShape shape = plan_.shape_of(x, inputs.optional(2, "w_zero_point", kInt8));
    ConvOutput out{};
    out.scale = plan_.per_channel(inputs.required(3, "w_scale", kFloat), "w_scale");
    const Tensor bias = inputs.optional(4, "bias", kFloat);
    if (bias.given() && bias.size != plan_.outputs()) refuse(kName, "bias is " + describe(bias));
    const std::vector<int64_t> y_shape = {x.shape[0], int64_t(plan_.outputs()), int64_t(shape.frames_out)};
    out.residual = residual_of(kName, inputs.optional(5, "residual", kFloat), y_shape);
    const Tensor range = inputs.optional(6, "x_range", kFloat);
    if (range.given() && range.size != 2) refuse(kName, "x_range is " + describe(range) + ", not two elements");
    out.y = output(context, 0, y_shape).as<float>();

    float low = 0, high = 0;
    if (range.given()) {
      low = range.as<const float>()[0];
      high = range.as<const float>()[1];
    } else {
      range_of(context, x, &low, &high);
    }
    const Quantization quantization = quantization_of(low, high);
    for (float& scale : out.scale) scale = quantization.scale * scale;
    if (bias.given()) {
      for (size_t m = 0; m < bias.size; ++m) out.bias.push_back(floor_to_int32(bias.as<const float>()[m] / out.scale[m]));
    }
    plan_.run(context, shape, {x.as<const float>(), nullptr, quantization}, out);
  }

 private:
  static void range_of(const OrtKernelContext* context, const Tensor& x, float* low, float* high) {
    const size_t at_once = 64 * 1024;
    std::mutex mutex;
    parallel(context, (x.size + at_once - 1) / at_once, [&](size_t task) {
      float least = 0, greatest = 0;
      const size_t first = task * at_once;
      kernels().range(x.as<const float>() + first, std::min(at_once, x.size - first), &least, &greatest);
      const std::lock_guard<std::mutex> lock(mutex);
      *low = std::min(*low, least);
      *high = std::max(*high, greatest);
    });
  }

  ConvPlan plan_;
};

constexpr InputSpec DynamicQuantizedConv::kInputs[];

}  // namespace

const OrtCustomOp* quantized_conv_op() {
  static const OrtCustomOp op = custom_op<QuantizedConv>();
  return &op;
}

const OrtCustomOp* dynamic_quantized_conv_op() {
  static const OrtCustomOp op = custom_op<DynamicQuantizedConv>();
  return &op;
}

}  // namespace kittentts
