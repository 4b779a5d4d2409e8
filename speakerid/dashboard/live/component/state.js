// What the board knows: Python's whole state of a session, and every change of it since.

import { ROLLING_MS } from "./charts.js";

const PARTS = ["status", "now", "bars", "space", "signal", "latency", "explain", "kept", "play", "remark", "guessing"];

export class State {
  constructor() {
    this.rows = [];      // turns, oldest first
    this.strangers = []; // steps of voices in the space that are nobody's
    this.dirty = {};     // parts that changed since they were drawn
  }

  greet(hello) {
    this.hello = hello;
    this.times = hello.rolling.t;
    this.scores = hello.people.map((_, k) => hello.rolling.p.map((row) => row[k]));
    this.strangers = [];
    this.rows = [];
    this.take(hello);
  }

  take(message) {
    for (const part of PARTS) if (message[part]) { this.hello[part] = message[part]; this.dirty[part] = true; }
    if (message.point) this.roll(message.point);
    if (message.strangers) {
      this.strangers.length = Math.min(this.strangers.length, message.strangers.from);
      this.strangers.push(...message.strangers.points);
    }
    if (message.turns) {
      const { from, rows, totals } = message.turns;
      this.rows.length = Math.min(this.rows.length, from);
      this.rows.push(...rows);
      this.totals = totals;
      this.firstChanged = Math.min(this.firstChanged ?? Infinity, from);
      this.dirty.timeline = this.dirty.log = true;
    }
  }

  roll({ t, p }) {
    if (t <= this.times[this.times.length - 1]) return;
    this.times.push(t);
    p.forEach((one, k) => this.scores[k]?.push(one));
    while (this.times[0] < t - ROLLING_MS) { this.times.shift(); this.scores.forEach((row) => row.shift()); }
    this.dirty.rolling = true;
  }

  // The first row that was not drawn as it is now; asking forgets it.
  takeFirstChanged() {
    const first = this.firstChanged ?? 0;
    this.firstChanged = undefined;
    return first;
  }
}
