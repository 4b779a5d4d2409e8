// What can be heard: a turn whose sound is kept, at a click; and the recording that is replayed, along with it.

import { DAY } from "./charts.js";

const FAR_OFF = 0.45;  // s; so far apart from the page, the recording that plays along is set anew

export class Sound {
  constructor(board) { this.board = board; }

  // -- one turn ---------------------------------------------------------------------------------------

  hear(row) {
    const playing = this.turn?.row;
    this.hush();
    if (playing && playing.start === row.start) return;  // a second click ends it
    const end = row.start + row.length;
    const kept = this.board.hello.kept.ranges.some(([first, last]) => first <= row.start && last + 200 >= end);
    if (!this.board.editing || !kept) { this.board.notices.say("kept", this.board.editing ? this.board.words.kept : this.board.words.viewer, 0, 6000); return; }
    const sound = new Audio(`/api/live/${this.board.token}/sound.wav?from=${row.start}&to=${end}`);
    this.turn = { sound, row };
    sound.onended = () => this.hush();
    sound.onerror = () => { this.hush(); this.board.notices.say("kept", this.board.words.unheard, 0, 6000); };
    this.board.find(".live-playing b").textContent = `${row.name} ${row.cells[0]} – ${row.cells[1]}`;
    this.board.find(".live-playing").hidden = false;
    sound.play().then(() => this.follow(), sound.onerror);
  }

  hush() {
    this.turn?.sound.pause();
    this.turn = undefined;
    this.board.find(".live-playing").hidden = true;
    this.board.find(".live-cursor").hidden = true;
  }

  // A line on the timeline, where the sound is.
  follow() {
    const playing = this.turn;
    if (!playing || this.board.gone) return;
    const axis = this.board.boxes.timeline._fullLayout?.xaxis;
    const cursor = this.board.find(".live-cursor");
    const at = axis?.l2p?.(DAY + playing.row.start + 1000 * playing.sound.currentTime);
    cursor.hidden = !(at >= 0 && at <= axis._length);
    if (!cursor.hidden) cursor.style.left = `${axis._offset + at}px`;
    requestAnimationFrame(() => this.follow());
  }

  // -- what is replayed -------------------------------------------------------------------------------

  playAlong({ number, at }) {
    const button = this.board.find(".live-mute");
    button.hidden = number === null;
    if (number === null) { this.along?.sound.pause(); this.along = undefined; return; }
    if (this.along?.number !== number) {
      this.along?.sound.pause();
      this.along = { number, sound: new Audio(`/api/live/${this.board.token}/played?${number}`), off: [] };
      this.mute(this.muted ?? false);
    }
    const { sound, off } = this.along;
    if (!at || sound.ended) return;
    if (sound.paused && !this.along.asked) {
      this.along.asked = true;
      sound.currentTime = at;
      sound.play().catch(() => this.mute(true));  // a browser that wants a click first: the button is one
    }
    off.push(at - sound.currentTime);
    if (off.length < 8) return;
    const middle = [...off].sort((a, b) => a - b)[4];
    off.length = 0;
    if (Math.abs(middle) > FAR_OFF && sound.duration > at) sound.currentTime = at;
  }

  mute(on) {
    this.muted = on;
    const { along } = this;
    if (along) {
      along.sound.muted = on;
      if (!on && along.asked && along.sound.paused && !along.sound.ended) along.sound.play().catch(() => {});
    }
    const button = this.board.find(".live-mute");
    button.textContent = on ? this.board.words.unmute : this.board.words.mute;
    button.setAttribute("aria-pressed", String(on));
  }

  end() {
    this.hush();
    this.along?.sound.pause();
    this.along = undefined;
  }
}
