"""The figures of README.md, written into it from what `evaluate` measured; nobody types them.

    python -m tests.figures REPORT...    takes over the metrics.json of these folders, and writes them in
    python -m tests.figures              writes those in that were taken over before

speakerid/docs/figures.json keeps what was taken over; `test_figures.py` checks that README.md says the same.
A block of README.md lies between `<!-- figures:NAME -->` and `<!-- end of figures -->`.
"""

import json
import re
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
KEPT = ROOT / "speakerid" / "docs" / "figures.json"
README = ROOT / "README.md"
BLOCK = re.compile(r"(<!-- figures:(\w+) -->\n).*?(<!-- end of figures -->)", re.DOTALL)
LENGTHS = {"whole": "whole recording", "3 s": "3 s", "2 s": "2 s", "1 s": "1 s"}
VERIFICATION = ("condition", "corpus", "length", "scoring", "speakers", "eer", "eer_interval")
LIVE = {  # key in metrics.json: what it is
    "live_error": "something wrong on the screen",
    "wrong_name": "… an enrolled person shown under another name",
    "missed": "… an enrolled person not named, or not yet",
    "stranger_named": "… a stranger shown under a name",
}
MEETINGS = {
    "der": "diarization error (no collar, people who speak at once count each)",
    "der_fair": "… with 0.25 s around edges and overlap left out",
    "named_error": "… where enrolled people have to be called by name",
    "stranger_named": "strangers' time under somebody's name",
    "overlap_found": "of the time in which two speak, told as such",
}


def percent(row: dict, key: str) -> str:
    """A share with its 95 % interval where there is one; "–" where it was not measured."""
    value, interval = row.get(key), row.get(f"{key}_interval")
    if value is None:
        return "–"
    between = f" [{100 * interval[0]:.1f}–{100 * interval[1]:.1f}]" if interval else ""
    return f"{100 * value:.1f} %{between}"


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [[*head], *([*row] for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def verification(kept: dict) -> str:
    """A table a corpus: EER of every pair by cosine and calibrated, by length."""
    rows = [row for row in kept["rows"] if row["condition"] == "clean"]
    parts = []
    for corpus in dict.fromkeys(row["corpus"] for row in rows):
        found = {(row["length"], row["scoring"]): row for row in rows if row["corpus"] == corpus}
        speakers = max(row["speakers"] for row in found.values())
        parts.append(
            table(
                (f"EER, {corpus}, {speakers} speakers", "cosine", "calibrated, as the app uses it"),
                (
                    (told, *(percent(found.get((length, by), {}), "eer") for by in ("cosine", "llr")))
                    for length, told in LENGTHS.items()
                    if (length, "cosine") in found
                ),
            )
        )
    return "\n".join(parts)


def conversations(kept: dict) -> str:
    rows = [(told, percent(kept, key)) for key, told in LIVE.items()]
    median, slow = kept["reaction_median"], kept["reaction_p95"]
    rows.append(("right name after the start of a turn", f"{median:.2f} s median, {slow:.2f} s in 19 of 20"))
    rows.append(("the confidence shown is off by", f"{kept['calibration_error']:.2f}"))
    return table((f"{kept['conversations']} conversations, live", "share of the time"), rows)


def meetings(kept: dict) -> str:
    rows = [(told, percent(kept, key)) for key, told in MEETINGS.items()]
    return table((f"{kept['recordings']} meetings, after the second look", "share"), rows)


BLOCKS: dict[str, Callable[[dict], str]] = {
    "verification": verification,
    "conversations": conversations,
    "meetings": meetings,
}


def filled(text: str, kept: dict) -> str:
    """The text with each of its blocks written anew; each says of which model it is, and of when."""

    def block(match: re.Match[str]) -> str:
        start, name, end = match.groups()
        figures = kept[name]
        told = f"`{figures['model']}`, measured {figures['made']}{figures.get('note', '')}."
        return f"{start}{BLOCKS[name](figures)}\n{told}\n{end}"

    return BLOCK.sub(block, text)


def taken_over(kept: dict, report: dict) -> dict:
    """kept with what a report measured in place of what was there; what it did not measure stays.

    Raises:
        ValueError: the report is of several models, and a README tells one.
    """
    if len(report["models"]) != 1:
        raise ValueError(f"The report is of {len(report['models'])} models; evaluate one with --model NAME.")
    (model,) = report["models"].values()
    of = {"model": model, "made": report["made"][:10]}
    new = dict(kept)
    if report["verification"]:
        rows = [{key: row[key] for key in VERIFICATION if key in row} for row in report["verification"]]
        new["verification"] = {**of, "rows": rows}
    if live := (report.get("conversations") or {}).get(model):
        keys = [*LIVE, *(f"{key}_interval" for key in LIVE)]
        keys += ["conversations", "reaction_median", "reaction_p95", "calibration_error"]
        new["conversations"] = {**of, **{key: live[key] for key in keys if key in live}}
    if met := (report.get("meetings") or {}).get(model):
        found = met["diarization"]
        new["meetings"] = {**of, **{key: found[key] for key in ("recordings", *MEETINGS)}}
    return new


def main(folders: list[str]) -> None:
    kept = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    for folder in folders:
        kept = taken_over(kept, json.loads((Path(folder) / "metrics.json").read_text("utf-8")))
    KEPT.write_text(json.dumps(kept, indent=1, ensure_ascii=False) + "\n", "utf-8")
    README.write_text(filled(README.read_text("utf-8"), kept), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
