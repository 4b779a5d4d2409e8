"""The Listener's numbers (`identify.ListenerConfig`), tried on labelled conversations.

    python -m speakerid.training listener DIR threshold=0.45 tracker.unknown=0.3,tracker.stay=0.2

listens to the conversations in DIR (as `evaluate --conversations` has them) with the numbers that ship, and
once more with each of the given ones in their place. Those that ship were chosen so, on conversations of
people who are in no report.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from speakerid.evaluate import EvaluationError, conversations, labelled, tables
from speakerid.evaluate.gate_measures import Remembering
from speakerid.identify import Listener, ListenerConfig
from speakerid.model import Encoder

COLUMNS = (("settings", "settings", "s"), *tables.LIVE[3:])


def compare(folder: Path, variants: Sequence[str]) -> str:
    """A table with a row for the numbers that ship and one for each variant (`changed`).

    Raises:
        EvaluationError: there is no conversation in the folder, or no such number.
    """
    configs = {"as shipped": ListenerConfig(), **{one: changed(one) for one in variants}}
    encoder = Remembering(Encoder.load())
    outcomes: dict[str, list[conversations.Outcome]] = {name: [] for name in configs}
    for place in labelled.find(folder):
        for name, outcome in _heard(place, encoder, configs):
            outcomes[name].append(outcome)
    rows = [{"settings": name, **conversations.figures(every, 0)} for name, every in outcomes.items()]
    return tables.text(rows, COLUMNS)


def changed(variant: str) -> ListenerConfig:
    """The numbers that ship with some changed: "threshold=0.45,tracker.unknown=0.3".

    Raises:
        EvaluationError: there is no such number.
    """
    config = ListenerConfig()
    for part in variant.split(","):
        name, _, value = part.partition("=")
        group, _, own = name.rpartition(".")
        try:
            inner = getattr(config, group) if group else config
            kind = type(getattr(inner, own))
            if kind not in (float, bool):
                raise TypeError
            inner = replace(inner, **{own: value == "True" if kind is bool else kind(value)})
        except (AttributeError, TypeError, ValueError) as problem:
            raise EvaluationError(
                f'"{part}" sets no number of the Listener; write threshold=0.45 or tracker.unknown=0.3, '
                "with the names in identify/config.py."
            ) from problem
        config = replace(config, **{group: inner}) if group else inner
    return config


def _heard(
    place: Path, encoder: Remembering, configs: dict[str, ListenerConfig]
) -> Iterator[tuple[str, conversations.Outcome]]:
    from speakerid.audio.decode import stream

    turns = labelled.read_rttm(place / "ref.rttm")
    with tempfile.TemporaryDirectory(prefix="speakerid-listener-") as temporary:
        gallery, _ = labelled.enrolled(place, encoder, Path(temporary))
        for name, config in configs.items():
            listener = Listener(encoder, gallery, config)
            decisions = []
            for block in stream(place / "mix.wav", block=labelled.BLOCK):
                decisions += listener.push(block)
            decisions += listener.flush()
            shown = [(float(one.at), one.speaker, float(one.confidence)) for one in decisions]
            yield name, conversations.score(turns, shown)
