// What goes wrong, told in one box: one text for each topic.

export class Notices {
  constructor(box) {
    this.box = box;
    this.topics = {};
  }

  // Tell, after `delay` ms unless it is taken back before, and for `lasting` ms if that is not 0.
  say(topic, text, delay = 0, lasting = 0) {
    clearTimeout(this.topics[topic]?.timer);
    if (text && lasting) setTimeout(() => { if (this.topics[topic]?.text === text) this.say(topic, ""); }, lasting);
    if (delay) this.topics[topic] = { text: "", timer: setTimeout(() => this.show(topic, text), delay) };
    else this.show(topic, text);
  }

  show(topic, text) {
    this.topics[topic] = { text };
    const shown = Object.values(this.topics).map((notice) => notice.text).filter(Boolean);
    this.box.textContent = shown.join(" ");
    this.box.hidden = !shown.length;
  }
}
