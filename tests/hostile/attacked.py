# SPDX-License-Identifier: Apache-2.0
"""The fixture of all attacks."""

import unittest

from served import MEBI, Server, ThreadCount, Witness, await_true

# What may be there, and be left, that was not before. gRPC makes threads as it
# needs them, 16 of them for calls, and lets go of them when it likes.
MORE_THREADS = 32
MORE_MEMORY = 160 * MEBI
# While it lasts: what calls in hand may take, and gRPC, with 256 MiB to spare for
# what neither counts.
MOST_MEMORY = (512 + 512 + 256) * MEBI


class AttackedTest(unittest.TestCase):
    """A server with a witness, and what is left when an attack is over."""

    # Whether the witness may be sent to another connection.
    may_move = False

    @classmethod
    def setUpClass(cls):
        cls.server = Server()
        cls.path = cls.server.socket
        cls.addClassCleanup(cls.server.close)

    def setUp(self):
        self.descriptors = self.server.descriptors()
        self.threads = self.server.threads()
        self.memory = self.server.memory()
        self.server.forget_peak()
        self.thread_count = ThreadCount(self.server)
        self.witness = Witness(self.path)

    def tearDown(self):
        with self.subTest("a client of good will"):
            self.witness.end()
            if not self.may_move:
                self.assertEqual(self.witness.moves, 0)
        self.thread_count.end()
        server = self.server
        print(f"{self.id().split('.')[-1]}: {self.witness.calls} calls of the "
              f"witness, the slowest pair {self.witness.slowest:.3f} s, "
              f"{server.memory() / MEBI:.0f} MiB, at most "
              f"{server.status('VmHWM') >> 10}", flush=True)
        with self.subTest("what is left"):
            self.assertIsNone(server.process.poll())
            await_true(lambda: server.descriptors() <= self.descriptors,
                       "as few descriptors as before")
            await_true(lambda: server.readers() == 0, "no reader slot")
            self.assertLessEqual(self.thread_count.most,
                                 self.threads + MORE_THREADS)
            await_true(lambda: server.threads() <= self.threads + MORE_THREADS,
                       "as few threads as before")
            # Looked at every ten seconds.
            await_true(lambda: server.memory() <= self.memory + MORE_MEMORY,
                       "as little memory as before")
            self.assertLessEqual(server.status("VmHWM") << 10, MOST_MEMORY)
