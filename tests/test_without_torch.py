"""The command line on a computer without PyTorch: enroll and identify."""

import subprocess
import sys

from support import voices

BLOCKED = (
    "import sys; sys.modules['torch'] = sys.modules['torchaudio'] = None\n"
    "from speakerid.cli import main; sys.exit(main(sys.argv[1:]))"
)


def run(*arguments: object) -> str:
    command = [sys.executable, "-c", BLOCKED, *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_enroll_and_identify_need_no_torch(tmp_path):
    spoken = voices.write_wav(tmp_path / "alice.wav", voices.conversation(["Alice"] * 3)[0])
    mixed = voices.write_wav(tmp_path / "mix.wav", voices.conversation(["Alice", "Edgar"])[0])
    folder = ("--voiceprints", tmp_path / "voiceprints")
    assert '"Alice" is enrolled' in run("enroll", "Alice", spoken, "--consent", *folder)
    heard = run("identify", mixed, *folder)
    assert "Alice" in heard and "unknown" in heard
