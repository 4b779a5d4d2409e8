// The board: takes messages, draws the name at once and the rest frame by frame, fills the window on demand.

const AWAKE_MS = 2500;

class Board extends Charts {
  constructor(root) {
    super(root);
    this.charts = Object.fromEntries([...root.querySelectorAll(".live-chart")].map((box) => [box.dataset.chart, box]));
    this.rows = [];
    this.drawn = Object.fromEntries(Object.keys(PACE).map((name) => [name, { at: -Infinity, took: 0 }]));
    this.dirty = {};
    this.find(".live-stage-toggle").onclick = () => this.stage(!this.staged);
    this.find(".live-mute").onclick = () => this.mute(!this.muted);
    this.find(".live-playing button").onclick = () => this.hush();
    this.find(".live-3d").onclick = () => this.turn();
    this.find(".live-go").onclick = () => this.startOrStop();
    this.find(".live-name").onclick = () => this.wrong();
    this.onKey = (event) => this.key(event);
    this.onFullscreen = () => { if (!document.fullscreenElement && !this.windowed) this.stage(false); };
    this.root.addEventListener("pointermove", () => this.wake());
    this.root.addEventListener("pointerdown", () => this.wake());
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("fullscreenchange", this.onFullscreen);
    this.sizes = new ResizeObserver((entries) => {
      for (const { target } of entries) {
        if (target._fullLayout && target.clientWidth) window.Plotly.Plots.resize(target);
        if (target.matches(".live-name") && this.hello) this.fitName();
      }
    });
    this.sizes.observe(this.find(".live-name"));
    for (const box of Object.values(this.charts)) this.sizes.observe(box);
  }

  configure({ data, setStateValue, setTriggerValue }) {
    this.words = data.words;
    this.setStateValue = setStateValue;
    this.setTriggerValue = setTriggerValue;
    this.editing = data.editing;
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
    this.silence();
    document.removeEventListener("load", this.onFrame, true);
    clearTimeout(this.timer);
    clearTimeout(this.asleep);
    clearTimeout(this.settled);
    this.socket?.close();
    this.sizes.disconnect();
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
    for (const box of Object.values(this.charts)) if (box._fullLayout) window.Plotly.purge(box);
  }

  // -- what it says -----------------------------------------------------------------------------------

  greet(hello) {
    this.hello = hello;
    this.times = hello.rolling.t;
    this.scores = hello.people.map((_, k) => hello.rolling.p.map((row) => row[k]));
    this.strangers = [];
    this.rows = [];
    this.find(".live-log tbody").replaceChildren();
    this.take(hello);
    this.build();
  }

  take(message) {
    for (const part of ["status", "now", "bars", "space", "signal", "latency", "explain", "kept", "play", "remark", "guessing"]) {
      if (message[part]) { this.hello[part] = message[part]; this.dirty[part] = true; }
    }
    const point = message.point;
    if (point && !(point.t <= this.times[this.times.length - 1])) {
      this.times.push(point.t);
      point.p.forEach((p, k) => this.scores[k]?.push(p));
      while (this.times[0] < point.t - ROLLING_MS) { this.times.shift(); this.scores.forEach((row) => row.shift()); }
      this.dirty.rolling = true;
    }
    if (message.strangers) {
      this.strangers.length = Math.min(this.strangers.length, message.strangers.from);
      this.strangers.push(...message.strangers.points);
    }
    if (message.turns) {
      this.rows.length = Math.min(this.rows.length, message.turns.from);
      this.rows.push(...message.turns.rows);
      this.totals = message.turns.totals;
      this.firstChanged = Math.min(this.firstChanged ?? Infinity, message.turns.from);
      this.dirty.timeline = this.dirty.log = true;
    }
    this.drawNow(this.hello.now);  // at once; the rest waits for the next frame
    // The oldest decision that is not on the screen yet is the one whose way there is measured.
    if (message.kind === "update" && message.explain) this.measured ??= message;
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
    if (dirty.kept) this.drawKept();
    if (dirty.play) this.playAlong(hello.play);
    if (dirty.remark) this.notice("model", hello.remark.text);
    for (const part of ["signal", "latency", "log", "kept", "play", "remark"]) dirty[part] = false;
    this.sayCharts();
    this.drawCharts();
    const message = this.measured;
    this.measured = undefined;
    if (message) setTimeout(() => this.send({ drawn: message.seq, held: performance.now() - message.received }));
  }

  drawNow(now) {
    const name = this.find(".live-name");
    if (name.textContent !== now.name) { name.textContent = now.name; this.fitName(); }
    name.disabled = !this.editing || !["person", "unknown"].includes(now.kind);
    name.title = now.kind === "person" ? this.words.wrong : this.words.who;
    this.find(".live-detail").textContent = this.staged ? now.told : now.detail;
    this.drawAlso(now.also);
    this.find(".live-go").textContent = this.listening ? this.words.stop : this.words.start;
    this.sayName(now);
    const guess = this.find(".live-gender");
    guess.hidden = !this.hello.guessing.on;
    guess.style.visibility = now.gender ? "visible" : "hidden";  // its place stays while nobody speaks
    if (now.gender) {
      this.find(".live-gender b").textContent = now.gender.text;
      this.find(".live-gender small").textContent = now.gender.help;
    }
    this.root.dataset.now = now.kind;
    this.root.style.setProperty("--firm", now.firm);  // a first impression looks like one
    this.root.style.setProperty("--tone", now.color ?? "var(--line)");
  }

  // Who speaks at the same time, below the name.
  drawAlso(also) {
    const line = this.find(".live-also"), said = JSON.stringify(also);
    if (line.dataset.said === said) return;
    line.dataset.said = said;
    line.replaceChildren(...also.map(({ name, color }) => element("span", {}, dot(color), `and ${name}`)));
  }

  // As large as it fits, in one line or two.
  fitName() {
    const name = this.find(".live-name");
    const { clientWidth: width, clientHeight: height } = name;
    if (!width || !height) return;
    const pen = (this.namePen ??= document.createElement("canvas").getContext("2d"));
    pen.font = `700 100px ${getComputedStyle(name).fontFamily}`;
    const wide = (text) => pen.measureText(text).width / 100 + 0.05;
    const text = name.textContent, middle = text.length / 2;
    const gaps = [...text.matchAll(/\s+/g)].map((gap) => gap.index).sort((a, b) => Math.abs(a - middle) - Math.abs(b - middle));
    const cut = gaps[0] ?? (text.length > 14 ? Math.ceil(middle) : text.length);  // short words stay whole
    const one = Math.min(height / 1.15, width / wide(text));
    const two = Math.min(height / 2.3, width / Math.max(wide(text.slice(0, cut)), wide(text.slice(cut).trim())));
    name.style.fontSize = `${Math.max(12, Math.min(this.staged ? 1000 : 130, Math.max(one, two)))}px`;
  }

  // A screen reader hears who speaks when that has settled, and nothing else; a pause is no news.
  sayName(now) {
    clearTimeout(this.settled);
    if (now.kind === "nobody") return;
    this.settled = setTimeout(() => {
      const said = this.find(".live-said"), everybody = [now.name, ...now.also.map(({ name }) => name)].join(" and ");
      if (said.textContent !== everybody) said.textContent = everybody;
    }, now.firm < 1 ? 1500 : 300);
  }

  get listening() { return ["waiting", "listening"].includes(this.hello?.status.kind); }

  // Python draws the buttons; they are out of sight in the presentation.
  startOrStop() {
    const stop = this.listening && document.querySelector(".st-key-live-stop button");
    const frame = document.querySelector(MICROPHONE_FRAME)?.contentDocument;
    const own = [...(frame?.querySelectorAll("button") ?? [])].find((button) => /^(start|stop)$/i.test(button.textContent.trim()));
    (stop || own || document.querySelector(".st-key-live-start button"))?.click();
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const { target, key } = event;
    if (key === "Escape") { if (!this.closeWrong()) this.stage(false); return; }
    if (target.closest?.("input, textarea, select, [contenteditable=true], [role=dialog], [role=slider], [role=listbox]")) return;
    if (key === "p" || key === "P") this.stage(!this.staged);
    else if (key === "f" || key === "F") this.fill();
    else if (key === " " && !target.closest?.("button, a, summary, [role=button], [role=radio], [role=tab]")) { event.preventDefault(); this.startOrStop(); }
  }

  // The presentation on the whole screen, and back into the window.
  fill() {
    if (document.fullscreenElement) {
      this.windowed = true;
      document.exitFullscreen().catch(() => {}).finally(() => setTimeout(() => { this.windowed = false; }, 300));
      return;
    }
    this.stage(true);
    document.documentElement.requestFullscreen?.().catch(() => {});
  }

  drawSignal(signal) {
    this.find(".live-meter i").style.transform = `scaleX(${signal.level})`;
    this.find(".live-meter").classList.toggle("live-clipped", signal.clipped);
    this.find(".live-signal-text").replaceChildren(...(signal.lost ? [element("b", { textContent: signal.lost }), " · "] : []), signal.text.join(" · "));
  }

  // In the presentation view the controls show only while somebody moves the pointer.
  wake() {
    if (!this.staged) return;
    this.root.classList.add("live-awake");
    clearTimeout(this.asleep);
    this.asleep = setTimeout(() => this.root.classList.remove("live-awake"), AWAKE_MS);
  }

  stage(on) {
    if (on === this.staged) return;
    this.root.classList.toggle("live-stage", on);
    this.root.classList.remove("live-awake");
    this.find(".live-stage-toggle").textContent = on ? this.words.leave : this.words.present;
    this.wake();  // so that one sees how to leave
    if (on) this.root.focus({ preventScroll: true });  // or space would press what was pressed last
    else if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    if (!this.hello) return;
    this.drawNow(this.hello.now);
    this.fitName();
    this.build();
  }
}

export default function (component) {
  const root = component.parentElement.querySelector(".live-board");
  root.board ??= new Board(root);
  root.board.configure(component);
  return () => { root.board?.destroy(); delete root.board; };
}
