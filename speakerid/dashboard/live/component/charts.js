// The charts: Plotly figures that Python made, filled and updated in place.

// What is drawn apart from the name, most urgent first: milliseconds between two drawings at least, and how.
const PACE = { bars: 0, space: 150, rolling: 400, timeline: 800, explain: 400 };
const DRAW = { bars: "drawBars", space: "drawSpace", rolling: "drawRolling", timeline: "drawTimeline", explain: "drawExplain" };
const ROLLING_MS = 60000;  // what the rolling chart shows
const DAY = 86400000;      // date axes take small numbers for years: times start on 2 January 1970
const CONFIG = { displayModeBar: false, responsive: false, displaylogo: false, doubleClick: false };

class Charts extends Space {
  scaled(figure) {
    const data = structuredClone(figure.data);
    for (const trace of data) {
      if (trace.textfont) trace.textfont.size *= this.big;
      if (trace.marker?.size) trace.marker.size *= this.big;
      if (trace.line?.width) trace.line.width *= this.big;
    }
    return data;
  }

  themed(figure, box) {
    const style = getComputedStyle(this.root);
    const text = style.getPropertyValue("--st-text-color").trim() || style.color;
    const line = style.getPropertyValue("--st-border-color").trim() || "#8884";
    this.family = style.fontFamily;
    const layout = structuredClone(figure.layout);
    layout.font = { color: text, family: style.fontFamily, size: 14 * this.big };
    for (const name of ["xaxis", "yaxis"]) if (layout[name]) Object.assign(layout[name], { gridcolor: line, linecolor: line });
    if (layout.scene) for (const axis of Object.values(layout.scene)) if (axis?.range) Object.assign(axis, { gridcolor: line, backgroundcolor: "rgba(0,0,0,0)" });
    const rows = { [this.charts.timeline.dataset.chart]: [this.hello.rows, 34], [this.charts.bars.dataset.chart]: [this.hello.bars.p, 8] }[box.dataset.chart];
    if (rows) {  // a row may be lower than a letter is high
      layout.yaxis.tickfont = { size: Math.max(8, Math.min(layout.font.size, 0.95 * (box.clientHeight - rows[1]) / rows[0].length)) };
    }
    return layout;
  }

  async build() {
    if (!this.Plotly || this.gone) return;
    const figures = this.hello.figures;
    this.figure = { ...figures, space: this.solid ? figures.space3d : figures.space };
    this.root.style.setProperty("--rows", this.hello.rows.length);
    this.root.style.setProperty("--bars", this.hello.bars.p.length);
    this.keepView();
    const shown = Object.entries(this.charts).filter(([name]) => !this.staged || name === "bars");
    await Promise.all(shown.map(([name, box]) =>
      this.Plotly.react(box, this.scaled(this.figure[name]), this.themed(this.figure[name], box), { ...CONFIG, scrollZoom: name === "space" && !this.solid })));
    if (this.staged && !this.charts.timeline._fullLayout) { this.built = true; this.drawBars(); return; }  // the others come when it is left
    this.listen(this.charts.timeline, (point) => this.shown?.[point.curveNumber]?.[point.pointNumber], (row) => this.hear(row));
    this.listen(this.charts.space, (point) => point.curveNumber === this.figure.space.data.length - 3 && this.strangers[point.pointNumber],
      (stranger) => this.nameTurn(stranger.t));
    this.charts.space.removeAllListeners?.("plotly_relayout");
    this.charts.space.on("plotly_relayout", () => { this.dirty.space = true; this.drawCharts(); });
    this.namesSaid = undefined;
    this.charts.timeline.removeAllListeners?.("plotly_doubleclick");
    this.charts.timeline.on("plotly_doubleclick", () => { this.shownEnd = undefined; this.drawTimeline(); });
    this.built = true;
    for (const last of Object.values(this.drawn)) last.at = -Infinity;
    this.shownEnd = undefined;
    if (!this.staged) this.placeNames();
    Object.assign(this.dirty, { bars: true, rolling: true, space: true, timeline: true, explain: true });
    this.drawCharts();
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
  drawCharts() {
    if (this.gone || !this.built) return;
    const began = performance.now();
    const waiting = Object.keys(PACE).filter((name) => this.dirty[name] && !(this.staged && name !== "bars"));
    const due = waiting.find((name) => began - this.drawn[name].at >= Math.max(PACE[name], 8 * this.drawn[name].took));
    if (due) {
      this.dirty[due] = false;
      this[DRAW[due]]();
      const took = performance.now() - began;
      this.drawn[due] = { at: began, took: 0.7 * this.drawn[due].took + 0.3 * took };
    }
    if (waiting.length > (due ? 1 : 0)) {
      this.later ??= setTimeout(() => { this.later = undefined; requestAnimationFrame(() => this.drawCharts()); }, due ? 0 : 50);
    }
  }

  drawBars() {
    const { p, text, labels, colors } = this.hello.bars;
    const changes = { x: [p], text: [text], "marker.opacity": 0.45 + 0.55 * this.hello.now.firm };
    if (String(labels) === String(this.barLabels)) { this.Plotly.restyle(this.charts.bars, changes, [0]); return; }
    this.barLabels = labels;  // in a crowd, another person got a bar
    this.Plotly.update(this.charts.bars, { ...changes, "marker.color": [colors] }, { "yaxis.ticktext": labels }, [0]);
  }

  drawRolling() {
    const end = this.times[this.times.length - 1];
    const ago = this.times.map((time) => (time - end) / 1000);
    const names = this.rollingNames(ago);
    this.Plotly.restyle(this.charts.rolling, { x: [...this.scores.map(() => ago), names.x], y: [...this.scores, names.y], text: [...this.scores.map(() => ""), names.text] });
  }

  // Whose line is on top, above it: color alone tells nothing. The latest come first where room is short, and a
  // name is cut where all of it does not fit.
  rollingNames(ago) {
    const found = { x: [], y: [], text: [] };
    const axis = this.charts.rolling._fullLayout?.xaxis;
    if (!axis?._length) return found;
    const letter = 0.55 * 13 * this.big / axis._length * ROLLING_MS / 1000;  // s that a letter is wide
    let free = 0;  // names lie before this
    const lead = ago.map((_, at) => this.scores.findIndex((row) => row[at] >= 0.5));
    for (let to = lead.length, from; to > 0; to = from) {
      from = to - 1;
      while (from > 0 && lead[from - 1] === lead[to - 1]) from--;
      if (lead[from] < 0) continue;
      const last = Math.min(to, ago.length - 1), lasted = ago[last] - ago[from];
      if (lasted < 1.5) continue;  // a glimpse
      const name = [...this.hello.people[lead[from]].name];
      for (const most of [18, 9, 6, 4, 2]) {
        const text = name.length > most ? `${name.slice(0, most - 1).join("")}${most > 2 ? "…" : ""}` : name.join("");
        const half = letter * ([...text].length + 1) / 2;
        const at = Math.min((ago[from] + ago[last]) / 2, free - half);
        if (at < ago[from] - 0.3 * half || at - half < ago[0] - 60) continue;
        free = at - half;
        found.x.push(at); found.y.push(1.1); found.text.push(text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;"));
        break;
      }
    }
    return found;
  }

  // What the charts show, in words beside them, for who does not see them.
  sayCharts() {
    const now = performance.now();
    if (!this.hello || now - (this.chartsSaid ?? -Infinity) < 1000) return;
    this.chartsSaid = now;
    const { bars, space } = this.hello;
    const plain = (html) => html.replace(/<br>/g, ", ").replace(/&lt;/g, "<").replace(/&gt;/g, ">").replace(/&amp;/g, "&");
    const heard = this.hello.people.filter((_, k) => this.scores[k]?.some((p) => p >= 0.5)).map(({ name }) => name);
    const texts = {
      bars: bars.labels.map((label, k) => (bars.text[k] ? `${plain(label)} ${bars.text[k]}` : "")).filter(Boolean).join(", ") || this.words.none,
      rolling: heard.join(", ") || this.words.none,
      space: space.voice ? plain(space.voice.text) : this.words.none,
      timeline: (this.totals ?? []).map(({ name, text }) => `${name} ${text}`).join(", ") || this.words.none,
    };
    for (const [name, text] of Object.entries(texts)) {
      const beside = this.find(`[data-text=${name}]`);
      if (beside.textContent !== text) beside.textContent = text;
    }
  }

  drawTimeline() {
    const names = this.hello.rows;
    this.shown = names.map(() => []);
    const base = names.map(() => []), x = names.map(() => []), y = names.map(() => []), hovertext = names.map(() => []);
    for (const row of this.rows) {
      const k = names.indexOf(row.name);
      if (k < 0) continue;  // Python sends the whole state before a name without a row
      this.shown[k].push(row);
      base[k].push(row.start + DAY); x[k].push(row.length); y[k].push(k);
      hovertext[k].push(`${row.name}, ${row.cells[0]} to ${row.cells[1]}, ${row.cells[2]} sure`);
    }
    const last = this.rows[this.rows.length - 1];
    const end = Math.max(60000, this.times[this.times.length - 1] ?? 0, last ? last.start + last.length : 0);
    const zoomed = this.charts.timeline._fullLayout.xaxis;
    const follow = !this.shownEnd || Math.abs(zoomed.r2l(zoomed.range[1]) - DAY - this.shownEnd) < 2;
    // New x values make Plotly forget the kind of the axis, and its kind makes it forget what was zoomed to.
    const layout = { "xaxis.type": "date", "xaxis.range": follow ? [DAY, DAY + end] : zoomed.range.slice() };
    if (end > 3600000) layout["xaxis.tickformat"] = "%-H:%M:%S";
    this.Plotly.update(this.charts.timeline, { base, x, y, hovertext }, layout);
    if (follow) this.shownEnd = end;
  }
}
