// Speaks through the same API as everybody. wav and pcm are heard while they arrive; the other formats when they are whole.
import { KeyNeeded, speech, speechEvents } from "./api.js";
import { $, refer, say } from "./dom.js";
import { askForKey, loadChoices, setUpForm, settings } from "./form.js";
import { decoded, joined, RATE, Samples, TYPES, WAV_HEADER, wavHeader } from "./sound.js";
import { Stream } from "./stream.js";
import { Transcript } from "./transcript.js";
import { Waveform } from "./waveform.js";

const SAMPLE = "Hello, this is my voice.";

const waveform = new Waveform($("wave"));
let transcript = new Transcript("");
let request = null; // the AbortController of what the server is asked for
let preview = null; // the Stream of a voice's sample
let stream = null; // the Stream of the speech; where there is none, the audio element sounds
let length = 0; // seconds of speech that have arrived
let isWhole = false;
let frame = 0; // what calls follow() next

const sounds = () => (stream ? !stream.isPaused : !$("audio").paused);
const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(Math.floor(seconds % 60)).padStart(2, "0")}`;

// Shows how far the sound is, as long as there is any.
function follow() {
  cancelAnimationFrame(frame);
  const at = stream ? stream.time() : $("audio").currentTime;
  waveform.draw(length ? at / length : 0);
  transcript.show(at || -1);
  $("time").textContent = `${clock(at)} / ${clock(length)}`;
  $("seek").max = length;
  $("seek").value = at;
  $("seek").ariaValueText = `${Math.floor(at)} of ${Math.floor(length)} seconds`;
  $("seek").disabled = !isWhole || !length;
  $("play").disabled = !length;
  $("play").classList.toggle("sounds", sounds());
  $("play").ariaLabel = sounds() ? "Pause" : "Play";
  const hadFocus = document.activeElement === $("stop");
  $("stop").disabled = !request && !preview && !stream && !sounds();
  if (hadFocus && $("stop").disabled) $("speak").focus();
  $("progress").hidden = !request;
  if (sounds()) frame = requestAnimationFrame(follow);
}

function stop() {
  for (const each of [preview, stream]) each?.stop();
  request?.abort();
  request = preview = stream = null;
  $("audio").pause();
  $("audio").currentTime = 0;
  if (!isWhole) clear();
  follow();
}

function clear() {
  URL.revokeObjectURL($("audio").src);
  isWhole = false;
  length = 0;
  $("audio").removeAttribute("src");
  $("audio").load();
  $("downloads").hidden = true;
  $("figures").textContent = "";
  $("progress").removeAttribute("value");
  transcript = new Transcript("");
  waveform.show(new Float32Array(0));
}

// Calls a function with the signal of a request; what it throws is shown, unless something else has begun since.
async function during(call) {
  const controller = (request = new AbortController());
  follow();
  try {
    await call(controller.signal);
    if (request === controller) request = null;
  } catch (error) {
    if (request !== controller) return;
    stop();
    fail(error);
  }
  follow();
}

function fail(error) {
  if (error instanceof KeyNeeded) askForKey(error);
  else say(error.message, true);
}

function speak(event) {
  event.preventDefault();
  stop();
  clear();
  const format = $("format").value || "wav";
  if (format === "wav" || format === "pcm") stream = new Stream();
  say("Preparing the first sentence …");
  return during((signal) => receive(format, signal));
}

async function receive(format, signal) {
  const began = performance.now();
  const elapsed = () => (performance.now() - began) / 1000;
  const decoder = new Samples(format === "wav" ? WAV_HEADER : 0);
  const bodies = [];
  let samples = new Float32Array(0);
  let first = null;
  transcript = new Transcript($("text").value);
  for await (const event of speechEvents({ input: $("text").value, ...settings(), response_format: format }, signal)) {
    if (event.type === "speech.audio.timing") {
      transcript.add(event.chunks);
      $("progress").value = transcript.progress;
    } else if (event.type === "speech.audio.subtitles") {
      refer($("srt"), "href", new Blob([event.srt], { type: "application/x-subrip" }));
      refer($("vtt"), "href", new Blob([event.vtt], { type: "text/vtt" }));
    } else if (event.type === "speech.audio.delta") {
      first ??= elapsed();
      bodies.push(Uint8Array.from(atob(event.audio), (letter) => letter.charCodeAt(0)));
      const more = stream ? decoder.take(bodies.at(-1)) : [];
      if (!more.length) continue;
      if (!samples.length) say("Speaking …");
      stream.play(more);
      samples = joined(Float32Array, [samples, more]);
      hear(samples);
      $("figures").textContent = `${length.toFixed(1)} s of audio so far`;
      follow();
    }
  }
  const seconds = elapsed();
  transcript.finish();
  let blob = new Blob(bodies, { type: TYPES[format] });
  let playable = blob;
  if (stream) {
    // with the length, which was not known when the stream began
    playable = new Blob([wavHeader(samples.length * 2), blob.slice(format === "wav" ? WAV_HEADER : 0)], { type: TYPES.wav });
    if (format === "wav") blob = playable;
  } else {
    samples = await decoded(blob);
    signal.throwIfAborted();
    if (samples) hear(samples);
  }
  refer($("download"), "href", blob);
  $("download").download = `speech.${format}`;
  $("download").textContent = `Download ${format}, ${Math.ceil(blob.size / 1000)} kB`;
  $("downloads").hidden = false;
  isWhole = true;
  if (!samples) return say(`This browser cannot play ${format}, but you can download it.`);
  $("figures").textContent =
    `${length.toFixed(1)} s of audio in ${seconds.toFixed(1)} s (${(length / seconds).toFixed(1)} times real time), ` +
    `first sound after ${first.toFixed(2)} s`;
  refer($("audio"), "src", playable);
  if (stream) stream.whenOver(finish);
  else await listen();
}

function hear(samples) {
  length = samples.length / RATE;
  waveform.show(samples);
}

function finish() {
  stream?.stop();
  stream = null;
  say("Done.");
  follow();
}

async function listen() {
  say("Speaking …");
  try {
    await $("audio").play();
  } catch (error) {
    if (error.name === "NotAllowedError") say("Ready. Press play to hear it.");
    // else it was stopped before it began
    else if (error.name !== "AbortError") throw error;
  }
}

function playOrPause() {
  if (!sounds()) {
    if (!stream) return listen();
    stream.resume();
    say("Speaking …");
  } else {
    (stream ?? $("audio")).pause();
    say("Paused.");
  }
  follow();
}

function seek() {
  const at = Number($("seek").value);
  const goesOn = stream && !stream.isPaused;
  stream?.stop();
  stream = null;
  $("audio").currentTime = at;
  if (goesOn) listen();
  follow();
}

function playSample() {
  stop();
  preview = new Stream();
  const { voice } = settings();
  say(`Asking ${voice} for a sample …`);
  return during(async (signal) => {
    const bytes = await speech({ input: SAMPLE, ...settings(), response_format: "pcm" }, signal);
    const mine = preview;
    mine.play(new Samples(0).take(bytes));
    say(`This is ${voice}.`);
    mine.whenOver(() => {
      mine.stop();
      preview = null;
      follow();
    });
  });
}

function cancel() {
  if ($("stop").disabled) return;
  stop();
  say("Stopped.");
}

const load = () => loadChoices().then(() => request || say("Ready."), fail);

setUpForm();
$("form").addEventListener("submit", speak);
$("stop").addEventListener("click", cancel);
$("play").addEventListener("click", playOrPause);
$("preview").addEventListener("click", playSample);
$("seek").addEventListener("input", seek);
$("audio").addEventListener("ended", finish);
for (const name of ["play", "pause", "seeked"]) $("audio").addEventListener(name, follow);
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") cancel();
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) $("form").requestSubmit();
});
$("key").addEventListener("change", load);
load();
