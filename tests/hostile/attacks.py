# SPDX-License-Identifier: Apache-2.0
"""What a client can do to a server with HTTP/2 alone. Each returns how many streams
it began."""

import itertools
import struct
import threading

from http2 import (ACK, CONTINUATION, DATA, END_HEADERS, END_STREAM, HEADERS, PING,
                   SETTINGS, Peer, call, call_headers, field, frame, header, reset,
                   setting, text)


class Talker:
    """A peer whose answers are read and thrown away."""

    def __init__(self, path, **kwargs):
        self.peer = Peer(path, **kwargs)
        self.numbers = itertools.count(1, 2)
        self.drain = threading.Thread(target=self.peer.await_end, daemon=True)
        self.drain.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.peer.close()
        self.drain.join()

    def flood(self, count, frames_of, at_once=100):
        """Sends the frames of `count` streams; how many until it was hung up on."""
        for sent in range(0, count, at_once):
            numbers = itertools.islice(self.numbers, min(at_once, count - sent))
            if not self.peer.try_send(b"".join(map(frames_of, numbers))):
                return sent
        return count


def rapid_resets(path, count):
    headers = call_headers()
    with Talker(path) as talker:
        return talker.flood(count, lambda stream: frame(
            HEADERS, END_HEADERS, stream, headers) + reset(stream))


def rapid_resets_of_whole_calls(path, count, method="Get"):
    body = field(1, "large")
    with Talker(path) as talker:
        return talker.flood(
            count, lambda stream: call(stream, method, body) + reset(stream))


def unknown_methods(path, count):
    with Talker(path) as talker:
        return talker.flood(count, lambda stream: call(stream, "/no/Such"))


def begun_and_left(path, count):
    """Calls whose message never comes; past the cap the connection is closed."""
    headers = call_headers("Set")
    with Talker(path) as talker:
        return talker.flood(count, lambda stream: frame(
            HEADERS, END_HEADERS, stream, headers), at_once=1)


def bad_base64(path, count):
    headers = call_headers(more=header("x-bin", "!" * 33))
    with Talker(path) as talker:
        return talker.flood(count, lambda stream: frame(
            HEADERS, END_HEADERS | END_STREAM, stream, headers), at_once=1)


def hpack_bombs(path, count):
    """A header of 4,000 bytes, remembered, and then named 10,000 times in one."""
    bomb = call_headers() + b"\x40" + text("x") + text(b"v" * 4000)
    bomb += b"\xbe" * 10_000
    with Talker(path) as talker:
        return talker.flood(count, lambda stream: frame(
            HEADERS, END_HEADERS, stream, bomb[:16384]), at_once=1)


def headers_without_end(path, frames):
    part = b"".join(header(f"x-{i}", b"v" * 100) for i in range(140))[:16384]
    with Talker(path) as talker:
        talker.peer.try_send(frame(HEADERS, 0, 1, call_headers()))
        for _ in range(frames):
            if not talker.peer.try_send(frame(CONTINUATION, 0, 1, part)):
                break
    return 1


def one_large_header(path, size):
    block = call_headers(more=header("x", b"v" * size))
    with Talker(path) as talker:
        talker.peer.try_send(frame(HEADERS, 0, 1, block[:16384]))
        for at in range(16384, len(block), 16384):
            if not talker.peer.try_send(
                    frame(CONTINUATION, 0, 1, block[at:at + 16384])):
                break
        else:
            talker.peer.try_send(frame(CONTINUATION, END_HEADERS, 1))
    return 1


def settings_flood(path, count):
    with Talker(path) as talker:
        return talker.flood(count, lambda _: frame(
            SETTINGS, 0, 0, setting(4, 65535))) and 0


def ping_flood(path, count):
    with Talker(path) as talker:
        return talker.flood(count, lambda _: frame(PING, 0, 0, bytes(8))) and 0


def empty_data_flood(path, count):
    with Talker(path) as talker:
        talker.peer.send(frame(HEADERS, END_HEADERS, 1, call_headers("Set")))
        talker.flood(count, lambda _: frame(DATA, 0, 1))
    return 1


def messages_in_parts(path, streams, size):
    """Large messages, all but their last bytes, over windows as they are given."""
    with Talker(path) as talker:
        numbers = list(itertools.islice(talker.numbers, streams))
        for stream in numbers:
            talker.peer.try_send(
                frame(HEADERS, END_HEADERS, stream, call_headers("Set")) +
                frame(DATA, 0, stream, b"\0" + struct.pack(">I", size)))
        part = bytes(16384)
        for _ in range(size // len(part) - 1):
            for stream in numbers:
                if not talker.peer.try_send(frame(DATA, 0, stream, part)):
                    return streams
    return streams


def garbage(path, data):
    with Talker(path, greets=False) as talker:
        for _ in range(1000):
            if not talker.peer.try_send(data):
                break
        talker.drain.join()
    return 0


def acknowledgements_of_nothing(path, count):
    with Talker(path) as talker:
        return talker.flood(count, lambda _: frame(SETTINGS, ACK, 0)) and 0
