"""silero-vad by ONNX Runtime gives silero-vad's numbers, to each stream its own, whatever the block size."""

import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sounds import RATE, voice
from support.voices import conversation

from speakerid.audio import vad
from speakerid.audio.vad import FRAME, VoiceActivity, segments, speech_probabilities
from speakerid.errors import AudioError

TALK, TURNS = conversation(["Edgar", "Felix"], gap=1.0)


def test_the_numbers_are_those_of_the_package(tmp_path: Path):
    """In a process of its own: importing silero_vad changes torch's number of threads for good."""
    script = (
        "import sys, warnings; warnings.simplefilter('ignore')\n"
        "import numpy as np, torch, silero_vad\n"
        "from speakerid.audio.vad import speech_probabilities\n"
        "sound = np.load(sys.argv[1]); model = silero_vad.load_silero_vad()\n"
        "frames = torch.from_numpy(sound[: len(sound) // 512 * 512]).reshape(-1, 512)\n"
        "with torch.no_grad(): expected = [model(frame, 16000).item() for frame in frames]\n"
        "print(np.abs(speech_probabilities(sound) - expected).max(), max(expected), min(expected))\n"
    )
    path = tmp_path / "sound.npy"
    np.save(path, TALK)
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    difference, most, least = map(float, done.stdout.split())
    assert difference < 1e-4
    assert most > 0.9 and least < 0.1  # it heard both


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(0, 9000), min_size=1, max_size=40))
def test_the_block_size_changes_no_bit(sizes: list[int]):
    sound = TALK[: 4 * RATE]
    activity, parts, at, turn = VoiceActivity(), [], 0, 0
    sizes = [*sizes, 321]
    while at < len(sound):
        size = sizes[turn % len(sizes)]
        parts.append(activity.push(sound[at : at + size]))
        at, turn = at + size, turn + 1
        assert sum(map(len, parts)) == min(at, len(sound)) // FRAME
    np.testing.assert_array_equal(np.concatenate(parts), speech_probabilities(sound))


def test_reset_starts_a_new_stream():
    activity = VoiceActivity()
    first = activity.push(TALK[: 2 * RATE + 100])
    activity.reset()
    np.testing.assert_array_equal(activity.push(TALK[: 2 * RATE + 100]), first)


def test_streams_in_many_threads_do_not_mix():
    sounds = [TALK[: 3 * RATE], voice(3.0), TALK[3 * RATE : 6 * RATE], np.zeros(3 * RATE, np.float32)]
    expected = [speech_probabilities(sound) for sound in sounds]
    results: dict[int, np.ndarray] = {}

    def listen(index: int) -> None:
        activity = VoiceActivity()
        sound = sounds[index]
        results[index] = np.concatenate(
            [activity.push(sound[at : at + 320]) for at in range(0, len(sound), 320)]
        )

    threads = [threading.Thread(target=listen, args=(index,)) for index in range(len(sounds))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index, probabilities in enumerate(expected):
        np.testing.assert_array_equal(results[index], probabilities)


def test_silence_and_noise_are_not_speech():
    assert speech_probabilities(np.zeros(RATE, np.float32)).max() < 0.1
    noise = np.random.default_rng(0).standard_normal(3 * RATE).astype(np.float32) * np.float32(0.01)
    assert np.median(speech_probabilities(noise)) < 0.2
    assert len(speech_probabilities(np.zeros(FRAME - 1, np.float32))) == 0


def test_turns_are_found_where_they_are():
    found = segments(speech_probabilities(TALK), len(TALK) / RATE)
    assert all(start < end for start, end in found)
    for turn in TURNS:
        inside = [span for span in found if span[1] > turn.start and span[0] < turn.end]
        assert inside[0][0] == pytest.approx(turn.start, abs=0.25)
        assert inside[-1][1] == pytest.approx(turn.end, abs=0.35)
        assert sum(end - start for start, end in inside) > 0.6 * (turn.end - turn.start)


STEP = FRAME / RATE


def test_hysteresis_keeps_a_word_together():
    """Between the two thresholds nothing changes; a dip shorter than `min_silence` does not end speech."""
    doubtful = [0.0] * 5 + [0.9] * 5 + [0.4] * 10 + [0.9] * 5 + [0.1] * 3 + [0.9] * 5 + [0.0] * 20
    found = segments(np.array(doubtful), len(doubtful) * STEP, pad=0.0)
    assert found == [(5 * STEP, 33 * STEP)]
    assert segments(np.full(20, 0.4), 20 * STEP) == []


def test_short_bursts_are_dropped_and_ends_are_padded_within_the_recording():
    burst = np.array([0.0] * 10 + [0.9] * 2 + [0.0] * 20)
    assert segments(burst, len(burst) * STEP) == []
    whole = segments(np.full(30, 0.9), 30 * STEP, pad=0.5)
    assert whole == [(0.0, 30 * STEP)]
    two = np.array([0.9] * 20 + [0.0] * 10 + [0.9] * 20)
    found = segments(two, len(two) * STEP, pad=1.0)
    assert found == [(0.0, pytest.approx(25 * STEP)), (pytest.approx(25 * STEP), 50 * STEP)]


def test_weights_that_are_missing_or_damaged_are_said_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    whole = vad._FILE.read_bytes()
    path = tmp_path / "network.onnx"
    monkeypatch.setattr(vad, "_FILE", path)
    vad._load_network.cache_clear()
    try:
        with pytest.raises(AudioError, match=r"network.onnx.*missing or damaged: install"):
            VoiceActivity()
        path.write_bytes(whole[: len(whole) // 2])
        with pytest.raises(AudioError, match="missing or damaged"):
            VoiceActivity()
        path.write_bytes(whole)
        assert len(VoiceActivity().push(TALK[:FRAME])) == 1
    finally:
        vad._load_network.cache_clear()
