"""What all requests share."""

import asyncio
import threading
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection
from starlette.websockets import WebSocket

from speakerid.gallery import Gallery
from speakerid.identify import Engine
from speakerid.identify.scoring import Scorer
from speakerid.model import Encoder
from speakerid.rest.jobs import Jobs
from speakerid.rest.metrics import Metrics
from speakerid.rest.workers import Workers


@dataclass(eq=False)
class Service:
    """One gallery, one encoder and one Engine for the whole process.

    Attributes:
        heavy: for what runs the network; two at once keep a computer busy.
        quick: for what reads and writes the folder of voiceprints.
        reading: requests whose body is on its way; they hold no place among the others.
        health: for /v1/health, which answers whatever else is busy.
        listening: WebSockets whose sound is heard.
        silent: WebSockets that have sent nothing yet, the oldest first; their events turn them away.
    """

    gallery: Gallery
    encoder: Encoder
    heavy: Workers = field(default_factory=lambda: Workers(threads=2, waiting=6))
    quick: Workers = field(default_factory=lambda: Workers(threads=4, waiting=60))
    reading: Workers = field(default_factory=lambda: Workers(threads=0, waiting=1000))
    health: Workers = field(default_factory=lambda: Workers(threads=1, waiting=1000))
    listening: int = 0
    silent: dict[WebSocket, asyncio.Event] = field(default_factory=dict)
    metrics: Metrics = field(default_factory=Metrics)
    jobs: Jobs = field(default_factory=Jobs)

    def __post_init__(self) -> None:
        self.engine = Engine(self.encoder)
        self._seen: tuple[int, bool] = (0, False)
        self.metrics.sessions.set_function(lambda: self.listening)

    @property
    def calibrated(self) -> bool:
        """Whether confidences of this model can be taken at their word.

        Raises:
            ModelError: the file of the calibration cannot be used.
        """
        return Scorer.for_model(self.encoder.id).calibrated

    async def look(self) -> tuple[str, int, bool]:
        """ "ok" or, where the disk does not answer within a second, "busy"; how many people; calibrated.

        Raises:
            GalleryError: the folder cannot be read, or is gone.
        """
        try:
            async with asyncio.timeout(1):
                self._seen = await self.health.run(lambda _: self._count())
                return "ok", self._seen[0], self._seen[1]
        except TimeoutError:
            return "busy", self._seen[0], self._seen[1]

    def _count(self) -> tuple[int, bool]:
        return len(self.gallery.speakers()), self.calibrated

    def end(self) -> None:
        """The server ends: nothing new is begun, and whoever waits is told."""
        self.heavy.close()
        self.health.close()
        self.jobs.close()
        self.quick.close()
        # It waits for its thread, which may be in the middle of a batch; the event loop must not.
        threading.Thread(target=self.engine.close, name="close-engine", daemon=True).start()


def service_of(connection: HTTPConnection) -> Service:
    """The service that a request is made to."""
    return connection.app.state.service
