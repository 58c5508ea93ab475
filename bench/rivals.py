# SPDX-License-Identifier: Apache-2.0
"""What compare.py measures, one class each: started, asked, and ended by pid.

Each `measure` returns {"qps", "p50_us", "p99_us", "server_cpu_us"}.
"""

import json
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

KEYS = 100_000
READY = 30  # seconds until a server answers


def cpu_seconds(pid):
    """Of all threads, by the scheduler's own clock."""
    return sum(int((task / "schedstat").read_text().split()[0])
               for task in pathlib.Path(f"/proc/{pid}/task").iterdir()) / 1e9


def end_in_order():
    """On SIGTERM, too, what was started is ended, and its files removed."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))


class Process:
    """A server that is there until `stop`."""

    def __init__(self, command, folder, ready, **how):
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        with open(folder / "log", "wb") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log,
                                            **how)
        began = time.monotonic()
        while not ready():
            if (self.process.poll() is not None
                    or time.monotonic() - began > READY):
                self.stop()
                sys.exit(f"{command[0]} did not become ready:\n"
                         + (folder / "log").read_text())
            time.sleep(0.01)

    @property
    def pid(self):
        return self.process.pid

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


class WireServer:
    """A server of Dapr's contract, loaded by wire_client."""

    def __init__(self, command, folder, client, keys):
        self.socket = folder / "sockets" / "cpp.sock"
        self.client, self.keys = client, keys
        self.socket.parent.mkdir(parents=True)
        self.process = Process([*command(self.socket)], folder,
                               self.socket.exists)
        self.filled = set()

    def start(self, op, in_flight, size, encryption="off", **more):
        """The client, at work; `finish` waits for what it says."""
        instance = f"{encryption}-{size}"
        command = [self.client, "--socket", self.socket, "--op", op,
                   "--in-flight", in_flight, "--value-bytes", size,
                   "--keys", self.keys, "--instance", instance,
                   "--server-pid", self.process.pid]
        if instance in self.filled:
            command.append("--filled")
        else:
            command += ["--encryption", encryption]
            self.filled.add(instance)
        for name, value in more.items():
            command += ["--" + name.replace("_", "-"), value]
        return subprocess.Popen([str(word) for word in command],
                                stdout=subprocess.PIPE, text=True)

    @staticmethod
    def finish(client):
        said, _ = client.communicate(timeout=600)
        if client.returncode != 0:
            sys.exit(f"wire_client ended with {client.returncode}")
        return json.loads(said)

    def measure(self, op, in_flight, size, encryption="off", **more):
        return self.finish(self.start(op, in_flight, size, encryption, **more))

    def stop(self):
        self.process.stop()


def our_server(program, folder, client, keys):
    return WireServer(
        lambda socket: [program, "serve", "--dev", "--data-root",
                        folder / "data", "--socket-folder", socket.parent],
        folder, client, keys)


def peer(program, folder, client, keys):
    return WireServer(lambda socket: [program, "--socket", socket], folder,
                      client, keys)


# A write of the shape that state.redis sends as a script: the row is a hash
# with its data and a version, which is compared and counted up.
SCRIPT = """local version = redis.pcall("HGET", KEYS[1], "version")
local first = redis.pcall("HGET", KEYS[1], "first-write")
if not version or version == ARGV[1] or (not first and ARGV[1] == "0") then
  redis.call("HSET", KEYS[1], "data", ARGV[2])
  return redis.call("HINCRBY", KEYS[1], "version", 1)
end
return redis.error_reply("another version")"""


class Redis:
    """One server of its own, loaded by redis-benchmark: as many connections as
    calls under way, each with one, as go-redis has them."""

    def __init__(self, folder, fsync, keys, port=0):
        self.socket, self.keys = folder / "redis.sock", keys
        folder.mkdir(parents=True)
        # Debian's package of tools has the server, too, under another name; it
        # goes by the name that it is called by.
        server = shutil.which("redis-server") or shutil.which(
            "redis-check-rdb")
        if not server or not shutil.which("redis-benchmark"):
            sys.exit("Redis is missing: apt-get install redis-tools")
        # A log that was rewritten in the midst of a round would slow it.
        self.process = Process(
            ["redis-server", "--bind", "127.0.0.1", "--port", str(port),
             "--unixsocket", self.socket, "--dir", folder, "--save", "",
             "--appendonly", "yes", "--appendfsync", fsync,
             "--auto-aof-rewrite-percentage", "0"],
            folder, self.answers, executable=server)
        self.rates = {}

    def answers(self):
        try:
            with socket.socket(socket.AF_UNIX) as peer_socket:
                peer_socket.connect(str(self.socket))
                peer_socket.sendall(b"PING\r\n")
                return peer_socket.recv(7) == b"+PONG\r\n"
        except OSError:
            return False

    def fill(self, size):
        """Every key of GET and SET, and every hash of the script."""
        value = b"v" * size
        with socket.socket(socket.AF_UNIX) as server:
            server.connect(str(self.socket))
            for first in range(0, self.keys, 1000):
                numbers = range(first, min(first + 1000, self.keys))
                for make in (self.set_command, self.hash_command):
                    server.sendall(b"".join(make(n, value) for n in numbers))
                    replies = 0
                    while replies < len(numbers):
                        replies += server.recv(1 << 16).count(b"\n")

    @staticmethod
    def command(*words):
        return b"*%d\r\n" % len(words) + b"".join(
            b"$%d\r\n%s\r\n" % (len(word), word) for word in words)

    @classmethod
    def set_command(cls, key, value):
        return cls.command(b"SET", b"key:%012d" % key, value)

    @classmethod
    def hash_command(cls, key, value):
        return cls.command(b"HSET", b"row:%012d" % key, b"data", value,
                           b"version", b"1")

    def measure(self, what, in_flight, size, seconds):
        words = {
            "get": ["GET", "key:__rand_int__"],
            "set": ["SET", "key:__rand_int__", "v" * size],
            "script": ["EVAL", SCRIPT, "1", "row:__rand_int__", "0",
                       "v" * size, "1"]}[what]
        # It takes a number of calls, not a time.
        if what not in self.rates:
            self.rates[what] = self.run(words, in_flight, 2000)["qps"]
        calls = max(1000, int(self.rates[what] * seconds))
        before = cpu_seconds(self.process.pid)
        said = self.run(words, in_flight, calls)
        spent = cpu_seconds(self.process.pid) - before
        self.rates[what] = said["qps"]
        return {**said, "server_cpu_us": spent * 1e6 / calls}

    def run(self, words, in_flight, calls):
        said = subprocess.run(
            ["redis-benchmark", "-s", self.socket, "-c", str(in_flight),
             "-n", str(calls), "-r", str(self.keys), "--csv", *words],
            check=True, stdout=subprocess.PIPE, text=True,
            timeout=600).stdout
        return figures_of(said)

    def stop(self):
        self.process.stop()


def figures_of(csv):
    """The last line of redis-benchmark --csv: the command, which may have
    quotes and line ends, then rate and milliseconds: mean, least, median,
    95 and 99 in a hundred, most."""
    numbers = re.search(r',' + ','.join([r'"([\d.]+)"'] * 7) + r'\s*$', csv)
    if not numbers:
        sys.exit(f"redis-benchmark said what cannot be read:\n{csv}")
    rate, _, _, p50, _, p99, _ = map(float, numbers.groups())
    return {"qps": rate, "p50_us": p50 * 1000, "p99_us": p99 * 1000}


class Disk:
    """disk_rivals: fdatasync alone, or SQLite, in one thread."""

    def __init__(self, program, folder, keys):
        self.program, self.folder, self.keys = program, folder, keys
        folder.mkdir(parents=True)

    def measure(self, what, seconds):
        return json.loads(subprocess.run(
            [self.program, what, self.folder, str(seconds), str(self.keys)],
            check=True, stdout=subprocess.PIPE, timeout=600).stdout)

    def stop(self):
        pass
