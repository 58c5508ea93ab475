#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What clang builds: each config of .bazelrc in an output base of its own, one for
each clone, so that no build undoes another's work.

  clang_build.py CONFIG   prints where that is
"""

import hashlib
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What is neither the tree's nor Bazel's nor Debian's.
CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME")
                     or pathlib.Path.home() / ".cache") / "statecpp"
CLONE = hashlib.md5(str(ROOT).encode()).hexdigest()[:12]


def output_base(config):
    return CACHE / f"{config}-{CLONE}"


def bazel(config, verb, *arguments, **options):
    """As subprocess.run does; a status other than 0 is the caller's to look at."""
    return subprocess.run(
        ["bazel", f"--output_base={output_base(config)}", "--max_idle_secs=60",
         verb, f"--config={config}", *arguments],
        cwd=ROOT, check=False, text=True, **options)


def binaries(config):
    """The folder of what was built."""
    told = bazel(config, "info", "bazel-bin", stdout=subprocess.PIPE,
                 stderr=subprocess.DEVNULL)
    return pathlib.Path(told.stdout.strip())


if __name__ == "__main__":
    print(output_base(sys.argv[1]))
