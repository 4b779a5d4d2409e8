"""Networks as ONNX files: what `export-model` wrote, and others' exports with a small JSON beside them.

`model.json` beside `model.onnx` says what the network is fed with, as wespeaker's and 3D-Speaker's exports
need it:

    {"features": "kaldi", "sample_rate": 16000, "bands": 80, "window": "hamming", "scale": 32768}

features     "kaldi" (kaldi.py), "speechbrain" (mel.py), or "samples": the waveform itself
sample_rate  of what it was trained on (16000)
bands        of the filter banks (80)
window       of "kaldi": "povey" or "hamming" ("povey")
scale        what samples from -1 to 1 are multiplied by (1; wespeaker: 32768)
mean         whether each band's mean over the utterance is taken away (true)
input, output    names in the graph, where it has several
shortest     seconds below which sound is repeated (0.4)
licence, about   what the Models page says of it

wespeaker: window "hamming", scale 32768. 3D-Speaker: window "povey", scale 1.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from speakerid.audio.resample import resampled
from speakerid.errors import ModelError
from speakerid.json_text import json_object
from speakerid.model import kaldi, mel, networks, runtimes

NAMES: tuple[str, ...] = ()
SUFFIXES = frozenset({".onnx"})
KINDS = ("kaldi", "speechbrain", "samples")
RATES = (8_000, 192_000)


@dataclass(frozen=True)
class Declaration:
    """What an ONNX file of others is fed with (top of the file)."""

    features: str
    sample_rate: int = 16_000
    bands: int = 80
    window: str = "povey"
    scale: float = 1.0
    mean: bool = True
    input: str = ""
    output: str = ""
    shortest: float = 0.4
    licence: str = ""
    about: str = ""


def load(place: Path | None, name: str, runtime: str | None) -> networks.Network:
    """The network in an ONNX file.

    Raises:
        ModelError: there is none, or nothing says what it is fed with.
    """
    if place is None or not place.is_file():
        raise ModelError(
            f"There is no model at {place}; check the path, or use the bundled one: {networks.BUNDLED}."
        )
    if runtime == runtimes.TORCH:
        raise ModelError(f"{place} is an ONNX file, which torch does not run; use another runtime: onnx.")
    declared = place.with_suffix(".json")
    content = place.read_bytes()
    if declared.is_file():
        told = read_declaration(declared)
        running = Declared(content, told, str(place))
        digest = hashlib.sha256(content + repr(_what_counts(told)).encode()).hexdigest()
        return networks.Network(f"{networks.short(name)}-{digest[:8]}", running)
    small = any(operator in content for operator in (b"MatMulInteger", b"QuantizeLinear"))
    ours = runtimes.OnnxRuntime(content, runtimes.INT8 if small else runtimes.ONNX, str(place), declared.name)
    if "model" not in ours.about:
        raise ModelError(f"{place} does not say which model it holds; write it anew with export-model.")
    return networks.Network(ours.about["model"], ours, int(ours.about.get("channels", 0)))


def read_declaration(path: Path) -> Declaration:
    """What a JSON file declares.

    Raises:
        ModelError: saying which value cannot be.
    """
    try:
        return _declared(json_object(path.read_text(encoding="utf-8")))
    except (OSError, ValueError) as problem:
        raise ModelError(
            f"{path} does not declare what its model is fed with: {problem}; see the README's section on "
            "models, or use ecapa-bundled."
        ) from problem


def _declared(told: dict[str, Any]) -> Declaration:
    known = {field.name for field in fields(Declaration)}
    if unknown := sorted(told.keys() - known):
        raise ValueError(f'there is no "{unknown[0]}", only {", ".join(sorted(known))}')
    if told.get("features") not in KINDS:
        raise ValueError(f'"features" is one of {", ".join(KINDS)}')
    made = Declaration(**told)
    for name, low, high in (
        ("sample_rate", *RATES),
        ("bands", 1, 512),
        ("scale", 1e-6, 1e6),
        ("shortest", 0.0, 10.0),
    ):
        value = getattr(made, name)
        if isinstance(value, bool) or not isinstance(value, int | float) or not low <= value <= high:
            raise ValueError(f'"{name}" is a number from {low:g} to {high:g}')
    for name in ("input", "output", "licence", "about"):
        if not isinstance(getattr(made, name), str):
            raise ValueError(f'"{name}" is text')
    if made.window not in kaldi.WINDOWS:
        raise ValueError(f'"window" is one of {", ".join(kaldi.WINDOWS)}')
    if made.features == "speechbrain" and (made.sample_rate, made.bands) != (mel.RATE, mel.BANDS):
        raise ValueError(f"features of SpeechBrain have {mel.BANDS} bands at {mel.RATE} Hz")
    return made


def _what_counts(told: Declaration) -> tuple[str | float, ...]:
    """What of a declaration changes embeddings."""
    return (told.features, told.sample_rate, told.bands, told.window, told.scale, told.mean, told.shortest)


class Declared:
    """A graph of others behind features that are made here; each utterance is a pass of its own.

    Raises:
        ModelError: ONNX Runtime cannot read it, or it is not fed with what was declared.
    """

    name = runtimes.ONNX

    def __init__(self, content: bytes, told: Declaration, source: str):
        self._told, self._source = told, source
        self._session = runtimes.session(content, source)
        self._input = _one("input", told.input, self._session.inputs, source)
        self._output = _one("output", told.output, self._session.outputs, source)
        self.width = int(self.embed(runtimes.probe()[:1]).shape[1])

    def embed(self, pieces: Sequence[np.ndarray]) -> np.ndarray:
        rows = [self._embed(piece) for piece in pieces]
        return np.stack(rows) if rows else np.zeros((0, self.width), np.float32)

    def _embed(self, piece: np.ndarray) -> np.ndarray:
        told = self._told
        if told.sample_rate != mel.RATE:
            piece = resampled(piece, mel.RATE, told.sample_rate)
        if len(piece) < told.shortest * told.sample_rate:
            piece = np.resize(piece, int(told.shortest * told.sample_rate))
        try:
            (given,) = self._session.run({self._input: self._features(piece)}, [self._output])
        except Exception as problem:  # its exceptions have no base of their own
            raise _unfit(
                self._source, f"it does not take the {told.features} features of its JSON"
            ) from problem
        row = np.asarray(given, np.float32).reshape(-1)
        length = float(np.linalg.norm(row))
        if not length > 0 or not np.isfinite(row).all():
            raise _unfit(self._source, "it gives no embedding")
        return row / length

    def _features(self, piece: np.ndarray) -> np.ndarray:
        told = self._told
        scaled = (np.float32(told.scale) * piece).astype(np.float32)
        if told.features == "samples":
            return scaled[None]
        if told.features == "speechbrain":
            return mel.log_mel(scaled[None])
        bands = kaldi.fbank(scaled, told.sample_rate, told.bands, told.window)
        return (bands - bands.mean(axis=0) if told.mean else bands)[None]


def _one(what: str, wanted: str, there: list[str], source: str) -> str:
    if wanted in there:
        return wanted
    if wanted or len(there) != 1:
        raise _unfit(source, f'its JSON has to name the "{what}", one of {", ".join(there)}')
    return there[0]


def _unfit(source: str, why: str) -> ModelError:
    return ModelError(f"{source} cannot be used: {why}; see the README's section on models.")
