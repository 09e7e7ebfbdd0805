// Stft, see OPERATORS.md.
#include <math.h>

#include <algorithm>

#include "kernels.h"
#include "lanes_portable.h"
#include "fft.h"
#include "op.h"

namespace kittentts {

namespace {

class Stft {
 public:
  static constexpr const char* kName = "Stft";
  static constexpr InputSpec kInputs[] = {{kFloat, kRequired}, {kFloat, kOptional}};
  static constexpr size_t kOutputs = 1;

  explicit Stft(const OrtKernelInfo* info) {
    const int64_t length = int_attribute(info, "frame_length", 0), step = int_attribute(info, "frame_step", 0);
    if (length < 3 || length > 4096 || (length & (length - 1)) == 0) {
      refuse(kName, "frame_length is not in 3 .. 4096, or a power of 2: " + std::to_string(length));
    }
    if (step < 1) refuse(kName, "frame_step is not positive: " + std::to_string(step));
    length_ = size_t(length);
    step_ = size_t(step);
    bins_ = length_ / 2 + 1;
    size_ = 1;
    while (size_ < 2 * length_ - 1) size_ *= 2;
    make_tables();
  }

  void compute(OrtKernelContext* context) const {
    const Inputs inputs(kName, context);
    const Tensor signal = inputs.required(0, "signal", kFloat), window = inputs.optional(1, "window", kFloat);
    const size_t rank = signal.shape.size();
    if ((rank != 2 && rank != 3) || (rank == 3 && signal.shape[2] != 1)) {
      refuse(kName, "signal is " + describe(signal) + ", not [N, L] or [N, L, 1]");
    }
    const size_t batch = size_t(signal.shape[0]), samples = size_t(signal.shape[1]);
    if (samples < length_) refuse(kName, "signal is " + describe(signal) + ", shorter than a frame of " + std::to_string(length_));
    if (window.given() && window.size != length_) refuse(kName, "window is " + describe(window));
    const size_t frames = (samples - length_) / step_ + 1;
    product(kName, {batch, frames, bins_, 2});
    const Tensor y = output(context, 0, {int64_t(batch), int64_t(frames), int64_t(bins_), 2});

    const size_t at_once = 256, parts = (frames + at_once - 1) / at_once;  // frames a task
    parallel(context, batch * parts, [&](size_t task) {
      std::vector<float> scratch(4 * size_ * kMostLanes);
      const size_t n = task / parts, first = task % parts * at_once;
      StftFrames some = tables();
      some.signal = signal.as<const float>() + n * samples;
      some.window = window.as<const float>();
      some.first = first;
      some.last = std::min(frames, first + at_once);
      some.scratch = scratch.data();
      some.y = y.as<float>() + n * frames * bins_ * 2;
      kernels().stft(some);
    });
  }

 private:
  StftFrames tables() const {
    StftFrames s{};
    s.step = step_;
    s.length = length_;
    s.bins = bins_;
    s.size = size_;
    s.reversed = reversed_.data();
    s.turn_real = turn_real_.data();
    s.turn_imag = turn_imag_.data();
    s.chirp_real = chirp_real_.data();
    s.chirp_imag = chirp_imag_.data();
    s.filter_real = filter_real_.data();
    s.filter_imag = filter_imag_.data();
    return s;
  }

  void make_tables() {
    const float pi = 3.14159265f, velocity = -(2 * pi) / float(size_);
    reversed_.resize(size_);
    turn_real_.resize(size_);
    turn_imag_.resize(size_);
    for (size_t i = 0; i < size_; ++i) {
      for (size_t bit = 1, mirrored = size_ / 2; bit < size_; bit *= 2, mirrored /= 2) {
        if ((i & bit) != 0) reversed_[i] = uint16_t(reversed_[i] + mirrored);
      }
      turn_real_[reversed_[i]] = cosf(float(i) * velocity);
      turn_imag_[reversed_[i]] = sinf(float(i) * velocity);
    }
    std::vector<float> filter(2 * size_ * Lanes::kLanes), transformed(filter.size());
    for (size_t n = 0; n < length_; ++n) {
      const float exponent = -pi * float(n) * float(n) / float(length_);
      chirp_real_.push_back(cosf(exponent));
      chirp_imag_.push_back(sinf(exponent));
      const Complex conjugate = {Lanes::set(chirp_real_[n]), Lanes::set(-chirp_imag_[n])};
      store(filter.data(), n, conjugate);
      if (n > 0) store(filter.data(), size_ - n, conjugate);
    }
    transform(tables(), filter.data(), transformed.data());
    for (size_t i = 0; i < size_; ++i) {
      filter_real_.push_back(transformed[2 * i * Lanes::kLanes]);
      filter_imag_.push_back(transformed[(2 * i + 1) * Lanes::kLanes]);
    }
  }

  size_t length_, step_, bins_, size_;
  std::vector<uint16_t> reversed_;
  std::vector<float> turn_real_, turn_imag_, chirp_real_, chirp_imag_, filter_real_, filter_imag_;  // see StftFrames
};

constexpr InputSpec Stft::kInputs[];

}  // namespace

const OrtCustomOp* stft_op() {
  static const OrtCustomOp op = custom_op<Stft>();
  return &op;
}

}  // namespace kittentts
