// Tests of the kernels and operators without Python and ONNX Runtime: for the sanitizers, and for emulated CPUs.
//
//   driver            every kernel that this CPU runs against the portable one, then the operators with the chosen kernel
//   driver --kernels  prints the names of the kernels that this CPU runs
//
// Exits with 1, and says what differs, where a bit does.
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>

#include "fake_ort.h"
#include "kernels_portable.h"

using namespace kittentts;

namespace {

std::mt19937 generator(20);
int failures = 0;

void expect(bool right, const char* what, const char* kernel) {
  if (right) return;
  ++failures;
  std::printf("FAILED with %s: %s\n", kernel, what);
}

size_t pick(size_t least, size_t greatest) { return std::uniform_int_distribution<size_t>(least, greatest)(generator); }

float number() { return std::normal_distribution<float>(0, 1)(generator); }

// Mostly ordinary numbers, here and there an extreme one.
std::vector<float> numbers(size_t n, float size, bool extreme) {
  const float infinity = std::numeric_limits<float>::infinity();
  const float special[] = {0.0f, -0.0f, infinity, -infinity, std::nanf(""), 1e-40f, -1e-45f, 25965.9f, 25966.0f, -30000.0f, 1e30f, 3e38f, -3e38f};
  std::vector<float> x(n);
  for (float& each : x) each = extreme && pick(0, 9) == 0 ? special[pick(0, 12)] : number() * size;
  return x;
}

template <class T>
std::vector<T> bytes(size_t n, int least, int greatest) {
  std::vector<T> x(n);
  for (T& each : x) each = T(std::uniform_int_distribution<int>(least, greatest)(generator));
  return x;
}

// All bits, but for those of what is not a number.
bool same(const std::vector<float>& a, const std::vector<float>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) && std::isnan(b[i])) continue;
    if (std::memcmp(&a[i], &b[i], sizeof a[i]) != 0) return false;
  }
  return true;
}

// ---- kernels against the portable one ----

void compare_conv(const Kernels& kernels) {
  for (int round = 0; round < 200; ++round) {
    const size_t times = pick(1, 110), entries = pick(1, 30), rows = pick(1, kRows), length = times + pick(0, 9);
    const bool extreme = round % 3 == 0;
    std::vector<uint8_t> x = bytes<uint8_t>((entries + 1) * length * kGroup + kTimes * kGroup + 64, extreme ? 254 : 0, 255);
    const bool twos = kernels.pairs_fit_16_bits && round % 2;
    const int limit = twos ? 32 : kernels.pairs_fit_16_bits ? 64 : 128;
    std::vector<int8_t> w = bytes<int8_t>(entries * kRows * kGroup, -limit, extreme ? -limit + 1 : limit - 1);
    std::vector<int32_t> offsets(entries), add(kRows), moved(kRows), zero(kRows), window = bytes<int32_t>(times, 0, 1 << 20);
    for (size_t e = 0; e < entries; ++e) offsets[e] = int32_t(pick(0, e * length) * kGroup);
    for (size_t row = 0; row < kRows; ++row) {
      add[row] = extreme ? std::numeric_limits<int32_t>::max() - int32_t(pick(0, 9)) : int32_t(pick(0, 1000));
      zero[row] = int32_t(pick(0, 255)) - 128;
      uint32_t sum = 0;
      for (size_t e = 0; e < entries; ++e) {
        for (size_t c = 0; c < kGroup; ++c) sum += uint32_t(int32_t(w[(e * kRows + row) * kGroup + c]));
      }
      moved[row] = int32_t(uint32_t(add[row]) + uint32_t(kernels.x_moved) * sum);
    }
    const std::vector<float> scale = numbers(kRows, 0.01f, false), residual = numbers(kRows * times, 1, extreme);
    std::vector<float> expected(rows * times), y(rows * times);
    ConvBlock block = {x.data(), offsets.data(), w.data(), entries, twos, times, rows, add.data(), round % 2 ? window.data() : nullptr,
                       zero.data(), scale.data(), round % 4 < 2 ? residual.data() : nullptr, expected.data(), times};
    kPortable.conv(block);
    block.y = y.data();
    block.add = moved.data();
    kernels.conv(block);
    expect(same(expected, y), "conv", kernels.name);
  }
}

void compare_packing(const Kernels& kernels) {
  for (int round = 0; round < 200; ++round) {
    const size_t n = pick(0, 70);
    std::vector<float> x[kGroup];
    std::vector<uint8_t> b[kGroup];
    const float* rows[kGroup];
    const uint8_t* byte_rows[kGroup];
    for (size_t c = 0; c < kGroup; ++c) {
      x[c] = numbers(n, 3, round % 2);
      b[c] = bytes<uint8_t>(n, 0, 255);
      rows[c] = x[c].data();
      byte_rows[c] = b[c].data();
    }
    const float scales[] = {0.02f, 0.0f, 1e-45f, std::numeric_limits<float>::infinity(), 1.0f};
    const Quantization q = {scales[round % 5], int32_t(pick(0, 255))};
    std::vector<uint8_t> expected(n * kGroup), out(n * kGroup);
    kPortable.pack_float(rows, n, q, expected.data());
    kernels.pack_float(rows, n, q, out.data());
    expect(expected == out, "pack_float", kernels.name);
    kPortable.pack_bytes(byte_rows, n, expected.data());
    kernels.pack_bytes(byte_rows, n, out.data());
    expect(expected == out, "pack_bytes", kernels.name);
    std::vector<float> portable = {0, 0}, here = {0, 0};
    kPortable.range(x[0].data(), n, &portable[0], &portable[1]);
    kernels.range(x[0].data(), n, &here[0], &here[1]);
    expect(portable[0] == here[0] && portable[1] == here[1], "range", kernels.name);
  }
}

void compare_norm(const Kernels& kernels) {
  const Activation activations[] = {Activation::kNone, Activation::kLeakyRelu, Activation::kSnake};
  for (int round = 0; round < 300; ++round) {
    const size_t channels = pick(1, 9), rows = channels * pick(1, 2), frames = pick(1, 90);
    const bool extreme = round % 5 == 0;
    const std::vector<float> x = numbers(rows * frames, extreme ? 1e18f : 2, extreme && round % 2);
    const std::vector<float> scale = numbers(rows, round % 4 ? 1 : 40000, false), shift = numbers(channels, 1, false),
                             weight = numbers(channels, 1, false), bias = numbers(channels, 1, false),
                             alpha = numbers(channels, 3, false), inverse = numbers(channels, 1, false);
    std::vector<float> expected(rows * frames), y(rows * frames);
    const float infinity = std::numeric_limits<float>::infinity();
    NormRows one = {x.data(), expected.data(), 0, rows, frames, channels, scale.data(), rows, shift.data(), channels,
                    round % 2 ? weight.data() : nullptr, bias.data(), 1e-5f, activations[round % 3], 0.2f, alpha.data(),
                    inverse.data(), x.size() / 4 * 4, infinity, -infinity};
    NormRows two = one;
    kPortable.norm(one);
    two.y = y.data();
    two.last = rows / 2;
    kernels.norm(two);
    two.first = two.last;
    two.last = rows;
    kernels.norm(two);
    expect(same(expected, y), "norm", kernels.name);
    expect(one.low == two.low && one.high == two.high, "range of norm", kernels.name);
  }
}

// ---- operators against plain formulas, or against themselves with the portable kernels ----

void compare_stft(const Kernels& kernels) {
  for (const size_t size : {8, 64}) {
    const size_t bits = size == 8 ? 3 : 6, length = size / 3, frames = pick(1, 40), step = pick(1, 9), bins = length / 2 + 1;
    std::vector<uint16_t> reversed(size);
    for (size_t i = 0; i < size; ++i) {
      for (size_t bit = 0; bit < bits; ++bit) reversed[i] = uint16_t(reversed[i] | ((i >> bit & 1) << (bits - 1 - bit)));
    }
    const std::vector<float> signal = numbers((frames - 1) * step + length, 1, false), window = numbers(length, 1, false),
                             turns = numbers(2 * size, 1, false), chirp = numbers(2 * length, 1, false), filter = numbers(2 * size, 1, false);
    std::vector<float> scratch(4 * size * kMostLanes), expected(frames * bins * 2), y(expected.size());
    StftFrames all = {signal.data(), 0, frames, step, length, bins, size == 8 ? window.data() : nullptr, size, reversed.data(), turns.data(),
                      &turns[size], chirp.data(), &chirp[length], filter.data(), &filter[size], scratch.data(), expected.data()};
    kPortable.stft(all);
    all.y = y.data();
    kernels.stft(all);
    expect(same(expected, y), "stft", kernels.name);
  }
}

void stft_operator() {
  for (const int64_t length : {int64_t(3), int64_t(20), int64_t(8), int64_t(5000)}) {
    OrtKernelInfo info;
    info.ints = {{"frame_length", length}, {"frame_step", 5}};
    const OrtValue signal = fake::value_of(kFloat, {2, 101}, numbers(202, 1, true)), window = fake::zeros(kFloat, {length});
    OrtKernelContext context;
    context.threads = 2;
    context.inputs = {&signal, &window};
    expect(fake::run(stft_op(), info, &context).empty() == (length < 21 && length != 8), "Stft", kernels().name);
  }
}

void norm_operator() {
  for (int round = 0; round < 20; ++round) {
    const int64_t batch = int64_t(pick(1, 2)), channels = int64_t(pick(1, 20)), frames = int64_t(pick(1, 50));
    OrtKernelInfo info;
    info.strings = {{"activation", "snake"}};
    const OrtValue x = fake::value_of(kFloat, {batch, channels, frames}, numbers(size_t(batch * channels * frames), 1, true)),
                   vector = fake::value_of(kFloat, {channels}, numbers(size_t(channels), 1, false)), wrong = fake::zeros(kFloat, {channels + 21});
    OrtKernelContext context;
    context.threads = pick(1, 2);
    context.wanted_outputs = pick(1, 2);
    context.inputs = {&x, &vector, &vector, nullptr, nullptr, &vector, &vector};
    expect(fake::run(adaptive_norm_op(), info, &context).empty(), "AdaptiveNorm", kernels().name);
    context.inputs[pick(1, 6)] = &wrong;
    expect(!fake::run(adaptive_norm_op(), info, &context).empty(), "a malformed AdaptiveNorm was accepted", kernels().name);
  }
}

// [M, C, K] -> [blocks of outputs, groups of channels, K, kRows, kGroup], what is beyond M and C is `padding`
std::vector<int8_t> packed(const std::vector<int8_t>& w, size_t outputs, size_t channels, size_t taps, int8_t padding) {
  std::vector<int8_t> out;
  for (size_t m = 0; m < outputs; m += kRows) {
    for (size_t c = 0; c < channels; c += kGroup) {
      for (size_t i = 0; i < taps * kRows * kGroup; ++i) {
        const size_t tap = i / kGroup / kRows, row = m + i / kGroup % kRows, channel = c + i % kGroup;
        out.push_back(row < outputs && channel < channels ? w[(row * channels + channel) * taps + tap] : padding);
      }
    }
  }
  return out;
}

void conv_operators() {
  const char* name = kernels().name;
  for (int round = 0; round < 300; ++round) {
    const bool extreme = round % 3 == 0;
    const size_t batch = pick(1, 2), channels = pick(1, 21), outputs = pick(1, 20), taps = pick(1, 7), stride = pick(1, 6), dilation = pick(1, 5);
    const size_t before = pick(0, 6), after = pick(0, 6), reach = (taps - 1) * dilation + 1;
    const size_t least = reach > before + after ? reach - before - after : 1;
    const size_t frames = round % 5 ? least + pick(0, 130) : least, frames_out = (frames + before + after - reach) / stride + 1;
    const int low = extreme ? -128 : -60, high = extreme ? 127 : 60;
    const std::vector<uint8_t> x = bytes<uint8_t>(batch * channels * frames, extreme ? 255 : 0, 255);
    const std::vector<int8_t> w = bytes<int8_t>(outputs * channels * taps, low, high), zero = bytes<int8_t>(round % 2 ? outputs : 1, low, high);
    const uint8_t x_zero = extreme ? 0 : uint8_t(pick(0, 255));
    const std::vector<float> scale = numbers(round % 4 ? outputs : 1, 0.02f, false), residual = numbers(batch * outputs * frames_out, 1, false);
    const std::vector<int32_t> bias = bytes<int32_t>(outputs, -100000, 100000);

    std::vector<float> expected;
    for (size_t n = 0; n < batch; ++n) {
      for (size_t m = 0; m < outputs; ++m) {
        for (size_t t = 0; t < frames_out; ++t) {
          int32_t sum = bias[m];
          for (size_t c = 0; c < channels; ++c) {
            for (size_t k = 0; k < taps; ++k) {
              const size_t at = t * stride + k * dilation;
              if (at < before || at - before >= frames) continue;
              sum += (int32_t(x[(n * channels + c) * frames + at - before]) - x_zero) *
                     (int32_t(w[(m * channels + c) * taps + k]) - int32_t(zero[zero.size() == 1 ? 0 : m]));
            }
          }
          const float y = float(sum) * scale[scale.size() == 1 ? 0 : m];
          expected.push_back(y + residual[expected.size()]);
        }
      }
    }
    const auto dims = [](std::vector<size_t> shape) { return std::vector<int64_t>(shape.begin(), shape.end()); };
    const std::vector<int64_t> w_shape = dims({(outputs + kRows - 1) / kRows, (channels + kGroup - 1) / kGroup, taps, kRows, kGroup});
    OrtKernelInfo info;
    info.ints = {{"stride", int64_t(stride)}, {"dilation", int64_t(dilation)}, {"channels_out", int64_t(outputs)}, {"channels_in", int64_t(channels)}};
    info.lists = {{"pads", dims({before, after})}};
    info.constants[2] = fake::value_of(kInt8, w_shape, packed(w, outputs, channels, taps, 0));
    info.constants[3] = fake::value_of(kInt8, dims({zero.size()}), zero);
    const OrtValue vx = fake::value_of(kUint8, dims({batch, channels, frames}), x), vz = fake::value_of(kUint8, {}, std::vector<uint8_t>{x_zero}),
                   vs = fake::value_of(kFloat, dims({scale.size()}), scale), vb = fake::value_of(kInt32, dims({outputs}), bias),
                   vr = fake::value_of(kFloat, dims({batch, outputs, frames_out}), residual);
    OrtKernelContext context;
    context.threads = pick(1, 2);
    context.inputs = {&vx, &vz, &info.constants[2], &info.constants[3], &vs, &vb, &vr};
    const std::string refused = fake::run(quantized_conv_op(), info, &context);
    expect(refused.empty() && same(expected, fake::data_of<float>(context.outputs[0])), "QuantizedConv", name);
    if (!refused.empty()) std::printf("%s\n", refused.c_str());

    // what does not fit must be refused, and must not be read
    OrtKernelInfo wrong = info;
    const int fault = round % 14;
    OrtValue other = vx;
    if (fault == 0) wrong.constants[2] = fake::zeros(kInt8, dims({outputs, channels, taps}));
    if (fault == 1) wrong.constants[3] = fake::zeros(kInt8, dims({outputs + 1}));
    if (fault == 2) wrong.lists["pads"] = {0, -1};
    if (fault == 3) wrong.ints["dilation"] = std::numeric_limits<int64_t>::max();
    if (fault == 4) wrong.constants.erase(2);
    if (fault == 5) context.inputs[0] = &(other = fake::zeros(kUint8, dims({batch, channels + 1, frames})));
    if (fault == 6) context.inputs[6] = &(other = fake::zeros(kFloat, dims({batch, outputs, frames_out + 1})));
    if (fault == 7) context.inputs[5] = nullptr, context.inputs[4] = &(other = fake::zeros(kFloat, dims({outputs + 1})));
    if (fault == 8) wrong.constants[2] = fake::zeros(kUint8, w_shape);
    if (fault == 9) std::swap(wrong.constants[2].shape[3], wrong.constants[2].shape[4]);
    const char* size = pick(0, 1) ? "channels_out" : "channels_in";
    if (fault == 10) wrong.ints[size] += 8;
    if (fault == 11) wrong.ints[size] = pick(0, 1) ? 0 : std::numeric_limits<int64_t>::max();
    if (fault == 12) wrong.constants[2].shape[2] = 0;
    if (fault == 13) {
      if (outputs % kRows == 0 && channels % kGroup == 0) continue;
      wrong.constants[2] = fake::value_of(kInt8, w_shape, packed(w, outputs, channels, taps, 1));
    }
    expect(!fake::run(quantized_conv_op(), wrong, &context).empty(), "a malformed QuantizedConv was accepted", name);
  }
}

}  // namespace

int main(int argc, char**) {
  size_t count;
  const Kernels* const* tables = available_kernels(&count);
  if (argc > 1) {
    for (size_t i = 0; i < count; ++i) std::printf("%s\n", tables[i]->name);
    return 0;
  }
  fake::install();
  for (size_t i = 0; i < count; ++i) {
    compare_conv(*tables[i]);
    compare_packing(*tables[i]);
    compare_norm(*tables[i]);
    compare_stft(*tables[i]);
  }
  conv_operators();
  norm_operator();
  stft_operator();
  std::printf("%s of %zu kernels, %d failures\n", kernels().name, count, failures);
  return failures != 0;
}
