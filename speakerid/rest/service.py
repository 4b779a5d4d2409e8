"""What all requests share."""

import threading
from dataclasses import dataclass, field

from starlette.requests import HTTPConnection

from speakerid.gallery import Gallery
from speakerid.identify import Engine
from speakerid.identify.scoring import Scorer
from speakerid.model import Encoder
from speakerid.rest.workers import Workers

ACTOR = "api"
"""Who changes voiceprints here, in the audit log."""


@dataclass(eq=False)
class Service:
    """One gallery, one encoder and one Engine for the whole process.

    Attributes:
        heavy: for what runs the network; two at once keep a computer busy.
        quick: for what reads and writes the folder of voiceprints.
        listening: WebSockets that are open.
    """

    gallery: Gallery
    encoder: Encoder
    heavy: Workers = field(default_factory=lambda: Workers(threads=2, waiting=6))
    quick: Workers = field(default_factory=lambda: Workers(threads=4, waiting=60))
    listening: int = 0

    def __post_init__(self) -> None:
        self.engine = Engine(self.encoder)

    @property
    def calibrated(self) -> bool:
        """Whether confidences of this model can be taken at their word.

        Raises:
            ModelError: the file of the calibration cannot be used.
        """
        return Scorer.for_model(self.encoder.id).calibrated

    def end(self) -> None:
        """The server ends: nothing new is begun, and whoever waits is told."""
        self.heavy.close()
        self.quick.close()
        # It waits for its thread, which may be in the middle of a batch; the event loop must not.
        threading.Thread(target=self.engine.close, name="close-engine", daemon=True).start()


def service_of(connection: HTTPConnection) -> Service:
    """The service that a request is made to."""
    return connection.app.state.service
