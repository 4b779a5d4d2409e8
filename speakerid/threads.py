"""How many threads the network takes in this process: one, unless SPEAKERID_THREADS says otherwise.

Windows of speech are small. A second thread makes them 20 % faster on an idle computer and many times slower
on a busy one, where PyTorch's threads wait for one another in a loop that takes processor time from the very
work they wait for. Several windows at once use several cores by batches and by processes.
"""

import os
import threading

from speakerid.errors import SpeakerIdError

VARIABLE = "SPEAKERID_THREADS"
MOST = 256

_held = threading.local()


def chosen() -> int:
    """The number of threads.

    Raises:
        SpeakerIdError: the variable SPEAKERID_THREADS is not a number from 1 to 256.
    """
    given = os.environ.get(VARIABLE) or "1"
    if not (given.isascii() and given.isdecimal()) or not 1 <= int(given[:4]) <= MOST:
        raise SpeakerIdError(f'{VARIABLE} is "{given}": set it to a number from 1 to {MOST}, or unset it.')
    return int(given)


def hold() -> None:
    """Hold PyTorch to that number; to be called in each thread that runs the network, since it counts there.

    Raises:
        SpeakerIdError: as `chosen`.
    """
    count = chosen()
    if getattr(_held, "count", None) != count:
        import torch

        torch.set_num_threads(count)
        _held.count = count
