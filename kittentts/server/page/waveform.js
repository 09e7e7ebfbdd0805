// The waveform, with what has been heard in another colour.
// CSS pixels
const BAR = 3;
const STEP = 5;

export class Waveform {
  constructor(canvas) {
    this.canvas = canvas;
    this.show(new Float32Array(0));
    new ResizeObserver(() => this.draw()).observe(canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.draw());
  }

  show(samples) {
    this.samples = samples;
    this.peaks = [];
    this.draw(0);
  }

  // `heard`: the part of the sound before the playhead, 0 to 1
  draw(heard = this.heard) {
    this.heard = heard;
    const { canvas } = this;
    const { clientWidth: width, clientHeight: height } = canvas;
    const scale = devicePixelRatio;
    canvas.width = Math.round(width * scale);
    canvas.height = Math.round(height * scale);
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    const count = Math.floor(width / STEP);
    if (this.peaks.length !== count) this.peaks = peaks(this.samples, count);
    const style = getComputedStyle(canvas);
    this.peaks.forEach((peak, i) => {
      const bar = Math.max(BAR, Math.min(1, peak) * height);
      context.fillStyle = style.getPropertyValue(i * STEP < heard * width ? "--accent" : "--bar");
      context.beginPath();
      context.roundRect(i * STEP, (height - bar) / 2, BAR, bar, BAR / 2);
      context.fill();
    });
    if (!this.samples.length) return;
    context.fillStyle = style.color;
    context.fillRect(Math.min(heard * width, width - 2), 0, 2, height);
  }
}

function peaks(samples, count) {
  return Array.from({ length: count }, (_, x) => {
    const end = Math.floor(((x + 1) * samples.length) / count);
    let peak = 0;
    for (let i = Math.floor((x * samples.length) / count); i < end; i++) peak = Math.max(peak, Math.abs(samples[i]));
    return peak;
  });
}
