"""The network with 8-bit numbers: `ecapa-bundled.int8.onnx` beside the bundled weights, and what
`export-model --format onnx-int8` writes.

Static quantization (QDQ): the ranges are learned on speech, so what shares a batch changes nothing. Matrices
have one scale for each output channel. The first layer stays in float, since all others hear what it lost,
and so does the last, whose matrix is stored in 16-bit floats, as the weights themselves are.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from speakerid.errors import ModelError
from speakerid.model import graph, runtimes, weights
from speakerid.model.mel import log_mel

if TYPE_CHECKING:
    import onnx

    from speakerid.model.weights import Weights

QUANTIZED = ["Conv", "Pad", "Concat", "Split", "Relu", "GlobalAveragePool"]


def write_int8(weights_file: Path, model_id: str, speech: Sequence[np.ndarray], out: Path) -> float:
    """Make the 8-bit file of the weights in a safetensors file, and check it.

    Args:
        speech: waveforms [n] of many voices, in which the ranges of all values are found.

    Returns:
        The least cosine between its embeddings and the float ones, over the probe and the speech.

    Raises:
        ModelError: they do not agree; nothing is written then.
    """
    parameters = weights.read(weights_file)
    exact = runtimes.of_weights(parameters, runtimes.ONNX)
    probe = runtimes.probe()
    about = {
        "model": model_id,
        "channels": str(parameters[weights.FIRST_LAYER].shape[0]),
        "weights": runtimes.file_hash(weights_file),
        "probe": exact.embed(probe).astype("<f4").tobytes().hex(),
    }
    content = quantized(parameters, about, speech).SerializeToString()
    made = runtimes.OnnxRuntime(content, runtimes.INT8, str(out))
    heard = [*probe, *speech[:40]]
    cosine = float((made.embed(heard) * exact.embed(heard)).sum(axis=1).min())
    if not cosine >= runtimes.AGREEMENT:
        raise ModelError(
            f"The 8-bit network agrees with the float one to {cosine:.4f} only, so nothing was written; "
            "give more speech to find its ranges in."
        )
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        draft = Path(folder, out.name)
        draft.write_bytes(content)
        draft.replace(out)
    return cosine


def quantized(parameters: Weights, about: Mapping[str, str], speech: Sequence[np.ndarray]) -> onnx.ModelProto:
    """The network of these weights with 8 bits, as graph.build makes it: features in, embedding out.

    Args:
        about: stored as the model's metadata.
        speech: as for write_int8.
    """
    import onnx
    import onnxruntime.quantization  # pyright: ignore[reportMissingTypeStubs]

    library: Any = onnxruntime.quantization
    exact = graph.build(parameters, {})
    first = [next(n.name for n in exact.graph.node if n.op_type == kind) for kind in ("Pad", "Conv")]
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)  # advice that does not hold here: to fold what is folded
    try:
        with tempfile.TemporaryDirectory() as folder:
            draft, small = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
            draft.write_bytes(exact.SerializeToString())
            library.quantize_static(
                draft,
                small,
                _reader(library.CalibrationDataReader, speech),
                quant_format=library.QuantFormat.QDQ,
                op_types_to_quantize=QUANTIZED,
                nodes_to_exclude=first,
                per_channel=True,
                activation_type=library.QuantType.QUInt8,
                weight_type=library.QuantType.QInt8,
            )
            model = onnx.load_model_from_string(small.read_bytes())
    finally:
        logging.disable(level)
    _halve_last_layer(model)
    onnx.helper.set_model_props(model, dict(about))
    return model


def _reader(base: Any, speech: Sequence[np.ndarray]) -> object:
    class Reader(base):
        def __init__(self):
            self._left = iter(speech)

        def get_next(self) -> dict[str, np.ndarray] | None:
            piece = next(self._left, None)
            return None if piece is None else {"features": log_mel(piece[None])}

    return Reader()


def _halve_last_layer(model: onnx.ModelProto) -> None:
    """Store the matrix of the last layer as float16; it is widened when the file is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
    matrix = next(one for one in model.graph.initializer if one.name == gemm.input[1])
    halved = numpy_helper.from_array(numpy_helper.to_array(matrix).astype(np.float16), f"{matrix.name}_16")
    model.graph.initializer.remove(matrix)
    model.graph.initializer.append(halved)
    widen = helper.make_node("Cast", [halved.name], [gemm.input[1]], name="widen", to=TensorProto.FLOAT)
    model.graph.node.insert(0, widen)
