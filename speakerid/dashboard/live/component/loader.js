// What Streamlit is given: it fetches the board's modules from the app and hands over to them. A module of
// Streamlit's own has no address that imports could be relative to.

const AGAIN_MS = 2000;

export default function (component) {
  const { script, token } = component.data;
  let ended = false, end = () => {}, failed = false;
  const load = (attempt) => import(new URL(`${script}${attempt ? `?${attempt}` : ""}`, location.href).href).then(
    ({ mount }) => {
      if (ended) return;
      if (failed) component.setStateValue("failed", "");
      end = mount(component);
    },
    () => {
      if (ended) return;
      if (!failed) component.setStateValue("failed", `blocked ${token}`);  // Python polls meanwhile
      failed = true;
      setTimeout(() => { if (!ended) load(attempt + 1); }, AGAIN_MS);
    });
  load(0);
  return () => { ended = true; end(); };
}
