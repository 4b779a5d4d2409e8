// What can be heard: a turn whose sound is kept, at a click; and the recording that is replayed, along with it.

const FAR_OFF = 0.45;  // s; so far apart from the page, the recording that plays along is set anew

class Sound extends Link {
  // -- one turn ---------------------------------------------------------------------------------------

  hear(row) {
    const playing = this.turnSound?.row;
    this.hush();
    if (playing && playing.start === row.start) return;  // a second click ends it
    const end = row.start + row.length;
    const kept = this.hello.kept.ranges.some(([first, last]) => first <= row.start && last + 200 >= end);
    if (!this.editing || !kept) { this.notice("kept", this.editing ? this.words.kept : this.words.viewer, 0, 6000); return; }
    const sound = new Audio(`/api/live/${this.token}/sound.wav?from=${row.start}&to=${end}`);
    this.turnSound = { sound, row };
    sound.onended = () => this.hush();
    sound.onerror = () => { this.hush(); this.notice("kept", this.words.unheard, 0, 6000); };
    this.find(".live-playing b").textContent = `${row.name} ${row.cells[0]} – ${row.cells[1]}`;
    this.find(".live-playing").hidden = false;
    sound.play().then(() => this.follow(), sound.onerror);
  }

  hush() {
    this.turnSound?.sound.pause();
    this.turnSound = undefined;
    this.find(".live-playing").hidden = true;
    this.find(".live-cursor").hidden = true;
  }

  // A line on the timeline, where the sound is.
  follow() {
    const playing = this.turnSound;
    if (!playing || this.gone) return;
    const axis = this.charts.timeline._fullLayout?.xaxis;
    const cursor = this.find(".live-cursor");
    const at = axis?.l2p?.(DAY + playing.row.start + 1000 * playing.sound.currentTime);
    cursor.hidden = !(at >= 0 && at <= axis._length);
    if (!cursor.hidden) cursor.style.left = `${axis._offset + at}px`;
    requestAnimationFrame(() => this.follow());
  }

  // -- what is replayed -------------------------------------------------------------------------------

  playAlong({ number, at }) {
    const button = this.find(".live-mute");
    button.hidden = number === null;
    if (number === null) { this.along?.sound.pause(); this.along = undefined; return; }
    if (this.along?.number !== number) {
      this.along?.sound.pause();
      this.along = { number, sound: new Audio(`/api/live/${this.token}/played?${number}`), off: [] };
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
    const button = this.find(".live-mute");
    button.textContent = on ? this.words.unmute : this.words.mute;
    button.setAttribute("aria-pressed", String(on));
  }

  silence() {
    this.hush();
    this.along?.sound.pause();
    this.along = undefined;
  }
}
