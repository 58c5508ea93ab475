#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What counting a call costs it, in instructions: a figure that neighbours on
the machine do not move.

  instructions.py STATECPP WIRE_CLIENT

The program serves under valgrind's callgrind, which counts. Twice for each
operation, with few calls and with many, so that starting and stopping drop out
of what a call takes; what server/call_meter takes of that is counted by the
names of its functions, with all that they call. One call is in flight at a time,
values have 128 bytes, the store is sealed. Needs Debian's valgrind.
"""

import argparse
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

PATIENCE_S = 300
FEW, MANY = 500, 4500


def load(client, server, root, op, calls):
    deadline = time.monotonic() + PATIENCE_S
    while "ready: " not in (root / "log").read_text("utf-8", "replace"):
        if server.poll() is not None or time.monotonic() > deadline:
            raise SystemExit((root / "log").read_text())
        time.sleep(0.2)
    subprocess.run(
        [client, "--socket", root / "sockets" / "cpp.sock", "--op", op,
         "--in-flight", "1", "--seconds", "60", "--max-calls", str(calls),
         "--value-bytes", "128", "--instance", "orders", "--encryption",
         "required"],
        check=True, stdout=subprocess.DEVNULL, timeout=PATIENCE_S)


def count(client, program, op, calls):
    """(all instructions, those of the meter)"""
    with tempfile.TemporaryDirectory() as folder:
        root = pathlib.Path(folder)
        with open(root / "log", "wb") as log:
            server = subprocess.Popen(
                ["valgrind", "--tool=callgrind",
                 f"--callgrind-out-file={root}/out", program, "serve", "--dev",
                 "--slow-operation", "60s", "--data-root", root / "data",
                 "--socket-folder", root / "sockets"], stderr=log)
        try:
            load(client, server, root, op, calls)
            server.send_signal(signal.SIGTERM)
            server.wait(PATIENCE_S)
        finally:
            server.kill()
        listed = subprocess.run(
            ["callgrind_annotate", "--inclusive=yes", "--threshold=100",
             root / "out"], check=True, stdout=subprocess.PIPE, text=True).stdout
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
    flags = parser.parse_args()
    for op in ("get", "set"):
        few, many = (count(flags.client, flags.program, op, calls)
                     for calls in (FEW, MANY))
        call, meter = ((m - f) / (MANY - FEW) for f, m in zip(few, many))
        print(f"{op}: {call:.0f} instructions a call, {meter:.0f} of them to "
              f"count it: {meter / call:.2%}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
