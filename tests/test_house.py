"""The house rules that a machine can check: no class grows too long, and every module is named by a test."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "speakerid"
MOST_LINES = 250  # of a class, with what it inherits

# Longer today: may shrink, may not grow, and goes from here once it is short enough.
LONG = {"Gallery": 350, "Listener": 350, "Store": 350}

# Modules that no test imports, and the tests that run them all the same: through the command line, a page,
# the API, or whoever imports them.
RUN_BY = {
    "test_cli*.py": "cli __main__ places folders threads json_text commands.*",
    "examples/test_examples.py": "examples.*",
    "api/test_rest_*.py": "rest.*",
    "audio/test_bad_recordings.py": "audio.opening audio.loading audio.samples",
    "audio/test_decode.py": "audio.container audio.packets audio.tracks audio.downmix",
    "audio/test_wild_recordings.py": "audio.riff audio.endings audio.timeline audio.kinds "
    "audio.part audio.big_endian audio.joined",
    "conversation/test_formats.py": "conversation.log conversation.report conversation.entry",
    "conversation/test_hearing.py": "conversation.hearing",
    "dashboard/test_home.py": "dashboard.home dashboard.shared.widgets dashboard.shared.enrolled",
    "dashboard/enroll/test_enroll_*.py": "dashboard.enroll.*",
    "dashboard/evaluate/test_evaluate_page.py": "dashboard.evaluate.*",
    "dashboard/live/test_board*.py": "dashboard.live.board.* dashboard.live.figures "
    "dashboard.live.space_figures dashboard.shared.words",
    "dashboard/live/test_live_page.py": "dashboard.live.page dashboard.live.fallback dashboard.live.controls "
    "dashboard.live.press_start dashboard.live.participants dashboard.shared.figure_parts "
    "dashboard.shared.sources",
    "dashboard/live/test_live_session.py": "dashboard.live.listening dashboard.live.gender",
    "dashboard/models/test_models_page.py": "dashboard.models.*",
    "dashboard/recordings/test_*.py": "dashboard.recordings.* dashboard.shared.timeline "
    "dashboard.shared.keep_dialog",
    "dashboard/shared/test_unlocking.py": "dashboard.shared.unlocking dashboard.shared.escaping",
    "evaluate/test_benchmark.py": "evaluate.benchmark_command evaluate.benchmark_gallery",
    "evaluate/test_calibration.py": "evaluate.calibrate_command",
    "evaluate/test_command.py": "evaluate.command evaluate.report evaluate.figures evaluate.campplus",
    "evaluate/test_quality_gate.py": "evaluate.quality_gate evaluate.two_voices",
    "gallery/test_*.py": "gallery.*",
    "identify/test_engine.py": "identify.session",
    "identify/test_closed_set.py": "identify.closed_set",
    "identify/test_listener.py": "identify.listener identify.config identify.decision "
    "identify.local_voices identify.turn_log",
    "test_front_door.py": "identify.compare identify.verification",
    "model/test_hub.py": "model.hub model.download model.companions",
    "model/test_networks.py": "model.networks.*",
    "model/test_runtimes.py": "model.graph model.quantize",
}

# No test runs these: the recipe's long parts, which a training run tries. May shrink, may not grow.
UNTESTED = (
    "training.__main__ training.calibrate training.check training.feeder training.gender training.launch "
    "training.precision training.prepare training.calibration_speech training.onnx_parts "
    "training.segmentation_windows"
)


def classes() -> dict[str, tuple[int, list[str]]]:
    """Each class: its lines, and the names of what it inherits from."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.ClassDef):
                bases = [base.id for base in node.bases if isinstance(base, ast.Name)]
                found[node.name] = ((node.end_lineno or 0) - node.lineno + 1, bases)
    return found


def test_no_class_is_long_with_what_it_inherits():
    every = classes()

    def lines(name: str) -> int:
        own, bases = every.get(name, (0, []))
        return own + sum(lines(base) for base in bases if base != name)

    long = {name: count for name in every if (count := lines(name)) > MOST_LINES}
    assert {name: count for name, count in long.items() if count > LONG.get(name, 0)} == {}
    assert set(LONG) <= set(every), "what is gone needs no exception"


def modules() -> set[str]:
    paths = (path for path in PACKAGE.rglob("*.py") if path.name != "__init__.py")
    return {".".join(path.relative_to(PACKAGE).with_suffix("").parts) for path in paths}


def named_in(path: Path) -> set[str]:
    """Modules that a file imports, or names in a text such as a patch's target or a script."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found |= {str(node.module), *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            found |= set(re.findall(r"speakerid(?:\.\w+)+", node.value))
    return {name.removeprefix("speakerid.") for name in found}


def test_every_module_is_named_by_a_test():
    """Or it is a part of one that is: a file that such a module imports."""
    patterns = UNTESTED.split()
    for tests, run in RUN_BY.items():
        assert [*(ROOT / "tests").glob(tests)], f"there are no tests {tests}"
        patterns += run.split()
    every = modules()
    mentioned = set().union(*(named_in(path) for path in (ROOT / "tests").rglob("*.py")))
    tested = {
        module
        for module in every
        if module in mentioned
        or any(name.startswith(f"{module}.") for name in mentioned)
        or any(re.fullmatch(pattern.replace(".*", r"\..+"), module) for pattern in patterns)
    }
    parts = set().union(*(named_in(PACKAGE / f"{module.replace('.', '/')}.py") for module in tested))
    assert every - tested - parts == set(), "name it in a test, or in RUN_BY the test that runs it"


def test_what_the_architecture_names_is_there():
    text = (PACKAGE / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    named = re.findall(r"`([\w/]+(?:\.py|\.js|\.html|/))`", text)
    assert len(named) > 50
    assert [name for name in named if not ((PACKAGE / name).exists() or (ROOT / name).exists())] == []


def test_nothing_to_change_takes_more_than_four_files():
    text = (PACKAGE / "docs" / "ARCHITECTURE.md").read_text("utf-8")
    rows = [row for row in text.split("## Where to change what")[1].splitlines() if row.startswith("| ")][1:]
    assert len(rows) >= 10
    for row in rows:
        assert 1 <= len(re.findall(r"`[\w/]+(?:\.py|\.js|\.html|/)`", row)) <= 4, row
