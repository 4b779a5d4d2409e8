// Draws one channel. Streamlit calls the default export again, on the same element and without the clean-up in
// between, whenever the data or the theme change: all state lives on the root element.

// What is drawn apart from the name, most urgent first: milliseconds between two drawings at least, and how.
const PACE = { bars: 0, trail: 150, rolling: 400, timeline: 800, explain: 400 };
const DRAW = { bars: "drawBars", trail: "drawSpace", rolling: "drawRolling", timeline: "drawTimeline", explain: "drawExplain" };
const ROLLING_MS = 60000;  // what the rolling chart shows
const DAY = 86400000;      // date axes take small numbers for years: times start on 2 January 1970
const CONFIG = { displayModeBar: false, responsive: false, displaylogo: false };

function loadPlotly(url) {
  window.__speakeridPlotly ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => done(window.Plotly);
    script.onerror = () => { window.__speakeridPlotly = undefined; script.remove(); failed(new Error(url)); };
    document.head.append(script);
  });
  return window.__speakeridPlotly;
}

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};
const dot = (color) => {
  const made = element("i", { className: "live-dot" });
  made.style.background = color;
  return made;
};

class Board {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.charts = Object.fromEntries([...root.querySelectorAll(".live-chart")].map((box) => [box.dataset.chart, box]));
    this.rows = [];
    this.wait = 300;
    this.drawn = Object.fromEntries(Object.keys(PACE).map((name) => [name, { at: -Infinity, took: 0 }]));
    this.dirty = {};
    this.find(".live-stage-toggle").onclick = () => this.stage(!this.staged);
    this.find(".live-3d").onclick = () => this.turn();
    this.onKey = (event) => { if (event.key === "Escape") this.stage(false); };
    this.onFullscreen = () => { if (!document.fullscreenElement) this.stage(false); };
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("fullscreenchange", this.onFullscreen);
    this.sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) if (target._fullLayout) window.Plotly.Plots.resize(target);
    });
    for (const box of Object.values(this.charts)) this.sizes.observe(box);
  }

  configure({ data, setStateValue }) {
    this.words = data.words;
    this.setStateValue = setStateValue;
    this.checkMicrophone(data.microphone);
    loadPlotly(data.plotly).then(
      (Plotly) => { this.Plotly = Plotly; if (this.hello) this.build(); },
      () => this.notice("plotly", this.words.plotly));
    if (data.token !== this.token) {
      this.token = data.token;
      this.exports();
      this.connect();
    } else if (this.hello) {
      this.build();  // the theme may have changed
    }
  }

  destroy() {
    this.gone = true;
    clearTimeout(this.timer);
    this.socket?.close();
    this.sizes.disconnect();
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
    for (const box of Object.values(this.charts)) if (box._fullLayout) window.Plotly.purge(box);
  }

  // -- the channel ------------------------------------------------------------------------------------

  connect() {
    clearTimeout(this.timer);
    this.socket?.close();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this.socket = new WebSocket(`${scheme}://${location.host}/api/live/${this.token}`);
    if (!this.hello) this.notice("link", this.words.connecting, 1500);
    socket.onmessage = (event) => {
      if (socket !== this.socket) return;
      const message = JSON.parse(event.data);
      message.received = performance.now();
      this.wait = 300;
      if (message.kind === "hello") {
        this.notice("link", "");
        if (this.reported) { this.reported = ""; this.setStateValue("failed", ""); }
        this.greet(message);
      } else if (this.hello) {
        this.take(message);
      }
    };
    socket.onclose = () => { if (socket === this.socket && !this.gone) this.retry(); };
  }

  async retry() {
    this.notice("link", this.hello ? this.words.lost : this.words.connecting, this.hello ? 0 : 1500);
    try {
      const answer = await fetch(`/api/live/${this.token}`, { cache: "no-store" });
      const json = (answer.headers.get("content-type") ?? "").includes("json");
      if (answer.status === 404 && json) this.report("gone");
      else if (answer.ok && !json) this.report("blocked");
    } catch { /* the server is away: keep trying */ }
    if (this.gone) return;
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(5000, this.wait * 1.7);
  }

  report(why) {
    const said = `${why} ${this.token}`;
    if (this.reported === said) return;
    this.reported = said;
    this.setStateValue("failed", said);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  // -- what it says -----------------------------------------------------------------------------------

  greet(hello) {
    this.hello = hello;
    this.times = hello.rolling.t;
    this.scores = hello.people.map((_, k) => hello.rolling.p.map((row) => row[k]));
    this.strangers = hello.strangers;
    this.rows = [];
    this.root.dataset.state = "live";
    this.take(hello);
    this.build();
  }

  take(message) {
    for (const part of ["status", "now", "bars", "trail", "signal", "latency", "explain"]) {
      if (message[part]) { this.hello[part] = message[part]; this.dirty[part] = true; }
    }
    const point = message.point;
    if (point && !(point.t <= this.times[this.times.length - 1])) {
      this.times.push(point.t);
      point.p.forEach((p, k) => this.scores[k]?.push(p));
      while (this.times[0] < point.t - ROLLING_MS) { this.times.shift(); this.scores.forEach((row) => row.shift()); }
      this.dirty.rolling = true;
    }
    if (message.kind === "update" && message.strangers?.length) this.strangers = [...this.strangers, ...message.strangers].slice(-200);
    if (message.turns) {
      this.rows.length = Math.min(this.rows.length, message.turns.from);
      this.rows.push(...message.turns.rows);
      this.totals = message.turns.totals;
      this.firstChanged = Math.min(this.firstChanged ?? Infinity, message.turns.from);
      this.dirty.timeline = this.dirty.log = true;
    }
    this.root.dataset.status = this.hello.status.kind;
    this.drawNow(this.hello.now);  // at once; the rest waits for the next frame
    // The oldest decision that is not on the screen yet is the one whose way there is measured.
    if (message.kind === "update" && message.trail) this.measured ??= message;
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(); });
  }

  // -- drawing ----------------------------------------------------------------------------------------

  draw() {
    if (this.gone) return;
    const { dirty, hello } = this;
    if (dirty.signal) this.drawSignal(hello.signal);
    if (dirty.latency) {
      this.find(".live-latency b").textContent = hello.latency.text;
      this.find(".live-latency span").textContent = hello.latency.detail;
    }
    if (dirty.log) this.drawLog();
    for (const part of ["signal", "latency", "log"]) dirty[part] = false;
    this.drawCharts();
    const message = this.measured;
    this.measured = undefined;
    if (message) setTimeout(() => this.send({ drawn: message.seq, held: performance.now() - message.received }));
  }

  drawNow(now) {
    const name = this.find(".live-name");
    if (name.textContent !== now.name) name.textContent = now.name;
    name.style.setProperty("--chars", Math.max(6, [...now.name].length + 1));
    this.find(".live-detail").textContent = now.detail;
    this.root.dataset.now = now.kind;
    this.root.style.setProperty("--tone", now.color ?? "var(--line)");
  }

  drawSignal(signal) {
    this.find(".live-meter i").style.transform = `scaleX(${signal.level})`;
    this.find(".live-meter").classList.toggle("live-clipped", signal.clipped);
    this.find(".live-signal-text").textContent = [...signal.text, signal.lost].filter(Boolean).join(" · ");
  }

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
    const kept = Math.min(this.firstChanged ?? 0, body.children.length);
    this.firstChanged = undefined;
    while (body.children.length > this.rows.length) body.firstChild.remove();  // newest on top
    for (let k = kept; k < this.rows.length; k++) {
      const old = body.children[body.children.length - 1 - k];
      if (old?.contains(document.activeElement) && old.dataset.name === this.rows[k].name) {
        old.children[1].textContent = this.rows[k].cells[1];  // a person is choosing a name here
        continue;
      }
      const made = this.logRow(this.rows[k], k);
      if (old) old.replaceWith(made); else body.prepend(made);
    }
    this.find(".live-totals").replaceChildren(
      ...(this.totals ?? []).map(({ name, text, color }) => element("span", {}, dot(color), `${name} ${text}`)));
  }

  logRow(row, index) {
    const names = this.hello.people.map((person) => person.name);
    if (!names.includes(row.name)) names.push(row.name);
    const choice = element("select", { title: "Correct the name", ariaLabel: `Who spoke from ${row.cells[0]}` },
      ...names.map((name) => element("option", { value: name, textContent: name })));
    choice.value = row.name;
    choice.onchange = () => { this.send({ correct: index, name: choice.value }); choice.blur(); };
    const made = element("tr", {}, element("td", { textContent: row.cells[0] }), element("td", { textContent: row.cells[1] }),
      element("td", {}, dot(row.color), choice, element("small", { textContent: row.heard })), element("td", { textContent: row.cells[2] }));
    made.dataset.name = row.name;
    return made;
  }

  exports() {
    const kinds = [["csv", "CSV"], ["rttm", "RTTM"], ["json", "JSON"], ["html", "Report"]];
    this.find(".live-exports").replaceChildren(...kinds.map(([kind, label]) =>
      element("a", { href: `/api/live/${this.token}/log.${kind}`, download: "", textContent: label })));
  }

  // -- charts -----------------------------------------------------------------------------------------

  get staged() { return this.root.classList.contains("live-stage"); }

  get big() { return this.staged ? Math.max(1, innerHeight / 680) : 1; }

  scaled(figure) {
    const data = structuredClone(figure.data);
    for (const trace of data) {
      if (trace.textfont) trace.textfont.size *= this.big;
      if (trace.marker?.size) trace.marker.size *= this.big;
      if (trace.line?.width) trace.line.width *= this.big;
    }
    return data;
  }

  themed(figure) {
    const style = getComputedStyle(this.root);
    const text = style.getPropertyValue("--st-text-color").trim() || style.color;
    const line = style.getPropertyValue("--st-border-color").trim() || "#8884";
    const layout = structuredClone(figure.layout);
    layout.font = { color: text, family: style.fontFamily, size: 14 * this.big };
    for (const name of ["xaxis", "yaxis"]) if (layout[name]) Object.assign(layout[name], { gridcolor: line, linecolor: line });
    if (layout.scene) for (const axis of Object.values(layout.scene)) if (axis?.range) Object.assign(axis, { gridcolor: line, backgroundcolor: "rgba(0,0,0,0)" });
    return layout;
  }

  async build() {
    if (!this.Plotly || this.gone) return;
    const figures = this.hello.figures;
    this.figure = { ...figures, space: this.solid ? figures.space3d : figures.space };
    this.root.style.setProperty("--rows", this.hello.people.length);
    await Promise.all(Object.entries(this.charts).map(([name, box]) =>
      this.Plotly.react(box, this.scaled(this.figure[name]), this.themed(this.figure[name]), { ...CONFIG, scrollZoom: name === "space" && !this.solid })));
    this.built = true;
    for (const last of Object.values(this.drawn)) last.at = -Infinity;
    this.shownEnd = undefined;
    Object.assign(this.dirty, { bars: true, rolling: true, trail: true, timeline: true, explain: true });
    this.drawCharts();
  }

  // At most one chart a frame, and each so often that it takes no more than an eighth of the time: the name
  // stays prompt where drawing is slow.
  drawCharts() {
    if (this.gone || !this.built) return;
    const began = performance.now();
    const waiting = Object.keys(PACE).filter((name) => this.dirty[name] && !(name === "explain" && this.staged));
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
    const { p, text } = this.hello.bars;
    this.Plotly.restyle(this.charts.bars, { x: [p], text: [text] }, [0]);
  }

  drawRolling() {
    const end = this.times[this.times.length - 1];
    const ago = this.times.map((time) => (time - end) / 1000);
    this.Plotly.restyle(this.charts.rolling, { x: this.scores.map(() => ago), y: this.scores });
  }

  drawSpace() {
    const count = this.charts.space.data.length;
    const axes = this.solid ? ["x", "y", "z"] : ["x", "y"];
    const { trail } = this.hello;
    const groups = [this.strangers, trail.map((step) => step.at), trail.slice(-1).map((step) => step.at)];
    const changes = Object.fromEntries(axes.map((axis, k) => [axis, groups.map((points) => points.map((point) => point[k]))]));
    const color = trail[trail.length - 1]?.color ?? "gray";
    const colors = trail.map((step) => step.color);
    changes["marker.color"] = [this.figure.space.data[count - 3].marker.color, colors, color];
    changes["line.color"] = [color, color, color];
    // One opacity a point: Plotly's 3-D markers know none, there the colours alone carry the trail.
    if (!this.solid) changes["marker.opacity"] = [0.55, trail.map((_, k) => 0.12 + 0.7 * (k + 1) / trail.length), 1];
    this.Plotly.restyle(this.charts.space, changes, [count - 3, count - 2, count - 1]);
  }

  drawTimeline() {
    const people = this.hello.people.map((person) => person.name);
    const base = people.map(() => []), x = people.map(() => []), y = people.map(() => []), hovertext = people.map(() => []);
    for (const row of this.rows) {
      const found = people.indexOf(row.name);
      const k = found < 0 ? people.length - 1 : found;
      base[k].push(row.start + DAY); x[k].push(row.length); y[k].push(k);
      hovertext[k].push(`${row.name}, ${row.cells[0]} to ${row.cells[1]}, ${row.cells[2]} sure`);
    }
    const last = this.rows[this.rows.length - 1];
    const end = Math.max(60000, this.times[this.times.length - 1] ?? 0, last ? last.start + last.length : 0);
    const zoomed = this.charts.timeline._fullLayout.xaxis;
    const follow = !this.shownEnd || Math.abs(zoomed.r2l(zoomed.range[1]) - DAY - this.shownEnd) < 2;
    // New x values make Plotly forget the kind of the axis.
    const layout = { "xaxis.type": "date", ...(follow ? { "xaxis.range": [DAY, DAY + end] } : {}) };
    if (end > 3600000) layout["xaxis.tickformat"] = "%-H:%M:%S";
    this.Plotly.update(this.charts.timeline, { base, x, y, hovertext }, layout);
    if (follow) this.shownEnd = end;
  }

  turn() {
    this.solid = !this.solid;
    this.find(".live-3d").setAttribute("aria-pressed", String(this.solid));
    if (!this.built) return;
    this.Plotly.purge(this.charts.space);
    this.build();
  }

  // -- the page around it -----------------------------------------------------------------------------

  stage(on) {
    if (on === this.staged) return;
    this.root.classList.toggle("live-stage", on);
    this.find(".live-stage-toggle").textContent = on ? "Leave" : "Present";
    if (on) document.documentElement.requestFullscreen?.().catch(() => {});
    else if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    if (this.hello) this.build();
  }

  async checkMicrophone(wanted) {
    this.notice("microphone", "");
    if (!wanted) return;
    if (!window.isSecureContext) { this.notice("microphone", this.words.insecure); return; }
    try {
      const permission = await navigator.permissions.query({ name: "microphone" });
      const show = () => this.notice("microphone", permission.state === "denied" ? this.words.denied : "");
      permission.onchange = show;
      show();
    } catch { /* a browser that does not tell */ }
  }

  notice(topic, text, delay = 0) {
    this.notices ??= {};
    clearTimeout(this.notices[topic]?.timer);
    const show = () => {
      this.notices[topic] = { text };
      const box = this.find(".live-notice");
      const shown = Object.values(this.notices).map((notice) => notice.text).filter(Boolean);
      box.textContent = shown.join(" ");
      box.hidden = !shown.length;
    };
    if (delay) this.notices[topic] = { text: "", timer: setTimeout(show, delay) };
    else show();
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".live-board");
  root.board ??= new Board(root);
  root.board.configure(component);
  return () => { root.board?.destroy(); delete root.board; };
}
