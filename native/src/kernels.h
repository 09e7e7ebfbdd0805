// What the operators ask of an instruction set. Each kernels_*.cpp fills one table; every table gives the same bits.
#pragma once

#include <cstddef>
#include <cstdint>

namespace kittentts {

constexpr size_t kRows = 8;    // output channels that a convolution kernel computes at a time
constexpr size_t kGroup = 4;   // input channels that lie side by side in packed x, and in packed weights
constexpr size_t kMostLanes = 16;
constexpr size_t kTimes = 48;  // frames for which a kernel may read beyond the end of a block of packed x

// One block of packed x against kRows output channels.
//
// x is packed so that entry e (a group of input channels and a tap) of output frame t is the four bytes at
// x[offsets[e] + 4 * t]; its weights are weights[e][row][4]. Sums wrap around as int32.
struct ConvBlock {
  const uint8_t* x;
  const int32_t* offsets;
  const int8_t* weights;
  size_t entries;
  bool twos_fit_16_bits;      // where pairs must: whether 255 * (|w0| + |w1|), added over entries 0 and 1, 2 and 3 ..., fits, too
  size_t times;               // output frames, >= 1
  size_t rows;                // output channels that are stored, 1 .. kRows
  const int32_t* add;         // [rows] added to each sum: bias - x_zero_point * sum of the weights
  const int32_t* window_sums; // [times] sum of x under the taps, or null where every w_zero is 0
  const int32_t* w_zero;      // [rows] what window_sums is multiplied with and then subtracted
  const float* scale;         // [rows]
  const float* residual;      // as y, or null
  float* y;                   // [rows][times], a row is y_stride floats after the one before
  size_t y_stride;
};

// Quantization of float32 to uint8, as ONNX Runtime's DynamicQuantizeLinear.
struct Quantization {
  float scale;
  int32_t zero_point;
};

enum class Activation { kNone, kLeakyRelu, kSnake };

// Rows first .. last of a tensor [rows][frames], normalized over frames. Row r belongs to channel r % channels.
struct NormRows {
  const float* x;
  float* y;
  size_t first, last, frames, channels;
  const float* scale;  // [scale_count], row r takes r % scale_count
  size_t scale_count;
  const float* shift;
  size_t shift_count;
  const float* weight;  // [channels]; null: the form reduce_mean, else instance_norm
  const float* bias;    // [channels]
  float epsilon;
  Activation activation;
  float alpha;                // of the leaky ReLU
  const float* snake_alpha;   // [channels]
  const float* snake_inverse; // [channels]
  size_t sinf_from;           // elements of the tensor from this number on take the C library's sinf
  float low, high;            // result: least and greatest element of y
};

// Frames first .. last of a signal, transformed by Bluestein's method, see fft.h. Complex numbers are two arrays.
struct StftFrames {
  const float* signal;
  size_t first, last, step, length, bins;
  const float* window;  // [length] or null
  size_t size;          // of the transforms, a power of 2
  const uint16_t* reversed;              // [size] the bits of the index in reverse
  const float *turn_real, *turn_imag;    // [size] roots of unity, in the order of reversed bits
  const float *chirp_real, *chirp_imag;  // [length]
  const float *filter_real, *filter_imag;  // [size] transform of the conjugate chirp
  float* scratch;                        // [4 * size * kMostLanes]
  float* y;                              // [frames][bins][2], all frames of the signal
};

struct Kernels {
  const char* name;
  bool pairs_fit_16_bits;  // whether 255 * (|w0| + |w1|) of neighbouring weights must fit int16 (else the entry is halved)
  int32_t x_moved;         // what conv subtracts of each byte of x; `add` makes up for it
  void (*conv)(const ConvBlock&);
  // four rows of n elements -> [n][4] bytes
  void (*pack_float)(const float* const rows[kGroup], size_t n, const Quantization&, uint8_t* out);
  void (*pack_bytes)(const uint8_t* const rows[kGroup], size_t n, uint8_t* out);
  void (*range)(const float* x, size_t n, float* low, float* high);  // low and high are only ever widened
  void (*norm)(NormRows&);
  void (*stft)(const StftFrames&);
};

// The tables that this CPU runs, the best first; the last is the portable one.
const Kernels* const* available_kernels(size_t* count);

// The first of them, or the one that the environment variable KITTENTTS_NATIVE_KERNEL names (for tests; an unknown name: portable).
const Kernels& kernels();

}  // namespace kittentts
