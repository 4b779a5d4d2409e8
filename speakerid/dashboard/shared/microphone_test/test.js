// The test of a microphone. Nothing leaves the browser: the level is measured here. Streamlit calls the default
// export again, on the same element and without the clean-up in between, whenever the theme changes.

const LONGEST_MS = 60000;  // a test that was forgotten gives the microphone back
const LEAST = -60;  // dBFS, the meter's left end
const SOUND = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };  // as the app listens

class Test {
  constructor(root, words) {
    this.root = root;
    this.words = words;
    this.find = (selector) => root.querySelector(selector);
    this.button = this.find(".mic-button");
    this.device = this.find(".mic-device");
    this.meter = this.find(".mic-meter");
    this.find(".mic-device-label").textContent = words.device;
    this.device.options[0].textContent = words.default;
    this.meter.setAttribute("aria-label", words.level);
    this.button.textContent = words.test;
    this.button.onclick = () => (this.stream ? this.end(words.ended) : this.begin());
    this.device.onchange = () => { if (this.stream) { this.end(""); this.begin(); } };
    this.listDevices();
  }

  async listDevices() {
    const found = (await navigator.mediaDevices?.enumerateDevices() ?? []).filter(
      (device) => device.kind === "audioinput" && device.deviceId && device.deviceId !== "default",
    );
    const chosen = this.device.value;
    this.device.length = 1;
    for (const { deviceId, label } of found) this.device.add(new Option(label, deviceId));
    this.device.value = found.some(({ deviceId }) => deviceId === chosen) ? chosen : "";
  }

  async begin() {
    const turn = this.turn = {};
    this.say("", this.words.asking);
    let stream;
    try {
      const wanted = this.device.value ? { ...SOUND, deviceId: { exact: this.device.value } } : SOUND;
      stream = await navigator.mediaDevices.getUserMedia({ audio: wanted });
    } catch (error) {
      const why = { NotAllowedError: "denied", NotFoundError: "missing", OverconstrainedError: "missing" }[error.name];
      this.say("bad", this.words[why ?? "busy"]);
      return;
    }
    if (turn !== this.turn) { stream.getTracks().forEach((track) => track.stop()); return; }
    this.stream = stream;
    this.button.textContent = this.words.stop;
    this.listDevices();
    this.context = new AudioContext();
    const analyser = this.context.createAnalyser();
    analyser.fftSize = 2048;
    this.context.createMediaStreamSource(stream).connect(analyser);
    const samples = new Float32Array(analyser.fftSize);
    const since = Date.now();
    this.loudest = LEAST;
    this.heardAt = since;
    this.timer = setInterval(() => {
      analyser.getFloatTimeDomainData(samples);
      this.measured(samples);
      if (Date.now() - since > LONGEST_MS) this.end(this.words.ended);
    }, 100);
  }

  measured(samples) {
    const power = samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length;
    const level = Math.max(LEAST, Math.min(0, 10 * Math.log10(power + 1e-12)));
    const clipped = samples.some((sample) => Math.abs(sample) > 0.99);
    this.meter.setAttribute("aria-valuenow", level.toFixed(0));
    this.meter.firstElementChild.style.width = `${100 * (1 - level / LEAST)}%`;
    const now = Date.now();
    if (level > -50) this.heardAt = now;
    this.loudest = Math.max(level, this.loudest - 0.5);  // falls 5 dB a second: the sentence must not flicker
    if (clipped) this.say("bad", this.words.loud);
    else if (this.loudest > -42) this.say("good", this.words.good);
    else if (this.loudest > -55) this.say("warn", this.words.quiet);
    else if (now - this.heardAt > 4000) this.say("warn", this.words.silent);
    else this.say("", this.words.listening);
  }

  say(tone, sentence) {
    const hint = this.find(".mic-hint");
    if (hint.textContent === sentence) return;  // a screen reader says what changes
    hint.textContent = sentence;
    hint.className = `sid-hint mic-hint ${tone}`;
    this.meter.className = `sid-bar mic-meter ${tone}`;
  }

  end(sentence) {
    this.turn = undefined;
    clearInterval(this.timer);
    this.stream?.getTracks().forEach((track) => track.stop());
    this.context?.close();
    this.stream = this.context = undefined;
    this.meter.setAttribute("aria-valuenow", LEAST);
    this.meter.firstElementChild.style.width = "0";
    this.button.textContent = this.words.test;
    this.say("", sentence);
  }
}

export default function ({ parentElement, data }) {
  const root = parentElement.querySelector(".mic-test");
  root.test ??= new Test(root, data.words);
  return () => { root.test?.end(""); root.test = undefined; };
}
