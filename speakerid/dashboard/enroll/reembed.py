"""Voiceprints that another model made: said above the list of people, and made anew from kept recordings.

Streamlit keys, for tests: reembed-all (button), reembed-left (container: who was not, and why).
"""

import streamlit as st

from speakerid.dashboard.shared import access, resources
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.gallery import Voiceprint
from speakerid.plural import counted

_LEFT = "enroll-reembed-left"  # in the session: name -> why the last run left that person as before
_SHOWN = 8  # reasons


def draw(people: list[Voiceprint]) -> None:
    """Say how many voiceprints are of another model, and offer to make them anew; nothing where none is."""
    state, model = resources.encoder_state()
    foreign = [person for person in people if person.model != model] if state == "ready" else []
    _left()
    if not foreign:
        return
    kept = resources.gallery().recording_counts()
    able = [person for person in foreign if person.id in kept]
    one = len(foreign) == 1
    st.warning(
        f"{counted(len(foreign), 'voiceprint was', 'voiceprints were')} made by another model and "
        f"{'is' if one else 'are'} not recognized at the moment. "
        + (
            f"{'It' if one else f'{len(able)} of them'} can be made anew from kept recordings."
            if able
            else "No recordings were kept, so enroll again, or go back to that model."
        ),
        icon=":material/sync_problem:",
    )
    lose = resources.gallery().not_kept(model, [person.name for person in able]) if able else {}
    if lose:
        count, whose = sum(lose.values()), ", ".join(list(lose)[:_SHOWN])
        more = f" and {len(lose) - _SHOWN} more" if len(lose) > _SHOWN else ""
        st.caption(
            f"{counted(count, 'exemplar')} of {escaped(whose)}{more} will go then, for the "
            "recordings that they are from were not kept."
        )
    role: access.Role = "admin" if lose else "operator"  # to lose exemplars is to delete them
    if not access.may(role):
        if access.may("operator"):
            st.caption("That takes an admin.")
        return
    text = f"Re-embed all ({len(able)})"
    if able and st.button(text, key="reembed-all", icon=":material/sync:", width="stretch"):
        _run(able, role)


def _run(people: list[Voiceprint], role: access.Role) -> None:
    bar = st.progress(0.0, "Starting …")

    def progress(done: int, total: int, name: str) -> None:
        now = f", now {escaped(name)}" if name else ""
        bar.progress(done / max(total, 1), f"{done} of {total} done{now}")

    try:
        with access.acting(role, "make voiceprints anew"):
            names = [person.name for person in people]
            result = resources.gallery().reembed(resources.encoder(), progress, names)
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/error:")
        return
    st.session_state[_LEFT] = result.left
    st.rerun()


def _left() -> None:
    """Whom the last run left as before, and why; said once."""
    left: dict[str, str] = st.session_state.pop(_LEFT, {})
    if left:
        with st.container(key="reembed-left"):
            for name, why in list(left.items())[:_SHOWN]:
                st.error(escaped(f"{name} could not be made anew: {why}"), icon=":material/sync_problem:")
            if len(left) > _SHOWN:
                st.caption(f"… and {len(left) - _SHOWN} more")
