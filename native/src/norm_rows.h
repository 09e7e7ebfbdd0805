// Normalization over time, for any instruction set. Include after lanes_*.h.
#pragma once

#include <math.h>

#include "kernels.h"
#include "sine.h"
#include "sums.h"

namespace {

using kittentts::Activation;
using kittentts::NormRows;

constexpr size_t kTogether = 4;  // rows whose sums are taken side by side: one alone waits for the addition before

// For rows r, r+1, ...: the sum over frames of (x - shift), or of its square. shift[i] belongs to row r+i.
// `boundary`: whether the order of the sum depends on where the row begins, see sums.h.
template <bool kSquare>
void sum_rows(const NormRows& n, size_t r, size_t count, const float* shift, bool boundary, float* result) {
  const size_t frames = n.frames;
  const float* x[kTogether];
  Row row[kTogether];
  Sums total[kTogether];
  size_t eights = frames;
  for (size_t i = 0; i < kTogether; ++i) {
    const size_t k = i < count ? r + i : r;
    x[i] = n.x + k * frames;
    row[i] = row_of(boundary ? k * frames % 4 : 0, frames);
    const size_t here = (row[i].end8 - row[i].start) / 8;
    if (here < eights) eights = here;
    total[i] = Sums::set(0);
  }
  const auto take = [&](size_t i, size_t e, bool first) {
    Sums value = Sums::load(x[i] + row[i].start + 8 * e);
    if (kSquare) {
      value = Sums::sub(value, Sums::set(shift[i]));
      value = Sums::mul(value, value);
    }
    total[i] = first ? value : Sums::add(total[i], value);
  };
  if (eights > 0) {
    for (size_t i = 0; i < kTogether; ++i) take(i, 0, true);
  }
  for (size_t e = 1; e < eights; ++e) {
    for (size_t i = 0; i < kTogether; ++i) take(i, e, false);
  }
  for (size_t i = 0; i < count; ++i) {
    for (size_t e = eights; e < (row[i].end8 - row[i].start) / 8; ++e) take(i, e, e == 0);
    float sums[8];
    Sums::store(sums, total[i]);
    result[i] = finish_sum(row[i], frames, sums, [&](size_t j) {
      if (!kSquare) return x[i][j];
      const float d = x[i][j] - shift[i];
      return d * d;
    });
  }
}

// What one row is computed with.
struct RowFactors {
  float mean, deviation;  // reduce_mean
  float gain, offset;     // instance_norm
  float scale, shift, alpha, snake_alpha, snake_inverse;
};

// Two vectors at a time: the CPU computes one while the other waits for the step before.
struct TwoLanes {
  static constexpr size_t kLanes = 2 * Lanes::kLanes;
  Lanes a, b;

  static TwoLanes load(const float* p) { return {Lanes::load(p), Lanes::load(p + Lanes::kLanes)}; }
  static void store(float* p, TwoLanes x) {
    Lanes::store(p, x.a);
    Lanes::store(p + Lanes::kLanes, x.b);
  }
  static TwoLanes set(float x) { return {Lanes::set(x), Lanes::set(x)}; }
  static TwoLanes add(TwoLanes x, TwoLanes y) { return {Lanes::add(x.a, y.a), Lanes::add(x.b, y.b)}; }
  static TwoLanes sub(TwoLanes x, TwoLanes y) { return {Lanes::sub(x.a, y.a), Lanes::sub(x.b, y.b)}; }
  static TwoLanes mul(TwoLanes x, TwoLanes y) { return {Lanes::mul(x.a, y.a), Lanes::mul(x.b, y.b)}; }
  static TwoLanes div(TwoLanes x, TwoLanes y) { return {Lanes::div(x.a, y.a), Lanes::div(x.b, y.b)}; }
  static TwoLanes abs(TwoLanes x) { return {Lanes::abs(x.a), Lanes::abs(x.b)}; }
  static TwoLanes min(TwoLanes x, TwoLanes y) { return {Lanes::min(x.a, y.a), Lanes::min(x.b, y.b)}; }
  static TwoLanes max(TwoLanes x, TwoLanes y) { return {Lanes::max(x.a, y.a), Lanes::max(x.b, y.b)}; }
  static TwoLanes positive_or(TwoLanes x, TwoLanes y) { return {Lanes::positive_or(x.a, y.a), Lanes::positive_or(x.b, y.b)}; }
  static bool any_at_least(TwoLanes x, TwoLanes y) {
    const bool first = Lanes::any_at_least(x.a, y.a), second = Lanes::any_at_least(x.b, y.b);
    return first || second;
  }
  static TwoLanes quadrant_sign(TwoLanes q, TwoLanes value, TwoLanes odd, TwoLanes even) {
    return {Lanes::quadrant_sign(q.a, value.a, odd.a, even.a), Lanes::quadrant_sign(q.b, value.b, odd.b, even.b)};
  }
};

template <bool kInstance, class V>
inline V normalized(V x, const RowFactors& f) {
  const V z = kInstance ? V::add(V::mul(x, V::set(f.gain)), V::set(f.offset)) : V::div(V::sub(x, V::set(f.mean)), V::set(f.deviation));
  return V::add(V::mul(z, V::set(f.scale)), V::set(f.shift));
}

template <Activation kActivation, class V>
inline V activated(V y, const RowFactors& f) {
  if (kActivation == Activation::kLeakyRelu) return V::positive_or(y, V::mul(V::set(f.alpha), y));
  if (kActivation == Activation::kSnake) {
    const V s = sine(V::mul(V::set(f.snake_alpha), y));
    return V::add(y, V::mul(V::set(f.snake_inverse), V::mul(s, s)));
  }
  return y;
}

template <bool kInstance, Activation kActivation>
void apply_row(const NormRows& n, size_t r, const RowFactors& f, Lanes* low, Lanes* high) {
  const float* x = n.x + r * n.frames;
  float* y = n.y + r * n.frames;
  size_t whole = n.frames;  // frames before those that take sinf
  if (kActivation == Activation::kSnake && (r + 1) * n.frames > n.sinf_from) {
    whole = r * n.frames < n.sinf_from ? n.sinf_from - r * n.frames : 0;
  }
  size_t t = 0;
  TwoLanes lows = {*low, *low}, highs = {*high, *high};
  for (; t + TwoLanes::kLanes <= whole; t += TwoLanes::kLanes) {
    const TwoLanes result = activated<kActivation>(normalized<kInstance>(TwoLanes::load(x + t), f), f);
    TwoLanes::store(y + t, result);
    lows = TwoLanes::min(result, lows);
    highs = TwoLanes::max(result, highs);
  }
  *low = Lanes::min(lows.a, lows.b);
  *high = Lanes::max(highs.a, highs.b);
  for (; t + Lanes::kLanes <= whole; t += Lanes::kLanes) {
    const Lanes result = activated<kActivation>(normalized<kInstance>(Lanes::load(x + t), f), f);
    Lanes::store(y + t, result);
    *low = Lanes::min(result, *low);
    *high = Lanes::max(result, *high);
  }
  for (; t < n.frames; t += Lanes::kLanes) {
    float padded[Lanes::kLanes], out[Lanes::kLanes];
    const size_t left = n.frames - t < Lanes::kLanes ? n.frames - t : Lanes::kLanes;
    for (size_t i = 0; i < Lanes::kLanes; ++i) padded[i] = x[t + (i < left ? i : 0)];
    const Lanes plain = normalized<kInstance>(Lanes::load(padded), f);
    const Lanes result = activated<kActivation>(plain, f);
    Lanes::store(padded, plain);
    Lanes::store(out, result);
    for (size_t i = 0; i < left; ++i) {
      if (kActivation == Activation::kSnake && t + i >= whole) {
        const float s = sinf(f.snake_alpha * padded[i]);
        out[i] = padded[i] + f.snake_inverse * (s * s);
      }
      y[t + i] = out[i];
    }
    for (size_t i = left; i < Lanes::kLanes; ++i) out[i] = out[0];
    *low = Lanes::min(Lanes::load(out), *low);
    *high = Lanes::max(Lanes::load(out), *high);
  }
}

template <bool kInstance, Activation kActivation>
void norm_rows_of(NormRows& n) {
  Lanes low = Lanes::set(n.low), high = Lanes::set(n.high);
  const float frames = float(n.frames);
  for (size_t r = n.first; r < n.last; r += kTogether) {
    const size_t count = n.last - r < kTogether ? n.last - r : kTogether;
    float mean[kTogether] = {}, square[kTogether] = {};
    sum_rows<false>(n, r, count, mean, true, mean);
    for (size_t i = 0; i < count; ++i) mean[i] = mean[i] / frames;
    sum_rows<true>(n, r, count, mean, !kInstance, square);
    for (size_t i = 0; i < count; ++i) {
      const size_t k = r + i, c = k % n.channels;
      const float root = sqrtf(square[i] / frames + n.epsilon);
      RowFactors f{};
      f.mean = mean[i];
      f.deviation = root;
      if (kInstance) {
        f.gain = (1.0f / root) * n.weight[c];
        f.offset = n.bias[c] - mean[i] * f.gain;
      }
      f.scale = n.scale[k % n.scale_count];
      f.shift = n.shift[k % n.shift_count];
      f.alpha = n.alpha;
      if (kActivation == Activation::kSnake) {
        f.snake_alpha = n.snake_alpha[c];
        f.snake_inverse = n.snake_inverse[c];
      }
      apply_row<kInstance, kActivation>(n, k, f, &low, &high);
    }
  }
  float lows[Lanes::kLanes], highs[Lanes::kLanes];
  Lanes::store(lows, low);
  Lanes::store(highs, high);
  for (size_t i = 0; i < Lanes::kLanes; ++i) {
    if (lows[i] < n.low) n.low = lows[i];
    if (highs[i] > n.high) n.high = highs[i];
  }
}

template <bool kInstance>
void norm_rows_by_activation(NormRows& n) {
  if (n.activation == Activation::kSnake) {
    norm_rows_of<kInstance, Activation::kSnake>(n);
  } else if (n.activation == Activation::kLeakyRelu) {
    norm_rows_of<kInstance, Activation::kLeakyRelu>(n);
  } else {
    norm_rows_of<kInstance, Activation::kNone>(n);
  }
}

void norm_rows(NormRows& n) {
  if (n.weight != nullptr) {
    norm_rows_by_activation<true>(n);
  } else {
    norm_rows_by_activation<false>(n);
  }
}

}  // namespace
