"""The Encoder as one ONNX file, features included: samples in, embedding out, for devices without PyTorch.

Input `samples` [batch, n] float32 (16 kHz, mono, -1..1; n at least 1600), output `embedding` [batch, d] of
unit length. The spectrogram is a convolution with windowed sines and cosines, so that any runtime can do it.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import tempfile
import warnings
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.errors import ModelError
from speakerid.model.encoder import MIN_SECONDS, RATE, Encoder
from speakerid.model.quantize import AGREEMENT, quantize

if TYPE_CHECKING:
    import torch

PACKAGES = ("onnx", "onnxscript", "onnxruntime")
TOLERANCE = 1e-4  # largest difference to the Encoder in any of its numbers
OPSET = 18


def export_onnx(encoder: Encoder, out: str | Path, int8: bool = False) -> float:
    """Writes the encoder to `out` and checks it with ONNX Runtime on signals of several lengths.

    Args:
        int8: the matrices with 8-bit weights (quantize.py).

    Returns:
        The largest difference to the Encoder's own embeddings, in any of its numbers. The file appears
        only if it is below 1e-4 or, with 8 bits, if all cosines with them are above 0.99.

    Raises:
        ModelError: packages are missing, the file cannot be written, or the numbers do not agree.
    """
    require_packages()
    out = Path(out)
    if out.is_dir():
        raise ModelError(
            f"{out} is a folder; give the name of the file to write, such as {out / 'model.onnx'}."
        )
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            draft = Path(folder) / "model.onnx"
            _write(encoder, draft)
            if int8:
                with _quiet():
                    quantize(draft, small := draft.with_name("int8.onnx"))
                draft = small
            return _publish(encoder, draft, out, AGREEMENT if int8 else None)
    except OSError as problem:
        raise ModelError(
            f"{out} cannot be written ({problem.strerror or problem}); choose another place."
        ) from problem


def require_packages() -> None:
    """Raises ModelError where a package that only exporting needs is missing."""
    if missing := [name for name in PACKAGES if find_spec(name) is None]:
        raise ModelError(
            f"Exporting needs {', '.join(missing)}; install with: python -m pip install {' '.join(missing)}"
        )


def _write(encoder: Encoder, path: Path) -> None:
    import onnx
    import torch

    example = torch.from_numpy(_probe(1.0))[None].repeat(2, 1)
    dynamic = {
        "samples": {0: torch.export.Dim("batch"), 1: torch.export.Dim("n", min=int(MIN_SECONDS * RATE))}
    }
    with _quiet():
        program = torch.onnx.export(
            _waveform_network(encoder),
            (example,),
            input_names=["samples"],
            output_names=["embedding"],
            dynamic_shapes=dynamic,
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for node in model.graph.node:  # where in the sources each came from, with paths of this computer
        node.ClearField("metadata_props")
    onnx.helper.set_model_props(
        model, {"model": encoder.id, "sample_rate": str(RATE), "output": "unit length, compare by cosine"}
    )
    onnx.save(model, path)


def _waveform_network(encoder: Encoder) -> torch.nn.Module:
    import torch
    from torch.nn import functional as F

    from speakerid.model import features

    class WaveformNetwork(torch.nn.Module):
        waves: torch.Tensor
        filters: torch.Tensor

        def __init__(self):
            super().__init__()
            angle = torch.arange(features.WINDOW // 2 + 1, dtype=torch.float64)[:, None]
            angle = (
                angle * torch.arange(features.WINDOW, dtype=torch.float64) * (2 * torch.pi / features.WINDOW)
            )
            window = torch.hamming_window(features.WINDOW, dtype=torch.float64)
            waves = torch.cat([angle.cos() * window, angle.sin() * window])
            self.register_buffer("waves", waves[:, None].float())
            self.register_buffer("filters", features.mel_filters())
            self.network = encoder.network

        def forward(self, samples: torch.Tensor) -> torch.Tensor:
            side = features.WINDOW // 2
            real, imaginary = F.conv1d(
                F.pad(samples[:, None], (side, side)), self.waves, stride=features.HOP
            ).chunk(2, dim=1)
            power = (real.square() + imaginary.square()).transpose(1, 2)
            bands = features.band_levels(power @ self.filters)
            return F.normalize(self.network(bands), dim=1)

    return WaveformNetwork().eval()


def _publish(encoder: Encoder, draft: Path, out: Path, agreement: float | None = None) -> float:
    difference, cosine = _compared(encoder, draft)
    good = difference < TOLERANCE if agreement is None else cosine > agreement  # so that NaN is refused too
    if not good:
        raise ModelError(
            f"The exported model is off by {difference:.1e}, so nothing was written; "
            f"install other versions of {' and '.join(PACKAGES)} and try again."
        )
    os.replace(draft, out)
    return difference


def _compared(encoder: Encoder, path: Path) -> tuple[float, float]:
    """Largest difference in any number, and least cosine, between the file's embeddings and the encoder's."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    differences, cosines = [], []
    for seconds in (MIN_SECONDS, 0.7137, 3.0, 8.0):
        block = _probe(seconds)
        (theirs,) = session.run(None, {"samples": block[None]})
        ours = encoder.embed([block])
        differences.append(float(np.abs(np.asarray(theirs) - ours).max()))
        cosines.append(float((np.asarray(theirs) * ours).sum()))
    return float(np.max(differences)), float(np.min(cosines))


def _probe(seconds: float) -> np.ndarray:
    """Float32 [seconds · 16000] with harmonics, noise and a pause, as speech has them."""
    time = np.arange(round(seconds * RATE)) / RATE
    phase = 2 * np.pi * (120 * time + 3 * np.sin(2 * np.pi * 1.5 * time))
    voice = sum(np.sin(k * phase) / k for k in range(1, 20)) * (np.sin(2 * np.pi * 2.5 * time) > -0.5)
    return (0.1 * voice + 1e-3 * np.random.default_rng(0).standard_normal(len(time))).astype(np.float32)


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keeps the exporter's notes on its own progress off the terminal."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
