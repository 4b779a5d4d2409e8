// The presentation: the name and the bars alone, over the whole window or screen, and the keys.

import { MICROPHONE_FRAME } from "./microphone.js";

const AWAKE_MS = 2500;
const TYPED = "input, textarea, select, [contenteditable=true], [role=dialog], [role=slider], [role=listbox]";
const PRESSED = "button, a, summary, [role=button], [role=radio], [role=tab]";

export class Stage {
  constructor(board) {
    this.board = board;
    this.onKey = (event) => this.key(event);
    this.onFullscreen = () => { if (!document.fullscreenElement && !this.windowed) this.set(false); };
    board.find(".live-stage-toggle").onclick = () => this.set(!board.staged);
    board.find(".live-go").onclick = () => this.startOrStop();
    board.root.addEventListener("pointermove", () => this.wake());
    board.root.addEventListener("pointerdown", () => this.wake());
    document.addEventListener("keydown", this.onKey);
    document.addEventListener("fullscreenchange", this.onFullscreen);
  }

  set(on) {
    const { board } = this;
    if (on === board.staged) return;
    board.root.classList.toggle("live-stage", on);
    board.root.classList.remove("live-awake");
    board.find(".live-stage-toggle").textContent = on ? board.words.leave : board.words.present;
    this.wake();  // so that one sees how to leave
    if (on) board.root.focus({ preventScroll: true });  // or space would press what was pressed last
    else {
      board.find(".live-stage-toggle").focus({ preventScroll: true });
      if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
    }
    if (!board.hello) return;
    board.now.draw(board.hello.now);
    board.now.fit();
    board.charts.build();
  }

  // The controls show only while somebody moves the pointer.
  wake() {
    const { board } = this;
    if (!board.staged) return;
    board.root.classList.add("live-awake");
    clearTimeout(this.asleep);
    this.asleep = setTimeout(() => board.root.classList.remove("live-awake"), AWAKE_MS);
  }

  // The presentation on the whole screen, and back into the window.
  fill() {
    if (document.fullscreenElement) {
      this.windowed = true;
      document.exitFullscreen().catch(() => {}).finally(() => setTimeout(() => { this.windowed = false; }, 300));
      return;
    }
    this.set(true);
    document.documentElement.requestFullscreen?.().catch(() => {});
  }

  key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.defaultPrevented) return;
    const { target, key } = event;
    if (key === "Escape") { if (!this.board.log.closeWrong()) this.set(false); return; }
    if (target.closest?.(TYPED)) return;
    if (key === "p" || key === "P") this.set(!this.board.staged);
    else if (key === "f" || key === "F") this.fill();
    else if (key === " " && !target.closest?.(PRESSED)) { event.preventDefault(); this.startOrStop(); }
  }

  // Python draws the buttons; they are out of sight in the presentation.
  startOrStop() {
    const stop = this.board.listening && document.querySelector(".st-key-live-stop button");
    const frame = document.querySelector(MICROPHONE_FRAME)?.contentDocument;
    const own = [...(frame?.querySelectorAll("button") ?? [])].find((button) => /^(start|stop)$/i.test(button.textContent.trim()));
    (stop || own || document.querySelector(".st-key-live-start button"))?.click();
  }

  end() {
    clearTimeout(this.asleep);
    document.removeEventListener("keydown", this.onKey);
    document.removeEventListener("fullscreenchange", this.onFullscreen);
  }
}
