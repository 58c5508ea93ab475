#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""One server takes over from another, on one data root and one socket folder, as
a new pod does from the old one on its volume: under load, with both processes
alive at once. Prints for how long nobody answered."""

import pathlib
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "hostile"))
import http2  # noqa: E402
import served  # noqa: E402

WRITERS = 4
HANDOVERS = 5


class Process:
    """`statecpp serve` on folders that others serve from, too."""

    def __init__(self, root, number, *flags):
        self.log_path = root / f"log {number}"
        arguments = [served.PROGRAM, "serve", "--data-root", root / "data",
                     "--socket-folder", root / "sockets", *flags]
        if served.SEALED:
            arguments += ["--key-file", root / "test.key"]
        self.log = open(self.log_path, "wb")
        self.process = subprocess.Popen(arguments, stderr=self.log)

    def await_log(self, words):
        served.await_true(lambda: words in self.said(), words)

    def said(self):
        return self.log_path.read_text("utf-8", "replace")

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        return self.process.wait(http2.PATIENCE_S)

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.log.close()


class Writer:
    """Sets keys of its own to 0, 1, 2, …, whoever serves, and keeps what was
    acknowledged, each with its moment. A call that got no answer is a maybe, and
    its number is not used again."""

    def __init__(self, socket, name):
        self.socket, self.name = socket, name
        self.acknowledged, self.maybes, self.failure = {}, 0, None
        self.going = True
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def key(self, number):
        return f"{self.name}/{number}"

    def run(self):
        client, number = None, 0
        try:
            while self.going:
                try:
                    client = client or http2.Client(self.socket)
                    client.set(self.key(number), b"%d" % number)
                    self.acknowledged[number] = time.monotonic()
                except (http2.SentAway, http2.WasReset, http2.Cancelled,
                        EOFError, OSError):
                    self.maybes += 1
                    if client:
                        client.close()
                    client = None
                    time.sleep(0.001)
                number += 1
        except Exception as failure:  # whatever it is, it is told
            self.failure = failure
        finally:
            if client:
                client.close()

    def end(self):
        self.going = False
        self.thread.join(2 * http2.PATIENCE_S)
        assert not self.thread.is_alive(), "a writer waits for ever"
        if self.failure is not None:
            raise AssertionError("a writer failed") from self.failure


class HandoverTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = pathlib.Path(folder.name)
        self.socket = self.root / "sockets" / "cpp.sock"
        key = self.root / "test.key"
        key.write_bytes(bytes(range(32)))
        key.chmod(0o600)
        self.started = 0
        self.old = self.start()
        self.old.await_log("ready: ")
        # Once: the next ones remember the instance, as they must.
        with http2.Client(self.socket) as client:
            client.init({"encryption": "required" if served.SEALED else "off"})

    def start(self, *flags):
        flags = flags or ("--wait-lock", "60s")
        self.started += 1
        one = Process(self.root, self.started, *flags)
        self.addCleanup(one.close)
        return one

    def hand_over(self, end):
        """Has another process wait for the old one's lock, and the old one end."""
        new = self.start()
        new.await_log("waiting")
        self.assertNotIn("ready: ", new.said())
        began = time.monotonic()
        self.old.signal(end)
        code = self.old.wait()
        new.await_log("ready: ")
        self.old = new
        return began, code

    def check(self, writers):
        """Everything acknowledged is there."""
        with http2.Client(self.socket) as client:
            for writer in writers:
                for number in writer.acknowledged:
                    reply = client.get(writer.key(number))
                    self.assertIn(http2.field(1, b"%d" % number), reply,
                                  f"{writer.key(number)} was acknowledged")

    def hand_over_under_load(self, end, expected_code):
        writers = [Writer(self.socket, f"writer {i}") for i in range(WRITERS)]
        gaps = []
        for _ in range(HANDOVERS):
            self.await_progress(writers)
            began, code = self.hand_over(end)
            self.assertEqual(code, expected_code)
            self.await_progress(writers)
            gaps.append(longest_gap(writers, began))
        for writer in writers:
            writer.end()
        self.check(writers)
        print(f"{self.id()}: {sum(len(w.acknowledged) for w in writers)} "
              f"acknowledged, {sum(w.maybes for w in writers)} maybes; nobody "
              f"answered for {', '.join(f'{1000 * gap:.0f}' for gap in gaps)} ms",
              file=sys.stderr)

    def await_progress(self, writers):
        """Each writer has another 20 writes acknowledged."""
        before = [len(writer.acknowledged) for writer in writers]
        served.await_true(
            lambda: all(writer.failure or len(writer.acknowledged) >= count + 20
                        for writer, count in zip(writers, before)), "progress")

    def test_loses_nothing_that_was_acknowledged(self):
        self.hand_over_under_load(signal.SIGTERM, 0)

    def test_loses_nothing_either_where_the_old_one_is_killed(self):
        self.hand_over_under_load(signal.SIGKILL, -signal.SIGKILL)

    def test_the_one_that_waits_names_the_one_that_serves(self):
        new = self.start()
        new.await_log("waiting")
        self.assertIn(str(self.old.process.pid), new.said())

    def test_the_one_that_waits_leaves_when_told_to(self):
        new = self.start()
        new.await_log("waiting")
        new.signal(signal.SIGTERM)
        self.assertEqual(new.wait(), 0)
        with http2.Client(self.socket) as client:
            client.set("a", b"1")  # the old one serves on

    def test_who_does_not_wait_ends_and_says_who_serves(self):
        new = self.start("--max-connections", "8")
        self.assertEqual(new.wait(), 73)
        self.assertIn(str(self.old.process.pid), new.said())


def longest_gap(writers, began):
    """Between two acknowledgements to anyone, since shortly before `began`."""
    moments = sorted(at for writer in writers
                     for at in list(writer.acknowledged.values())
                     if at > began - 0.5)
    return max(later - earlier for earlier, later in zip(moments, moments[1:]))


if __name__ == "__main__":
    unittest.main()
