"""From several channels to one, so that the voice survives: the same for files and live.

The mean of all channels loses a voice whose sides are opposite in phase (they cancel), and makes one that is
on one input of eight 18 dB quieter than it is. So only channels count that hold something, and one that runs
against the strongest is turned over. A channel that holds something rises above its own floor: hum does not.
"""

import numpy as np

_CELL = 10  # cells a second, at most so long is measured at once
_FADE = 0.01  # seconds in which weights change
_ACTIVE = 0.01  # of the strongest channel's power: one 20 dB weaker adds nothing that is not in that one
_MEMORY = 2.0  # seconds over which phases are compared …
_HOLD = 20.0  # … and over which the power of speech is remembered: a pause is no silent channel
_FLOOR_RISE = 0.5  # dB a second
_AGAINST, _WITH = -0.5, -0.2  # correlation with the strongest at which a channel is turned over, and back
_STRONGER = 4.0  # times the power: only then another channel becomes the one that others are compared with


class Downmix:
    """One stream of sound of several channels; one instance a stream."""

    def __init__(self):
        self._channels = 0

    def push(self, samples: np.ndarray, rate: int) -> np.ndarray:
        """float32 [channels, n] at `rate` samples a second -> float32 [n]."""
        if len(samples) == 1:
            return samples[0]
        if len(samples) != self._channels:
            self._reset(len(samples))
        size = max(1, rate // _CELL)
        cells = range(0, samples.shape[1], size)
        return np.concatenate(
            [np.zeros(0, np.float32), *(self._cell(samples[:, at : at + size], rate) for at in cells)]
        )

    def _reset(self, channels: int) -> None:
        self._channels = channels
        self._together = np.zeros((channels, channels))  # products of the channels, of the last seconds
        self._held = np.zeros(channels)  # power of the loudest of late
        self._floor: np.ndarray | None = None
        self._sign = np.ones(channels)
        self._strongest = 0
        self._weights: np.ndarray | None = None

    def _cell(self, cell: np.ndarray, rate: int) -> np.ndarray:
        before, self._weights = self._weights, self._next_weights(cell, cell.shape[1] / rate)
        mixed = self._weights @ cell
        if before is not None and not np.array_equal(before, self._weights):
            fade = min(cell.shape[1], max(1, round(rate * _FADE)))
            along = np.arange(1, fade + 1, dtype=np.float32) / fade
            mixed[:fade] = (before @ cell[:, :fade]) * (1 - along) + mixed[:fade] * along
        return mixed

    def _next_weights(self, cell: np.ndarray, seconds: float) -> np.ndarray:
        """[channels]: what each counts from now on."""
        centred = cell - cell.mean(axis=1, keepdims=True)
        products = (centred @ centred.T).astype(np.float64) / cell.shape[1]
        power = products.diagonal()
        keep = float(np.exp(-seconds / _MEMORY))
        self._together = keep * self._together + (1 - keep) * products
        self._held = np.maximum(power, self._held * np.exp(-seconds / _HOLD))
        risen = power if self._floor is None else self._floor * 10 ** (_FLOOR_RISE * seconds / 10) + 1e-14
        self._floor = np.minimum(power, risen)
        heard = np.maximum(self._held - 2 * self._floor, 0.0)
        if heard.max() < _ACTIVE * self._held.max():  # nobody has spoken yet: what is there counts
            heard = self._held
        if heard[self._strongest] * _STRONGER < heard.max():
            self._strongest = int(heard.argmax())
        self._turn_over()
        active = heard > _ACTIVE * heard.max()
        if not active.any():
            active[:] = True
        return (self._sign * active / active.sum()).astype(np.float32)

    def _turn_over(self) -> None:
        sizes = np.sqrt(np.maximum(self._together.diagonal(), 0))
        scale = sizes * sizes[self._strongest]
        likeness = np.divide(
            self._together[self._strongest], scale, out=np.zeros_like(scale), where=scale > 0
        )
        self._sign = np.where(likeness < _AGAINST, -1.0, np.where(likeness > _WITH, 1.0, self._sign))
