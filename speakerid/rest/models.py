"""Shapes of requests and answers, as /openapi.json tells them. Times are in seconds."""

from typing import Any, Literal

from pydantic import BaseModel, Field


class Error(BaseModel):
    """What went wrong: one sentence, with its remedy."""

    error: str
    reasons: list[str] = Field(default=[], description="of a refused enrollment, one sentence each")
    belongs_to: str | None = Field(default=None, description="whose voice it is instead")


class Health(BaseModel):
    """Whether it works, and with what."""

    status: Literal["ok", "busy"]
    version: str
    model: str
    runtime: str = Field(description="what runs the network, and why nothing faster does")
    people: int
    calibrated: bool


class ConsentGiven(BaseModel):
    """That the person agreed."""

    given_at: str
    source: str
    keep_recordings: bool


class Person(BaseModel):
    """Somebody enrolled."""

    name: str
    id: str
    exemplars: int
    speech_seconds: float
    model: str
    sources: list[str]
    exemplar_sources: list[str]
    recordings_kept: int
    created: str
    updated: str
    consent: ConsentGiven


class DamagedFile(BaseModel):
    """A file that is not used, and why."""

    file: str
    reason: str


class People(BaseModel):
    """Everybody enrolled."""

    speakers: list[Person]
    damaged: list[DamagedFile]


class Enrolled(BaseModel):
    """What an enrollment brought."""

    name: str
    added: int
    exemplars: int
    speech_seconds: float
    quality: list[Any]
    warnings: list[str]


class NewName(BaseModel):
    """What a person is to be called."""

    name: str


class Renamed(BaseModel):
    """A person's old name and new one."""

    old: str
    new: str


class Removed(BaseModel):
    """Who was deleted."""

    removed: str


class Turn(BaseModel):
    """One stretch of one person's speech."""

    start: float
    end: float
    speaker: str
    confidence: float


class Decision(BaseModel):
    """Who speaks, as far as it was known at a moment."""

    at: float
    speaker: str | None
    confidence: float
    scores: dict[str, float]
    also: list[str] = Field(description="who else speaks at the same time")


class Identified(BaseModel):
    """Who speaks when in a recording."""

    seconds: float
    turns: list[Turn]
    model: str
    calibrated: bool
    calibration: str
    warnings: list[str]
    decisions: list[Decision] | None = None


class Job(BaseModel):
    """A recording that is worked on beside its request."""

    id: str
    state: Literal["waiting", "running", "done", "failed"]
    heard: float = Field(description="seconds of the recording so far")
    seconds: float | None = Field(description="of the recording, where its header tells")
    error: str | None = None
    result: Identified | None = None


class Cancelled(BaseModel):
    """A job that is gone."""

    cancelled: str


class Verified(BaseModel):
    """One person's name against one recording."""

    name: str
    probability: float = Field(description="that it is this person, if that was as likely as not before")
    log_likelihood_ratio: float = Field(description="natural logarithm: this person against anybody else")
    seconds: float
    model: str
    calibrated: bool


class Near(BaseModel):
    """Somebody enrolled, and how near a voice is to them."""

    name: str
    probability: float
    log_likelihood_ratio: float


class Nearest(BaseModel):
    """Who is nearest to the voice in a recording, the nearest first."""

    nearest: list[Near]
    seconds: float
    model: str
    calibrated: bool


class Embedding(BaseModel):
    """A voice as numbers."""

    embedding: list[float] = Field(description="192 numbers of unit length together")
    seconds: float
    model: str
    warnings: list[str]
