// AdaptiveNorm, see OPERATORS.md.
#include <algorithm>
#include <limits>
#include <mutex>

#include "kernels.h"
#include "op.h"

namespace kittentts {

namespace {

class AdaptiveNorm {
 public:
  static constexpr const char* kName = "AdaptiveNorm";
  static constexpr InputSpec kInputs[] = {{kFloat, kRequired}, {kFloat, kRequired}, {kFloat, kRequired}, {kFloat, kOptional},
                                          {kFloat, kOptional}, {kFloat, kOptional}, {kFloat, kOptional}};
  static constexpr size_t kOutputs = 2;

  explicit AdaptiveNorm(const OrtKernelInfo* info)
      : epsilon_(float_attribute(info, "epsilon", 1e-5f)), alpha_(float_attribute(info, "alpha", 0.01f)) {
    const std::string form = string_attribute(info, "form", "reduce_mean");
    if (form != "reduce_mean" && form != "instance_norm") refuse(kName, "form is neither reduce_mean nor instance_norm: " + form);
    instance_ = form == "instance_norm";
    const std::string activation = string_attribute(info, "activation", "none");
    if (activation == "none") {
      activation_ = Activation::kNone;
    } else if (activation == "leaky_relu") {
      activation_ = Activation::kLeakyRelu;
    } else if (activation == "snake") {
      activation_ = Activation::kSnake;
    } else {
      refuse(kName, "activation is none of none, leaky_relu and snake: " + activation);
    }
  }

  void compute(OrtKernelContext* context) const {
    const Inputs inputs(kName, context);
    const Tensor x = inputs.required(0, "x", kFloat);
    if (x.shape.size() != 3) refuse(kName, "x is " + describe(x) + ", not of rank 3");
    const size_t batch = size_t(x.shape[0]), channels = size_t(x.shape[1]), frames = size_t(x.shape[2]);
    const size_t rows = batch * channels;
    if (channels == 0 || frames == 0) refuse(kName, "x is " + describe(x) + ": channels and frames must be at least 1");
    const Tensor scale = inputs.required(1, "scale", kFloat), shift = inputs.required(2, "shift", kFloat);
    for (const Tensor* each : {&scale, &shift}) {
      if (each->size != channels && each->size != rows) {
        refuse(kName, (each == &scale ? "scale is " : "shift is ") + describe(*each) + " for x of " + describe(x));
      }
    }
    const Tensor weight = of_channels(inputs, 3, "weight", channels, instance_);
    const Tensor bias = of_channels(inputs, 4, "bias", channels, instance_);
    const Tensor snake_alpha = of_channels(inputs, 5, "snake_alpha", channels, activation_ == Activation::kSnake);
    const Tensor snake_inverse = of_channels(inputs, 6, "snake_inverse", channels, activation_ == Activation::kSnake);
    const Tensor y = output(context, 0, x.shape);

    NormRows all{};
    all.x = x.as<const float>();
    all.y = y.as<float>();
    all.frames = frames;
    all.channels = channels;
    all.scale = scale.as<const float>();
    all.scale_count = scale.size;
    all.shift = shift.as<const float>();
    all.shift_count = shift.size;
    all.weight = instance_ ? weight.as<const float>() : nullptr;
    all.bias = bias.as<const float>();
    all.epsilon = epsilon_;
    all.activation = activation_;
    all.alpha = alpha_;
    all.snake_alpha = snake_alpha.as<const float>();
    all.snake_inverse = snake_inverse.as<const float>();
    all.sinf_from = x.size - x.size % 4;
    all.low = std::numeric_limits<float>::infinity();
    all.high = -all.low;

    const size_t at_once = 8;  // rows a task
    float low = all.low, high = all.high;
    std::mutex mutex;
    parallel(context, (rows + at_once - 1) / at_once, [&](size_t task) {
      NormRows some = all;
      some.first = task * at_once;
      some.last = std::min(rows, some.first + at_once);
      kernels().norm(some);
      const std::lock_guard<std::mutex> lock(mutex);
      low = std::min(low, some.low);
      high = std::max(high, some.high);
    });
    const Tensor range = output(context, 1, {2});
    if (range.data != nullptr) {
      range.as<float>()[0] = low;
      range.as<float>()[1] = high;
    }
  }

 private:
  // An input that belongs to a form or activation: given with it, and only with it.
  static Tensor of_channels(const Inputs& inputs, size_t index, const char* name, size_t channels, bool wanted) {
    if (!wanted) {
      if (inputs.optional(index, name, kFloat).given()) refuse(kName, std::string(name) + " is given without its form or activation");
      return {};
    }
    const Tensor tensor = inputs.required(index, name, kFloat);
    if (tensor.size != channels) {
      refuse(kName, std::string(name) + " is " + describe(tensor) + " for " + std::to_string(channels) + " channels");
    }
    return tensor;
  }

  float epsilon_, alpha_;
  bool instance_;
  Activation activation_;
};

constexpr InputSpec AdaptiveNorm::kInputs[];

}  // namespace

const OrtCustomOp* adaptive_norm_op() {
  static const OrtCustomOp op = custom_op<AdaptiveNorm>();
  return &op;
}

}  // namespace kittentts
