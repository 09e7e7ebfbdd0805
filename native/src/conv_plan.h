// A convolution: its weights, checked once and read where ONNX Runtime holds them, and the run over packed x.
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
  struct Entries {  // of a block of kRows outputs: a group of channels and a tap each
    std::vector<int8_t> weights;   // [entries][kRows][kGroup]; empty: those of w
    std::vector<int32_t> offsets;  // [entries]; empty: offsets_
    bool twos_fit = false;         // see ConvBlock
  };

  void check_and_sum();
  Entries halved(const int8_t* block) const;
  void pack_block(const ConvShape& shape, const ConvInput& x, size_t n, size_t t0, size_t times, uint8_t* packed) const;
  void pack_rows(const ConvInput& x, const size_t rows[kGroup], size_t frames, int64_t from, size_t count, uint8_t* out) const;
  std::vector<int32_t> window_sums(const uint8_t* packed, size_t times) const;

  std::string op_;
  size_t stride_, dilation_, pad_before_, pad_after_;
  size_t outputs_, channels_, taps_, blocks_, groups_;
  bool zero_given_;
  size_t span_;    // frames of a phase that the taps reach beyond the first
  size_t block_;   // output frames of a block of packed x
  size_t length_;  // frames of a phase in a block of packed x
  const int8_t* w_;  // [blocks_][groups_][taps_][kRows][kGroup], ONNX Runtime's
  std::vector<int32_t> w_sum_, w_zero_;  // [blocks_ * kRows]
  bool any_zero_ = false;
  std::vector<int32_t> offsets_;  // [groups_ * taps_] of the entries of w, the same in each block of outputs
  std::vector<Entries> entries_;  // [blocks_]
};

}  // namespace kittentts
