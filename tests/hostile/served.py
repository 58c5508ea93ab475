# SPDX-License-Identifier: Apache-2.0
"""A server of the real program, and what it uses."""

import os
import pathlib
import signal
import struct
import subprocess
import tempfile
import threading
import time

import http2

PROGRAM = pathlib.Path("statecpp").absolute()
SEALED = bool(os.environ.get("STATECPP_TEST_SEALED"))
MEBI = 1 << 20


def await_true(condition, what, within=http2.PATIENCE_S):
    deadline = time.monotonic() + within
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come true in {within} s")
        time.sleep(0.02)


class Server:
    """`statecpp serve`, with one instance, "orders"."""

    def __init__(self, *flags):
        self.folder = tempfile.TemporaryDirectory()
        self.root = pathlib.Path(self.folder.name)
        self.socket = self.root / "sockets" / "cpp.sock"
        arguments = [PROGRAM, "serve", "--data-root", self.root / "data",
                     "--socket-folder", self.root / "sockets", *flags]
        if SEALED:
            key = self.root / "test.key"
            key.write_bytes(bytes(range(32)))
            key.chmod(0o600)
            arguments += ["--key-file", key]
        self.log = open(self.root / "log", "wb")
        self.process = subprocess.Popen(arguments, stderr=self.log)
        await_true(lambda: "ready: " in self.said(), "ready")
        with http2.Client(self.socket) as client:
            client.init({"encryption": "required" if SEALED else "off"})
            client.set("large", b"v" * 4_000_000)

    def said(self):
        return (self.root / "log").read_text("utf-8", "replace")

    def stop(self):
        """SIGTERM; its exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(http2.PATIENCE_S)
        finally:
            self.process.kill()
            self.log.close()

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        self.folder.cleanup()

    # --- What it uses.

    def status(self, name):
        text = pathlib.Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(text.split(f"{name}:", 1)[1].split()[0])

    def memory(self):
        """Its own, without the pages of files: the store's are the kernel's."""
        return self.status("RssAnon") << 10

    def threads(self):
        return self.status("Threads")

    def forget_peak(self):
        """Has VmHWM begin anew."""
        pathlib.Path(f"/proc/{self.process.pid}/clear_refs").write_text("5", "ascii")

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def readers(self):
        """LMDB's read transactions that are open: slots of the table that lock.mdb
        is, in which a number stands and not ~0."""
        held = 0
        for path in (self.root / "data" / "stores").glob("*/lock.mdb"):
            table = path.read_bytes()
            magic, = struct.unpack_from("<I", table, 0)
            assert magic == 0xBEEFC0DE, f"{path} is no lock file of LMDB's"
            slots, = struct.unpack_from("<I", table, 56)
            for slot in range(slots):
                number, process = struct.unpack_from("<Qi", table, 128 + 64 * slot)
                held += process != 0 and number != (1 << 64) - 1
        return held


class ThreadCount:
    """How many threads the server has, at the most, while this goes on."""

    def __init__(self, server):
        self.server, self.most = server, 0
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while not self.ended.wait(0.01) and self.server.process.poll() is None:
            self.most = max(self.most, self.server.threads())

    def end(self):
        self.ended.set()
        self.thread.join()


class Witness:
    """A client of good will beside the others. What it writes it reads again, all
    the time; `calls` is how often it did, `slowest` the longest that it took.

    Where gRPC is out of room it sends clients away for a moment, as any server may
    that speaks HTTP/2, hangs up on new ones, or ends a call, which may then have been
    done or not: `moves` counts that."""

    def __init__(self, socket):
        self.calls, self.slowest, self.moves, self.failure = 0, 0.0, 0, None
        self.going = True
        self.socket = socket
        self.client = http2.Client(socket)
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        try:
            served = time.monotonic()
            while self.going:
                began = time.monotonic()
                value = b"value %d" % self.calls
                try:
                    self.client = self.client or http2.Client(self.socket)
                    self.client.set("witness", value)
                    read = self.client.get("witness")
                except (http2.SentAway, http2.WasReset, EOFError, OSError):
                    if time.monotonic() - served > http2.PATIENCE_S:
                        raise
                    self.moves += 1
                    self.close()
                    time.sleep(0.002)
                    continue
                served = time.monotonic()
                if value not in read:
                    raise AssertionError("another value was read than written")
                self.calls += 2
                self.slowest = max(self.slowest, time.monotonic() - began)
                time.sleep(0.002)
        except Exception as failure:  # whatever it is, it is told
            self.failure = failure

    def close(self):
        client, self.client = self.client, None
        if client:
            client.close()

    def end(self):
        self.going = False
        self.thread.join(2 * http2.PATIENCE_S)
        assert not self.thread.is_alive(), "a client of good will waits for ever"
        self.close()
        if self.failure is not None:
            raise AssertionError("a client of good will failed") from self.failure
