"""Controls of the live page that act at once, with the defaults of the calibration and a way back to them."""

from typing import Any

import streamlit as st

from speakerid.dashboard.live.gender import NOT_AVAILABLE
from speakerid.dashboard.live.session import LiveSession
from speakerid.dashboard.shared import keep_dialog
from speakerid.dashboard.shared.escaping import escaped

# field of ListenerConfig, label, lowest, highest, step, what it does
_SLIDERS = (
    ("threshold", "How sure a name must be", 0.05, 0.99, 0.01, "Below this the voice is called unknown."),
    (
        "margin",
        "Lead over the next person",
        0.0,
        0.9,
        0.01,
        "Two people closer than this count as undecided.",
    ),
    (
        "hysteresis",
        "Hold on to a name",
        0.0,
        0.5,
        0.01,
        "How far the confidence of a shown name may fall before it goes.",
    ),
    (
        "patience",
        "Patience before unknown",
        0.2,
        4.0,
        0.1,
        "Seconds of speech without a clear answer.",
    ),
    (
        "nobody_after",
        "Silence until nobody",
        0.1,
        3.0,
        0.1,
        "Shorter pauses keep the name on the screen.",
    ),
    (
        "max_window",
        "Longest stretch compared",
        1.0,
        6.0,
        0.5,
        "Longer is surer, shorter follows changes sooner.",
    ),
)
_SHARES = ("threshold", "margin", "hysteresis")  # shown as everywhere on the page
_CLOSED, _TUNED = "live-set-closed_set", "live-set-tuned"
_RESETS = "live-resets"  # how often the controls went back to their defaults


def draw(session: LiveSession) -> None:
    """A button that opens the controls."""
    with st.popover("Controls", icon=":material/tune:", key="live-controls", width="content"):
        names = _names(session)
        taking_part = st.pills(
            "Who takes part",
            names,
            selection_mode="multi",
            format_func=escaped,
            default=[name for name in names if name not in session.people.left_out],
            key=_people_key(session, names),
        )
        session.people.leave_out(set(names) - set(taking_part))
        session.configure(_settings(session))
        _gender(session)
        if session.model is not None:
            st.caption(escaped(_heard_by(session.model)))


def set_threshold(session: LiveSession, threshold: float) -> float:
    """Set how sure a name must be, as with the control; the nearest value that the control has."""
    _, _, lowest, highest, step, _ = _SLIDERS[0]
    chosen = round(round(min(highest, max(lowest, threshold)) / step) * step, 2)
    session.choices["threshold"] = chosen
    _draw_anew(session)
    return chosen


def set_only_enrolled(session: LiveSession, tuned: bool) -> None:
    """Turn on that only enrolled people speak, as with the controls, by the tuned head or without it."""
    session.choices.update({_CLOSED: True, _TUNED: tuned})
    _draw_anew(session)


def _draw_anew(session: LiveSession) -> None:
    """Have the controls show what was set without them, see `_key`."""
    session.choices[_RESETS] = session.choices.get(_RESETS, 0) + 1


def keep_sound(session: LiveSession) -> None:
    """The switch that keeps the session's sound; off until somebody asks."""
    minutes = f"{session.sound.limit / 60:.0f}"
    on = st.toggle(
        "Keep sound",
        key="live-keep",
        help=f"Keeps the last {minutes} minutes in the memory of the computer that runs this, to hear turns "
        "again and to enroll strangers from them. Gone when this is switched off, when you leave this page "
        "or close it. Tell the people who speak.",
    )
    session.keep_sound(on)


def keep_session(session: LiveSession) -> None:
    """Ask how to keep what was heard, for the Recordings page; not of the demo's people."""
    if session.demonstrating:
        st.toast("The demo plays again whenever you like: it is not kept.")
    elif not session.board.entries:
        st.toast("There is nothing to keep yet: nobody has spoken.")
    else:
        keep_dialog.ask(session.conversation, session.sound, session.people.gallery, "live", lambda _: None)


def _gender(session: LiveSession) -> None:
    from speakerid.identify.gender import ABOUT

    on = _toggle(session, "live-gender", "Say whether a voice sounds female or male", ABOUT)
    if not session.guess_gender(on):
        st.caption(NOT_AVAILABLE)
    elif on:
        st.caption(ABOUT)


def _heard_by(model: str) -> str:
    """Which model the decisions are from, and how it was calibrated."""
    from speakerid.model import companions

    how = companions.told(model)
    return f"Heard by {model}, " + ("which is not calibrated." if how == "none" else f"calibrated {how}.")


def recall(session: LiveSession, key: str, default: Any) -> None:
    """Give a control that is drawn next the value that it had when the page was left."""
    st.session_state.setdefault(key, session.choices.get(key, default))


def _settings(session: LiveSession) -> dict[str, Any]:
    from speakerid.identify import ListenerConfig

    defaults = ListenerConfig()
    st.button(
        "Back to the defaults",
        icon=":material/undo:",
        key="live-defaults",
        on_click=_reset,
        args=(session,),
    )
    chosen: dict[str, Any] = {}
    for column, half in zip(st.columns(2), (_SLIDERS[:3], _SLIDERS[3:]), strict=True):
        for name, label, lowest, highest, step, help_text in half:
            default = float(getattr(defaults, name))
            value = column.slider(
                label,
                lowest,
                highest,
                value=session.choices.get(name, default),
                step=step,
                format="percent" if name in _SHARES else "%.1f s",
                key=_key(session, f"live-set-{name}"),
                help=f"{help_text} Default: {f'{default:.0%}' if name in _SHARES else f'{default:g} s'}.",
            )
            session.choices[name] = value
            if value != default:
                chosen[name] = value
    if _toggle(
        session,
        _CLOSED,
        "Only enrolled people speak",
        'The likeliest of them is always named, never "unknown". A stranger gets somebody\'s name.',
    ):
        chosen["closed_set"] = True
        if _toggle(
            session,
            _TUNED,
            "By a head tuned on them",
            "Compares with prototypes fine-tuned on what all of them enrolled, which sets people apart "
            "who sound alike. Use it where the voiceprints alone mix two people up.",
        ):
            chosen["tuned"] = True
    return chosen


def _toggle(session: LiveSession, key: str, label: str, about: str) -> bool:
    on = st.toggle(label, session.choices.get(key, False), key=_key(session, key), help=about)
    session.choices[key] = on
    return on


def _key(session: LiveSession, key: str) -> str:
    """The key of a control, another one after each return to the defaults.

    A browser draws what is in the popover when it is opened, and knows nothing of what was set through the
    session state in runs before that: it would show, and send, the lowest value.
    """
    resets = session.choices.get(_RESETS, 0)
    return f"{key}-{resets}" if resets else key


def _names(session: LiveSession) -> list[str]:
    return [person.name for person in session.people.everybody()]


def _people_key(session: LiveSession, names: list[str]) -> str:
    """It carries the names: with other people enrolled, the choice begins anew."""
    return _key(session, f"live-people-{hash(tuple(names))}")


def _reset(session: LiveSession) -> None:
    sliders = [slider[0] for slider in _SLIDERS]
    for chosen in (*sliders, _CLOSED, _TUNED, "live-gender"):
        session.choices.pop(chosen, None)
    session.people.leave_out(())
    _draw_anew(session)
