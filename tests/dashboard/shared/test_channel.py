"""Live channels: order, slow browsers, and the end of what nobody watches."""

import asyncio
import json
import threading

import pytest

from speakerid.dashboard.shared.channel import FIRST_VISIT_S, LEFT_S, QUEUE, Channel, Channels
from speakerid.hosts import same_origin


def run(coroutine):
    return asyncio.run(asyncio.wait_for(coroutine, 10))


async def texts(subscriber, count: int) -> list[dict]:
    return [json.loads(await subscriber.next()) for _ in range(count)]


def test_a_browser_gets_the_whole_state_and_then_every_message_in_order():
    async def scenario():
        channel = Channel(lambda: {"kind": "hello"})
        subscriber = channel.subscribe()
        first = await texts(subscriber, 1)
        numbers = [channel.publish({"kind": "update", "k": k}) for k in range(5)]
        return first + await texts(subscriber, 5), numbers

    (hello, *updates), numbers = run(scenario())
    assert hello["kind"] == "hello"
    assert [update["k"] for update in updates] == [0, 1, 2, 3, 4]
    assert [update["seq"] for update in updates] == numbers == sorted(numbers)


def test_messages_published_from_another_thread_arrive():
    async def scenario():
        channel = Channel(lambda: {"kind": "hello"})
        subscriber = channel.subscribe()
        await subscriber.next()
        thread = threading.Thread(target=lambda: [channel.publish({"k": k}) for k in range(10)])
        thread.start()
        got = await texts(subscriber, 10)
        thread.join()
        return got

    assert [message["k"] for message in run(scenario())] == list(range(10))


def test_a_browser_that_cannot_keep_up_gets_the_whole_state_again_and_no_gap():
    async def scenario():
        state = {"last": -1}
        channel = Channel(lambda: {"kind": "hello", **state})
        subscriber = channel.subscribe()
        await subscriber.next()
        for k in range(3 * QUEUE):
            state["last"] = k
            channel.publish({"kind": "update", "k": k})
        await asyncio.sleep(0)  # let the queue take them in
        again = await texts(subscriber, 1)
        channel.publish({"kind": "update", "k": 3 * QUEUE})
        return again + await texts(subscriber, 1)

    again, update = run(scenario())
    assert again["kind"] == "hello" and again["last"] == 3 * QUEUE - 1
    assert update["k"] == 3 * QUEUE


def test_closing_ends_the_streams_of_all_browsers():
    async def scenario():
        channels = Channels()
        channel = channels.add(Channel(lambda: {}))
        watching = [channel.subscribe(), channel.subscribe()]
        for subscriber in watching:
            await subscriber.next()
        channels.close(channel)
        return [await subscriber.next() for subscriber in watching], channels.get(channel.token)

    ends, found = run(scenario())
    assert ends == [None, None]
    assert found is None


def test_a_channel_is_reaped_only_after_its_last_browser_has_been_gone_for_some_seconds():
    async def scenario():
        left = []
        channels = Channels()
        channel = channels.add(Channel(lambda: {}, on_abandoned=lambda: left.append(True)))
        now = channel._last_seen
        assert channels.reap(now + FIRST_VISIT_S - 1) == 0, "a page takes its time to load"
        one, other = channel.subscribe(), channel.subscribe()
        channel.unsubscribe(one)
        assert channels.reap(now + 1000) == 0, "somebody still watches"
        channel.unsubscribe(other)
        now = channel._last_seen
        assert channels.reap(now + LEFT_S - 0.5) == 0, "a reload comes back"
        assert not left
        assert channels.reap(now + LEFT_S + 0.5) == 1
        assert left == [True] and channel.closed and channels.get(channel.token) is None

    run(scenario())


def test_a_channel_that_was_never_watched_is_reaped_too():
    channels = Channels()
    channel = channels.add(Channel(lambda: {}))
    assert channels.reap(channel._last_seen + FIRST_VISIT_S + 1) == 1
    assert len(channels) == 0


def test_tokens_cannot_be_guessed():
    tokens = {Channel(lambda: {}).token for _ in range(100)}
    assert len(tokens) == 100
    assert all(len(token) >= 32 for token in tokens)


@pytest.mark.parametrize(
    ("origin", "host", "same"),
    [
        ("http://localhost:8501", "localhost:8501", True),
        ("https://Voices.example", "voices.example", True),
        ("http://localhost:8502", "localhost:8501", False),
        ("http://evil.example", "localhost:8501", False),
        ("http://localhost:8501.evil.example", "localhost:8501", False),
        ("http://evil.example/localhost:8501", "localhost:8501", False),
        ("null", "localhost:8501", False),
        ("", "localhost:8501", False),
        (None, "localhost:8501", False),
    ],
)
def test_only_the_very_same_origin_may_open_a_websocket(origin, host, same):
    assert same_origin(origin, host) is same
