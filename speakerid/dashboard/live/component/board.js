// Draws one channel. Streamlit calls `mount` again, on the same element and without the clean-up in between,
// whenever the data or the theme change: the board is kept on the element.

import { Charts } from "./charts.js";
import { element, loadPlotly } from "./dom.js";
import { Link } from "./link.js";
import { Log } from "./log.js";
import { Microphone } from "./microphone.js";
import { Notices } from "./notices.js";
import { Now } from "./now.js";
import { Sound } from "./sound.js";
import { Space } from "./space.js";
import { Stage } from "./stage.js";
import { State } from "./state.js";

export class Board {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.words = {};
    this.boxes = Object.fromEntries([...root.querySelectorAll(".live-chart")].map((box) => [box.dataset.chart, box]));
    this.state = new State();
    this.notices = new Notices(this.find(".live-notice"));
    this.microphone = new Microphone(this.notices);
    this.link = new Link({
      hello: (message) => this.greet(message),
      update: (message) => this.take(message),
      notice: (what) => this.notices.say("link", what && this.words[what], what === "connecting" ? 1500 : 0),
      blocked: (on) => root.classList.toggle("live-blocked", on),
      failed: (why) => this.setStateValue("failed", why),
    });
    this.now = new Now(this);
    this.sound = new Sound(this);
    this.log = new Log(this);
    this.space = new Space(this);
    this.charts = new Charts(this);
    this.stage = new Stage(this);
    this.find(".live-mute").onclick = () => this.sound.mute(!this.sound.muted);
    this.find(".live-playing button").onclick = () => this.sound.hush();
    this.find(".live-3d").onclick = () => this.space.turn();
    this.find(".live-name").onclick = () => this.log.wrong();
    this.sizes = new ResizeObserver((entries) => entries.forEach(({ target }) => this.resized(target)));
    for (const box of [this.find(".live-name"), ...Object.values(this.boxes)]) this.sizes.observe(box);
  }

  configure({ data, setStateValue, setTriggerValue }) {
    this.words = data.words;
    this.setStateValue = setStateValue;
    this.trigger = setTriggerValue;
    this.editing = data.editing;
    this.microphone.watch(data.microphone, data.words);
    loadPlotly(data.plotly).then(
      (Plotly) => { this.Plotly = Plotly; if (this.hello) this.charts.build(); },
      () => this.notices.say("plotly", this.words.plotly));
    if (data.token !== this.token) {
      this.token = data.token;
      this.log.exports();
      this.link.open(data.token);
    } else if (this.hello) {
      this.charts.build();  // the theme may have changed
    }
  }

  destroy() {
    this.gone = true;
    for (const part of [this.sound, this.microphone, this.now, this.stage, this.link]) part.end();
    this.sizes.disconnect();
    for (const box of Object.values(this.boxes)) if (box._fullLayout) window.Plotly.purge(box);
  }

  get hello() { return this.state.hello; }
  get rows() { return this.state.rows; }
  get totals() { return this.state.totals; }
  get times() { return this.state.times; }
  get scores() { return this.state.scores; }
  get strangers() { return this.state.strangers; }
  get dirty() { return this.state.dirty; }
  get staged() { return this.root.classList.contains("live-stage"); }
  get big() { return this.staged ? Math.max(1, innerHeight / 570) : 1; }
  get listening() { return ["waiting", "listening"].includes(this.hello?.status.kind); }

  greet(hello) {
    this.find(".live-log tbody").replaceChildren();
    this.state.greet(hello);
    this.drawSoon(hello);
    this.charts.build();
  }

  take(message) {
    this.state.take(message);
    this.drawSoon(message);
  }

  drawSoon(message) {
    this.now.draw(this.hello.now);  // at once; the rest waits for the next frame
    // The oldest decision that is not on the screen yet is the one whose way there is measured.
    if (message.kind === "update" && message.explain) this.measured ??= message;
    this.frame ??= requestAnimationFrame(() => { this.frame = undefined; this.draw(); });
  }

  draw() {
    if (this.gone) return;
    const { dirty, hello } = this;
    if (dirty.signal) this.drawSignal(hello.signal);
    if (dirty.latency) {
      this.find(".live-latency b").textContent = hello.latency.text;
      this.find(".live-latency span").textContent = hello.latency.detail;
    }
    if (dirty.log) this.log.draw();
    if (dirty.kept) this.log.drawKept();
    if (dirty.play) this.sound.playAlong(hello.play);
    if (dirty.remark) this.notices.say("model", hello.remark.text);
    for (const part of ["signal", "latency", "log", "kept", "play", "remark"]) dirty[part] = false;
    this.charts.say();
    this.charts.draw();
    const message = this.measured;
    this.measured = undefined;
    if (message) setTimeout(() => this.link.send({ drawn: message.seq, held: performance.now() - message.received }));
  }

  drawSignal(signal) {
    this.find(".live-meter i").style.transform = `scaleX(${signal.level})`;
    this.find(".live-meter").classList.toggle("live-clipped", signal.clipped);
    this.find(".live-signal-text").replaceChildren(...(signal.lost ? [element("b", { textContent: signal.lost }), signal.text.length ? " · " : ""] : []), signal.text.join(" · "));
  }

  resized(target) {
    if (target._fullLayout && target.clientWidth) window.Plotly.Plots.resize(target);
    if (target.matches(".live-name") && this.hello) this.now.fit();
  }
}

export function mount(component) {
  const root = component.parentElement.querySelector(".live-board");
  root.board ??= new Board(root);
  root.board.configure(component);
  return () => { root.board?.destroy(); delete root.board; };
}
