#include "conv_plan.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <limits>

namespace kittentts {

namespace {

constexpr size_t kBlockBytes = 160 * 1024;  // of packed x: fits the second cache beside the weights of one block of outputs
constexpr size_t kOutputsPerTask = 64;

// The block of packed x that a thread made last; tasks for the same block follow each other.
struct Packed {
  uint64_t run = 0;
  size_t block = 0;
  std::vector<uint8_t> bytes;
  std::vector<int32_t> window_sums;
};

Packed& packed_by_thread() {
  static thread_local Packed packed;
  return packed;
}

size_t round_up(size_t n, size_t to) { return (n + to - 1) / to * to; }

}  // namespace

ConvPlan::ConvPlan(const char* op, const OrtKernelInfo* info, size_t w_index, size_t w_zero_index) : op_(op) {
  const int64_t limit = std::numeric_limits<int32_t>::max();
  const int64_t stride = int_attribute(info, "stride", 1), dilation = int_attribute(info, "dilation", 1);
  const std::vector<int64_t> pads = ints_attribute(info, "pads", {0, 0});
  if (stride < 1 || stride > 4096) refuse(op_, "stride is not in 1 .. 4096: " + std::to_string(stride));
  if (dilation < 1 || dilation > limit) refuse(op_, "dilation is not positive: " + std::to_string(dilation));
  if (pads.size() != 2) refuse(op_, "pads has " + std::to_string(pads.size()) + " numbers, not 2");
  for (const int64_t pad : pads) {
    if (pad < 0 || pad > limit) refuse(op_, "pads has a negative or too large number: " + std::to_string(pad));
  }
  stride_ = size_t(stride);
  dilation_ = size_t(dilation);
  pad_before_ = size_t(pads[0]);
  pad_after_ = size_t(pads[1]);

  const Tensor w = constant(info, w_index);
  if (!w.given()) refuse(op_, "w is missing or no constant");
  if (w.type != kInt8 && w.type != kUint8) refuse(op_, "w is " + describe(w) + ", not int8 or uint8");
  if (w.shape.size() != 3 || w.size == 0) refuse(op_, "w is " + describe(w) + ", not [M, C, K]");
  outputs_ = size_t(w.shape[0]);
  channels_ = size_t(w.shape[1]);
  taps_ = size_t(w.shape[2]);
  groups_ = round_up(channels_, kGroup) / kGroup;
  const Tensor w_zero = constant(info, w_zero_index);
  zero_given_ = w_zero.given();
  if (zero_given_ && (w_zero.type != w.type || (w_zero.size != 1 && w_zero.size != outputs_))) {
    refuse(op_, "w_zero_point is " + describe(w_zero) + " for w of " + describe(w));
  }

  span_ = product(op_, {taps_ - 1, dilation_}) / stride_;
  const size_t row_bytes = product(op_, {groups_, stride_, kGroup});
  block_ = std::max(kTimes, kBlockBytes / row_bytes / kTimes * kTimes);
  length_ = block_ + span_ + 1;
  if (product(op_, {row_bytes, length_}) > size_t(limit)) refuse(op_, "the sizes are too large");
  pack(w, w_zero);
}

void ConvPlan::pack(const Tensor& w, const Tensor& w_zero) {
  const size_t inner = channels_ * taps_, blocks = round_up(outputs_, kRows) / kRows;
  const bool is_signed = w.type == kInt8;
  const auto value = [&](const Tensor& t, size_t i) {
    return is_signed ? int32_t(t.as<const int8_t>()[i]) : int32_t(t.as<const uint8_t>()[i]);
  };
  std::vector<int32_t> values(blocks * kRows * inner);  // what is packed: int8
  w_sum_.assign(blocks * kRows, 0);
  w_zero_.assign(blocks * kRows, 0);
  for (size_t m = 0; m < outputs_; ++m) {
    const int32_t zero = w_zero.given() ? value(w_zero, w_zero.size == 1 ? 0 : m) : 0;
    int32_t least = 255, greatest = -255;
    for (size_t i = 0; i < inner; ++i) {
      const int32_t difference = value(w, m * inner + i) - zero;
      least = std::min(least, difference);
      greatest = std::max(greatest, difference);
    }
    // the zero point is taken into the weights where they still are int8; else uint8 are moved by 128
    const int32_t moved = least >= -128 && greatest <= 127 ? zero : is_signed ? 0 : 128;
    w_zero_[m] = zero - moved;
    any_zero_ = any_zero_ || w_zero_[m] != 0;
    for (size_t i = 0; i < inner; ++i) {
      values[m * inner + i] = value(w, m * inner + i) - moved;
      w_sum_[m] = int32_t(uint32_t(w_sum_[m]) + uint32_t(values[m * inner + i]));
    }
  }
  for (size_t first = 0; first < blocks * kRows; first += kRows) {
    first_entry_.push_back(offsets_.size());
    add_block(values, first);
  }
  first_entry_.push_back(offsets_.size());
}

void ConvPlan::add_block(const std::vector<int32_t>& values, size_t first) {
  const bool pairs = kernels().pairs_fit_16_bits;
  for (size_t group = 0; group < groups_; ++group) {
    for (size_t tap = 0; tap < taps_; ++tap) {
      Entry entry{group, tap, {}}, half{group, tap, {}};
      bool fits = true;
      for (size_t row = 0; row < kRows; ++row) {
        for (size_t c = 0; c < kGroup && group * kGroup + c < channels_; ++c) {
          entry.weights[row][c] = int8_t(values[((first + row) * channels_ + group * kGroup + c) * taps_ + tap]);
        }
        for (size_t c = 0; c < kGroup; c += 2) {
          fits = fits && std::abs(int(entry.weights[row][c])) + std::abs(int(entry.weights[row][c + 1])) <= 128;
        }
      }
      if (pairs && !fits) {
        for (size_t row = 0; row < kRows; ++row) {
          for (size_t c = 0; c < kGroup; ++c) {
            half.weights[row][c] = int8_t(entry.weights[row][c] / 2);
            entry.weights[row][c] = int8_t(entry.weights[row][c] - half.weights[row][c]);
          }
        }
        append(half);
      }
      append(entry);
    }
  }
}

void ConvPlan::append(const Entry& entry) {
  const size_t reach = entry.tap * dilation_;
  offsets_.push_back(int32_t(((entry.group * stride_ + reach % stride_) * length_ + reach / stride_) * kGroup));
  const int8_t* weights = &entry.weights[0][0];
  weights_.insert(weights_.end(), weights, weights + kRows * kGroup);
}

ConvShape ConvPlan::shape_of(const Tensor& x, const Tensor& w_zero) const {
  if (w_zero.given() && !zero_given_) refuse(op_, "w_zero_point is no constant");
  if (x.shape.size() != 3 || size_t(x.shape[1]) != channels_) {
    refuse(op_, "x is " + describe(x) + ", not [N, " + std::to_string(channels_) + ", T]");
  }
  const size_t frames = size_t(x.shape[2]);
  const size_t padded = frames + pad_before_ + pad_after_, needed = dilation_ * (taps_ - 1) + 1;
  if (padded < needed) {
    refuse(op_, "x of " + describe(x) + " is shorter than the taps: " + std::to_string(padded) + " frames with pads, " +
                    std::to_string(needed) + " needed");
  }
  const ConvShape shape{size_t(x.shape[0]), frames, (padded - needed) / stride_ + 1};
  product(op_, {shape.batch, outputs_, shape.frames_out});
  return shape;
}

std::vector<float> ConvPlan::per_channel(const Tensor& tensor, const char* name) const {
  if (tensor.size != 1 && tensor.size != outputs_) {
    refuse(op_, std::string(name) + " is " + describe(tensor) + " for " + std::to_string(outputs_) + " channels");
  }
  const float* from = tensor.as<const float>();
  return tensor.size == 1 ? std::vector<float>(outputs_, from[0]) : std::vector<float>(from, from + outputs_);
}

// `count` frames of four channels, from frame `from` on, to out[count][4]; what is outside of x becomes the zero point.
void ConvPlan::pack_rows(const ConvInput& x, const size_t rows[kGroup], size_t frames, int64_t from, size_t count,
                         uint8_t* out) const {
  const size_t before = size_t(std::min<int64_t>(int64_t(count), std::max<int64_t>(0, -from)));
  const size_t start = from > 0 ? std::min(size_t(from), frames) : 0;
  const size_t inside = std::min(count - before, frames - start);
  std::memset(out, x.quantization.zero_point, before * kGroup);
  if (x.floats != nullptr) {
    const float* const pointers[kGroup] = {x.floats + rows[0] * frames + start, x.floats + rows[1] * frames + start,
                                           x.floats + rows[2] * frames + start, x.floats + rows[3] * frames + start};
    kernels().pack_float(pointers, inside, x.quantization, out + before * kGroup);
  } else {
    const uint8_t* const pointers[kGroup] = {x.bytes + rows[0] * frames + start, x.bytes + rows[1] * frames + start,
                                             x.bytes + rows[2] * frames + start, x.bytes + rows[3] * frames + start};
    kernels().pack_bytes(pointers, inside, out + before * kGroup);
  }
  std::memset(out + (before + inside) * kGroup, x.quantization.zero_point, (count - before - inside) * kGroup);
}

void ConvPlan::pack_block(const ConvShape& shape, const ConvInput& x, size_t n, size_t t0, size_t times,
                          uint8_t* packed) const {
  const size_t length = times + span_ + (stride_ > 1 ? 1 : 0);
  const int64_t from = int64_t(t0 * stride_) - int64_t(pad_before_);
  std::vector<uint8_t> straight(stride_ > 1 ? length * stride_ * kGroup : 0);
  for (size_t group = 0; group < groups_; ++group) {
    size_t rows[kGroup];  // beyond the last channel the weights are 0, any channel will do
    for (size_t c = 0; c < kGroup; ++c) {
      rows[c] = n * channels_ + (group * kGroup + c < channels_ ? group * kGroup + c : 0);
    }
    uint8_t* out = packed + group * stride_ * length_ * kGroup;
    if (stride_ == 1) {
      pack_rows(x, rows, shape.frames, from, length, out);
      continue;
    }
    pack_rows(x, rows, shape.frames, from, length * stride_, straight.data());
    for (size_t phase = 0; phase < stride_; ++phase) {
      for (size_t t = 0; t < length; ++t) {
        std::memcpy(out + (phase * length_ + t) * kGroup, &straight[(t * stride_ + phase) * kGroup], kGroup);
      }
    }
  }
}

std::vector<int32_t> ConvPlan::window_sums(const uint8_t* packed, size_t times) const {
  std::vector<int32_t> frame(stride_ * length_), sums(times);
  for (size_t group = 0; group < groups_; ++group) {
    const size_t valid = std::min(kGroup, channels_ - group * kGroup);
    const uint8_t* x = packed + group * stride_ * length_ * kGroup;
    for (size_t i = 0; i < frame.size(); ++i) {
      for (size_t c = 0; c < valid; ++c) frame[i] += x[i * kGroup + c];
    }
  }
  for (size_t tap = 0; tap < taps_; ++tap) {
    const size_t reach = tap * dilation_, at = reach % stride_ * length_ + reach / stride_;
    for (size_t t = 0; t < times; ++t) sums[t] += frame[at + t];
  }
  return sums;
}

void ConvPlan::run(const OrtKernelContext* context, const ConvShape& shape, const ConvInput& x, const ConvOutput& out) const {
  static std::atomic<uint64_t> runs{0};
  const uint64_t run = ++runs;

  std::vector<int32_t> add(w_sum_.size());
  const uint32_t zero = uint32_t(x.quantization.zero_point), moved = uint32_t(kernels().x_moved), inner = uint32_t(channels_ * taps_);
  for (size_t m = 0; m < outputs_; ++m) {
    const uint32_t bias = out.bias.empty() ? 0 : uint32_t(out.bias[m]);
    add[m] = int32_t(bias + (moved - zero) * uint32_t(w_sum_[m]) + zero * uint32_t(w_zero_[m]) * inner);
  }
  const size_t blocks = (shape.frames_out + block_ - 1) / block_;
  const size_t parts = (outputs_ + kOutputsPerTask - 1) / kOutputsPerTask;
  parallel(context, shape.batch * blocks * parts, [&](size_t task) {
    const size_t block = task / parts, n = block / blocks, t0 = block % blocks * block_;
    const size_t times = std::min(block_, shape.frames_out - t0);
    Packed& packed = packed_by_thread();
    if (packed.run != run || packed.block != block) {
      packed.run = 0;  // not this block, should the next lines throw
      const size_t needed = groups_ * stride_ * length_ * kGroup + kTimes * kGroup + 64;
      if (packed.bytes.size() < needed) packed.bytes.resize(needed);
      pack_block(shape, x, n, t0, times, packed.bytes.data());
      if (any_zero_) packed.window_sums = window_sums(packed.bytes.data(), times);
      packed.run = run;
      packed.block = block;
    }
    const size_t end = std::min(outputs_, (task % parts + 1) * kOutputsPerTask);
    for (size_t m = task % parts * kOutputsPerTask; m < end; m += kRows) {
      const size_t entry = first_entry_[m / kRows], at = (n * outputs_ + m) * shape.frames_out + t0;
      kernels().conv({packed.bytes.data(), &offsets_[entry], &weights_[entry * kRows * kGroup], first_entry_[m / kRows + 1] - entry,
                      times, std::min(kRows, end - m), &add[m], any_zero_ ? packed.window_sums.data() : nullptr, &w_zero_[m],
                      &out.scale[m], out.residual == nullptr ? nullptr : out.residual + at, out.y + at, shape.frames_out});
    }
  });
}

}  // namespace kittentts
