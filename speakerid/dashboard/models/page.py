"""The Models page: a card for each model, one for the people that other models enrolled."""

from __future__ import annotations

import re
from functools import cache
from html import escape
from typing import TYPE_CHECKING, NamedTuple

import streamlit as st

from speakerid import settings
from speakerid.dashboard.models import installing, voiceprints
from speakerid.dashboard.shared import access, resources, state, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError

if TYPE_CHECKING:
    from speakerid.model.catalog import Entry

_PERIOD = 1.0  # s between looks at a model on its way
_IDLE_PERIOD = 10.0  # s between looks where nothing is: another visitor may choose a model
_KINDS = {
    "bundled": "comes with the app",
    "package": "from a package",
    "hub": "from the hub",
    "file": "a file",
}


def draw() -> None:
    """Draw the page below its heading."""
    from speakerid.model import catalog

    _draw_status()
    if catalog.is_fixed():
        st.info(
            f"`{settings.MODEL}` is set to {escaped(catalog.chosen())}: unset it and restart the app to "
            "choose the model here.",
            icon=":material/lock:",
        )
    if not access.may("admin"):
        st.info("Another model is chosen by an admin, for everybody.", icon=":material/admin_panel_settings:")
    found = catalog.entries()
    used = catalog.chosen()
    left, right = st.columns([3, 2], gap="large")
    with left:
        for entry in sorted(found, key=lambda one: (one.name != used, one.kind != "bundled")):
            _card(entry, entry.name == used, fixed=catalog.is_fixed())
    with right:
        _add(fixed=catalog.is_fixed())
        voiceprints.draw()
        _about()


def _draw_status() -> None:
    """What is on its way, and how the last one ended; it has the page drawn anew when either changes.

    One fragment, which every run of the page draws at the same place: Streamlit forgets the fragments that
    the run which ends last has not drawn. One that only a run with a job drew was forgotten when the run
    before the click ended after it, and its part of the page stood still for good.
    """
    stand = _stand()
    every = _PERIOD if stand.job is not None or stand.encoder in {"waiting", "loading"} else _IDLE_PERIOD
    st.fragment(_status, run_every=every)(stand)


class _Stand(NamedTuple):
    """What the whole page depends on."""

    job: int | None  # which one is on its way
    encoder: str
    used: str


def _stand() -> _Stand:
    job = installing.current()
    running = id(job) if job is not None and not job.done else None
    return _Stand(running, resources.encoder_state()[0], resources.model_name())


def _status(drawn: _Stand) -> None:
    if _stand() != drawn:
        st.rerun()
    job = installing.current()
    with st.container(key="models-installing"):
        if job is not None and not job.done:
            _watch(job)
            st.progress(job.share, text=f"**{escaped(job.name)}** · {escaped(job.doing)}")
            st.caption("The model in use goes on listening meanwhile. This goes on when you leave the page.")
        elif job is not None and _watches(job):
            _ended(job)
        elif drawn.encoder in {"waiting", "loading"}:
            st.caption(escaped(resources.encoder_state()[1]))


def _ended(job: installing.Installing) -> None:
    if job.error:
        st.error(escaped(job.error), icon=":material/error:")
    else:
        st.success(f"{escaped(job.name)} is in use.", icon=":material/check_circle:")
    if job.remark:
        st.warning(escaped(job.remark), icon=":material/tune:")


def _watch(job: installing.Installing) -> None:
    state.kept("models-watched", list)[:] = [job]


def _watches(job: installing.Installing) -> bool:
    """Whether its end is for this visitor: who saw it on its way, or else who comes first."""
    if not job.told:
        _watch(job)
        job.told = True
    return any(one is job for one in state.kept("models-watched", list))


def _card(entry: Entry, used: bool, *, fixed: bool) -> None:
    name = _key(entry.name)
    with st.container(key=f"model-{name}"), st.container(key=f"card-model-{name}"):
        state = "in use" if used else "here" if entry.installed else "not here yet"
        widgets.label(f"{_KINDS[entry.kind]} · {state}")
        st.subheader(escaped(entry.title), anchor=False)
        st.caption(
            f"`{entry.name.replace(chr(96), chr(39))}`" + (f" · `{entry.model_id}`" if entry.model_id else "")
        )
        if entry.note:
            st.write(escaped(entry.note))
        widgets.tiles(_measures(entry, used))
        if entry.source:
            st.caption(escaped(entry.source))
        if used:
            _in_use()
            return
        if entry.install:
            st.write("Install it, then restart the app:")
            st.code(entry.install, language="shell")
        busy = (job := installing.current()) is not None and not job.done
        if job is not None and busy and job.name == entry.name:
            st.caption("On its way: the top of this page says how far it is.")
        with st.container(horizontal=True):
            st.button(
                "Use" if entry.installed else f"Download and use {_megabytes(entry)}".strip(),
                key=f"use-{name}",
                icon=":material/check:" if entry.installed else ":material/download:",
                type="primary" if entry.installed else "secondary",
                disabled=fixed or busy or bool(entry.install) or not access.may("admin"),
                on_click=_use,
                args=(entry.name,),
            )
            if entry.kind == "file" or (entry.kind == "hub" and entry.installed):
                st.button(
                    "Remove",
                    key=f"remove-{name}",
                    icon=":material/delete:",
                    disabled=busy or not access.may("admin"),
                    on_click=_remove,
                    args=(entry.name,),
                )


def _measures(entry: Entry, used: bool) -> list[tuple[str, str, str, widgets.Tone]]:
    """Tiles: size, speed, errors, calibration, licence."""
    told = entry.measured
    tiles: list[tuple[str, str, str, widgets.Tone]] = [
        ("size", _megabytes(entry) or "–", "on disk" if entry.installed else "to download", "")
    ]
    milliseconds = _speed(resources.loaded()) if used else told.get("ms")
    if milliseconds:
        tiles.append(("speed here", f"{milliseconds:.0f} ms", "for 2 s of sound", ""))
    if "eer" in told:
        arrived = told.get("made") == "on arrival"
        note = (
            "short pieces of the calibration speech" if arrived else "short pieces, speakers it never heard"
        )
        tiles.append(("errors here", f"{told['eer']:.1%}", note, ""))
    if told:
        how = "on arrival" if told.get("made") == "on arrival" else "with full data"
        voices = told.get("voices") or told.get("enrollments")
        tiles.append(("calibrated", "yes", f"{how}, {voices} voices" if voices else how, "good"))
    elif entry.model_id:
        tiles.append(("calibrated", "no", "when it is next used", "warn"))
    tiles.append(("licence", entry.licence or "unknown", "", ""))
    return tiles


def _megabytes(entry: Entry) -> str:
    return f"{entry.bytes / 1e6:.0f} MB" if entry.bytes else ""


def _in_use() -> None:
    stand, sentence = resources.encoder_state()
    encoder = resources.loaded()
    if stand == "failed":
        st.error(escaped(sentence), icon=":material/error:")
    elif encoder is not None:
        st.caption(f"Runs with {escaped(encoder.about_runtime)}; {encoder.width} numbers an embedding.")


def _speed(encoder) -> float | None:
    return _measured(encoder.id, encoder) if encoder is not None else None


@cache
def _measured(_model: str, encoder) -> float:
    from speakerid.evaluate.arrival import seconds_of

    return 1000 * seconds_of(encoder)


def _add(*, fixed: bool) -> None:
    with st.container(key="card-other-model"):
        widgets.label("Another model")
        st.text_input(
            "Name or path",
            key="models-other",
            placeholder="hf://owner/model@revision, a file, a folder",
            disabled=fixed,
        )
        st.button(
            "Get it and use it",
            key="models-add",
            icon=":material/add:",
            disabled=fixed or not access.may("admin"),
            on_click=_use_other,
        )
        st.caption(
            "An ECAPA-TDNN of SpeechBrain (embedding_model.ckpt or safetensors), or any network as ONNX "
            "with a small JSON beside it that says what it is fed with. A download is checked by size and "
            "hash, nothing in it is run but the network, and it stays on this computer."
        )
        if problem := st.session_state.pop("models-problem", ""):
            st.error(escaped(problem), icon=":material/error:")


def _about() -> None:
    with st.container(key="card-about-models"):
        widgets.label("What changes with a model")
        st.markdown(
            "- Voiceprints belong to the model that made them, and two models are never compared: whoever "
            "was enrolled with another one is unknown until their voiceprint is made anew.\n"
            "- A model that nobody has calibrated is calibrated when it is first used, from speech that "
            "comes with the app: its confidence, its limits of enrollment and its guess of female or male.\n"
            "- Sessions that are listening keep the model they began with."
        )
        st.code("python -m speakerid models", language="shell")


def _use_other() -> None:
    name = str(st.session_state.get("models-other") or "").strip()
    if not name:
        st.session_state["models-problem"] = "Write the name or the path of a model."
        return
    _use(name)


def _use(name: str) -> None:
    """Take a model into use, downloaded and calibrated first where it has to be."""
    from speakerid.model import catalog

    try:
        with access.acting("admin", "change the model"):
            installing.start(name, catalog.choose)
    except SpeakerIdError as error:
        st.session_state["models-problem"] = str(error)


def _remove(name: str) -> None:
    from speakerid.model import catalog

    try:
        with access.acting("admin", "remove a model"):
            catalog.remove(name)
    except SpeakerIdError as error:
        st.session_state["models-problem"] = str(error)


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", escape(name).lower()).strip("-")
