// Plays samples one after another, without a gap.
import { RATE } from "./sound.js";

// seconds between the arrival of the first sound and its playing
const HEAD_START = 0.1;

export class Stream {
  // To be made while a click or key is handled: a browser lets a page make sound only where a person asked for it.
  constructor() {
    this.context = new AudioContext({ sampleRate: RATE });
    this.next = 0;
    this.starts = [];
    this.length = 0;
    this.isPaused = false;
  }

  // seconds of the sound that is heard now; what arrived too late has left a gap
  time() {
    const now = this.context.currentTime;
    const last = this.starts.findLast(({ at }) => at <= now);
    return last ? Math.min(last.sound + now - last.at, last.sound + last.length) : 0;
  }

  play(samples) {
    const buffer = this.context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    if (this.next <= this.context.currentTime) this.next = this.context.currentTime + HEAD_START;
    source.start(this.next);
    this.starts.push({ at: this.next, sound: this.length, length: buffer.duration });
    this.length += buffer.duration;
    this.next += buffer.duration;
    this.last = source;
  }

  // Calls a function when all that was given has been heard.
  whenOver(call) {
    if (this.context.currentTime >= this.next) call();
    else this.last.onended = call;
  }

  pause() {
    this.isPaused = true;
    this.context.suspend();
  }

  resume() {
    this.isPaused = false;
    this.context.resume();
  }

  stop() {
    if (this.last) this.last.onended = null;
    this.context.close();
  }
}
