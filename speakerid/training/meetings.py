"""Made-up meetings out of single voices, with the truth of who speaks when.

Turns follow one another with gaps, without a gap or over one another; words are thrown in; people sit near or
far in one room with noise, and some meetings come through a telephone or a codec. Every meeting draws its own
manners, so a network that learns from them meets calm reports and quarrels alike.
"""

import itertools
from dataclasses import dataclass

import numpy as np
from scipy.signal import oaconvolve

from speakerid.audio.format import RATE
from speakerid.training import augment
from speakerid.training.corpus import Clip, Corpus

FRAME = 256  # samples: 16 ms, a frame of the truth
SECONDS = 60.0
PEOPLE_ODDS = (0.10, 0.27, 0.31, 0.21, 0.11)  # of one to five people
CORPUS_ODDS = {
    "librispeech": 0.18,
    "speechocean": 0.28,
    "common-voice": 0.28,
    "unlabelled-common-voice": 0.10,
    "vctk": 0.04,
    "dspspeech": 0.03,
    "arabic": 0.03,
    "speech-commands": 0.05,
    "unlabelled": 0.05,
}
SPEECH_DB = 35.0  # a frame of a clean clip is speech if it is at most so far below the clip's loudest
PAUSE = 0.25  # s; shorter gaps in speech are speech
LONGEST_TURN = 9.0  # s
NOISE_SECONDS = 10  # of noise that is made, and repeated
LEVEL = 0.08  # root mean square of a clip before its gain


@dataclass(frozen=True)
class Meeting:
    """samples float32 [n]; speaking bool [people, n // FRAME]; speakers: their numbers in MeetingSource."""

    samples: np.ndarray
    speaking: np.ndarray
    speakers: list[int]


@dataclass(frozen=True)
class _Manners:
    """How the people of one meeting talk: gap and its spread in seconds, shares of turns."""

    gap: float
    spread: float
    joined: float  # that follow without any gap
    thrown_in: float  # with a word of somebody else in them
    pauses: float  # that are followed by a long silence
    goes_on: float  # in which the same person takes the next one too


class MeetingSource:
    """Endless meetings of a corpus' speakers.

    Attributes:
        speakers: the clips of each speaker, by number.
    """

    def __init__(self, corpus: Corpus, around: augment.Surroundings, seed: int | list[int]):
        self.corpus, self.around = corpus, around
        self.rng = np.random.default_rng(seed)
        self.speakers = list(corpus.by_speaker().values())
        self._by_corpus: list[tuple[float, list[int]]] = []
        taken: set[int] = set()
        for prefix, weight in CORPUS_ODDS.items():
            of_it = [
                number
                for number, clips in enumerate(self.speakers)
                if number not in taken and clips[0].corpus.startswith(prefix)
            ]
            taken.update(of_it)
            if of_it:
                self._by_corpus.append((weight, of_it))

    def meeting(self, seconds: float = SECONDS) -> Meeting:
        rng = self.rng
        people = self._people(1 + int(rng.choice(len(PEOPLE_ODDS), p=PEOPLE_ODDS)))
        length = int(seconds * RATE) // FRAME * FRAME
        tracks = np.zeros((len(people), length), np.float32)
        speaking = np.zeros((len(people), length // FRAME), bool)
        self._talk(people, tracks, speaking)
        mix = self._seat(tracks)
        return Meeting(self._record(mix), speaking, people)

    def _people(self, count: int) -> list[int]:
        weights = np.array([weight for weight, _ in self._by_corpus])
        people: list[int] = []
        # Half of the meetings are of one corpus, so that the microphone does not tell the voices apart.
        one = self.rng.choice(len(weights), p=weights / weights.sum()) if self.rng.random() < 0.5 else None
        while len(people) < count:
            kind = self.rng.choice(len(weights), p=weights / weights.sum()) if one is None else one
            speakers = self._by_corpus[kind][1]
            drawn = speakers[self.rng.integers(len(speakers))]
            if drawn not in people or len(speakers) < count:
                people.append(drawn)
        return people

    def _talk(self, people: list[int], tracks: np.ndarray, speaking: np.ndarray) -> None:
        """Fill the tracks [people, n] turn by turn."""
        rng, manners, length = self.rng, self._manners(), tracks.shape[1]
        at, last = int(rng.uniform(0, 2.0) * RATE), -1
        loudness = 10 ** (rng.uniform(-6, 6, len(people)) / 20)
        while at < length:
            who = self._next(len(people), last, manners)
            piece = self._piece(self._clip(people[who]))
            gain = loudness[who] * 10 ** (rng.normal(0, 1.5) / 20)
            self._lay(tracks[who], speaking[who], at, piece, gain)
            if len(people) > 1 and len(piece) > 1.5 * RATE and rng.random() < manners.thrown_in:
                self._throw_in(people, who, tracks, speaking, at, len(piece), loudness)
            at = max(at + RATE // 3, at + len(piece) + int(self._gap(manners) * RATE))
            last = who

    def _manners(self) -> _Manners:
        rng = self.rng
        kind = rng.random()
        if kind < 0.25:  # heated
            return _Manners(-rng.uniform(0.2, 1.2), 0.7, 0.1, rng.uniform(0.2, 0.7), 0.02, 0.1)
        if kind < 0.45:  # read out, one after the other
            return _Manners(rng.uniform(0, 0.5), 0.2, rng.uniform(0, 0.8), 0.05, 0.1, 0.2)
        spread = rng.uniform(0.2, 0.6)
        return _Manners(rng.uniform(-0.1, 0.6), spread, 0.2, rng.uniform(0, 0.5), rng.uniform(0, 0.15), 0.2)

    def _gap(self, manners: _Manners) -> float:
        draw = self.rng.random()
        if draw < manners.pauses:
            return float(self.rng.uniform(1.5, 6.0))
        if draw < manners.pauses + manners.joined:
            return 0.0
        return float(self.rng.normal(manners.gap, manners.spread))

    def _next(self, people: int, last: int, manners: _Manners) -> int:
        if people == 1 or (last >= 0 and self.rng.random() < manners.goes_on):
            return max(last, 0)
        others = [who for who in range(people) if who != last]
        return others[self.rng.integers(len(others))]

    def _throw_in(
        self,
        people: list[int],
        speaker: int,
        tracks: np.ndarray,
        speaking: np.ndarray,
        at: int,
        length: int,
        loudness: np.ndarray,
    ) -> None:
        """A short word of somebody else into a turn."""
        others = [who for who in range(len(people)) if who != speaker]
        who = others[self.rng.integers(len(others))]
        word = self._piece(self._clip(people[who]), float(self.rng.uniform(0.3, 1.5)))
        start = at + int(self.rng.uniform(0.2, max(length / RATE - 0.5, 0.3)) * RATE)
        self._lay(
            tracks[who], speaking[who], start, word, loudness[who] * 10 ** (self.rng.uniform(-8, 2) / 20)
        )

    def _clip(self, speaker: int) -> Clip:
        clips = self.speakers[speaker]
        return clips[self.rng.integers(len(clips))]

    def _piece(self, clip: Clip, seconds: float | None = None) -> np.ndarray:
        """A clip, or as much of it from anywhere."""
        if seconds is None:
            short = self.rng.random() < 0.25
            seconds = float(self.rng.uniform(0.4, 2.0) if short else self.rng.uniform(2.0, LONGEST_TURN))
        samples = self.corpus.audio(clip)
        wanted = min(len(samples), int(seconds * RATE))
        start = int(self.rng.integers(len(samples) - wanted + 1)) // FRAME * FRAME
        return samples[start : start + wanted]

    @staticmethod
    def _lay(track: np.ndarray, speaking: np.ndarray, at: int, piece: np.ndarray, gain: float) -> None:
        """Add a piece to a person's track from sample `at` on, in place of what they say there already."""
        at = at // FRAME * FRAME
        piece = piece[: max(len(track) - at, 0)]
        if len(piece) < FRAME:
            return
        power = float(np.sqrt(np.mean(np.square(piece))))
        track[at : at + len(piece)] = piece * np.float32(gain * LEVEL / max(power, 1e-5))
        found = voiced(piece)
        speaking[at // FRAME : at // FRAME + len(found)] = found

    def _seat(self, tracks: np.ndarray) -> np.ndarray:
        """Everybody at their place in the room: [people, n] -> [n]."""
        rng, kind = self.rng, self.rng.random()
        mix = np.zeros(tracks.shape[1], np.float32)
        seconds = float(rng.uniform(0.15, 0.7))
        for track in tracks:
            if kind < 0.35 and self.around.rooms:
                track = _convolve(track, self.around.rooms[rng.integers(len(self.around.rooms))])
            elif kind < 0.75:
                track = _convolve(track, _tail(seconds, float(rng.uniform(-3, 14)), rng))
            mix += track
        return mix

    def _record(self, mix: np.ndarray) -> np.ndarray:
        """Noise, the microphone, the line, the level."""
        rng, length = self.rng, len(mix)
        kind, snr = rng.random(), float(rng.uniform(5, 32))
        if kind < 0.3 and self.around.noises:
            noise = self.around.noises[rng.integers(len(self.around.noises))]
            mix = augment.add_noise(mix, np.roll(noise, rng.integers(len(noise))), snr)
        elif kind < 0.85:
            noise = augment.colored_noise(NOISE_SECONDS * RATE, rng.uniform(0, 2), rng)
            mix = augment.add_noise(mix, noise, snr)
        if rng.random() < 0.25:
            mix = augment.tilt(mix, rng)
        peak = 10 ** (rng.uniform(-26, 2) / 20) / max(float(np.abs(mix).max()), 1e-4)
        mix = np.clip(mix * np.float32(peak), -1, 1)
        line = rng.random()
        if line < 0.06:
            mix = augment.telephone(mix)
        elif line < 0.14:
            mix = augment.opus(mix, int(rng.integers(12, 33)) * 1000)
        return np.pad(mix, (0, length - len(mix))).astype(np.float32)


def voiced(piece: np.ndarray) -> np.ndarray:
    """Where a clean piece [n] of one voice holds speech: bool [n // FRAME]."""
    count = len(piece) // FRAME
    power = np.square(piece[: count * FRAME].reshape(-1, FRAME)).mean(axis=1)
    decibels = 10 * np.log10(power + 1e-12)
    # In a noisy clip the pauses are not 35 dB below the loudest frame: they are near the quietest ones.
    quiet = min(float(np.percentile(decibels, 3)) + 4.0, float(decibels.max()) - 14.0)
    loud = np.flatnonzero(decibels > max(float(decibels.max()) - SPEECH_DB, quiet))
    found = np.zeros(count, bool)
    found[loud] = True
    for before, after in itertools.pairwise(loud):
        if after - before <= PAUSE * RATE / FRAME:
            found[before:after] = True
    return found


def _convolve(track: np.ndarray, response: np.ndarray) -> np.ndarray:
    return oaconvolve(track, response.astype(np.float32))[: len(track)].astype(np.float32)


def _tail(seconds: float, direct_db: float, rng: np.random.Generator) -> np.ndarray:
    """A room's response: the direct sound, and noise that falls by 60 dB in so many seconds, together so many
    dB below it."""
    time = np.arange(int(seconds * RATE)) / RATE
    tail = rng.standard_normal(len(time)) * 10 ** (-3 * time / seconds)
    tail[: int(0.003 * RATE)] = 0
    tail *= 10 ** (-direct_db / 20) / np.sqrt(np.square(tail).sum())
    tail[0] = 1.0
    return tail.astype(np.float32)
