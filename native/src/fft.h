// The short-time Fourier transform of ONNX Runtime (its dft_bluestein_z_chirp), one frame a lane. Include after a lanes_*.h.
//
// Every product of complex numbers is (a c - b d, a d + b c) with each step rounded, also where a factor is 1 or 0: the signs of zeros
// depend on it. The second transform uses the turns of the first, so its output is in reverse order.
#pragma once

#include "kernels.h"

namespace {

using kittentts::StftFrames;

struct Complex {
  Lanes real, imag;
};

inline Complex times(Complex a, Complex b) {
  return {Lanes::sub(Lanes::mul(a.real, b.real), Lanes::mul(a.imag, b.imag)),
          Lanes::add(Lanes::mul(a.real, b.imag), Lanes::mul(a.imag, b.real))};
}

inline Complex plus(Complex a, Complex b) { return {Lanes::add(a.real, b.real), Lanes::add(a.imag, b.imag)}; }

inline Complex load(const float* p, size_t i) {
  return {Lanes::load(p + 2 * i * Lanes::kLanes), Lanes::load(p + (2 * i + 1) * Lanes::kLanes)};
}

inline void store(float* p, size_t i, Complex a) {
  Lanes::store(p + 2 * i * Lanes::kLanes, a.real);
  Lanes::store(p + (2 * i + 1) * Lanes::kLanes, a.imag);
}

inline Complex same_in_all(const float* real, const float* imag, size_t i) { return {Lanes::set(real[i]), Lanes::set(imag[i])}; }

// from, to: [size][real, imag][kLanes]
inline void transform(const StftFrames& s, const float* from, float* to) {
  const Complex one = {Lanes::set(1), Lanes::set(0)};
  for (size_t i = 0; i < s.size; ++i) store(to, i, times(times(one, load(from, s.reversed[i])), one));
  for (size_t length = 2; length <= s.size; length *= 2) {
    const size_t half = length / 2, unused = s.size / length;  // the bits that are reversed: those below `length`
    for (size_t k = 0; k < half; ++k) {
      const size_t first = s.reversed[k] / unused, second = s.reversed[half + k] / unused;
      const Complex turn1 = same_in_all(s.turn_real, s.turn_imag, first), turn2 = same_in_all(s.turn_real, s.turn_imag, second);
      for (size_t j = k; j < s.size; j += length) {
        const Complex even = load(to, j), odd = load(to, j + half);
        store(to, j, plus(even, times(turn1, odd)));
        store(to, j + half, plus(even, times(turn2, odd)));
      }
    }
  }
}

inline void stft(const StftFrames& s) {
  constexpr size_t kLanes = Lanes::kLanes;
  static_assert(kLanes <= kittentts::kMostLanes, "the scratch is large enough");
  float* a = s.scratch;
  float* b = a + 2 * s.size * kLanes;
  const Lanes zero = Lanes::set(0);
  for (size_t f = s.first; f < s.last; f += kLanes) {
    const size_t count = s.last - f < kLanes ? s.last - f : kLanes;
    for (size_t j = 0; j < s.size; ++j) {
      if (j >= s.length) {
        store(a, j, {zero, zero});
        continue;
      }
      float x[kLanes];
      for (size_t i = 0; i < kLanes; ++i) x[i] = s.signal[(f + (i < count ? i : 0)) * s.step + j];
      const Lanes window = Lanes::set(s.window == nullptr ? 1.0f : s.window[j]);
      const Complex windowed = {Lanes::mul(Lanes::load(x), window), Lanes::mul(zero, window)};
      store(a, j, times(windowed, same_in_all(s.chirp_real, s.chirp_imag, j)));
    }
    transform(s, a, b);
    for (size_t j = 0; j < s.size; ++j) store(b, j, times(load(b, j), same_in_all(s.filter_real, s.filter_imag, j)));
    transform(s, b, a);
    const Lanes share = Lanes::set(1.0f / float(s.size));  // a power of 2: the same as the division
    for (size_t bin = 0; bin < s.bins; ++bin) {
      Complex c = load(a, bin == 0 ? 0 : s.size - bin);
      c = times({Lanes::mul(c.real, share), Lanes::mul(c.imag, share)}, same_in_all(s.chirp_real, s.chirp_imag, bin));
      float real[kLanes], imag[kLanes];
      Lanes::store(real, c.real);
      Lanes::store(imag, c.imag);
      for (size_t i = 0; i < count; ++i) {
        s.y[((f + i) * s.bins + bin) * 2] = real[i];
        s.y[((f + i) * s.bins + bin) * 2 + 1] = imag[i];
      }
    }
  }
}

}  // namespace
