"""Very many people: all of them in 8 bits, then the nearest as exactly as any.

Reading the numbers is what takes the time, and 8 bits are a quarter of them; the product is ONNX Runtime's
MatMulInteger, which every processor has instructions for. It says nearly the same: an error of half a step
in each of 192 numbers is 0.0006 in a cosine (standard deviation), so whoever is among the NEAREST by one is
by the other, or lies far behind the best.
"""

from functools import lru_cache

import numpy as np

from speakerid.gallery.centers import gathered
from speakerid.onnx_session import OnnxSession

NEAREST = 1024  # people whose cosines are exact
_STEPS = 127  # of 8 bits, on either side of zero
_AT_ONCE = 65_536  # rows that are rounded together
_FINER = 256  # what one step of the embedding's first part is of its second


class Coarse:
    """Unit rows [p, 192] in 8 bits, each in steps of its own."""

    def __init__(self, steps: np.ndarray, numbers: np.ndarray):
        self._steps, self._numbers = steps, numbers  # float32 [p]; uint8 [p, 192], where 128 is zero

    @staticmethod
    def of(rows: np.ndarray) -> "Coarse":
        """Those of rows [p, 192]."""
        made = Coarse(np.empty(len(rows), np.float32), np.empty(rows.shape, np.uint8))
        for at in range(0, len(rows), _AT_ONCE):
            part = rows[at : at + _AT_ONCE]
            steps = np.maximum(np.abs(part).max(axis=1, initial=0), 1e-9) / _STEPS
            made._steps[at : at + len(part)] = steps
            made._numbers[at : at + len(part)] = np.rint(part / steps[:, None]) + 128
        return made

    def updated(self, known: np.ndarray, new: np.ndarray) -> "Coarse":
        """These rows as `known` orders them, and new rows [.., 192] where it says -1."""
        more = Coarse.of(new)
        numbers = gathered(self._numbers, known, more._numbers)
        return Coarse(gathered(self._steps, known, more._steps), numbers)

    @property
    def nbytes(self) -> int:
        """Bytes that the numbers take."""
        return self._steps.nbytes + self._numbers.nbytes

    def cosines(self, embeddings: np.ndarray, rows: np.ndarray) -> np.ndarray:
        """float32 [n, p] of unit embeddings [n, 192] with the rows [p, 192] that this was made from."""
        return np.stack([self._cosines(embedding.astype(np.float32), rows) for embedding in embeddings])

    def _cosines(self, embedding: np.ndarray, rows: np.ndarray) -> np.ndarray:
        # The embedding in two parts, since a second column costs nothing: 16 bits in all.
        step = float(np.abs(embedding).max()) / _STEPS + 1e-12
        first = np.rint(embedding / step)
        second = np.clip(np.rint((embedding / step - first) * _FINER), -_STEPS, _STEPS)
        columns = np.stack([first, second], axis=1).astype(np.int8)
        products = _product().run({"people": self._numbers, "embedding": columns})[0]
        cosines = (products[:, 0] + products[:, 1] * np.float32(1 / _FINER)) * np.float32(step)
        cosines *= self._steps
        nearest = np.argpartition(cosines, -NEAREST)[-NEAREST:]
        cosines[nearest] = rows[nearest] @ embedding
        return cosines


@lru_cache(maxsize=1)
def _product() -> OnnxSession:
    """uint8 [p, 192] less 128, by int8 [192, k], on one thread."""
    from onnx import TensorProto, helper, numpy_helper

    zero = numpy_helper.from_array(np.array(128, np.uint8), "zero")
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["people", "embedding", "zero"], ["products"])],
        "coarse",
        [
            helper.make_tensor_value_info("people", TensorProto.UINT8, ["p", "d"]),
            helper.make_tensor_value_info("embedding", TensorProto.INT8, ["d", "k"]),
        ],
        [helper.make_tensor_value_info("products", TensorProto.INT32, ["p", "k"])],
        [zero],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    return OnnxSession(model.SerializeToString())
