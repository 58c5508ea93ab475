# SPDX-License-Identifier: Apache-2.0
"""HTTP/2 by hand, as much as it takes to misuse it: frames over a Unix socket.

    peer = Peer(path)                      # has said hello, and was answered
    peer.send(frame(PING, 0, 0, bytes(8)))

and a Client that uses it as it is meant to be, with no library in common with the
server: it tells whether others are still answered.
"""

import socket
import struct
import time

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
(DATA, HEADERS, _, RST_STREAM, SETTINGS, _, PING, GOAWAY, WINDOW_UPDATE,
 CONTINUATION) = range(10)
ACK, END_STREAM, END_HEADERS = 1, 1, 4
SERVICE = "/dapr.proto.components.v1.StateStore/"
# How long to wait for what must happen.
PATIENCE_S = 60


def frame(kind, flags, stream, payload=b""):
    return (struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) +
            struct.pack(">I", stream) + payload)


def reset(stream):
    return frame(RST_STREAM, 0, stream, struct.pack(">I", 8))


def setting(name, value):
    return struct.pack(">HI", name, value)


# --- HPACK, without its compression of texts, which gRPC does not use.

def integer(value, bits, first=0):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes((first | value,))
    out = bytearray((first | limit,))
    value -= limit
    while value >= 128:
        out.append(value % 128 | 128)
        value //= 128
    return bytes(out) + bytes((value,))


def text(value):
    value = value.encode() if isinstance(value, str) else value
    return integer(len(value), 7) + value


def header(name, value):
    """A header that is not to be remembered."""
    return b"\0" + text(name) + text(value)


def call_headers(method="Ping", more=b"", instance="orders"):
    path = method if method.startswith("/") else SERVICE + method
    return (b"\x83\x86" + b"\x04" + text(path) + b"\x01" + text("localhost") +
            header("content-type", "application/grpc") +
            header("te", "trailers") +
            header("x-component-instance", instance) + more)


def message(body):
    return b"\0" + struct.pack(">I", len(body)) + body


class Headers:
    """Reads what the server sends; `names` is its dynamic table."""

    STATIC = {8: (b":status", b"200"), 14: (b":status", b"500"),
              31: (b"content-type", b"")}

    def __init__(self):
        self.table = []

    def entry(self, index):
        if index > 61:
            return self.table[index - 62]
        return self.STATIC.get(index, (b"static-%d" % index, b""))

    def read(self, block):
        found, at = {}, 0

        def number(bits):
            nonlocal at
            limit = (1 << bits) - 1
            value = block[at] & limit
            at += 1
            shift = 0
            while value >= limit and (shift == 0 or block[at - 1] & 128):
                value += (block[at] & 127) << shift
                shift += 7
                at += 1
            return value

        def word():
            nonlocal at
            if block[at] & 128:
                raise ValueError("a compressed text")
            size = number(7)
            at += size
            return block[at - size:at]

        while at < len(block):
            if block[at] & 128:
                name, value = self.entry(number(7))
            elif block[at] & 0xe0 == 0x20:
                number(5)
                continue
            else:
                keep = block[at] & 64
                index = number(6 if keep else 4)
                name = self.entry(index)[0] if index else word()
                value = word()
                if keep:
                    self.table.insert(0, (name, value))
            found[name.decode()] = value
        return found


# --- Connections.

class SentAway(Exception):
    """GOAWAY: the connection ends, and another may be made."""


class Peer:
    """One connection. Ends when it is told to, or with the test."""

    def __init__(self, path, greets=True, settings=b"", reads=True):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.settimeout(PATIENCE_S)
        try:
            self.socket.connect(str(path))
        except OSError:
            self.socket.close()
            raise
        self.unread = b""
        self.headers = Headers()
        if greets:
            self.send(PREFACE + frame(SETTINGS, 0, 0, settings))
        if greets and reads:
            self.await_frame(lambda kind, flags, *_: kind == SETTINGS and
                             not flags & ACK)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self.socket.close()

    def send(self, data):
        self.socket.sendall(data)

    def try_send(self, data):
        """The same where the server may have hung up; whether it had not."""
        try:
            self.send(data)
            return True
        except OSError:
            return False

    def take(self, size):
        while len(self.unread) < size:
            more = self.socket.recv(1 << 16)
            if not more:
                raise EOFError
            self.unread += more
        taken, self.unread = self.unread[:size], self.unread[size:]
        return taken

    def next_frame(self):
        """(kind, flags, stream, payload); EOFError: the server hung up."""
        head = self.take(9)
        size = int.from_bytes(head[:3], "big")
        stream = int.from_bytes(head[5:], "big") & 0x7fffffff
        return head[3], head[4], stream, self.take(size)

    def await_frame(self, wanted):
        deadline = time.monotonic() + PATIENCE_S
        while time.monotonic() < deadline:
            got = self.next_frame()
            self.acknowledge(*got)
            if wanted(*got):
                return got
        raise TimeoutError("no such frame came")

    def await_end(self, within=PATIENCE_S):
        """Reads on until the server hangs up; whether it did."""
        deadline = time.monotonic() + within
        try:
            self.socket.settimeout(within)
            while self.socket.recv(1 << 16):
                if time.monotonic() > deadline:
                    return False
        except socket.timeout:
            return False
        except OSError:
            pass
        return True

    def acknowledge(self, kind, flags, _, payload):
        if kind in (PING, SETTINGS) and not flags & ACK:
            self.try_send(frame(kind, ACK, 0, payload if kind == PING else b""))

    def answer_pings(self, seconds):
        """As an idle client of good will does; how many pings came."""
        deadline, pings = time.monotonic() + seconds, 0
        while (left := deadline - time.monotonic()) > 0:
            self.socket.settimeout(left)
            try:
                kind, flags, _, payload = self.next_frame()
            except socket.timeout:
                break
            if kind == PING and not flags & ACK:
                self.send(frame(PING, ACK, 0, payload))
                pings += 1
        self.socket.settimeout(PATIENCE_S)
        return pings

    def answer(self, stream):
        """What the call of that stream got: (grpc-status, text, message)."""
        found, body, block = {}, b"", b""
        while True:
            kind, flags, of, payload = self.next_frame()
            self.acknowledge(kind, flags, of, payload)
            if kind in (HEADERS, CONTINUATION):
                block += payload
                if not flags & END_HEADERS:
                    continue
                read, block = self.headers.read(block), b""
                if of == stream:
                    found.update(read)
            elif of == stream and kind == DATA:
                body += payload
                room = struct.pack(">I", max(1, len(payload)))
                self.send(frame(WINDOW_UPDATE, 0, 0, room) +
                          frame(WINDOW_UPDATE, 0, stream, room))
            elif of == stream and kind == RST_STREAM:
                found.setdefault("grpc-status", b"reset")
            elif kind == GOAWAY:
                raise SentAway(payload[8:].decode("utf-8", "replace"))
            if of == stream and (kind == RST_STREAM or
                                 (flags & END_STREAM and kind in (DATA, HEADERS))):
                return (found.get("grpc-status", b"?").decode(),
                        found.get("grpc-message", b"").decode(), body[5:])


def call(stream, method="Ping", body=b"", **kwargs):
    """A whole call: its headers and its message."""
    return (frame(HEADERS, END_HEADERS, stream, call_headers(method, **kwargs)) +
            frame(DATA, END_STREAM, stream, message(body)))


# --- Protobuf, and a client of good will.

def field(number, value):
    value = value.encode() if isinstance(value, str) else value
    return integer(number << 3 | 2, 8) + varint(len(value)) + value


def varint(value):
    out = b""
    while value >= 128:
        out += bytes((value % 128 | 128,))
        value //= 128
    return out + bytes((value,))


class Refused(Exception):
    pass


class Cancelled(Refused):
    """gRPC answers so to a call that reaches a server while it ends: there, a
    maybe."""


class WasReset(Exception):
    """RST_STREAM came, and no answer: a maybe."""


class Client(Peer):
    """Uses the store as it is meant to be, one call at a time."""

    stream = -1

    def call(self, method, body=b"", instance="orders"):
        self.stream += 2
        self.send(call(self.stream, method, body, instance=instance))
        code, said, reply = self.answer(self.stream)
        if code == "reset":
            raise WasReset
        if code != "0":
            refused = Cancelled if code == "1" else Refused
            raise refused(f"{method}: {code}: {said}")
        return reply

    def init(self, properties, instance="orders"):
        entries = b"".join(field(1, field(1, name) + field(2, value))
                           for name, value in properties.items())
        self.call("Init", field(1, entries), instance)

    def set(self, key, value, metadata=b""):
        self.call("Set", field(1, key) + field(2, value) + metadata)

    def get(self, key):
        return self.call("Get", field(1, key))
