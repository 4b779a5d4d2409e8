"""bfloat16 where matrices of it are multiplied faster: on CUDA devices, and on processors with AMX or
AVX512-BF16 (four to seven times as fast)."""

import functools
import time

import torch

MATRIX = 1024  # rows and columns of the product that is timed
GAIN = 1.3  # how much faster bfloat16 must be to be worth its rounding


def fast_numbers(device: str = "cpu") -> torch.autocast:
    """A context in which matrix products are in bfloat16 if that is faster on such a device."""
    return torch.autocast(device, torch.bfloat16, enabled=device != "cpu" or _bfloat16_is_faster())


@functools.cache
def _bfloat16_is_faster() -> bool:
    """Timed, not looked up: some processors have the instructions and are no faster, others emulate them and
    take half as long again as with float32."""
    return _seconds(torch.float32) > GAIN * _seconds(torch.bfloat16)


def _seconds(numbers: torch.dtype) -> float:
    """The fastest of a few matrix products, which a busy machine slows down less than their mean."""
    matrix = torch.ones(MATRIX, MATRIX, dtype=numbers)
    best = float("inf")
    for _ in range(6):
        start = time.perf_counter()
        torch.mm(matrix, matrix)
        best = min(best, time.perf_counter() - start)
    return best
