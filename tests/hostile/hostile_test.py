#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Clients that use HTTP/2 to do harm, against the real program.

A client of good will is there all the time, and must be answered. After each attack
the server lives and has what it had before: threads, descriptors, memory within
bounds that are stated here, and no read transaction. See README.md.
"""

import pathlib
import socket
import sys
import unittest

# Where Bazel puts it, with what it needs beside it.
sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent))
import attacks  # noqa: E402
import http2  # noqa: E402
from http2 import (ACK, DATA, END_HEADERS, END_STREAM, GOAWAY, HEADERS, PING,  # noqa: E402
                   PREFACE, RST_STREAM, SETTINGS, Peer, call, call_headers, field,
                   frame, header, setting)
from attacked import AttackedTest  # noqa: E402
from served import MEBI, await_true  # noqa: E402

CALLS = 1024  # that a connection may have
METADATA = 8 << 10  # that a call may have
RESOURCE_EXHAUSTED = "8"


class HostileTest(AttackedTest):
    # --- Peers that do not speak HTTP/2.

    def test_garbage_is_hung_up_on(self):
        for data in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", bytes(64),
                     b"\xff" * 64, PREFACE[:-1] + b"x" * 64,
                     PREFACE + b"\xff" * 64, PREFACE + PREFACE):
            with self.subTest(data[:30]):
                attacks.garbage(self.path, data)

    def test_half_closed_peers(self):
        for stream_open in (False, True):
            peers = [Peer(self.path) for _ in range(50)]
            for peer in peers:
                if stream_open:
                    peer.send(frame(HEADERS, END_HEADERS, 1, call_headers("Set")))
                peer.socket.shutdown(socket.SHUT_WR)
            for peer in peers:
                self.assertTrue(peer.await_end())
                peer.close()

    def test_thousands_of_connections(self):
        for _ in range(10):
            crowd = [Peer(self.path, greets=False) for _ in range(300)]
            for peer in crowd:
                peer.try_send(PREFACE)
            await_true(lambda: "all of the 256 connections" in self.server.said(),
                       "as many as there may be")
            for peer in crowd:
                peer.close()

    # --- Floods of frames.

    def test_a_flood_of_settings(self):
        attacks.settings_flood(self.path, 200_000)

    def test_a_flood_of_acknowledgements(self):
        attacks.acknowledgements_of_nothing(self.path, 200_000)

    def test_a_flood_of_pings_is_hung_up_on(self):
        attacks.ping_flood(self.path, 200_000)

    def test_a_flood_of_empty_data(self):
        attacks.empty_data_flood(self.path, 200_000)

    def test_a_flood_of_pings_by_who_does_not_read(self):
        peer = Peer(self.path)
        peer.socket.settimeout(1)
        ping = frame(PING, 0, 0, bytes(8)) * 100
        for _ in range(10_000):
            if not peer.try_send(ping):
                break
        else:
            self.fail("a million pings were taken and none of the answers read")
        peer.close()

    # Nothing bounds what gRPC 1.51 takes while they last, about 13 KiB for each
    # (SECURITY.md); but it is given back.
    def test_rapid_resets(self):
        self.may_move = True
        self.assertEqual(attacks.rapid_resets(self.path, 50_000), 50_000)

    def test_rapid_resets_of_whole_calls(self):
        self.may_move = True
        attacks.rapid_resets_of_whole_calls(self.path, 5_000, "Get")
        attacks.rapid_resets_of_whole_calls(self.path, 30_000, "Ping")

    def test_calls_of_methods_that_are_not_there(self):
        attacks.unknown_methods(self.path, 10_000)

    # --- Headers.

    def test_headers_may_have_8_kibibytes(self):
        # Each counts with 32 bytes more than it has.
        with http2.Client(self.path) as client:
            given = [(":method", "POST"), (":scheme", "http"),
                     (":path", http2.SERVICE + "Ping"), (":authority", "localhost"),
                     ("content-type", "application/grpc"), ("te", "trailers"),
                     ("x-component-instance", "orders"), ("x", "")]
            room = METADATA - sum(32 + len(n) + len(v) for n, v in given)
            for size, code in ((room, "0"), (room + 1, RESOURCE_EXHAUSTED)):
                client.stream += 2
                client.send(call(client.stream, "Ping",
                                 more=header("x", b"v" * size)))
                got, said, _ = client.answer(client.stream)
                self.assertEqual((size, got), (size, code))
                if code != "0":
                    self.assertIn("metadata size exceeds limit", said)

    def test_one_header_of_megabytes(self):
        attacks.one_large_header(self.path, 1 * MEBI)

    def test_headers_that_never_end(self):
        attacks.headers_without_end(self.path, 2_000)

    def test_a_header_named_ten_thousand_times(self):
        attacks.hpack_bombs(self.path, 500)

    def test_binary_headers_that_are_not_base64(self):
        attacks.bad_base64(self.path, 500)

    # --- Streams.

    def test_streams_begun_and_left(self):
        self.assertLess(attacks.begun_and_left(self.path, 20_000), 20_000)

    def test_a_connection_may_have_1024_calls(self):
        headers = call_headers("Set")
        with Peer(self.path) as peer:
            # Told in the server's first frame.
            with Peer(self.path, reads=False) as other:
                *_, settings = other.await_frame(
                    lambda kind, flags, *_: kind == SETTINGS and not flags & ACK)
            self.assertIn(setting(3, CALLS), [
                settings[i:i + 6] for i in range(0, len(settings), 6)])
            for i in range(CALLS):
                peer.send(frame(HEADERS, END_HEADERS, 2 * i + 1, headers))
            # Of these each can still be a call.
            peer.send(frame(DATA, END_STREAM, 1, http2.message(
                field(1, "k") + field(2, "v"))))
            self.assertEqual(peer.answer(1)[0], "0")
            peer.send(frame(HEADERS, END_HEADERS, 2 * CALLS + 1, headers))
            peer.send(frame(HEADERS, END_HEADERS, 2 * CALLS + 3, headers))
            # One past it costs the connection, or the call.
            peer.await_frame(lambda kind, *_: kind in (GOAWAY, RST_STREAM))

    def test_a_call_that_comes_byte_by_byte(self):
        with Peer(self.path) as peer:
            for byte in call(1, "Get", field(1, "witness")):
                peer.send(bytes((byte,)))
            self.assertEqual(peer.answer(1)[0], "0")

    def test_messages_of_which_the_end_is_missing(self):
        self.may_move = True
        attacks.messages_in_parts(self.path, 24, 60 * MEBI)


if __name__ == "__main__":
    unittest.main()
