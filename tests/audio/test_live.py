"""Live sound of any rate, any number of channels and any length of pieces becomes one stream of blocks."""

import av
import numpy as np
import pytest
from sounds import RATE, likeness, voice

from speakerid.audio.devices import Device, _listed, ways
from speakerid.audio.live import LiveConverter
from speakerid.audio.normalize import normalize

SPOKEN = voice(2.0)


def frame(samples: np.ndarray, rate: int, layout: str) -> av.AudioFrame:
    packed = (samples.T.reshape(1, -1) * 32767).astype(np.int16)
    made = av.AudioFrame.from_ndarray(np.ascontiguousarray(packed), format="s16", layout=layout)
    made.sample_rate = rate
    return made


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100, 48_000])
def test_pieces_of_one_to_three_samples_are_as_good_as_any(rate: int):
    sound = (voice(0.5, rate) * 32767).astype(np.int16).astype(np.float32)[None] / 32767
    small, whole = LiveConverter(), LiveConverter().push(frame(sound, rate, "mono"))
    parts, at = [], 0
    while at < sound.shape[1]:
        size = 1 + at % 3
        parts.append(small.push(frame(sound[:, at : at + size], rate, "mono")))
        at += size
    np.testing.assert_array_equal(np.concatenate(parts), whole)


@pytest.mark.parametrize(("left", "right"), [(1, -1), (1, 0), (0, 1), (1, 1)])
def test_a_voice_survives_whatever_the_two_sides_are(left: int, right: int):
    sound = np.repeat(SPOKEN, 3)[None] * np.array([[left], [right]], np.float32)
    converter = LiveConverter()
    heard = np.concatenate(
        [
            converter.push(frame(sound[:, at : at + 960], 48_000, "stereo"))
            for at in range(0, sound.shape[1], 960)
        ]
    )
    assert max(likeness(SPOKEN, heard, 300), likeness(-SPOKEN, heard, 300)) > 0.9
    assert heard[RATE:].std() == pytest.approx(normalize(SPOKEN)[RATE:].std(), rel=0.15)


def test_a_microphone_on_input_two_of_eighteen_and_a_voice_that_moves_to_another():
    noise = np.random.default_rng(1).standard_normal((18, 2 * len(SPOKEN))).astype(np.float32) * 1e-4
    noise[1, : len(SPOKEN)] += SPOKEN
    noise[7, len(SPOKEN) :] += SPOKEN
    converter = LiveConverter()
    pieces = [noise[:, at : at + 320] for at in range(0, noise.shape[1], 320)]
    heard = np.concatenate([converter.push_samples(piece, RATE) for piece in pieces])
    assert heard[RATE : 2 * RATE].std() == pytest.approx(SPOKEN[RATE:].std(), rel=0.1)
    assert likeness(SPOKEN, heard[2 * RATE :], 100) > 0.95  # while the first still counts


def devices(*rows: tuple[str, int, int]) -> list[Device]:
    """(name, host interface, channels) as PortAudio lists them; the first is the default."""
    hosts = [{"name": "MME"}, {"name": "Windows WASAPI"}]
    infos = [
        {
            "index": index,
            "name": name,
            "hostapi": host,
            "max_input_channels": channels,
            "default_samplerate": 44100.0,
        }
        for index, (name, host, channels) in enumerate(rows)
    ]
    return _listed(infos, hosts, 0)


def test_two_of_one_name_and_one_name_under_two_interfaces_open_what_was_chosen(monkeypatch):
    from speakerid.audio import devices as module

    found = devices(
        ("Headset", 0, 1), ("USB Mic", 1, 1), ("USB Mic", 1, 1), ("Speakers", 0, 0), ("USB Mic", 0, 1)
    )
    assert [(d.index, d.host, d.twin) for d in found] == [
        (0, "MME", 0),
        (1, "Windows WASAPI", 0),
        (2, "Windows WASAPI", 1),
        (4, "MME", 0),
    ]
    monkeypatch.setattr(module, "devices", lambda: found)
    for device in found:
        assert module.choose(device) is device
        assert module.choose(device.index) is device
    assert module.choose("usb mic").index == 4  # the interface of the default microphone
    # Numbers move when something is plugged in; what was chosen stays chosen.
    moved = devices(("Headset", 0, 1), ("New", 0, 1), ("USB Mic", 1, 1), ("USB Mic", 1, 1))
    monkeypatch.setattr(module, "devices", lambda: moved)
    assert module.choose(found[2]).index == 3


def test_a_device_is_opened_with_all_its_inputs_first():
    (interface,) = devices(("Scarlett 18i20", 0, 18))
    assert ways(interface)[:2] == [(RATE, 18), (44_100, 18)]
    assert (44_100, 1) in ways(interface)
    (server,) = devices(("pulse", 0, 32))
    assert ways(server)[0] == (RATE, 2) and (44_100, 32) in ways(server)
    (single,) = devices(("Microphone", 0, 1))
    assert ways(single) == [(RATE, 1), (44_100, 1)]
