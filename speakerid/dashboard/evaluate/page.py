"""The Evaluate page: who is confused with whom, which threshold would be best and what it costs."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import streamlit as st

from speakerid.dashboard.evaluate import closed_set
from speakerid.dashboard.evaluate import figures as evaluate_figures
from speakerid.dashboard.evaluate import threshold as threshold_card
from speakerid.dashboard.shared import resources, widgets
from speakerid.dashboard.shared.escaping import escaped
from speakerid.errors import SpeakerIdError
from speakerid.plural import counted

if TYPE_CHECKING:
    from speakerid.evaluate.own import Tries
    from speakerid.gallery import Voiceprint

COMMAND = "python -m speakerid evaluate MANIFEST.csv --split test --out results"


def draw() -> None:
    """Draw the page below its heading."""
    try:
        people = resources.gallery().speakers()
    except SpeakerIdError as error:
        st.error(escaped(error), icon=":material/folder_off:")
        return
    models = sorted({person.model for person in people})
    if not models:
        _too_little("Nobody is enrolled yet.")
        return
    model = models[0]
    if len(models) > 1:
        model = st.selectbox("Voiceprints made by", models, key="evaluate-model")
    people = [person for person in people if person.model == model]
    tries = _tries(people, model)
    if not tries.enough:
        _too_little(_what_lacks(tries))
        return
    left, right = st.columns([3, 2], gap="large")
    with left:
        threshold_card.draw(tries, tries.best_threshold())
        _reliability(tries)
        _matrix(tries)
    with right:
        closed_set.draw(people)
        _det(tries)
        _how(tries, people)
    _labeled_recordings()


def _tries(people: list[Voiceprint], model: str) -> Tries:
    from speakerid.evaluate.own import leave_one_out
    from speakerid.identify.scoring import Scorer

    return leave_one_out(people, Scorer.for_model(model))


def _what_lacks(tries: Tries) -> str:
    if len(tries.names) < 2:
        return f"Only {escaped(', '.join(tries.names))} is enrolled, and there is nobody to be confused with."
    few = escaped(", ".join(tries.single[:5])) + (" and others" if len(tries.single) > 5 else "")
    return f"One recording only is enrolled for {few}, so none can be left out to try."


def _too_little(why: str) -> None:
    from speakerid.evaluate.own import MINIMUM

    with st.container(key="evaluate-too-little"), st.container(key="card-too-little"):
        widgets.label("Too little to measure")
        st.subheader("There is too little to say yet", anchor=False)
        st.write(f"{why} {MINIMUM} Recordings of different days and rooms tell the most.")
        widgets.link("pages/1_Enroll.py", "Enroll a voice", ":material/record_voice_over:")
    _labeled_recordings()


def _reliability(tries: Tries) -> None:
    """How surely each person is named, and what would make it better; to look at before a show."""
    threshold = st.session_state["evaluate-threshold"] / 100
    rows = []
    for one in tries.reliability(threshold):
        share = one.named / one.tried
        tone = threshold_card.tone(1 - share)
        if tone == "good":
            advice = "reliable"
        elif one.taken_for[1]:
            advice = f"taken for {one.taken_for[0]}: record more of both"
        else:
            advice = "often unknown: record more, with the microphone of the show"
        rows.append(
            f"<tr><td></td><td>{escape(one.name)}</td><td>{one.named} of {one.tried}</td>"
            f'<td><div class="sid-bar {tone}"><b style="width:{100 * share:.0f}%"></b></div>'
            f"<span>{share:.0%}</span></td><td>{escape(advice)}</td></tr>"
        )
    rows += [
        f"<tr><td></td><td>{escape(name)}</td><td>not tried</td><td></td>"
        "<td>one recording only: record one more</td></tr>"
        for name in tries.single
    ]
    with st.container(key="evaluate-people"), st.container(key="card-people"):
        widgets.label(f"Before a show: who is named how surely, at {threshold:.0%}")
        st.html(
            '<table class="sid-exemplars wide"><thead><tr><th></th><th>Person</th><th>Named right</th>'
            f"<th>Share</th><th>What to do</th></tr></thead><tbody>{''.join(rows)}</tbody></table>"
        )


def _matrix(tries: Tries) -> None:
    threshold = st.session_state["evaluate-threshold"] / 100
    with st.container(key="evaluate-matrix"), st.container(key="card-matrix"):
        widgets.label(f"Who is shown for whom, at {threshold:.0%}")
        figure = evaluate_figures.matrix(tries.confusion(threshold), tries.names)
        st.plotly_chart(figure, key="evaluate-matrix-chart", config={"displayModeBar": False})
        worst = tries.confused(threshold)[:3]
        if worst:
            pairs = "; ".join(f"{escaped(a)} as {escaped(b)}, {count}×" for a, b, count in worst)
            st.caption(f"Most often confused: {pairs}. More and longer recordings of both help.")
        else:
            st.caption("Nobody is taken for somebody else.")


def _det(tries: Tries) -> None:
    from speakerid.evaluate import figures, metrics

    rates = metrics.Scores(tries.target, tries.nontarget).rates()
    eer, _ = metrics.equal_error(rates)
    with st.container(key="evaluate-det"), st.container(key="card-det"):
        widgets.label("Error tradeoff")
        if eer == 0:
            st.write(
                f"One threshold separates all {len(tries.target)} scores of the right voice from all "
                f"{len(tries.nontarget)} of others: there is no curve to draw."
            )
            return
        figure = figures.det([("enrolled people", rates)])
        figure.update_layout(
            height=380, showlegend=False, paper_bgcolor="rgba(0,0,0,0)", plot_bgcolor="rgba(0,0,0,0)"
        )
        st.plotly_chart(figure, key="evaluate-det-chart", config={"displayModeBar": False})
        st.caption(f"Equal error rate {eer:.1%}, over {len(tries.target)} and {len(tries.nontarget)} scores.")


def _how(tries: Tries, people: list[Voiceprint]) -> None:
    recordings = sum(len(set(person.sources)) for person in people)
    with st.container(key="card-how"):
        widgets.label("How this was measured")
        st.write(
            f"{counted(len(people), 'person', 'people')}, {counted(recordings, 'recording')}, "
            f"{counted(len(tries.owner), 'piece')} of speech. Each "
            "recording was left out in turn and its pieces were compared with everybody, its own person "
            "represented by the other recordings; then once more with that person not enrolled, as a "
            "stranger."
        )
        if tries.single:
            names = ", ".join(escaped(name) for name in tries.single[:8])
            st.write(
                f"Tried as strangers only, since one recording is enrolled: {names}"
                + (f" and {len(tries.single) - 8} more." if len(tries.single) > 8 else ".")
            )
        if not tries.calibrated:
            st.warning(
                "This model is not calibrated, so its probabilities are rough; their order holds.",
                icon=":material/tune:",
            )
        st.caption(
            "Recordings made one after the other are more alike than life: with another room or another day "
            "errors are more frequent than shown here."
        )


def _labeled_recordings() -> None:
    with st.expander("Measure a model on labelled recordings", icon=":material/terminal:"):
        st.write(
            "Equal error rate, minDCF, Cllr and the live figures with their intervals come from the command "
            "line. The manifest is a CSV file with the columns path, corpus, speaker and split."
        )
        st.code(COMMAND, language="shell")
