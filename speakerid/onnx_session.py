"""ONNX Runtime, the one place that calls it: a network in a file or in memory, run on the threads of whoever
asks, which do not spin while they wait (threads that do starve the rest of a busy computer).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class OnnxSession:
    """A network in ONNX; may be run by several threads at once.

    Args:
        model: the bytes of an ONNX file.
        threads: that one run takes.

    Attributes:
        inputs, outputs: their names, in the graph's order.
        about: the file's metadata.

    Raises:
        ImportError: onnxruntime is not installed.
        ValueError: ONNX Runtime cannot read the model.
    """

    def __init__(self, model: bytes, threads: int = 1):
        import onnxruntime  # pyright: ignore[reportMissingTypeStubs]

        runtime: Any = onnxruntime
        options = runtime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        for kind in ("intra", "inter"):
            options.add_session_config_entry(f"session.{kind}_op.allow_spinning", "0")
        options.log_severity_level = 3  # errors are raised; warnings are about how the file was exported
        try:
            self._session = runtime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        except Exception as problem:  # its exceptions have no base of their own
            raise ValueError("ONNX Runtime cannot read the network") from problem
        self.inputs: list[str] = [one.name for one in self._session.get_inputs()]
        self.outputs: list[str] = [one.name for one in self._session.get_outputs()]
        self.about: dict[str, str] = dict(self._session.get_modelmeta().custom_metadata_map)

    @property
    def width(self) -> int | None:
        """The last dimension of the first output; None where the file leaves it open."""
        width = self._session.get_outputs()[0].shape[-1]
        return width if isinstance(width, int) else None

    def run(self, given: Mapping[str, np.ndarray], outputs: Sequence[str] | None = None) -> list[np.ndarray]:
        """What these outputs (all, if none are named) are for these inputs, by name.

        Raises:
            Exception: of ONNX Runtime, without a class in common: the inputs do not fit.
        """
        return [np.asarray(one) for one in self._session.run(outputs, dict(given))]
