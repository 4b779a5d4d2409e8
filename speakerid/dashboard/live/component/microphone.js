// The browser's microphone, which the frame with the START button opens: why it cannot be had, and when it goes.

export const MICROPHONE_FRAME = 'iframe[src*="webrtc_streamer"]';

// Browsers name devices and groups anew for each frame, so the frame that took the device has to be asked.
const inputs = async (devices) => (await devices.enumerateDevices()).filter((device) => device.kind === "audioinput");

// What has to be there for the sound to come. "default" is the system's choice, and stays when the device behind
// it goes: that one is in the same group. Empty where the browser does not tell.
export async function ownDevices(devices, track) {
  const { deviceId, groupId } = track.getSettings();
  if (deviceId && deviceId !== "default") return [deviceId];
  return (await inputs(devices)).filter((device) => device.deviceId !== "default" && groupId && device.groupId === groupId)
    .map((device) => device.deviceId);
}

export class Microphone {
  constructor(notices) {
    this.notices = notices;
    this.words = {};
    this.onFrame = ({ target }) => { if (target.matches?.(MICROPHONE_FRAME)) this.watchFrame(target); };
  }

  // Whether it is wanted at all may change while the page stays.
  async watch(wanted, words) {
    this.words = words;
    this.notices.say("microphone", "");
    if (!wanted) this.notices.say("unplugged", "");
    document.removeEventListener("load", this.onFrame, true);
    if (!wanted) return;
    if (!window.isSecureContext) { this.notices.say("microphone", words.insecure); return; }
    document.addEventListener("load", this.onFrame, true);
    document.querySelectorAll(MICROPHONE_FRAME).forEach((frame) => this.watchFrame(frame));
    try {
      const permission = await navigator.permissions.query({ name: "microphone" });
      const show = () => this.notices.say("microphone", permission.state === "denied" ? words.denied : "");
      permission.onchange = show;
      show();
    } catch { /* a browser that does not tell */ }
  }

  // Of all devices only the one that the frame took matters: that some headset is pulled out which nobody uses
  // is no news.
  watchFrame(frame) {
    const devices = frame.contentWindow?.navigator.mediaDevices;
    if (!devices) return;
    const watched = devices.watcher;
    devices.watcher = this;
    if (watched) return;
    devices.addEventListener("devicechange", () => devices.watcher.look(devices));
    const open = devices.getUserMedia.bind(devices);
    devices.getUserMedia = async (wanted) => {
      const stream = await open(wanted);
      const [track] = stream.getAudioTracks();
      if (track) await devices.watcher.opened(devices, track);
      return stream;
    };
  }

  async opened(devices, track) {
    if (this.gone) return;
    this.track = track;
    this.own = await ownDevices(devices, track);
    this.notices.say("unplugged", "");
    track.addEventListener("ended", () => { if (track === this.track) this.notices.say("unplugged", this.words.unplugged); });
  }

  // A microphone that is pulled out may send silence on without its track's end: then its going is all there
  // is to notice.
  async look(devices) {
    if (this.gone || this.track?.readyState !== "live") return;
    const left = (await inputs(devices)).map((device) => device.deviceId);
    const there = this.own.length ? this.own.some((id) => left.includes(id)) : left.length > 0;
    this.notices.say("unplugged", there ? "" : this.words.unplugged);
  }

  end() {
    this.gone = true;
    document.removeEventListener("load", this.onFrame, true);
  }
}
