"""What the package promises before anything runs: true requirements, a light import, complete data."""

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

# Imports of optional features, each behind a message that says what to install.
OPTIONAL = {"resemblyzer", "speechbrain"}
# What Streamlit's documented API takes, and brings: routes of its server, images; and the server itself.
COMES_WITH = {"pydantic": "fastapi", "starlette": "streamlit", "uvicorn": "streamlit", "PIL": "streamlit"}
COMES_WITH["filelock"] = "huggingface-hub"


def names_in(requirements: list[str]) -> set[str]:
    """The distributions that requirement lines name, in lower case with hyphens."""
    lines = (line.split("#")[0].strip() for line in requirements)
    return {re.split(r"[\[<>=!~; ]", line)[0].lower().replace("_", "-") for line in lines if line}


def imported() -> dict[str, set[str]]:
    """Top-level module -> the files of the app that import it."""
    found: dict[str, set[str]] = {}
    for path in [ROOT / "app.py", *(ROOT / "pages").glob("*.py"), *(ROOT / "speakerid").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules: list[str] = []
            if isinstance(node, ast.Import):
                modules = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                modules = [node.module]
            for module in modules:
                found.setdefault(module.split(".")[0], set()).add(str(path.relative_to(ROOT)))
    return found


def test_requirements_name_what_the_code_imports_and_nothing_else() -> None:
    required = names_in((ROOT / "requirements.txt").read_text().splitlines())
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    optional = names_in([line for lines in extras.values() for line in lines])
    distributions = packages_distributions()
    used = set()
    for module, files in imported().items():
        if module in sys.stdlib_module_names or module in OPTIONAL | {"speakerid"}:
            continue
        module = COMES_WITH.get(module, module)
        names = {name.lower().replace("_", "-") for name in distributions.get(module, [module])}
        assert names & (required | optional), f"{module} is imported by {files} but required nowhere"
        used |= names
    # sounddevice and others may be imported by name
    text = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "speakerid").rglob("*.py"))
    idle = {name for name in required - used if name.replace("-", "_") not in text}
    assert not idle, f"requirements.txt names {idle}, which nothing uses"


def test_requirements_are_those_of_the_package_with_its_pages() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    told = {*project["dependencies"], *project["optional-dependencies"]["app"]}
    required = (line.split("#")[0].strip() for line in (ROOT / "requirements.txt").read_text().splitlines())
    assert told - {"python-multipart", "uvicorn", "websockets"} == {line for line in required if line}


def test_the_front_door_costs_no_torch_and_no_streamlit() -> None:
    code = (
        "import sys, speakerid, speakerid.gallery, speakerid.audio, speakerid.cli\n"
        "print([name for name in ('torch', 'streamlit', 'torchaudio') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stdout + done.stderr


def test_package_data_covers_every_file_that_is_no_code() -> None:
    patterns = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]["package-data"]["*"]
    files = [path for path in (ROOT / "speakerid").rglob("*") if path.is_file() and path.suffix != ".pyc"]
    missing = [
        path.name
        for path in files
        if path.suffix != ".py" and not any(path.match(pattern) for pattern in patterns)
    ]
    assert not missing


def test_voices_stay_small() -> None:
    folders = [ROOT / "speakerid" / "dashboard" / "demo", ROOT / "tests" / "voices"]
    total = sum(path.stat().st_size for folder in folders for path in folder.rglob("*") if path.is_file())
    assert total <= 3_000_000


def test_the_readme_names_the_test_command_that_ci_runs() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    block = re.search(r"<!-- test command -->\n```bash\n(.+)\n```", readme)
    assert block and "\n" not in block.group(1)
    for package in ("chromium", "libportaudio2", "pulseaudio", "requirements.txt", "python -m pytest"):
        assert package in block.group(1)
