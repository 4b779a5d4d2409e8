// The log of turns, its corrections and exports, and why the latest name was given.

const LOG_ROWS = 200;
const NEW = "\n";  // no person is called so

class Log extends Sound {
  drawExplain() {
    const { explain } = this.hello;
    this.find(".live-lead").textContent = explain.lead;
    const columns = explain.columns;
    const row = (tag, cells) => element("tr", {}, ...cells.map((cell) => element(tag, cell)));
    this.find(".live-explain thead").replaceChildren(
      row("th", columns.map(({ head, help }) => ({ textContent: head, title: help }))));
    this.find(".live-explain tbody").replaceChildren(
      ...(columns[0]?.cells ?? []).map((_, k) => row("td", columns.map(({ cells }) => ({ textContent: cells[k] })))));
  }

  drawLog() {
    const body = this.find(".live-log tbody");
    this.find(".live-empty").hidden = this.rows.length > 0;
    // Newest on top. Only the latest rows are in the page, so that its memory stays level; the downloads have all.
    const from = Math.max(0, this.rows.length - LOG_ROWS);
    if (!body.children.length) this.logFrom = from;
    while (body.children.length > Math.max(0, this.rows.length - this.logFrom)) body.firstChild.remove();
    for (; this.logFrom < from && body.lastChild; this.logFrom++) body.lastChild.remove();
    const changed = Math.min(this.firstChanged ?? 0, this.logFrom + body.children.length);
    this.firstChanged = undefined;
    for (let k = Math.max(this.logFrom, changed); k < this.rows.length; k++) {
      const old = body.children[body.children.length - 1 - (k - this.logFrom)];
      if (old?.contains(document.activeElement) && old.dataset.name === this.rows[k].name) {
        old.children[1].textContent = this.rows[k].cells[1];  // a person is choosing a name here
        continue;
      }
      const made = this.logRow(this.rows[k]);
      if (old) old.replaceWith(made); else body.prepend(made);
    }
    this.find(".live-totals").replaceChildren(
      ...(this.totals ?? []).map(({ name, text, color }) => element("span", {}, dot(color), `${name} ${text}`)));
  }

  logRow(row) {
    const names = this.hello.people.map((person) => person.name);
    if (!names.includes(row.name)) names.push(row.name);
    const choice = element("select", { title: "Correct the name", ariaLabel: `Who spoke from ${row.cells[0]}`, disabled: !this.editing },
      ...names.map((name) => element("option", { value: name, textContent: name })),
      element("option", { value: NEW, textContent: this.words.new }));
    choice.value = row.name;
    choice.onchange = () => {
      if (choice.value === NEW) { choice.value = row.name; this.nameTurn(row.start); }
      else this.send({ correct: row.start, name: choice.value });
      choice.blur();
    };
    const play = element("button", { type: "button", className: "live-button live-hear", title: "Hear this turn", ariaLabel: `Hear ${row.name} from ${row.cells[0]}`, textContent: "▶" });
    play.hidden = !this.hello.kept.on || !this.editing;
    play.onclick = () => this.hear(row);
    const made = element("tr", {}, element("td", { textContent: row.cells[0] }), element("td", { textContent: row.cells[1] }),
      element("td", {}, dot(row.color), choice, element("small", { textContent: row.heard })),
      element("td", { textContent: row.cells[2] }), element("td", {}, play));
    made.dataset.name = row.name;
    return made;
  }

  // One click on the name: this was wrong. The turn is nobody's who is known, until it is said whose it was.
  wrong() {
    const said = this.hello.now.name, unknown = this.hello.people.at(-1).name;
    const row = this.rows.findLast(({ name }) => name === said || (said === unknown && name.startsWith(`${unknown} `)));
    if (!this.editing || !row) return;
    const correct = (name) => { this.send({ correct: row.start, name }); this.closeWrong(); };
    if (said !== unknown) this.send({ correct: row.start, name: unknown });
    const likely = this.hello.people.map(({ name }, k) => ({ name, p: this.scores[k]?.at(-1) ?? 0 }))
      .filter(({ name }) => name !== said && name !== unknown).sort((a, b) => b.p - a.p).slice(0, 6);
    const button = (text, act) => Object.assign(element("button", { type: "button", className: "live-button", textContent: text }), { onclick: act });
    const box = this.find(".live-wrong");
    box.querySelector("b").textContent = said === unknown ? this.words.who : `${this.words.not} ${said}. ${this.words.who}`;
    box.querySelector("span").replaceChildren(...likely.map(({ name }) => button(name, () => correct(name))),
      button(this.words.new, () => { this.closeWrong(); this.nameTurn(row.start); }),
      said === unknown ? "" : button(this.words.undo, () => correct(said)));
    box.querySelector("small").textContent = this.words.learned;
    box.hidden = false;
    clearTimeout(this.wrongOver);
    this.wrongOver = setTimeout(() => this.closeWrong(), 15000);
  }

  // Whether there was anything to close.
  closeWrong() {
    const box = this.find(".live-wrong"), open = !box.hidden;
    box.hidden = true;
    return open;
  }

  // Python asks for the name and the consent.
  nameTurn(at) {
    if (this.editing) this.setTriggerValue("name_turn", at);
  }

  drawKept() {
    const { on, text, help } = this.hello.kept;
    if (on !== this.keptBefore) {
      this.keptBefore = on;
      this.firstChanged = 0;
      this.drawLog();
      if (!on) this.hush();
    }
    const said = this.find(".live-kept");
    if (said.textContent !== text) Object.assign(said, { textContent: text, title: help });
  }

  exports() {
    const kinds = [["csv", "CSV"], ["rttm", "RTTM"], ["json", "JSON"], ["srt", "SRT"], ["vtt", "WebVTT"], ["html", "Report"]];
    this.find(".live-exports").replaceChildren(...kinds.map(([kind, label]) =>
      element("a", { href: `/api/live/${this.token}/log.${kind}`, download: "", textContent: label })));
    if (!this.editing) return;
    const keep = element("button", { type: "button", className: "live-button live-keep", textContent: this.words.keep, title: this.words.kept_for });
    keep.onclick = () => this.setTriggerValue("keep", Date.now());  // Python asks for the title and the consent
    this.find(".live-exports").prepend(keep);
  }
}
