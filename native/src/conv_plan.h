// Weights of a convolution, checked and packed once, and the run over packed x.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "kernels.h"
#include "op.h"

namespace kittentts {

struct ConvShape {
  size_t batch, frames, frames_out;
};

// x as it comes: floats to be quantized, or bytes.
struct ConvInput {
  const float* floats;   // or null
  const uint8_t* bytes;  // or null
  Quantization quantization;
};

struct ConvOutput {
  std::vector<int32_t> bias;  // [M], quantized; empty: none
  std::vector<float> scale;   // [M]
  const float* residual;      // [N, M, frames_out], or null
  float* y;
};

class ConvPlan {
 public:
  // Reads the attributes, and the constants w and w_zero_point at these inputs.
  ConvPlan(const char* op, const OrtKernelInfo* info, size_t w_index, size_t w_zero_index);

  size_t outputs() const { return outputs_; }

  // Checks x of [N, C, T], and that a zero point given at run time was a constant.
  ConvShape shape_of(const Tensor& x, const Tensor& w_zero) const;

  // A tensor of one element or of M, as M floats.
  std::vector<float> per_channel(const Tensor& tensor, const char* name) const;

  void run(const OrtKernelContext* context, const ConvShape& shape, const ConvInput& x, const ConvOutput& out) const;

 private:
  struct Entry {  // four input channels and a tap of a block of output channels
    size_t group, tap;
    int8_t weights[kRows][kGroup];
  };

  void pack(const Tensor& w, const Tensor& w_zero);
  void add_block(const std::vector<int32_t>& values, size_t first);
  void append(const Entry& entry);
  void pack_block(const ConvShape& shape, const ConvInput& x, size_t n, size_t t0, size_t times, uint8_t* packed) const;
  void pack_rows(const ConvInput& x, const size_t rows[kGroup], size_t frames, int64_t from, size_t count, uint8_t* out) const;
  std::vector<int32_t> window_sums(const uint8_t* packed, size_t times) const;

  std::string op_;
  size_t stride_, dilation_, pad_before_, pad_after_;
  size_t outputs_, channels_, taps_, groups_;
  bool zero_given_;
  size_t span_;    // frames of a phase that the taps reach beyond the first
  size_t block_;   // output frames of a block of packed x
  size_t length_;  // frames of a phase in a block of packed x
  std::vector<int32_t> w_sum_, w_zero_;  // [M], of the packed weights
  bool any_zero_ = false;
  std::vector<int32_t> offsets_;   // of each entry
  std::vector<int8_t> weights_;    // of each entry [kRows][kGroup]
  std::vector<size_t> first_entry_;  // [blocks of kRows outputs + 1]
};

}  // namespace kittentts
