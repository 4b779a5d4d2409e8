"""The Encoder as one ONNX file, features included: samples in, embedding out, for devices without Python.

Input `samples` [batch, n] float32 (16 kHz, mono, -1..1; n at least 1600), output `embedding` [batch, d] of
unit length. The spectrogram is a convolution with windowed sines and cosines, so that any runtime can do it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from speakerid.errors import ModelError
from speakerid.model import graph, runtimes, weights
from speakerid.model.encoder import MIN_SECONDS, RATE, Encoder
from speakerid.model.int8 import quantized

if TYPE_CHECKING:
    import onnx

TOLERANCE = 1e-4  # largest difference to the network in float32, in any of the 192 numbers


def export_onnx(
    encoder: Encoder, out: str | Path, int8: bool = False, speech: Sequence[np.ndarray] = ()
) -> float:
    """Writes the encoder to `out` and checks it with ONNX Runtime on signals of several lengths.

    Args:
        int8: with 8-bit numbers: the file of the bundled model, or one whose ranges are found in `speech`.
        speech: waveforms [n] of many voices.

    Returns:
        The largest difference to the network in float32, in any of the 192 numbers. The file appears only if
        it is below 1e-4 or, with 8 bits, if all cosines are above 0.99.

    Raises:
        ModelError: the file cannot be written, the numbers do not agree, or speech is needed.
    """
    out = Path(out)
    if out.is_dir():
        raise ModelError(
            f"{out} is a folder; give the name of the file to write, such as {out / 'model.onnx'}."
        )
    parameters = encoder.parameters()
    about = {
        "model": encoder.id,
        "channels": str(encoder.channels),
        "sample_rate": str(RATE),
        "output": "unit length, compare by cosine",
    }
    if int8:
        model = graph.with_features(_small(encoder, parameters, about, speech), about)
    else:
        model = graph.build(parameters, about, samples=True)
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
            draft = Path(folder) / "model.onnx"
            draft.write_bytes(model.SerializeToString())
            exact = runtimes.of_weights(parameters, runtimes.ONNX)
            return _publish(exact, draft, out, runtimes.AGREEMENT if int8 else None)
    except OSError as problem:
        raise ModelError(
            f"{out} cannot be written ({problem.strerror or problem}); choose another place."
        ) from problem


def _small(
    encoder: Encoder, parameters: weights.Weights, about: dict[str, str], speech: Sequence[np.ndarray]
) -> onnx.ModelProto:
    """The 8-bit network, with features as its input."""
    import onnx

    if speech:
        return quantized(parameters, about, speech)
    why = "it does not come with one"
    if encoder.name == weights.BUNDLED:
        shipped, why = runtimes.int8_of(weights.INT8_FILE, weights.BUNDLED_FILE)
        if shipped is not None:
            return onnx.load_model_from_string(weights.INT8_FILE.read_bytes())
    raise ModelError(
        f"An 8-bit form of {encoder.id} has to be made ({why}), which takes speech of many voices to find "
        "its ranges in: name a folder of recordings with --speech FOLDER."
    )


def _publish(exact: runtimes.Runtime, draft: Path, out: Path, agreement: float | None = None) -> float:
    difference, cosine = _compared(exact, draft)
    good = difference < TOLERANCE if agreement is None else cosine > agreement  # so that NaN is refused too
    if not good:
        raise ModelError(
            f"The exported model is off by {difference:.1e}, so nothing was written; "
            "install other versions of onnx and onnxruntime and try again, or give more speech."
        )
    draft.replace(out)
    return difference


def _compared(exact: runtimes.Runtime, path: Path) -> tuple[float, float]:
    """Largest difference in any number, and least cosine, of the file's embeddings and the exact ones."""
    made = runtimes.OnnxRuntime(path.read_bytes(), runtimes.ONNX, str(path))
    signals = runtimes.probe((MIN_SECONDS, 0.7137, 3.0, 8.0))
    theirs, ours = made.embed(signals), exact.embed(signals)
    return float(np.abs(theirs - ours).max()), float((theirs * ours).sum(axis=1).min())
