// The whole recording: where its sound is, as a line on the timeline, and who speaks there. Streamlit calls the
// default export again, on the same element and without the clean-up in between, when the data change.

const DAY = 86400000;  // ms: where the timeline's axis of dates begins

class Player {
  constructor(root) {
    this.sound = root.querySelector("audio");
    this.who = root.querySelector(".recording-player-who");
    this.cursor = Object.assign(document.createElement("i"), { className: "recording-cursor", hidden: true });
    this.turns = [];
    for (const event of ["timeupdate", "seeking", "pause"]) this.sound.addEventListener(event, () => this.place());
    this.sound.addEventListener("play", () => this.follow());
    this.onOther = ({ target }) => {  // one sound at a time
      if (target === this.sound) document.querySelectorAll("audio").forEach((other) => other !== target && other.pause());
      else this.sound.pause();
    };
    document.addEventListener("play", this.onOther, true);
  }

  use({ url, turns, chart }) {
    if (this.sound.getAttribute("src") !== url) this.sound.src = url;
    this.turns = turns;
    this.chart = `.st-key-${chart} .js-plotly-plot`;
    this.place();
  }

  follow() {
    this.place();
    if (!this.sound.paused && !this.gone) requestAnimationFrame(() => this.follow());
  }

  place() {
    const at = this.sound.currentTime;
    const speaking = this.turns.filter(([start, end]) => start <= at && at < end).map(([, , name]) => name);
    const text = [...new Set(speaking)].join(" and ");
    if (this.who.textContent !== text) this.who.textContent = text;
    const chart = document.querySelector(this.chart), layout = chart?._fullLayout;
    const x = layout?.xaxis?.l2p?.(DAY + 1000 * at);
    this.cursor.hidden = !(x >= 0 && x <= layout.xaxis._length) || (at === 0 && this.sound.paused);
    if (this.cursor.hidden) return;
    if (this.cursor.parentNode !== chart) { chart.style.position = "relative"; chart.append(this.cursor); }
    const { t, h } = layout._size;
    Object.assign(this.cursor.style, { left: `${layout.xaxis._offset + x}px`, top: `${t}px`, height: `${h}px` });
  }

  end() {
    this.gone = true;
    this.sound.pause();
    this.cursor.remove();
    document.removeEventListener("play", this.onOther, true);
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".recording-player");
  root.player ??= new Player(root);
  root.player.use(data);
  return () => { root.player?.end(); root.player = undefined; };
}
