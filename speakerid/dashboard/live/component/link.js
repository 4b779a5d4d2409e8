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

const MICROPHONE_FRAME = 'iframe[src*="webrtc_streamer"]';

// Browsers name devices and groups anew for each frame, so the frame that took the device has to be asked.
const inputs = async (devices) => (await devices.enumerateDevices()).filter((device) => device.kind === "audioinput");

// What has to be there for the sound to come. "default" is the system's choice, and stays when the device behind
// it goes: that one is in the same group. Empty where the browser does not tell.
async function ownDevices(devices, track) {
  const { deviceId, groupId } = track.getSettings();
  if (deviceId && deviceId !== "default") return [deviceId];
  return (await inputs(devices)).filter((device) => device.deviceId !== "default" && groupId && device.groupId === groupId)
    .map((device) => device.deviceId);
}

class Link {
  constructor(root) {
    this.root = root;
    this.onFrame = ({ target }) => { if (target.matches?.(MICROPHONE_FRAME)) this.watchMicrophone(target); };
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
      const answer = await fetch(`/api/live/${this.token}?here`, { cache: "no-store" });
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
    if (!wanted) this.notice("unplugged", "");
    document.removeEventListener("load", this.onFrame, true);
    if (!wanted) return;
    if (!window.isSecureContext) { this.notice("microphone", this.words.insecure); return; }
    document.addEventListener("load", this.onFrame, true);
    document.querySelectorAll(MICROPHONE_FRAME).forEach((frame) => this.watchMicrophone(frame));
    try {
      const permission = await navigator.permissions.query({ name: "microphone" });
      const show = () => this.notice("microphone", permission.state === "denied" ? this.words.denied : "");
      permission.onchange = show;
      show();
    } catch { /* a browser that does not tell */ }
  }

  // The frame with the START button opens the microphone. Of all devices only the one that it took matters:
  // that some headset is pulled out which nobody uses is no news.
  watchMicrophone(frame) {
    const devices = frame.contentWindow?.navigator.mediaDevices;
    if (!devices) return;
    const watched = devices.board;
    devices.board = this;
    if (watched) return;
    devices.addEventListener("devicechange", () => devices.board.lookForMicrophone(devices));
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      const [track] = stream.getAudioTracks();
      const { board } = devices;
      if (track && !board.gone) {
        board.track = track;
        board.own = await ownDevices(devices, track);
        board.notice("unplugged", "");
        track.addEventListener("ended", () => { if (track === board.track) board.notice("unplugged", board.words.unplugged); });
      }
      return stream;
    };
  }

  // A microphone that is pulled out may send silence on without its track's end: then its going is all there
  // is to notice.
  async lookForMicrophone(devices) {
    if (this.gone || this.track?.readyState !== "live") return;
    const left = (await inputs(devices)).map((device) => device.deviceId);
    const there = this.own.length ? this.own.some((id) => left.includes(id)) : left.length > 0;
    this.notice("unplugged", there ? "" : this.words.unplugged);
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
