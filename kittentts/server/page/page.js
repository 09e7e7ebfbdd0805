// Speaks through the same API as everybody. wav and pcm play while they arrive; the other formats when they are whole.
"use strict";

const RATE = 24000;
const WAV_HEADER = 44;
// seconds between the arrival of the first sound and its playing
const HEAD_START = 0.1;
const TYPES = { wav: "audio/wav", mp3: "audio/mpeg", opus: "audio/ogg", flac: "audio/flac", aac: "audio/aac", pcm: "audio/pcm" };

const $ = (id) => document.getElementById(id);
let running = null; // what stops the current request and its sound
let reader = null; // the text that was spoken last

function say(message, wrong = false) {
  $("message").textContent = message;
  $("message").className = wrong ? "wrong" : "";
}

async function ask(path, options = {}) {
  const key = $("key").value;
  const headers = { ...options.headers, ...(key ? { Authorization: `Bearer ${key}` } : {}) };
  let response;
  try {
    response = await fetch(path, { ...options, headers });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Error("The server cannot be reached. Is it still running?");
  }
  if (response.ok) return response;
  const body = await response.json().catch(() => null);
  throw new Error(body?.error?.message ?? `The server answered with status ${response.status}.`);
}

async function loadVoices() {
  try {
    const { voices } = await (await ask("v1/audio/voices")).json();
    const chosen = $("voice").value;
    $("voice").replaceChildren(...voices.map(({ id, name }) => new Option(name, id, false, id === chosen)));
    say("");
  } catch (error) {
    say(error.message, true);
  }
}

// Plays 16-bit samples one after another, without a gap.
class Player {
  constructor() {
    this.context = new AudioContext({ sampleRate: RATE });
    this.next = 0;
    this.starts = [];
    this.sound = 0;
  }

  // seconds of the sound that is heard now; what arrived too late has left a gap
  time() {
    const now = this.context.currentTime;
    const last = this.starts.findLast(({ at }) => at <= now);
    return last ? Math.min(last.sound + now - last.at, last.sound + last.length) : -1;
  }

  play(samples) {
    const buffer = this.context.createBuffer(1, samples.length, RATE);
    buffer.copyToChannel(samples, 0);
    const source = this.context.createBufferSource();
    source.buffer = buffer;
    source.connect(this.context.destination);
    this.next = Math.max(this.next, this.context.currentTime + HEAD_START);
    source.start(this.next);
    this.starts.push({ at: this.next, sound: this.sound, length: buffer.duration });
    this.sound += buffer.duration;
    this.last = source;
    this.next += buffer.duration;
  }

  stop() {
    if (this.context.state !== "closed") this.context.close();
  }
}

// Shows the text, and marks the word that sounds; the sentence where the model tells no times of words.
class Reader {
  constructor(text) {
    // the server counts characters, not UTF-16 units
    this.characters = Array.from(text);
    this.shown = 0;
    this.items = [];
    this.now = null;
    $("spoken").replaceChildren();
  }

  text(start, end) {
    return this.characters.slice(start, end).join("");
  }

  add(chunks) {
    for (const chunk of chunks) {
      for (const { start, end, span } of chunk.words?.length ? chunk.words : [chunk]) {
        // a long number may be spoken in several chunks; then its mark is there already
        const from = Math.max(span[0], this.shown);
        if (from < span[1]) {
          this.mark = document.createElement("span");
          this.mark.textContent = this.text(from, span[1]);
          $("spoken").append(this.text(this.shown, from), this.mark);
          this.shown = span[1];
        }
        this.items.push({ mark: this.mark, start, end });
      }
    }
  }

  finish() {
    $("spoken").append(this.text(this.shown));
  }

  show(seconds) {
    const mark = this.items.find(({ start, end }) => start <= seconds && seconds < end)?.mark;
    if (mark === this.now) return;
    this.now?.classList.remove("now");
    mark?.classList.add("now");
    mark?.scrollIntoView({ block: "nearest" });
    this.now = mark;
  }
}

let frame = 0; // what calls follow() next

// Marks the words as long as there is sound.
function follow() {
  cancelAnimationFrame(frame);
  const player = running?.player;
  const streams = player && player.context.state !== "closed";
  if (!streams && $("audio").paused) return reader?.show(-1);
  reader?.show(streams ? player.time() : $("audio").currentTime);
  frame = requestAnimationFrame(follow);
}

// Bytes in any portions -> the objects of server-sent events.
async function* events(body) {
  const blocks = body.pipeThrough(new TextDecoderStream()).getReader();
  let rest = "";
  for (;;) {
    let block;
    try {
      block = await blocks.read();
    } catch (error) {
      if (error.name === "AbortError") throw error;
      throw new Error("The connection broke off in the middle.");
    }
    if (block.done) break;
    const whole = (rest + block.value).split("\n\n");
    rest = whole.pop();
    for (const event of whole) yield JSON.parse(event.slice("data: ".length));
  }
}

// Bytes in any portions -> samples from -1 to 1.
class Samples {
  constructor(skip) {
    this.skip = skip;
    this.rest = new Uint8Array(0);
  }

  take(bytes) {
    const all = new Uint8Array(this.rest.length + bytes.length);
    all.set(this.rest);
    all.set(bytes, this.rest.length);
    const from = Math.min(this.skip, all.length);
    this.skip -= from;
    const count = (all.length - from) >> 1;
    this.rest = all.slice(from + 2 * count);
    const view = new DataView(all.buffer, from);
    return Float32Array.from({ length: count }, (_, i) => view.getInt16(2 * i, true) / 32768);
  }
}

function wavHeader(bytes) {
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

function draw(samples) {
  const canvas = $("wave");
  const { width, height } = canvas;
  const context = canvas.getContext("2d");
  context.clearRect(0, 0, width, height);
  context.fillStyle = getComputedStyle(canvas).color;
  for (let x = 0; x < width; x += 2) {
    const begin = Math.floor((x * samples.length) / width);
    const end = Math.floor(((x + 2) * samples.length) / width);
    let peak = 0;
    for (let i = begin; i < end; i++) peak = Math.max(peak, Math.abs(samples[i]));
    const length = Math.max(1, Math.min(1, peak) * height);
    context.fillRect(x, (height - length) / 2, 1, length);
  }
}

function joined(parts) {
  const all = new Float32Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function stop() {
  running?.abort.abort();
  running?.player?.stop();
  running = null;
}

async function speak(event) {
  event.preventDefault();
  stop();
  const format = $("format").value;
  const streams = format === "wav" || format === "pcm";
  // made here, for a browser lets a page make sound only where a person asked for it
  const me = (running = { abort: new AbortController(), player: streams ? new Player() : null });
  $("speak").disabled = true;
  $("stop").disabled = false;
  $("result").hidden = true;
  $("download").hidden = true;
  $("progress").hidden = false;
  $("audio").removeAttribute("src");
  say("Speaking …");
  try {
    await receive(me, format);
  } catch (error) {
    me.player?.stop();
    if (error.name !== "AbortError") say(error.message, true);
    else if (running === null) say("Stopped.");
  } finally {
    if (running === me || running === null) {
      $("speak").disabled = false;
      $("stop").disabled = !me.player || me.player.context.state === "closed";
      $("progress").hidden = true;
    }
  }
}

async function receive(me, format) {
  const began = performance.now();
  reader = new Reader($("text").value);
  const response = await ask("v1/audio/speech", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({
      model: "tts-1",
      input: $("text").value,
      voice: $("voice").value || undefined,
      speed: Number($("speed").value),
      response_format: format,
      stream_format: "sse",
      timings: true,
    }),
    signal: me.abort.signal,
  });
  const decoder = me.player && new Samples(format === "wav" ? WAV_HEADER : 0);
  const bodies = [];
  let parts = [];
  let first = null;
  let complete = false;
  for await (const event of events(response.body)) {
    if (event.error) throw new Error(event.error.message);
    if (event.type === "speech.audio.timing") reader.add(event.chunks);
    complete ||= event.type === "speech.audio.done";
    if (event.type !== "speech.audio.delta") continue;
    first ??= (performance.now() - began) / 1000;
    const bytes = Uint8Array.from(atob(event.audio), (letter) => letter.charCodeAt(0));
    bodies.push(bytes);
    if (!decoder) continue;
    const samples = decoder.take(bytes);
    if (!samples.length) continue;
    me.player.play(samples);
    if (!parts.length) follow();
    parts.push(samples);
    const whole = joined(parts);
    parts = [whole];
    $("result").hidden = false;
    draw(whole);
    say(`Speaking … ${(whole.length / RATE).toFixed(1)} s of sound so far.`);
  }
  if (!complete) throw new Error("The connection broke off in the middle.");
  reader.finish();
  const seconds = (performance.now() - began) / 1000;
  let samples;
  let blob = new Blob(bodies, { type: TYPES[format] });
  let playable = blob;
  if (decoder) {
    samples = joined(parts);
    // with the length, which was not known when the stream began
    playable = new Blob([wavHeader(samples.length * 2), blob.slice(format === "wav" ? WAV_HEADER : 0)], { type: "audio/wav" });
    if (format === "wav") blob = playable;
  } else {
    const context = new OfflineAudioContext(1, 1, RATE);
    samples = (await context.decodeAudioData(await blob.arrayBuffer())).getChannelData(0);
  }
  show(me, samples, blob, playable, format, first, seconds);
}

function show(me, samples, blob, playable, format, first, seconds) {
  const length = samples.length / RATE;
  $("result").hidden = false;
  draw(samples);
  for (const element of [$("audio"), $("download")]) {
    const old = element.dataset.url;
    if (old) URL.revokeObjectURL(old);
  }
  $("audio").dataset.url = $("audio").src = URL.createObjectURL(playable);
  $("download").dataset.url = $("download").href = URL.createObjectURL(blob);
  $("download").download = `speech.${format}`;
  $("download").textContent = `Download speech.${format} (${Math.ceil(blob.size / 1000)} kB)`;
  $("download").hidden = false;
  $("figures").textContent =
    `${length.toFixed(1)} s of audio in ${seconds.toFixed(2)} s, ${(length / seconds).toFixed(1)} times real time; ` +
    `first sound after ${first.toFixed(2)} s.`;
  say("Done.");
  if (me.player) {
    me.player.last.onended = () => {
      me.player.stop();
      if (running === me) $("stop").disabled = true;
    };
  } else {
    $("audio").play().catch(() => say("Done. Press play to hear it."));
  }
}

$("form").addEventListener("submit", speak);
$("stop").addEventListener("click", () => {
  stop();
  $("stop").disabled = true;
});
$("speed").addEventListener("input", () => {
  $("speed-value").textContent = Number($("speed").value).toFixed(2);
});
$("key").addEventListener("change", loadVoices);
$("audio").addEventListener("play", () => {
  running?.player?.stop();
  follow();
});
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") stop();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
});
loadVoices();
