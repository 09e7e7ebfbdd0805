#include "conv_plan.h"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <iterator>
#include <limits>
#include <utility>

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

// Whether 255 * (|w0| + |w1|), added over entries 0 and 1, 2 and 3 ..., fits int16.
bool twos_fit(const int8_t* weights, size_t entries) {
  constexpr size_t kSize = kRows * kGroup;
  for (size_t e = 0; e + 2 <= entries; e += 2) {
    const int8_t* w = weights + e * kSize;
    for (size_t i = 0; i < kSize; i += 2) {
      if (std::abs(int(w[i])) + std::abs(int(w[i + 1])) + std::abs(int(w[kSize + i])) + std::abs(int(w[kSize + i + 1])) > 128) return false;
    }
  }
  return true;
}

size_t divided_up(size_t n, size_t by) { return (n + by - 1) / by; }

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

  const int64_t outputs = int_attribute(info, "channels_out", 0), channels = int_attribute(info, "channels_in", 0);
  if (outputs < 1 || outputs > limit) refuse(op_, "channels_out is missing or not in 1 .. 2^31 - 1: " + std::to_string(outputs));
  if (channels < 1 || channels > limit) refuse(op_, "channels_in is missing or not in 1 .. 2^31 - 1: " + std::to_string(channels));
  outputs_ = size_t(outputs);
  channels_ = size_t(channels);
  blocks_ = divided_up(outputs_, kRows);
  groups_ = divided_up(channels_, kGroup);
  const Tensor w = constant(info, w_index);
  if (!w.given()) refuse(op_, "w is missing or no constant");
  const std::vector<int64_t> shape = {int64_t(blocks_), int64_t(groups_), w.shape.size() == 5 ? w.shape[2] : 0, kRows, kGroup};
  if (w.type != kInt8 || w.shape != shape || w.size == 0) {
    refuse(op_, "w is " + describe(w) + ", not int8[" + std::to_string(blocks_) + ", " + std::to_string(groups_) + ", K, 8, 4] for " +
                    std::to_string(outputs_) + " channels_out and " + std::to_string(channels_) + " channels_in");
  }
  taps_ = size_t(w.shape[2]);
  // Read in place: ONNX Runtime keeps a constant initializer, where it lies, as long as the session, unless all kernels that take it
  // have made a copy of their own and said so (PrePack); custom operators cannot.
  w_ = w.as<const int8_t>();
  const Tensor w_zero = constant(info, w_zero_index);
  zero_given_ = w_zero.given();
  if (zero_given_ && (w_zero.type != kInt8 || (w_zero.size != 1 && w_zero.size != outputs_))) {
    refuse(op_, "w_zero_point is " + describe(w_zero) + ", not int8 of one element or " + std::to_string(outputs_));
  }
  w_zero_.assign(blocks_ * kRows, 0);
  for (size_t m = 0; zero_given_ && m < outputs_; ++m) {
    w_zero_[m] = w_zero.as<const int8_t>()[w_zero.size == 1 ? 0 : m];
    any_zero_ = any_zero_ || w_zero_[m] != 0;
  }

  span_ = product(op_, {taps_ - 1, dilation_}) / stride_;
  const size_t row_bytes = product(op_, {groups_, stride_, kGroup});
  block_ = std::max(kTimes, kBlockBytes / row_bytes / kTimes * kTimes);
  length_ = block_ + span_ + 1;
  if (product(op_, {row_bytes, length_}) > size_t(limit)) refuse(op_, "the sizes are too large");
  check_and_sum();
  for (size_t group = 0; group < groups_; ++group) {
    for (size_t reach = 0; reach < taps_ * dilation_; reach += dilation_) {
      offsets_.push_back(int32_t(((group * stride_ + reach % stride_) * length_ + reach / stride_) * kGroup));
    }
  }
  for (size_t block = 0; block < blocks_; ++block) {
    const int8_t* w_of_block = w_ + block * offsets_.size() * kRows * kGroup;
    Entries entries = halved(w_of_block);
    if (entries.weights.empty()) {
      entries.twos_fit = twos_fit(w_of_block, offsets_.size());
    } else {
      entries.twos_fit = twos_fit(entries.weights.data(), entries.offsets.size());
    }
    entries_.push_back(std::move(entries));
  }
}

void ConvPlan::check_and_sum() {
  w_sum_.assign(blocks_ * kRows, 0);
  const int8_t* w = w_;
  for (size_t block = 0; block < blocks_; ++block) {
    const size_t rows = std::min(kRows, outputs_ - block * kRows);
    for (size_t group = 0; group < groups_; ++group) {
      const size_t valid = std::min(kGroup, channels_ - group * kGroup);
      for (size_t tap = 0; tap < taps_; ++tap) {
        for (size_t row = 0; row < kRows; ++row) {
          for (size_t c = 0; c < kGroup; ++c, ++w) {
            if (*w != 0 && (row >= rows || c >= valid)) refuse(op_, "w is not 0 beyond channels_out and channels_in");
            w_sum_[block * kRows + row] = int32_t(uint32_t(w_sum_[block * kRows + row]) + uint32_t(int32_t(*w)));
          }
        }
      }
    }
  }
}

// A block's entries where the kernel adds products of neighbours as int16 and their weights are too large for that: each such entry
// becomes two of half the size. None where there is no such entry.
ConvPlan::Entries ConvPlan::halved(const int8_t* block) const {
  const auto is_large = [&](size_t entry) {
    const int8_t* w = block + entry * kRows * kGroup;
    for (size_t i = 0; i < kRows * kGroup; i += 2) {
      if (std::abs(int(w[i])) + std::abs(int(w[i + 1])) > 128) return true;
    }
    return false;
  };
  size_t large = 0;
  for (size_t e = 0; kernels().pairs_fit_16_bits && e < offsets_.size(); ++e) large += is_large(e);
  Entries entries;
  if (large == 0) return entries;
  entries.weights.reserve((offsets_.size() + large) * kRows * kGroup);
  entries.offsets.reserve(offsets_.size() + large);
  for (size_t e = 0; e < offsets_.size(); ++e) {
    const int8_t *from = block + e * kRows * kGroup, *to = from + kRows * kGroup;
    const bool split = is_large(e);
    entries.offsets.insert(entries.offsets.end(), split ? 2 : 1, offsets_[e]);
    if (split) std::transform(from, to, std::back_inserter(entries.weights), [](int8_t w) { return int8_t(w / 2); });
    std::transform(from, to, std::back_inserter(entries.weights), [split](int8_t w) { return int8_t(split ? w - w / 2 : w); });
  }
  return entries;
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
      const size_t at = (n * outputs_ + m) * shape.frames_out + t0;
      const Entries& own = entries_[m / kRows];
      const bool in_place = own.weights.empty();
      const std::vector<int32_t>& offsets = in_place ? offsets_ : own.offsets;
      const int8_t* weights = in_place ? w_ + m * offsets_.size() * kGroup : own.weights.data();
      kernels().conv({packed.bytes.data(), offsets.data(), weights, offsets.size(), own.twos_fit,
                      times, std::min(kRows, end - m), &add[m], any_zero_ ? packed.window_sums.data() : nullptr, &w_zero_[m],
                      &out.scale[m], out.residual == nullptr ? nullptr : out.residual + at, out.y + at, shape.frames_out});
    }
  });
}

}  // namespace kittentts
