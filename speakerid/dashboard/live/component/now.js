// The name of who speaks, as large as it fits, and what stands beside it; drawn at once, with no frame between.

import { dot, element } from "./dom.js";
import { fitting } from "./labels.js";

export class Now {
  constructor(board) { this.board = board; }

  draw(now) {
    const { board } = this, name = board.find(".live-name");
    if (name.textContent !== now.name) { name.textContent = now.name; this.fit(); }
    name.disabled = !board.editing || !["person", "unknown"].includes(now.kind);
    name.title = now.kind === "person" ? board.words.wrong : board.words.who;
    board.find(".live-detail").textContent = board.staged ? now.told : now.detail;
    this.drawAlso(now.also ?? []);
    board.find(".live-go").textContent = board.listening ? board.words.stop : board.words.start;
    this.say(now);
    const guess = board.find(".live-gender");
    guess.hidden = !board.hello.guessing.on;
    guess.style.visibility = now.gender ? "visible" : "hidden";  // its place stays while nobody speaks
    if (now.gender) {
      board.find(".live-gender b").textContent = now.gender.text;
      board.find(".live-gender small").textContent = now.gender.help;
    }
    board.root.dataset.now = now.kind;
    board.root.style.setProperty("--firm", now.firm);  // a first impression looks like one
    board.root.style.setProperty("--tone", now.color ?? "var(--line)");
  }

  // Who speaks at the same time, below the name.
  drawAlso(also) {
    const line = this.board.find(".live-also"), said = JSON.stringify(also);
    if (!line || line.dataset.said === said) return;
    line.dataset.said = said;
    line.replaceChildren(...also.map(({ name, color }) => element("span", {}, dot(color), `and ${name}`)));
  }

  fit() {
    const name = this.board.find(".live-name");
    const { clientWidth: width, clientHeight: height } = name;
    if (!width || !height) return;
    const pen = (this.pen ??= document.createElement("canvas").getContext("2d"));
    pen.font = `700 100px ${getComputedStyle(name).fontFamily}`;
    const size = fitting(name.textContent, width, height, (text) => pen.measureText(text).width / 100 + 0.05);
    name.style.fontSize = `${Math.max(12, Math.min(this.board.staged ? 1000 : 130, size))}px`;
  }

  // A screen reader hears who speaks when that has settled, and nothing else; a pause is no news.
  say(now) {
    clearTimeout(this.settled);
    if (now.kind === "nobody") return;
    this.settled = setTimeout(() => {
      const said = this.board.find(".live-said");
      const everybody = [now.name, ...(now.also ?? []).map(({ name }) => name)].join(" and ");
      if (said.textContent !== everybody) said.textContent = everybody;
    }, now.firm < 1 ? 1500 : 300);
  }

  end() { clearTimeout(this.settled); }
}
