#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What the program costs a pod: size, start, memory, threads, descriptors.

  smoke.py STATECPP SMOKE_LOAD    (./dev bench smoke calls it so)

Memory is what the kernel says of the process: `resident` counts pages of files
that it maps, the store's own and shared libraries, which the kernel takes back
when it needs them; `anonymous` is the program's own.
"""

import contextlib
import json
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time

CALLS = 20000
STARTS = 5


@contextlib.contextmanager
def serving(program, folder):
    """Yields (process, socket, milliseconds from start to ready)."""
    socket = folder / "sockets" / "cpp.sock"
    began = time.monotonic()
    with open(folder / "log", "wb") as log:
        server = subprocess.Popen(
            [program, "serve", "--dev", "--data-root", folder / "data",
             "--socket-folder", socket.parent], stderr=log, stdout=log)
    try:
        # The socket gets its name when it answers, not earlier.
        while not socket.exists():
            if server.poll() is not None or time.monotonic() - began > 30:
                sys.exit(f"{program} did not become ready:\n"
                         + (folder / "log").read_text())
            time.sleep(0.0005)
        yield server, socket, (time.monotonic() - began) * 1000
    finally:
        server.send_signal(signal.SIGTERM)
        try:
            code = server.wait(timeout=15)
        except subprocess.TimeoutExpired:
            server.kill()
            sys.exit("it did not stop within 15 s of SIGTERM")
    if code != 0:
        sys.exit(f"it ended with exit code {code}:\n"
                 + (folder / "log").read_text())


def cost_of(pid):
    process = pathlib.Path(f"/proc/{pid}")
    status = dict(line.split(":", 1) for line in
                  (process / "status").read_text().splitlines())
    mib = lambda field: int(status[field].split()[0]) / 1024
    return {"resident": mib("VmRSS"), "anonymous": mib("RssAnon"),
            "peak": mib("VmHWM"), "threads": int(status["Threads"]),
            "descriptors": len(list((process / "fd").iterdir()))}


def show(when, cost):
    print(f"{when:<20}{cost['resident']:7.1f} MiB resident, "
          f"{cost['anonymous']:.1f} anonymous, {cost['peak']:.1f} at its peak; "
          f"{cost['threads']} threads, {cost['descriptors']} descriptors",
          flush=True)


def main(program, load):
    size = pathlib.Path(program).stat().st_size
    print(f"{'binary':<20}{size / 2**20:7.1f} MiB, without shared libraries")
    starts = []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="statecpp-smoke-") as folder:
            with serving(program, pathlib.Path(folder)) as (_, _, took):
                starts.append(took)
    print(f"{'start to ready':<20}{statistics.median(starts):7.1f} ms, "
          f"median of {STARTS}", flush=True)

    with tempfile.TemporaryDirectory(prefix="statecpp-smoke-") as folder:
        with serving(program, pathlib.Path(folder)) as (server, socket, _):
            time.sleep(1)
            show("idle, no instance", cost_of(server.pid))
            said = subprocess.run([load, socket, str(CALLS)], check=True,
                                  stdout=subprocess.PIPE, timeout=300).stdout
            show("after a load", cost_of(server.pid))
            result = json.loads(said)
            print(f"{'the load':<20}{result['calls']} calls from 16 threads, "
                  "one Set of 1 KiB to nine Gets: "
                  f"{result['calls_per_second']} calls a second")


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
