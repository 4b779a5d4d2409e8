"""Read the weights out of an ONNX file with numpy alone.

An ONNX file is one protocol-buffers message (onnx/onnx.proto3); of it only ModelProto.graph (field 7), its
GraphProto.initializer (5) and their TensorProto.dims (1), data_type (2), name (8) and raw_data (9) are read.
"""

from collections.abc import Iterator
from pathlib import Path

import numpy as np

_FLOAT = 1  # TensorProto.DataType
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5  # wire types


def read_weights(path: Path) -> dict[str, np.ndarray]:
    """The float32 initializers of an ONNX file by name.

    Raises:
        OSError: the file cannot be read.
        ValueError: it is not a whole ONNX file.
    """
    weights = {}
    try:
        for graph in _fields(memoryview(path.read_bytes()), 7):
            for tensor in _fields(graph, 5):
                if _numbers(tensor, 2) == [_FLOAT]:
                    name = bytes(next(_fields(tensor, 8))).decode()
                    raw = b"".join(_fields(tensor, 9))
                    weights[name] = np.frombuffer(raw, "<f4").reshape(_numbers(tensor, 1))
    except (IndexError, StopIteration) as error:
        raise ValueError(f"{path} is not a whole ONNX file") from error
    return weights


def _fields(message: memoryview, wanted: int) -> Iterator[memoryview]:
    """Each value of the length-delimited field `wanted`."""
    return (value for field, value in _walk(message) if field == wanted and isinstance(value, memoryview))


def _numbers(message: memoryview, wanted: int) -> list[int]:
    """The values of the integer field `wanted`, packed (several in one run of bytes) or not."""
    found = []
    for field, value in _walk(message):
        if field != wanted:
            continue
        if isinstance(value, int):
            found.append(value)
        else:
            at = 0
            while at < len(value):
                number, at = _varint(value, at)
                found.append(number)
    return found


def _walk(message: memoryview) -> Iterator[tuple[int, int | memoryview]]:
    """Every (field number, value) of a message; a value is a number or the bytes of a sub-message."""
    at = 0
    while at < len(message):
        key, at = _varint(message, at)
        field, kind = key >> 3, key & 7
        if kind == _VARINT:
            value, at = _varint(message, at)
            yield field, value
            continue
        if kind == _BYTES:
            size, at = _varint(message, at)
        elif kind in (_FIXED64, _FIXED32):
            size = 8 if kind == _FIXED64 else 4
        else:
            raise IndexError("a wire type that ONNX does not use")
        if at + size > len(message):
            raise IndexError("a field that ends after its message")
        yield field, message[at : at + size]
        at += size


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """(the number that starts at `at`, where the next thing starts)."""
    number = shift = 0
    while True:
        byte = message[at]
        number |= (byte & 0x7F) << shift
        at += 1
        if byte < 0x80:
            return number, at
        shift += 7
