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
from http2 import (HEADERS, PREFACE, SETTINGS, Peer, call, field,  # noqa: E402
                   frame, setting)


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


class UnreadTest(AttackedTest):
    def test_replies_that_nobody_reads(self):
        # A window of nothing: whatever is answered waits in the server.
        with Peer(self.path, settings=setting(4, 0)) as peer:
            peer.send(b"".join(call(2 * i + 1, "Get", field(1, "large"))
                               for i in range(400)))
            # There is room for about 130 of them; others are refused at once.
            peer.await_frame(lambda kind, _, __, payload: kind == HEADERS and
                             b"that clients have not read yet" in payload)
            # They are given up; the connection is not.
            peer.await_frame(lambda kind, _, __, payload: kind == HEADERS and
                             b"Cancelled on the server side" in payload)
            peer.send(call(1001, "Ping"))
            peer.await_frame(lambda kind, _, stream, __: (kind, stream) ==
                             (HEADERS, 1001))
            # And there is room again.
            with http2.Client(self.path) as client:
                self.assertIn(b"v" * 1000, client.get("large"))


if __name__ == "__main__":
    unittest.main()
