// Presses START in the frame of the browser's microphone, once, as soon as it is there. (The frame's own way to be
// started by the page starts several connections, of which none may come up.)

export default function ({ data }) {
  let left = 150;
  const timer = setInterval(() => {
    const frame = document.querySelector('iframe[src*="webrtc_streamer"]');
    const start = [...(frame?.contentDocument?.querySelectorAll("button") ?? [])].find(
      (button) => button.textContent.trim() === data.start && !button.disabled,
    );
    if (!start && --left) return;
    clearInterval(timer);
    start?.click();
  }, 100);
  return () => clearInterval(timer);
}
