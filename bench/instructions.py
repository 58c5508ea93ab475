#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What a call costs the server, in instructions: a figure that neighbours on
the machine do not move.

  instructions.py STATECPP WIRE_CLIENT [--in-flight N] [--keep FOLDER]

The program serves under valgrind's callgrind, which counts. Twice for each
operation, with few calls and with many, so that starting and stopping drop out
of what a call takes; what server/call_meter takes of that is counted by the
names of its functions, with all that they call. Values have 128 bytes. What was
counted with many calls is kept in FOLDER, for callgrind_annotate. Needs Debian's
valgrind.
"""

import argparse
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 300
FEW, MANY = 500, 4500
# An empty call is what each of the others costs before it does anything.
CALLS = {"empty call": ("ping", "off"), "Get, plain": ("get", "off"),
         "Get, sealed": ("get", "required"), "Set, plain": ("set", "off"),
         "Set, sealed": ("set", "required")}


def load(flags, server, root, call, calls):
    op, encryption = CALLS[call]
    deadline = time.monotonic() + PATIENCE_S
    while "ready: " not in (root / "log").read_text("utf-8", "replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit((root / "log").read_text())
        time.sleep(0.2)
    subprocess.run(
        [flags.client, "--socket", root / "sockets" / "cpp.sock", "--op", op,
         "--in-flight", str(flags.in_flight), "--seconds", "60",
         "--max-calls", str(calls), "--value-bytes", "128",
         "--instance", "orders", "--encryption", encryption],
        check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)


def count(flags, call, calls):
    """(all instructions, those of the meter)"""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        with open(root / "log", "wb") as log:
            server = subprocess.Popen(
                ["valgrind", "--tool=callgrind",
                 f"--callgrind-out-file={root}/out", flags.program, "serve",
                 "--dev", "--slow-operation", "60s", "--data-root",
                 root / "data", "--socket-folder", root / "sockets"],
                stderr=log)
        try:
            load(flags, server, root, call, calls)
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_S)
        finally:
            server.kill()
        listed = subprocess.run(
            ["callgrind_annotate", "--inclusive=yes", "--threshold=100",
             root / "out"], check=True, stdout=subprocess.PIPE, text=True).stdout
        if flags.keep and calls == MANY:
            name = call.replace(", ", "-").replace(" ", "-").lower()
            flags.keep.mkdir(parents=True, exist_ok=True)
            shutil.copy(root / "out", flags.keep / f"callgrind.{name}")
    number = lambda text: int(text.replace(",", ""))
    every = number(re.search(r"^ *([\d,]+).*PROGRAM TOTALS", listed, re.M)[1])
    meter = re.findall(r"^ *([\d,]+) .*statecpp::CallMeter::(?!Report)\w+\(",
                       listed, re.M)
    return every, sum(map(number, meter))


def main():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program", type=pathlib.Path)
    parser.add_argument("client", type=pathlib.Path)
    parser.add_argument("--in-flight", type=int, default=64)
    parser.add_argument("--keep", type=pathlib.Path)
    flags = parser.parse_args()
    empty = None
    for call in CALLS:
        few, many = (count(flags, call, calls) for calls in (FEW, MANY))
        all_of_it, meter = ((m - f) / (MANY - FEW) for f, m in zip(few, many))
        empty = empty or all_of_it
        print(f"{call}: {all_of_it:.0f} instructions, "
              f"{all_of_it / empty:.2f} of an empty call's; {meter:.0f} to "
              f"count it: {meter / all_of_it:.2%}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
