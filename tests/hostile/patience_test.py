#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Clients that keep the server waiting: how long it waits, and for whom.

Apart from hostile_test.py, since it takes most of a minute to see.
"""

import pathlib
import sys
import threading
import unittest

# Where Bazel puts it, with what it needs beside it.
sys.path.insert(0, str(pathlib.Path(__file__).absolute().parent))
import http2  # noqa: E402
from attacked import AttackedTest  # noqa: E402
from http2 import (END_STREAM, HEADERS, PREFACE, RST_STREAM, SETTINGS,  # noqa: E402
                   Peer, call, field, frame, setting)


class PatienceTest(AttackedTest):
    def test_who_says_nothing_or_too_little_is_hung_up_on(self):
        silent = [Peer(self.path, greets=False) for _ in range(20)]
        for beginning in (PREFACE[:5], PREFACE, PREFACE + frame(SETTINGS, 0, 0)[:5]):
            silent.append(Peer(self.path, greets=False))
            silent[-1].send(beginning)
        for peer in silent:
            self.assertTrue(peer.await_end())
            peer.close()

    def test_who_answers_no_ping_is_hung_up_on_and_who_does_is_not(self):
        ended = []
        with Peer(self.path) as gone, http2.Client(self.path) as idle:
            waits = threading.Thread(
                target=lambda: ended.append(gone.await_end(within=90)))
            waits.start()
            # As an idle daprd does; for longer than it takes to notice the other.
            self.assertGreater(idle.answer_pings(seconds=45), 0)
            idle.call("Ping")
            waits.join()
        self.assertEqual(ended, [True])

    def test_replies_that_nobody_reads(self):
        # Windows of nothing: whatever is answered waits in the server.
        peers = [Peer(self.path, settings=setting(4, 0)) for _ in range(4)]
        for peer in peers:
            peer.send(b"".join(call(2 * i + 1, "Get", field(1, "large"))
                               for i in range(100)))
        # There is room for about 130 of the 400; others are refused at once.
        refused = peers[3].await_frame(
            lambda kind, flags, *_: kind == HEADERS and flags & END_STREAM)
        self.assertIn(b"that clients have not read yet", refused[3])
        # They are given up; the connections are not.
        for peer in peers[:2]:
            peer.await_frame(lambda kind, *_: kind == RST_STREAM)
            peer.send(call(1001, "Ping"))
            peer.await_frame(lambda kind, _, stream, *__: stream == 1001)
        with http2.Client(self.path) as client:
            self.assertIn(b"v" * 1000, client.get("large"))
        for peer in peers:
            peer.close()


if __name__ == "__main__":
    unittest.main()
