// The log of turns, its corrections and exports, and why the latest name was given.

import { dot, element } from "./dom.js";

const LOG_ROWS = 200;
const NEW = "\n";  // no person is called so

export class Log {
  constructor(board) { this.board = board; }

  drawExplain() {
    const { explain } = this.board.hello;
    this.board.find(".live-lead").textContent = explain.lead;
    const columns = explain.columns;
    const row = (tag, cells) => element("tr", {}, ...cells.map((cell) => element(tag, cell)));
    this.board.find(".live-explain thead").replaceChildren(
      row("th", columns.map(({ head, help }) => ({ textContent: head, title: help }))));
    this.board.find(".live-explain tbody").replaceChildren(
      ...(columns[0]?.cells ?? []).map((_, k) => row("td", columns.map(({ cells }) => ({ textContent: cells[k] })))));
  }

  draw() {
    const body = this.board.find(".live-log tbody");
    this.board.find(".live-empty").hidden = this.board.rows.length > 0;
    // Newest on top. Only the latest rows are in the page, so that its memory stays level; the downloads have all.
    const from = Math.max(0, this.board.rows.length - LOG_ROWS);
    if (!body.children.length) this.from = from;
    while (body.children.length > Math.max(0, this.board.rows.length - this.from)) body.firstChild.remove();
    for (; this.from < from && body.lastChild; this.from++) body.lastChild.remove();
    const changed = Math.min(this.board.state.takeFirstChanged(), this.from + body.children.length);
    for (let k = Math.max(this.from, changed); k < this.board.rows.length; k++) {
      const old = body.children[body.children.length - 1 - (k - this.from)];
      if (old?.contains(document.activeElement) && old.dataset.name === this.board.rows[k].name) {
        old.children[1].textContent = this.board.rows[k].cells[1];  // a person is choosing a name here
        continue;
      }
      const made = this.rowOf(this.board.rows[k]);
      if (old) old.replaceWith(made); else body.prepend(made);
    }
    this.board.find(".live-totals").replaceChildren(
      ...(this.board.totals ?? []).map(({ name, text, color }) => element("span", {}, dot(color), `${name} ${text}`)));
  }

  rowOf(row) {
    const names = this.board.hello.people.map((person) => person.name);
    if (!names.includes(row.name)) names.push(row.name);
    const choice = element("select", { title: "Correct the name", ariaLabel: `Who spoke from ${row.cells[0]}`, disabled: !this.board.editing },
      ...names.map((name) => element("option", { value: name, textContent: name })),
      element("option", { value: NEW, textContent: this.board.words.new }));
    choice.value = row.name;
    choice.onchange = () => {
      if (choice.value === NEW) { choice.value = row.name; this.nameTurn(row.start); }
      else this.board.link.send({ correct: row.start, name: choice.value });
      choice.blur();
    };
    const play = element("button", { type: "button", className: "live-button live-hear", title: "Hear this turn", ariaLabel: `Hear ${row.name} from ${row.cells[0]}`, textContent: "▶" });
    play.hidden = !this.board.hello.kept.on || !this.board.editing;
    play.onclick = () => this.board.sound.hear(row);
    const made = element("tr", {}, element("td", { textContent: row.cells[0] }), element("td", { textContent: row.cells[1] }),
      element("td", {}, dot(row.color), choice, element("small", { textContent: row.heard })),
      element("td", { textContent: row.cells[2] }), element("td", {}, play));
    made.dataset.name = row.name;
    return made;
  }

  // One click on the name: this was wrong. The turn is nobody's who is known, until it is said whose it was.
  wrong() {
    const said = this.board.hello.now.name, unknown = this.board.hello.people.at(-1).name;
    const row = this.board.rows.findLast(({ name }) => name === said || (said === unknown && name.startsWith(`${unknown} `)));
    if (!this.board.editing || !row) return;
    const correct = (name) => { this.board.link.send({ correct: row.start, name }); this.closeWrong(); };
    if (said !== unknown) this.board.link.send({ correct: row.start, name: unknown });
    const likely = this.board.hello.people.map(({ name }, k) => ({ name, p: this.board.scores[k]?.at(-1) ?? 0 }))
      .filter(({ name }) => name !== said && name !== unknown).sort((a, b) => b.p - a.p).slice(0, 6);
    const button = (text, act) => Object.assign(element("button", { type: "button", className: "live-button", textContent: text }), { onclick: act });
    const box = this.board.find(".live-wrong");
    box.querySelector("b").textContent = said === unknown ? this.board.words.who : `${this.board.words.not} ${said}. ${this.board.words.who}`;
    box.querySelector("span").replaceChildren(...likely.map(({ name }) => button(name, () => correct(name))),
      button(this.board.words.new, () => { this.closeWrong(); this.nameTurn(row.start); }),
      said === unknown ? "" : button(this.board.words.undo, () => correct(said)));
    box.querySelector("small").textContent = this.board.words.learned;
    box.hidden = false;
    clearTimeout(this.wrongOver);
    this.wrongOver = setTimeout(() => this.closeWrong(), 15000);
  }

  // Whether there was anything to close.
  closeWrong() {
    const box = this.board.find(".live-wrong"), open = !box.hidden;
    box.hidden = true;
    return open;
  }

  // Python asks for the name and the consent.
  nameTurn(at) {
    if (this.board.editing) this.board.trigger("name_turn", at);
  }

  drawKept() {
    const { on, text, help } = this.board.hello.kept;
    if (on !== this.keptBefore) {
      this.keptBefore = on;
      this.board.state.firstChanged = 0;
      this.draw();
      if (!on) this.board.sound.hush();
    }
    const said = this.board.find(".live-kept");
    if (said.textContent !== text) Object.assign(said, { textContent: text, title: help });
  }

  exports() {
    const kinds = [["csv", "CSV"], ["rttm", "RTTM"], ["json", "JSON"], ["srt", "SRT"], ["vtt", "WebVTT"], ["html", "Report"]];
    this.board.find(".live-exports").replaceChildren(...kinds.map(([kind, label]) =>
      element("a", { href: `/api/live/${this.board.token}/log.${kind}`, download: "", textContent: label })));
    if (!this.board.editing) return;
    const keep = element("button", { type: "button", className: "live-button live-keep", textContent: this.board.words.keep, title: this.board.words.kept_for });
    keep.onclick = () => this.board.trigger("keep", Date.now());  // Python asks for the title and the consent
    this.board.find(".live-exports").prepend(keep);
  }
}
