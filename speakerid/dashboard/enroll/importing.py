"""Import: who is in a file, what becomes of those whose name is taken, and what came of it.

Streamlit keys, for tests (N counts the imports of this visit, K those whose name is taken): import-file
(container of the uploader import-upload-N), import-passphrase-N (text input), import-reembed-N (checkbox),
import-all-N, import-same-N-K (select boxes), import-start (button), import-result (container).
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import streamlit as st

from speakerid.dashboard.shared import access, resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery import Arrival, Imported, SameName
from speakerid.gallery.portable import MAX_BYTES
from speakerid.gallery.sealing import is_sealed
from speakerid.plural import counted

_SHOWN = 12  # people in a list; the others are counted
_CHOICES: dict[SameName, str] = {
    "skip": "Leave out",
    "both": "Keep both",
    "merge": "Same person: merge",
    "replace": "Replace who is enrolled",
}


@dataclass
class Arriving:
    """The file that was looked into last, and what came of the import before.

    Attributes:
        looked: the upload's id and the passphrase that it was looked into with.
        arrivals: who is in it.
        damaged: members of it that cannot be used, with the reason.
        refused: why it cannot be read, "" where it can.
        result: of the last import; None before.
        round: counts the imports; part of the keys of inputs that must start empty again.
    """

    looked: tuple[str, str] = ("", "")
    arrivals: list[Arrival] = field(default_factory=list)
    damaged: dict[str, str] = field(default_factory=dict)
    refused: str = ""
    result: Imported | None = None
    round: int = 0


def draw(arriving: Arriving) -> None:
    """Draw the tab."""
    if arriving.result:
        _result(arriving.result)
    st.write("A file that **Export** or the command line made, here or on another computer.")
    with st.container(key="import-file"):
        upload = st.file_uploader(
            "File with people",
            key=f"import-upload-{arriving.round}",
            max_upload_size=MAX_BYTES // 1_000_000,
        )
    if upload is None:
        return
    content, secret = upload.getvalue(), ""
    if is_sealed(content):
        secret = st.text_input(
            "Passphrase of the file", type="password", key=f"import-passphrase-{arriving.round}"
        )
        if not secret:
            st.caption("The file is encrypted: type the passphrase that it was exported with.")
            return
    if arriving.looked != (upload.file_id, secret):
        _look(arriving, upload.file_id, content, secret)
    if arriving.refused:
        st.error(escaped(arriving.refused), icon=":material/error:")
        return
    _damaged(arriving.damaged)
    _choose(arriving, content, secret)


def _look(arriving: Arriving, identifier: str, content: bytes, secret: str) -> None:
    arriving.looked, arriving.refused = (identifier, secret), ""
    arriving.arrivals, arriving.damaged = [], {}
    try:
        with st.spinner("Looking into the file …"):
            arriving.arrivals, arriving.damaged = resources.gallery().look_into(content, secret)
    except SpeakerIdError as error:
        arriving.refused = str(error)


def _choose(arriving: Arriving, content: bytes, secret: str) -> None:
    """Who is in the file, the questions about them, and the button."""
    arrivals = arriving.arrivals
    st.write(f"{_people(len(arrivals))} in the file: {escaped(_named([one.name for one in arrivals]))}")
    if not arrivals:
        return
    with st.spinner("The model is loading …"):
        model = resources.encoder().id
    foreign = [one for one in arrivals if one.model != model]
    able = [one for one in foreign if one.recordings]
    reembed = False
    if foreign:
        st.warning(
            f"{_people(len(foreign))} of another model, whose numbers mean nothing to this one"
            + (": no recordings came along, so they cannot be imported." if not able else "."),
            icon=":material/sync_problem:",
        )
    if able:
        reembed = st.checkbox(
            f"Make {_people(len(able))} anew for this model, from the recordings in the file",
            key=f"import-reembed-{arriving.round}",
        )
    coming = [one for one in arrivals if one.model == model or (reembed and one.recordings)]
    chosen, open_questions = _same_names(arriving, [one for one in coming if one.enrolled])
    if st.button(
        "Import", key="import-start", type="primary", icon=":material/person_add:", disabled=not coming
    ):
        if open_questions:
            st.error(
                "Choose what becomes of "
                f"{escaped(_named(open_questions))}: somebody is enrolled under that name already."
            )
        else:
            _import(arriving, content, secret, chosen, reembed)


def _same_names(arriving: Arriving, clashes: Sequence[Arrival]) -> tuple[dict[str, SameName], list[str]]:
    """What was chosen for each of those whose name is taken, and for whom nothing was."""
    if not clashes:
        return {}, []
    st.write(f"The name of {_people(len(clashes))} is taken already. What should become of them?")
    options = list(_CHOICES)
    for_all: SameName | None = None
    if len(clashes) > 1:
        for_all = st.selectbox(
            f"All {len(clashes)}",
            options,
            index=None,
            format_func=_CHOICES.__getitem__,
            placeholder="Choose for each, or here for all" if len(clashes) <= _SHOWN else "Choose",
            key=f"import-all-{arriving.round}",
        )
    if for_all:
        return {one.name: for_all for one in clashes}, []
    if len(clashes) > _SHOWN:
        return {}, [one.name for one in clashes]
    chosen: dict[str, SameName] = {}
    left: list[str] = []
    for number, one in enumerate(clashes):
        choice: SameName | None = st.selectbox(
            f"{escaped(one.name)} ({counted(one.exemplars, 'exemplar')})",
            options,
            index=None,
            format_func=lambda option, one=one: (
                f"{_CHOICES[option]}, as “{one.other_name}”" if option == "both" else _CHOICES[option]
            ),
            placeholder="Choose",
            key=f"import-same-{arriving.round}-{number}",
        )
        if choice:
            chosen[one.name] = choice
        else:
            left.append(one.name)
    return chosen, left


def _import(
    arriving: Arriving, content: bytes, secret: str, chosen: dict[str, SameName], reembed: bool
) -> None:
    bar = st.progress(0.0, "Starting …")

    def progress(done: int, total: int, name: str) -> None:
        now = f", now {escaped(name)}" if name else ""
        bar.progress(done / max(total, 1), f"{done} of {total} read{now}")

    try:
        with access.acting("admin", "import people"):
            encoder = resources.encoder()
            arriving.result = resources.gallery().load(
                content,
                encoder.id,
                same_name=chosen,
                passphrase=secret,
                reembed=encoder if reembed else None,
                progress=progress,
            )
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    arriving.looked, arriving.round = ("", ""), arriving.round + 1
    st.rerun()


def _result(result: Imported) -> None:
    with st.container(key="import-result"):
        if result.added:
            st.success(
                f"{_people(len(result.added))} imported: {escaped(_named(result.added))}",
                icon=":material/check:",
            )
        for name, why in list(result.refused.items())[:_SHOWN]:
            st.warning(escaped(f"{name} was not imported: {why}."), icon=":material/person_off:")
        if len(result.refused) > _SHOWN:
            st.caption(f"… and {len(result.refused) - _SHOWN} more were not imported")


def _damaged(damaged: dict[str, str]) -> None:
    if damaged:
        first, why = next(iter(damaged.items()))
        st.warning(
            escaped(
                f"{counted(len(damaged), 'part')} of the file cannot be used and will be left out ({first}: "
                f"{why}). Export again where the people come from, if you can."
            ),
            icon=":material/heart_broken:",
        )


def _named(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return f"{shown} and {len(names) - _SHOWN} more" if len(names) > _SHOWN else shown


def _people(count: int) -> str:
    return counted(count, "person", "people")
