"""How many threads the network takes in this process: one, unless SPEAKERID_THREADS says otherwise.

Windows of speech are small. A second thread makes them 20 % faster on an idle computer and many times slower
on a busy one, where PyTorch's threads wait for one another in a loop that takes processor time from the very
work they wait for. Several windows at once use several cores by batches and by processes.
"""

import threading

from speakerid import settings

_held = threading.local()


def hold() -> None:
    """Hold PyTorch to that number; to be called in each thread that runs the network, since it counts there.

    Raises:
        SpeakerIdError: the setting is no number (`settings.threads`).
    """
    count = settings.threads()
    if getattr(_held, "count", None) != count:
        import torch

        torch.set_num_threads(count)
        _held.count = count
