// The charts: Plotly figures that Python made, filled and updated in place.

import { rollingNames } from "./labels.js";

// What is drawn apart from the name, most urgent first: milliseconds between two drawings at least.
const PACE = { bars: 0, space: 150, rolling: 400, timeline: 800, explain: 400 };
export const ROLLING_MS = 60000;  // what the rolling chart shows
export const DAY = 86400000;      // date axes take small numbers for years: times start on 2 January 1970
const CONFIG = { displayModeBar: false, responsive: false, displaylogo: false, doubleClick: false };

export class Charts {
  constructor(board) {
    this.board = board;
    this.drawn = Object.fromEntries(Object.keys(PACE).map((name) => [name, { at: -Infinity, took: 0 }]));
    this.draws = {
      bars: () => this.drawBars(),
      space: () => board.space.draw(),
      rolling: () => this.drawRolling(),
      timeline: () => this.drawTimeline(),
      explain: () => board.log.drawExplain(),
    };
  }

  scaled(figure) {
    const data = structuredClone(figure.data);
    for (const trace of data) {
      if (trace.textfont) trace.textfont.size *= this.board.big;
      if (trace.marker?.size) trace.marker.size *= this.board.big;
      if (trace.line?.width) trace.line.width *= this.board.big;
    }
    return data;
  }

  themed(figure, box) {
    const style = getComputedStyle(this.board.root);
    const text = style.getPropertyValue("--st-text-color").trim() || style.color;
    const line = style.getPropertyValue("--st-border-color").trim() || "#8884";
    this.board.family = style.fontFamily;
    const layout = structuredClone(figure.layout);
    layout.font = { color: text, family: style.fontFamily, size: 14 * this.board.big };
    for (const name of ["xaxis", "yaxis"]) if (layout[name]) Object.assign(layout[name], { gridcolor: line, linecolor: line });
    if (layout.scene) for (const axis of Object.values(layout.scene)) if (axis?.range) Object.assign(axis, { gridcolor: line, backgroundcolor: "rgba(0,0,0,0)" });
    const rows = { [this.board.boxes.timeline.dataset.chart]: [this.board.hello.rows, 34], [this.board.boxes.bars.dataset.chart]: [this.board.hello.bars.p, 8] }[box.dataset.chart];
    if (rows) {  // a row may be lower than a letter is high
      layout.yaxis.tickfont = { size: Math.max(8, Math.min(layout.font.size, 0.95 * (box.clientHeight - rows[1]) / rows[0].length)) };
    }
    return layout;
  }

  async build() {
    if (!this.board.Plotly || this.board.gone) return;
    const figures = this.board.hello.figures;
    this.figure = { ...figures, space: this.board.space.solid ? figures.space3d : figures.space };
    this.board.root.style.setProperty("--rows", this.board.hello.rows.length);
    this.board.root.style.setProperty("--bars", this.board.hello.bars.p.length);
    this.board.space.keepView(this.figure.space);
    const shown = Object.entries(this.board.boxes).filter(([name]) => !this.board.staged || name === "bars");
    await Promise.all(shown.map(([name, box]) =>
      this.board.Plotly.react(box, this.scaled(this.figure[name]), this.themed(this.figure[name], box), { ...CONFIG, scrollZoom: name === "space" && !this.board.space.solid })));
    if (this.board.staged && !this.board.boxes.timeline._fullLayout) { this.built = true; this.drawBars(); return; }  // the others come when it is left
    this.listen(this.board.boxes.timeline, (point) => this.shown?.[point.curveNumber]?.[point.pointNumber], (row) => this.board.sound.hear(row));
    this.listen(this.board.boxes.space, (point) => point.curveNumber === this.figure.space.data.length - 3 && this.board.strangers[point.pointNumber],
      (stranger) => this.board.log.nameTurn(stranger.t));
    this.board.boxes.space.removeAllListeners?.("plotly_relayout");
    this.board.boxes.space.on("plotly_relayout", () => { this.board.dirty.space = true; this.draw(); });
    this.board.space.forgetNames();
    this.board.boxes.timeline.removeAllListeners?.("plotly_doubleclick");
    this.board.boxes.timeline.on("plotly_doubleclick", () => { this.shownEnd = undefined; this.drawTimeline(); });
    this.built = true;
    for (const last of Object.values(this.drawn)) last.at = -Infinity;
    this.shownEnd = undefined;
    if (!this.board.staged) this.board.space.placeNames();
    Object.assign(this.board.dirty, { bars: true, rolling: true, space: true, timeline: true, explain: true });
    this.draw();
  }

  // Plotly forgets its listeners when a chart is taken down.
  listen(box, find, act) {
    box.removeAllListeners?.("plotly_click");
    box.on("plotly_click", ({ points }) => {
      const found = points[0] && find(points[0]);
      if (found) act(found);
    });
  }

  // At most one chart a frame, and each so often that it takes no more than an eighth of the time: the name
  // stays prompt where drawing is slow.
  draw() {
    if (this.board.gone || !this.built) return;
    const began = performance.now();
    const waiting = Object.keys(PACE).filter((name) => this.board.dirty[name] && !(this.board.staged && name !== "bars"));
    const due = waiting.find((name) => began - this.drawn[name].at >= Math.max(PACE[name], 8 * this.drawn[name].took));
    if (due) {
      this.board.dirty[due] = false;
      this.draws[due]();
      const took = performance.now() - began;
      this.drawn[due] = { at: began, took: 0.7 * this.drawn[due].took + 0.3 * took };
    }
    if (waiting.length > (due ? 1 : 0)) {
      this.later ??= setTimeout(() => { this.later = undefined; requestAnimationFrame(() => this.draw()); }, due ? 0 : 50);
    }
  }

  drawBars() {
    const { p, text, labels, colors } = this.board.hello.bars;
    const changes = { x: [p], text: [text], "marker.opacity": 0.45 + 0.55 * this.board.hello.now.firm };
    if (String(labels) === String(this.barLabels)) { this.board.Plotly.restyle(this.board.boxes.bars, changes, [0]); return; }
    this.barLabels = labels;  // in a crowd, another person got a bar
    this.board.Plotly.update(this.board.boxes.bars, { ...changes, "marker.color": [colors] }, { "yaxis.ticktext": labels }, [0]);
  }

  drawRolling() {
    const end = this.board.times[this.board.times.length - 1];
    const ago = this.board.times.map((time) => (time - end) / 1000);
    const names = this.rollingNames(ago);
    this.board.Plotly.restyle(this.board.boxes.rolling, { x: [...this.board.scores.map(() => ago), names.x], y: [...this.board.scores, names.y], text: [...this.board.scores.map(() => ""), names.text] });
  }

  rollingNames(ago) {
    const axis = this.board.boxes.rolling._fullLayout?.xaxis;
    if (!axis?._length) return { x: [], y: [], text: [] };
    const letter = 0.55 * 13 * this.board.big / axis._length * ROLLING_MS / 1000;  // s that a letter is wide
    return rollingNames(ago, this.board.scores, this.board.hello.people, letter);
  }

  // What the charts show, in words beside them, for who does not see them.
  say() {
    const now = performance.now();
    if (!this.board.hello || now - (this.said ?? -Infinity) < 1000) return;
    this.said = now;
    const { bars, space } = this.board.hello;
    const plain = (html) => html.replace(/<br>/g, ", ").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
    const heard = this.board.hello.people.filter((_, k) => this.board.scores[k]?.some((p) => p >= 0.5)).map(({ name }) => name);
    const texts = {
      bars: bars.labels.map((label, k) => (bars.text[k] ? `${plain(label)} ${bars.text[k]}` : "")).filter(Boolean).join(", ") || this.board.words.none,
      rolling: heard.join(", ") || this.board.words.none,
      space: space.voice ? plain(space.voice.text) : this.board.words.none,
      timeline: (this.board.totals ?? []).map(({ name, text }) => `${name} ${text}`).join(", ") || this.board.words.none,
    };
    for (const [name, text] of Object.entries(texts)) {
      const beside = this.board.find(`[data-text=${name}]`);
      if (beside.textContent !== text) beside.textContent = text;
    }
  }

  drawTimeline() {
    const names = this.board.hello.rows;
    this.shown = names.map(() => []);
    const base = names.map(() => []), x = names.map(() => []), y = names.map(() => []), hovertext = names.map(() => []);
    for (const row of this.board.rows) {
      const k = names.indexOf(row.name);
      if (k < 0) continue;  // Python sends the whole state before a name without a row
      this.shown[k].push(row);
      base[k].push(row.start + DAY); x[k].push(row.length); y[k].push(k);
      hovertext[k].push(`${row.name}, ${row.cells[0]} to ${row.cells[1]}, ${row.cells[2]} sure`);
    }
    const last = this.board.rows[this.board.rows.length - 1];
    const end = Math.max(60000, this.board.times[this.board.times.length - 1] ?? 0, last ? last.start + last.length : 0);
    const zoomed = this.board.boxes.timeline._fullLayout.xaxis;
    const follow = !this.shownEnd || Math.abs(zoomed.r2l(zoomed.range[1]) - DAY - this.shownEnd) < 2;
    // New x values make Plotly forget the kind of the axis, and its kind makes it forget what was zoomed to.
    const layout = { "xaxis.type": "date", "xaxis.range": follow ? [DAY, DAY + end] : zoomed.range.slice() };
    if (end > 3600000) layout["xaxis.tickformat"] = "%-H:%M:%S";
    this.board.Plotly.update(this.board.boxes.timeline, { base, x, y, hovertext }, layout);
    if (follow) this.shownEnd = end;
  }
}
