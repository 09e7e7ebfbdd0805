// Shows the text, and marks the word that sounds; the sentence where the model tells no times of words.
import { $ } from "./dom.js";
import { characters } from "./form.js";

export class Transcript {
  constructor(text) {
    this.characters = characters(text);
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

  // the part of the text that has been spoken, 0 to 1
  get progress() {
    return this.shown / this.characters.length;
  }

  finish() {
    $("spoken").append(this.text(this.shown));
  }

  show(seconds) {
    const mark = this.items.find(({ start, end }) => start <= seconds && seconds < end)?.mark;
    if (mark === this.now) return;
    this.now?.classList.remove("now");
    this.now = mark;
    if (!mark) return;
    mark.classList.add("now");
    // scrolls the text, never the page
    $("spoken").scrollTop = mark.offsetTop - $("spoken").clientHeight / 2;
  }
}
