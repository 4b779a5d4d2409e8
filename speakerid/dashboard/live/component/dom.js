// What the parts of the board make elements with.

export const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

export const dot = (color) => {
  const made = element("i", { className: "live-dot" });
  made.style.background = color;
  return made;
};

export function loadPlotly(url) {
  window.__speakeridPlotly ??= new Promise((done, failed) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => done(window.Plotly);
    script.onerror = () => { window.__speakeridPlotly = undefined; script.remove(); failed(new Error(url)); };
    document.head.append(script);
  });
  return window.__speakeridPlotly;
}
