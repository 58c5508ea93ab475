#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Runs the commands that a README shows, and compares what they print.

  check_readme.py FILE...

Of each file, the fenced ```console blocks marked for CI are run in order, from
the root of the tree. The mark is a comment on the line above the fence:

  <!-- ci -->
      Runs the block in one shell. Lines that begin with `$ ` are commands, and
      `> ` continues one. Each must succeed. The other lines are what it prints:
      each must be printed, in order; `...` stands for anything, and lines that
      are not shown may come between.

  <!-- ci: serve until "ready:" -->
      Starts the block's commands and goes on to the next block once they have
      printed the quoted text. They get SIGTERM after the file's last block,
      and must then end.

A block without a mark is not run. Prints `N passed, N failed, N skipped` last,
counting blocks; 1 if one failed, or if a file has none.
"""

import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
BLOCK_SECONDS = 600
# `./dev run` may have to build first.
READY_SECONDS = 1800
END = "-- end of command --"

MARKED = re.compile(
    r'^<!-- ci(?:: serve until "(?P<text>[^"]+)")? -->\n'
    r"```console\n(?P<body>.*?)^```$", re.M | re.S)


class BlockFailed(Exception):
    pass


def steps_of(body):
    """[(command, [line it prints, ...]), ...] of a block."""
    steps = []
    for line in body.splitlines():
        if line.startswith("$ "):
            steps.append((line[2:], []))
        elif not steps:
            raise BlockFailed(f"a block begins with a command, not {line!r}")
        elif line.startswith("> ") and not steps[-1][1]:
            steps[-1] = (steps[-1][0] + "\n" + line[2:], [])
        else:
            steps[-1][1].append(line)
    return steps


def compare(command, shown, printed):
    """Fails unless the lines of `shown` are among `printed`, in order."""
    rest = iter(printed.splitlines())
    for line in shown:
        if line.strip() in ("", "..."):
            continue
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        if not any(re.fullmatch(pattern, said.rstrip()) for said in rest):
            raise BlockFailed(f"$ {command}\ndid not print\n{line}\n"
                              f"in its place; it printed\n{printed}")


def run_block(body):
    steps = steps_of(body)
    script = "set -euo pipefail\n" + "".join(
        f"{command}\necho '{END}'\n" for command, _ in steps)
    # A file, because whatever a command leaves running would hold a pipe open.
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        try:
            code = subprocess.run(
                ["bash", "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL,
                stdout=output, stderr=output, timeout=BLOCK_SECONDS).returncode
        except subprocess.TimeoutExpired:
            code = f"none after {BLOCK_SECONDS} s"
        output.seek(0)
        printed = output.read().split(END + "\n")
    for (command, shown), text in zip(steps, printed):
        print(f"$ {command}\n{text}".rstrip(), flush=True)
        compare(command, shown, text)
    if code != 0:
        failing = steps[min(len(printed), len(steps)) - 1][0]
        raise BlockFailed(f"$ {failing}\nended with exit code {code}")


class Server:
    """The commands of a serve block, while they run."""

    def __init__(self, body, text):
        script = "\n".join(["set -euo pipefail"]
                           + [command for command, _ in steps_of(body)])
        self.log = tempfile.NamedTemporaryFile("r", errors="replace")
        # A group of its own, so that all of it can be ended.
        self.process = subprocess.Popen(
            ["bash", "-c", script], cwd=ROOT, stdin=subprocess.DEVNULL,
            stdout=open(self.log.name, "wb"), stderr=subprocess.STDOUT,
            start_new_session=True)
        self.await_text(script, text)

    def await_text(self, script, text):
        began = told = time.monotonic()
        while text not in self.printed():
            now = time.monotonic()
            if self.process.poll() is not None or now - began > READY_SECONDS:
                self.stop()
                raise BlockFailed(f"$ {script}\ndid not print {text!r} but\n"
                                  + self.printed())
            if now - told > 30:
                print(f"waiting for {text!r} since {now - began:.0f} s",
                      flush=True)
                told = now
            time.sleep(0.1)
        print(f"started: {script.splitlines()[-1]}", flush=True)

    def printed(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def stop(self):
        for sign in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self.process.pid, sign)
                self.process.wait(timeout=30)
            except ProcessLookupError:
                return
            except subprocess.TimeoutExpired:
                continue


def check(text):
    """Runs the marked blocks of a file's text. Returns (passed, failed)."""
    passed, failed, servers = 0, 0, []
    try:
        for block in MARKED.finditer(text):
            line = text.count("\n", 0, block.start()) + 1
            print(f"block at line {line}", flush=True)
            try:
                if block["text"]:
                    servers.append(Server(block["body"], block["text"]))
                else:
                    run_block(block["body"])
                passed += 1
            except BlockFailed as failure:
                print(f"FAILED: the block at line {line}: {failure}", flush=True)
                failed += 1
    finally:
        for server in reversed(servers):
            server.stop()
    return passed, failed


def main(paths):
    passed = failed = 0
    for path in paths:
        print(f"{path}:", flush=True)
        good, bad = check(pathlib.Path(path).read_text(encoding="utf-8"))
        if good + bad == 0:
            print(f"FAILED: {path} has no block marked for CI")
            bad = 1
        passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed, 0 skipped")
    return 1 if failed else 0


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    sys.exit(main(sys.argv[1:]))
