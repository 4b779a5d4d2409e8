"""How the REST API holds while half of its connections are slow on purpose: a real server, as a process.

The slow ones, in equal parts: half a head; a body that comes a byte a second; a WebSocket that never sends;
an answer that is never fetched. Each that is hung up on comes back. The others ask for /v1/health once a
second.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from contextlib import suppress
from itertools import cycle

import numpy as np

from speakerid import settings
from speakerid.evaluate.processes import megabytes

CONNECTIONS, SECONDS = 200, 20.0
_EVERY = 1.0  # seconds between two requests of one client
_PATIENCE = 30.0  # seconds that a client waits for an answer
_SETTLE = 5.0  # seconds from the end of the attack to the last look at memory


def holding(connections: int = CONNECTIONS, seconds: float = SECONDS) -> dict:
    """Half of so many connections slow, for so long.

    Returns:
        {"connections", "slow", "hung_up" on slow ones, "asked", "failed", "median_ms", "p95_ms" of
        /v1/health, "alone_median_ms", "alone_p95_ms" of as many requests just before, without the slow ones,
        "megabytes_before", "megabytes_during" (the most), "megabytes_after"}; megabytes are None where /proc
        tells none.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "speakerid", "serve", "--port", "0", "--json"]
        environment = settings.without(settings.API_TOKEN)
        process = subprocess.Popen(
            [*command, "--voiceprints", folder], env=environment, stdout=subprocess.PIPE, text=True
        )
        try:
            assert process.stdout is not None
            host, port = json.loads(process.stdout.readline())["url"].removeprefix("http://").split(":")
            return asyncio.run(_measure(process.pid, (host, int(port)), connections, seconds))
        finally:
            process.kill()
            process.wait()


async def _measure(pid: int, address: tuple[str, int], connections: int, seconds: float) -> dict:
    slow = connections // 2
    took: list[float] = []
    alone: list[float] = []
    seen: Counter[str] = Counter()
    loop = asyncio.get_running_loop()
    await asyncio.gather(*_asking(address, connections - slow, loop.time() + seconds / 2, alone, seen))
    before = most = megabytes(pid)
    end = loop.time() + seconds
    ways = cycle((_half_a_head, _slow_body, _silent_socket, _unread_answer))
    tasks = [asyncio.create_task(_again(next(ways), address, end, seen)) for _ in range(slow)]
    tasks += _asking(address, connections - slow, end, took, seen)
    while loop.time() < end:
        await asyncio.sleep(0.5)
        most = max(most or 0.0, megabytes(pid) or 0.0) or None
    await asyncio.gather(*tasks)
    await asyncio.sleep(_SETTLE)
    return {
        "connections": connections,
        "slow": slow,
        "hung_up": seen["hung up"],
        "asked": len(alone) + len(took) + seen["failed"],
        "failed": seen["failed"],
        "median_ms": _percentile(took, 50),
        "p95_ms": _percentile(took, 95),
        "alone_median_ms": _percentile(alone, 50),
        "alone_p95_ms": _percentile(alone, 95),
        "megabytes_before": before,
        "megabytes_during": most,
        "megabytes_after": megabytes(pid),
    }


def _percentile(seconds: list[float], which: float) -> float | None:
    """In milliseconds."""
    return 1000 * float(np.percentile(seconds, which)) if seconds else None


def _asking(
    address: tuple[str, int], clients: int, end: float, took: list[float], seen: Counter[str]
) -> list[asyncio.Task[None]]:
    """Clients that ask in turn, each once a second, until the end."""
    return [
        asyncio.create_task(_client(address, end, number / clients * _EVERY, took, seen))
        for number in range(clients)
    ]


async def _client(
    address: tuple[str, int], end: float, first: float, took: list[float], seen: Counter[str]
) -> None:
    """Ask for the health once a second, each time with a connection of its own."""
    await asyncio.sleep(first)
    while asyncio.get_running_loop().time() < end:
        began = time.perf_counter()
        await _ask(address, took, seen)
        await asyncio.sleep(max(0.0, _EVERY - (time.perf_counter() - began)))


async def _ask(address: tuple[str, int], took: list[float], seen: Counter[str]) -> None:
    began = time.perf_counter()
    try:
        async with asyncio.timeout(_PATIENCE):
            reader, writer = await asyncio.open_connection(*address)
            writer.write(_head("GET /v1/health", "Connection: close"))
            answer = await reader.read()
            writer.close()
    except (OSError, TimeoutError):
        answer = b""
    if answer.startswith(b"HTTP/1.1 200"):
        took.append(time.perf_counter() - began)
    else:
        seen["failed"] += 1


Slow = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


async def _again(way: Slow, address: tuple[str, int], end: float, seen: Counter[str]) -> None:
    """Be slow until the end; whoever is hung up on comes back."""
    loop = asyncio.get_running_loop()
    while loop.time() < end:
        with suppress(OSError, TimeoutError):
            async with asyncio.timeout_at(end):
                reader, writer = await asyncio.open_connection(*address)
                try:
                    await way(reader, writer)
                finally:
                    writer.transport.abort()
        seen["hung up"] += loop.time() < end
        await asyncio.sleep(0.1)


async def _half_a_head(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(b"GET /v1/health HTTP/1.1\r\nHost: 127")
    await reader.read()


async def _slow_body(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_head("POST /v1/identify", "Content-Length: 100000"))
    while not reader.at_eof():
        writer.write(b"x")
        with suppress(TimeoutError):
            await asyncio.wait_for(reader.read(1000), 1.0)


async def _silent_socket(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    opening = ("Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13")
    writer.write(_head("GET /v1/listen", *opening, "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="))
    while await reader.read(1000):
        pass


async def _unread_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    writer.write(_head("GET /static-offline-docs/swagger-ui-bundle.js") * 10)
    transport = writer.transport
    assert isinstance(transport, asyncio.ReadTransport)
    transport.pause_reading()
    while not transport.is_closing():
        await asyncio.sleep(0.5)


def _head(line: str, *headers: str) -> bytes:
    return "\r\n".join([f"{line} HTTP/1.1", "Host: 127.0.0.1", *headers, "", ""]).encode()
