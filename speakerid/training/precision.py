"""bfloat16 where the processor multiplies matrices of it (AMX: seven times as fast), float32 elsewhere."""

import torch


def fast_numbers() -> torch.autocast:
    """A context in which matrix products are in bfloat16 if that is faster here.

    Processors without AMX emulate it and take half as long again as with float32.
    """
    return torch.autocast("cpu", torch.bfloat16, enabled=torch.cpu._is_amx_tile_supported())
