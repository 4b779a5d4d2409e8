// The connection to one channel: opened, lost, tried again for as long as the page is there.

const REFUSED = 4;  // so many connections in a row that never opened: what is in between lets none through
const SOONEST_MS = 300;
const LATEST_MS = 5000;

// `told` has hello(message), update(message), failed(why), blocked(whether) and notice("" | "connecting" | "lost").
export class Link {
  constructor(told) {
    this.told = told;
    this.wait = SOONEST_MS;
    this.refused = 0;
    this.reported = "";
    this.blocked = false;
    this.greeted = false;
  }

  open(token) {
    this.token = token;
    this.connect();
  }

  connect() {
    clearTimeout(this.timer);
    this.socket?.close();
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = this.socket = new WebSocket(`${scheme}://${location.host}/api/live/${this.token}`);
    if (!this.greeted) this.told.notice("connecting");
    socket.onmessage = (event) => { if (socket === this.socket) this.take(JSON.parse(event.data)); };
    socket.onclose = () => { if (socket === this.socket && !this.gone) this.retry(); };
  }

  take(message) {
    message.received = performance.now();
    this.wait = SOONEST_MS;
    this.refused = 0;
    if (message.kind !== "hello") { if (this.greeted) this.told.update(message); return; }
    this.greeted = true;
    this.told.notice("");
    this.report("");
    this.block(false);
    this.told.hello(message);
  }

  async retry() {
    this.refused += 1;
    if (!this.blocked) this.told.notice(this.greeted ? "lost" : "connecting");
    try {
      const answer = await fetch(`/api/live/${this.token}?here`, { cache: "no-store" });
      const json = (answer.headers.get("content-type") ?? "").includes("json");
      if (answer.status === 404 && json) this.report("gone");
      else if ((answer.ok && !json) || this.refused >= REFUSED) this.block(true);
    } catch { this.refused = 0; /* the server is away: keep trying */ }
    if (this.gone) return;
    this.timer = setTimeout(() => this.connect(), this.wait);
    this.wait = Math.min(LATEST_MS, this.wait * 1.7);
  }

  // The page is reached, the channel is not: Python polls instead, and this tries on.
  block(on) {
    this.blocked = on;
    this.told.blocked(on);
    if (!on) return;
    this.told.notice("");
    this.report("blocked");
  }

  report(why) {
    const said = why && `${why} ${this.token}`;
    if (this.reported === said) return;
    this.reported = said;
    this.told.failed(said);
  }

  send(message) {
    if (this.socket?.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify(message));
  }

  end() {
    this.gone = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}
