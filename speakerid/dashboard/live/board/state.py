"""What a live session as a whole does, beside its answers: listens or not, plays, keeps sound, remarks."""

from typing import TYPE_CHECKING, Any

from speakerid.audio.format import RATE
from speakerid.conversation.kept_sound import KeptSound
from speakerid.dashboard.shared.words import kept

if TYPE_CHECKING:
    from speakerid.audio.ring import Ring

Message = dict[str, Any]


class State:
    """The parts of the board that no decision changes.

    Args:
        sound: what is kept of the sound, for what the page says about it.

    Attributes:
        kind: idle, waiting, listening, ended or failed.
        text: that in words, for people.
        playing: the recording that is played audibly beside the board, its number and the ring that it comes
            through; None for none.
        remarks: sentences that the page shows all the time, by what they are about.
    """

    def __init__(self, sound: KeptSound):
        self.kind, self.text = "idle", ""
        self.playing: tuple[int, Ring] | None = None
        self.remarks: dict[str, str] = {}
        self._sound = sound

    @property
    def idle(self) -> bool:
        """Whether nothing has been listened to yet, or the last listening has ended well."""
        return self.kind in ("idle", "ended")

    def message(self) -> Message:
        """For the browser."""
        return {
            "status": {"kind": self.kind, "text": self.text},
            "kept": kept(self._sound.on, self._sound.ranges(), self._sound.limit),
            "play": self._play(),
            "remark": {"text": " ".join(filter(None, self.remarks.values()))},
        }

    def _play(self) -> Message:
        if self.playing is None or self.kind not in ("waiting", "listening"):
            return {"number": None, "at": 0.0}
        number, ring = self.playing
        return {"number": number, "at": round(ring.position / RATE, 2)}
