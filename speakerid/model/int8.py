"""The bundled network with 8-bit numbers: `ecapa-bundled.int8.onnx` beside its weights.

Static quantization (QDQ): the ranges are learned on speech, so what shares a batch changes nothing. Matrices
have one scale for each output channel, and the last one stays in 16-bit floats.
"""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from speakerid.errors import ModelError
from speakerid.model import graph, runtimes, weights
from speakerid.model.mel import log_mel

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
    import onnx
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_static

    parameters = weights.read(weights_file)
    exact = runtimes.of_weights(parameters, runtimes.ONNX)
    probe = runtimes.probe()
    about = {
        "model": model_id,
        "channels": str(parameters[weights.FIRST_LAYER].shape[0]),
        "weights": runtimes.file_hash(weights_file),
        "probe": exact.embed(probe).astype("<f4").tobytes().hex(),
    }
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=f".{out.name}.") as folder:
        draft, small = Path(folder, "float.onnx"), Path(folder, "int8.onnx")
        onnx.save(graph.build(parameters, about), draft)
        quantize_static(
            draft,
            small,
            _reader(speech),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=QUANTIZED,
            per_channel=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
        )
        model = onnx.load(small)
        _halve_last_layer(model)
        onnx.helper.set_model_props(model, about)
        onnx.save(model, small)
        made = runtimes.OnnxRuntime(small.read_bytes(), runtimes.INT8, str(out))
        heard = [*probe, *speech[:40]]
        cosine = float((made.embed(heard) * exact.embed(heard)).sum(axis=1).min())
        if not cosine >= runtimes.AGREEMENT:
            raise ModelError(
                f"The 8-bit network agrees with the float one to {cosine:.4f} only, so nothing was written; "
                "give more speech to find its ranges in."
            )
        small.replace(out)
    return cosine


def _reader(speech: Sequence[np.ndarray]):
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):
        def __init__(self):
            self._left = iter(speech)

        def get_next(self) -> dict | None:
            piece = next(self._left, None)
            return None if piece is None else {"features": log_mel(piece[None])}

    return Reader()


def _halve_last_layer(model) -> None:
    """Store the matrix of the last layer as float16; it is widened when the file is loaded."""
    from onnx import TensorProto, helper, numpy_helper

    gemm = next(node for node in model.graph.node if node.op_type == "Gemm")
    matrix = next(one for one in model.graph.initializer if one.name == gemm.input[1])
    halved = numpy_helper.from_array(numpy_helper.to_array(matrix).astype(np.float16), f"{matrix.name}_16")
    model.graph.initializer.remove(matrix)
    model.graph.initializer.append(halved)
    widen = helper.make_node("Cast", [halved.name], [gemm.input[1]], name="widen", to=TensorProto.FLOAT)
    model.graph.node.insert(0, widen)
