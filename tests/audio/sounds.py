"""Sounds for the tests of audio/: made with numpy, encoded with PyAV."""

import io

import av
import numpy as np

RATE = 16_000


def voice(seconds: float, rate: int = RATE, pitch: float = 120.0, seed: int = 0) -> np.ndarray:
    """A buzz with resonances of vowels, in words of 0.4 s with pauses of 0.1 s: float32 [n], RMS 0.1."""
    time = np.arange(round(seconds * rate)) / rate
    phase = 2 * np.pi * pitch * (time - 0.03 / (6 * np.pi) * np.cos(6 * np.pi * time))  # 3 % of vibrato
    sound = np.zeros(len(time))
    for harmonic in range(1, int(min(4000, rate / 2.5) / pitch)):
        hertz = harmonic * pitch
        weight = sum(np.exp(-(((hertz - peak) / 120) ** 2)) for peak in (600, 1200, 2500)) + 0.02
        sound += weight * np.sin(harmonic * phase)
    sound *= np.clip(np.minimum((time % 0.5) / 0.02, (0.4 - time % 0.5) / 0.02), 0, 1)
    sound += np.random.default_rng(seed).standard_normal(len(time)) * 1e-3 * sound.std()
    return (0.1 * sound / sound.std()).astype(np.float32)


def encode(samples: np.ndarray, kind: str, codec: str, rate: int = RATE, **options: str) -> bytes:
    """Samples [n] or [channels, n] as the bytes of a file; kind: FFmpeg's name of a container."""
    channels = np.atleast_2d(samples)
    out = io.BytesIO()
    with av.open(out, "w", format=kind, options=options) as container:
        stream = container.add_stream(codec, rate=rate, layout="mono" if len(channels) == 1 else "stereo")
        if codec in ("libopus", "aac", "libmp3lame"):
            stream.bit_rate = 64_000
        size = stream.codec_context.frame_size or 1024
        formats = av.codec.Codec(codec, "w").audio_formats
        resampler = av.AudioResampler(
            format=formats[0].name, layout=stream.layout, rate=rate, frame_size=size
        )
        frame = av.AudioFrame.from_ndarray(
            np.ascontiguousarray(channels.astype(np.float32)), format="fltp", layout=stream.layout.name
        )
        frame.sample_rate = rate
        pieces = [*resampler.resample(frame), *resampler.resample(None)] if channels.size else []
        for piece in pieces:
            container.mux(stream.encode(piece))
        container.mux(stream.encode(None))
    return out.getvalue()


def wav(samples: np.ndarray, rate: int = RATE, codec: str = "pcm_s16le") -> bytes:
    """Samples [n] or [channels, n] as a wav file."""
    return encode(samples, "wav", codec, rate)


def video_only() -> bytes:
    """An mp4 that shows something and says nothing."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=25, width=64, height=64, pix_fmt="yuv420p")
        for _ in range(10):
            picture = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))
    return out.getvalue()


def likeness(a: np.ndarray, b: np.ndarray, most_shift: int = 2000) -> float:
    """The highest correlation of two sounds over shifts of at most `most_shift` samples (codecs delay)."""
    size = min(len(a), len(b)) - 2 * most_shift
    middle = a[most_shift : most_shift + size].astype(np.float64)
    longer = b[: size + 2 * most_shift].astype(np.float64)
    spectrum = np.fft.rfft(longer) * np.conj(np.fft.rfft(middle, len(longer)))
    products = np.fft.irfft(spectrum, len(longer))[: 2 * most_shift + 1]
    best = int(np.argmax(products))
    return float(np.corrcoef(middle, longer[best : best + size])[0, 1])
