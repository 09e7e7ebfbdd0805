// What is typed and chosen. It outlives a reload; the key outlives it until the tab is closed.
import { get } from "./api.js";
import { $, say } from "./dom.js";

const GREETING = "Hello there. Type what you want to hear, and press Speak.";
const SAVED = ["text", "voice", "speed", "format"];

let maxChars = Infinity;
const saved = JSON.parse(stored("localStorage") ?? "{}");

// Browsers may refuse to store; then nothing outlives the page.
function stored(where) {
  try {
    return window[where].getItem("kittentts");
  } catch {
    return null;
  }
}

function store(where, value) {
  try {
    window[where].setItem("kittentts", value);
  } catch {
    // refused, or full
  }
}

function save() {
  for (const name of SAVED) saved[name] = $(name).value || saved[name];
  saved.text = $("text").value;
  store("localStorage", JSON.stringify(saved));
}

// The server counts characters, not UTF-16 units.
export const characters = (text) => Array.from(text);

function showValues() {
  $("speed-value").textContent = `${Number($("speed").value).toFixed(2)}×`;
  const count = characters($("text").value).length;
  const most = maxChars < Infinity ? ` of ${maxChars.toLocaleString("en")}` : "";
  $("count").textContent = `${count.toLocaleString("en")}${most} characters`;
  const tooMany = count - maxChars;
  const message = tooMany > 0 ? `This is ${tooMany.toLocaleString("en")} characters too long for this server.` : "";
  $("text").setCustomValidity(message);
  $("count").classList.toggle("wrong", message !== "");
}

function offer(select, values, chosen) {
  select.replaceChildren(...values.map((value) => new Option(value, value, false, value === chosen)));
}

export async function loadChoices() {
  const [can, { voices }] = await Promise.all([get("v1/audio/capabilities"), get("v1/audio/voices")]);
  const names = voices.map(({ id }) => id);
  offer($("voice"), names, names.includes(saved.voice) ? saved.voice : can.voice);
  const formats = ["wav", ...can.formats.filter((name) => name !== "wav")];
  offer($("format"), formats, saved.format);
  $("speed").value = saved.speed ?? can.speed;
  $("model").textContent = can.model;
  maxChars = can.max_chars;
  showValues();
  $("key-field").hidden = !$("key").value;
}

export function askForKey(error) {
  $("key-field").hidden = false;
  $("key").focus();
  $("key").select();
  say(error.message, $("key").value !== "");
}

export function settings() {
  return { voice: $("voice").value || undefined, speed: Number($("speed").value) };
}

export function setUpForm() {
  $("text").value = saved.text ?? GREETING;
  $("key").value = stored("sessionStorage") ?? "";
  $("form").addEventListener("input", (event) => {
    showValues();
    if (event.target !== $("key")) save();
  });
  $("key").addEventListener("change", () => store("sessionStorage", $("key").value));
  showValues();
}
