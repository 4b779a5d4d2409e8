// Draws one channel, in parts that one module is joined from. Streamlit calls its default export again, on the
// same element and without the clean-up in between, whenever the data or the theme change: all state lives on
// the root element. This part: the connection, and what goes wrong.

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

const REFUSED = 4;  // so many connections in a row that never opened: what is in between lets none through

class Link {
  constructor(root) {
    this.root = root;
    this.find = (selector) => root.querySelector(selector);
    this.wait = 300;
    this.refused = 0;
    this.words = {};
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
      this.refused = 0;
      if (message.kind === "hello") {
        this.notice("link", "");
        if (this.reported) { this.reported = ""; this.setStateValue("failed", ""); }
        this.root.classList.remove("live-blocked");
        this.greet(message);
      } else if (this.hello) {
        this.take(message);
      }
    };
    socket.onclose = () => { if (socket === this.socket && !this.gone) this.retry(); };
  }

  async retry() {
    this.refused += 1;
    if (!this.root.classList.contains("live-blocked")) {
      this.notice("link", this.hello ? this.words.lost : this.words.connecting, this.hello ? 0 : 1500);
    }
    try {
      const answer = await fetch(`/api/live/${this.token}`, { cache: "no-store" });
      const json = (answer.headers.get("content-type") ?? "").includes("json");
      if (answer.status === 404 && json) this.report("gone");
      else if ((answer.ok && !json) || this.refused >= REFUSED) this.block();
    } catch { this.refused = 0; /* the server is away: keep trying */ }
    if (this.gone) return;
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(5000, this.wait * 1.7);
  }

  // The page is reached, the channel is not: Python polls instead, and this tries on.
  block() {
    this.notice("link", "");
    this.root.classList.add("live-blocked");
    this.report("blocked");
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

  // -- what goes wrong --------------------------------------------------------------------------------

  async checkMicrophone(wanted) {
    this.notice("microphone", "");
    this.notice("unplugged", "");
    if (navigator.mediaDevices) navigator.mediaDevices.ondevicechange = wanted ? () => this.countMicrophones() : null;
    if (!wanted) return;
    if (!window.isSecureContext) { this.notice("microphone", this.words.insecure); return; }
    this.countMicrophones();
    try {
      const permission = await navigator.permissions.query({ name: "microphone" });
      const show = () => this.notice("microphone", permission.state === "denied" ? this.words.denied : "");
      permission.onchange = show;
      show();
    } catch { /* a browser that does not tell */ }
  }

  // A microphone that is pulled out sends silence on, so its going is all there is to notice.
  async countMicrophones() {
    const before = this.microphones;
    const found = await navigator.mediaDevices.enumerateDevices();
    this.microphones = found.filter((device) => device.kind === "audioinput").length;
    if (this.microphones < before && this.hello?.status.kind === "listening") this.notice("unplugged", this.words.unplugged);
    else if (this.microphones > before) this.notice("unplugged", "");
  }

  // Tell, after `delay` ms unless it is taken back before, and for `lasting` ms if that is not 0.
  notice(topic, text, delay = 0, lasting = 0) {
    this.notices ??= {};
    clearTimeout(this.notices[topic]?.timer);
    if (text && lasting) setTimeout(() => { if (this.notices[topic]?.text === text) this.notice(topic, ""); }, lasting);
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
