"""Sources of sound for a live session, in one shape."""

from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from speakerid.audio.ring import Ring


class Source(Protocol):
    """What the session needs of a source of sound: where its blocks are, and how it is."""

    ring: "Ring"
    closed: bool

    @property
    def error(self) -> str:
        """Why it has stopped by itself, for people; "" while it runs."""
        ...

    def close(self) -> object:
        """End it; may be called more than once."""
        ...


class OpenMicrophone:
    """A microphone of this computer that is open.

    Raises:
        AudioError: it cannot be opened.
    """

    def __init__(self, device: Any, ring: "Ring"):
        from speakerid.audio.microphone import Microphone

        self._microphone = Microphone(device, ring)
        self._microphone.__enter__()
        self.ring = ring
        self.closed = False

    @property
    def error(self) -> str:
        """Why it has stopped by itself, for people; "" while it runs."""
        return str(self._microphone.error or "")

    def close(self) -> None:
        """Give the microphone back."""
        if not self.closed:
            self.closed = True
            self._microphone.__exit__(None, None, None)
