"""An exported model with 8-bit weights, for small devices: a third of the size, and faster."""

from __future__ import annotations

from pathlib import Path

AGREEMENT = 0.99  # least cosine between the embeddings of both models


def quantize(model: Path, out: Path) -> None:
    """Write the ONNX file `model` with its matrices in int8, one scale a column, to `out`.

    What goes into a matrix is rounded to 8 bits as it comes, so no recordings are needed to set it up. The
    mel filters stay as they are: power spectra span more than 8 bits can hold.
    """
    import onnx
    from onnxruntime.quantization import QuantType, quantize_dynamic

    folded = out.with_name("folded.onnx")
    _fold(model, folded)
    graph = onnx.load(folded).graph
    mel_filters = next(node.name for node in graph.node if node.op_type == "MatMul")
    quantize_dynamic(
        folded,
        out,
        op_types_to_quantize=["MatMul", "Gemm"],
        per_channel=True,
        weight_type=QuantType.QInt8,
        nodes_to_exclude=[mel_filters],
    )


def _fold(model: Path, out: Path) -> None:
    """Turn weights that the graph transposes into constants, which alone are quantized."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
