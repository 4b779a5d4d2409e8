"""What /metrics tells Prometheus; it holds no names."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest


class Metrics:
    """The counters of one server."""

    def __init__(self) -> None:
        self._registry = registry = CollectorRegistry()
        self._requests = Counter("speakerid_requests", "Answers, by status", ["status"], registry=registry)
        self._seconds = Histogram("speakerid_request_seconds", "Until an answer began", registry=registry)
        self._refusals = Counter("speakerid_refusals", "Answers from 400 on", registry=registry)
        self.sessions = Gauge("speakerid_live_sessions", "Live WebSockets", registry=registry)
        self.decisions = Counter("speakerid_decisions", "Live decisions", registry=registry)
        self.skipped = Counter("speakerid_windows_skipped", "Live windows not embedded", registry=registry)
        self.delay = Histogram("speakerid_decision_seconds", "From sound to decision", registry=registry)

    def answered(self, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(str(status)).inc()
        self._seconds.observe(seconds)
        if status >= 400:
            self._refusals.inc()

    def text(self) -> bytes:
        """In Prometheus' text format."""
        return generate_latest(self._registry)
