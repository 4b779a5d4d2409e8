"""Tables of an evaluation: which figure stands in which column, as HTML and for a terminal."""

from collections.abc import Sequence
from html import escape

# Column title, key in metrics.json, how to write it
VERIFICATION = (
    ("model", "model", "s"),
    ("condition", "condition", "s"),
    ("corpus", "corpus", "s"),
    ("length", "length", "s"),
    ("scoring", "scoring", "s"),
    ("speakers", "speakers", "d"),
    ("recordings", "recordings", "d"),
    ("EER", "eer", "%"),
    ("minDCF", "min_dcf", "f"),
    ("Cllr", "cllr", "f"),
    ("min Cllr", "min_cllr", "f"),
    ("calibration error", "calibration_error", "f"),
)
GROUPS = (
    *VERIFICATION[:5],
    ("by", "by", "s"),
    ("group", "group", "s"),
    ("speakers", "speakers", "d"),
    ("recordings", "recordings", "d"),
    ("own voice missed", "missed", "%"),
    ("taken for one", "taken", "%"),
)
CLOSED_SET = (
    ("model", "model", "s"),
    ("condition", "condition", "s"),
    ("corpus", "corpus", "s"),
    ("length", "length", "s"),
    ("people", "people", "d"),
    ("voiceprints right", "right", "%"),
    ("classification head right", "right_tuned", "%"),
    ("gain", "gain", "%"),
)
GENDER = (
    ("model", "model", "s"),
    ("condition", "condition", "s"),
    ("speakers", "speakers", "d"),
    ("recordings", "recordings", "d"),
    ("answered", "answered", "%"),
    ("right of those", "right", "%"),
)
LIVE = (
    ("model", "model", "s"),
    ("conversations", "conversations", "d"),
    ("not enrolled", "refused_people", "d"),
    ("live error", "live_error", "%"),
    ("wrong name", "wrong_name", "%"),
    ("missed", "missed", "%"),
    ("stranger named", "stranger_named", "%"),
    ("false alarm", "false_alarm", "%"),
    ("reaction, s", "reaction_median", "f"),
    ("95 % within, s", "reaction_p95", "f"),
    ("never named", "never", "%"),
    ("calibration error", "calibration_error", "f"),
)
LIVE_UNDER = (LIVE[0], ("condition", "condition", "s"), *LIVE[2:])
DIARIZATION = (
    ("model", "model", "s"),
    ("diarization error", "der", "%"),
    ("missed", "missed", "%"),
    ("false alarm", "false_alarm", "%"),
    ("confused", "confused", "%"),
    ("edges, overlap forgiven", "der_fair", "%"),
    ("with names", "named_error", "%"),
    ("stranger named", "stranger_named", "%"),
    ("overlap found", "overlap_found", "%"),
)


MEETINGS = (
    ("model", "model", "s"),
    ("meetings", "meetings", "d"),
    ("not enrolled", "refused_people", "d"),
    ("named error", "named_error", "%"),
    ("stranger named", "stranger_named", "%"),
    ("overlap found", "overlap_found", "%"),
)


def cell(row: dict, key: str, form: str) -> str:
    """One value as text, with its interval in brackets where there is one; "–" for None.

    form: "s" text, "d" whole number, "%" share, "f" or a digit: that many digits behind the point.
    """
    value, interval = row.get(key), row.get(f"{key}_interval")
    if value is None:
        return "–"
    if form in "sd":
        return str(value)
    unit, factor, digits = (" %", 100, 2) if form == "%" else ("", 1, 3 if form == "f" else int(form))

    def one(number: float) -> str:
        return f"{factor * number:.{digits}f}"

    return one(value) + unit + (f" [{one(interval[0])}–{one(interval[1])}]" if interval else "")


def table(rows: Sequence[dict], columns: Sequence[tuple[str, str, str]]) -> str:
    """An HTML table."""
    head = "".join(f"<th>{escape(title)}</th>" for title, _, _ in columns)
    body = "".join(
        "<tr>" + "".join(f"<td>{escape(cell(row, key, form))}</td>" for _, key, form in columns) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def text(rows: Sequence[dict], columns: Sequence[tuple[str, str, str]]) -> str:
    """The same table for a terminal; a column that is empty in every row is left out."""
    cells = [[title for title, _, _ in columns]]
    cells += [[cell(row, key, form) for _, key, form in columns] for row in rows]
    keep = [i for i in range(len(columns)) if any(row[i] not in ("–", "") for row in cells[1:])]
    width = {i: max(len(row[i]) for row in cells) for i in keep}
    return "\n".join("  ".join(row[i].ljust(width[i]) for i in keep).rstrip() for row in cells)
