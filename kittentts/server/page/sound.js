// Bytes and samples. Pure functions, but for the decoder of the browser.

export const RATE = 24000;
export const WAV_HEADER = 44;
export const TYPES = { wav: "audio/wav", mp3: "audio/mpeg", opus: "audio/ogg", flac: "audio/flac", aac: "audio/aac", pcm: "audio/pcm" };

// Bytes in any portions -> samples from -1 to 1.
export class Samples {
  constructor(skip) {
    this.skip = skip;
    this.rest = new Uint8Array(0);
  }

  take(bytes) {
    const all = joined(Uint8Array, [this.rest, bytes]);
    const from = Math.min(this.skip, all.length);
    this.skip -= from;
    const count = (all.length - from) >> 1;
    this.rest = all.slice(from + 2 * count);
    const view = new DataView(all.buffer, from);
    return Float32Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true) / 32768);
  }
}

export function joined(Type, parts) {
  const all = new Type(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

export function wavHeader(bytes) {
  const view = new DataView(new ArrayBuffer(WAV_HEADER));
  const text = (at, letters) => [...letters].forEach((letter, i) => view.setUint8(at + i, letter.charCodeAt(0)));
  text(0, "RIFF");
  view.setUint32(4, bytes + WAV_HEADER - 8, true);
  text(8, "WAVEfmt ");
  view.setUint32(16, 16, true);
  view.setUint16(20, 1, true);
  view.setUint16(22, 1, true);
  view.setUint32(24, RATE, true);
  view.setUint32(28, RATE * 2, true);
  view.setUint16(32, 2, true);
  view.setUint16(34, 16, true);
  text(36, "data");
  view.setUint32(40, bytes, true);
  return view.buffer;
}

// Samples of what the browser can read; null where it lacks the decoder, as Chromium's may for aac.
export async function decoded(blob) {
  const context = new OfflineAudioContext(1, 1, RATE);
  try {
    return (await context.decodeAudioData(await blob.arrayBuffer())).getChannelData(0);
  } catch {
    return null;
  }
}
