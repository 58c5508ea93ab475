#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Builds the fuzz targets and runs each of them. See README.md.

  fuzz.py [NAME...]         runs these targets, or all, for 5 seconds each
  fuzz.py replay NAME FILE  plays one input
  fuzz.py merge NAME        adds to the corpus in the tree the inputs of long
                            runs that reach what it does not

  --seconds S    for each target
  --jobs N       so many targets at a time
  --binaries DIR does not build: takes the programs from there

STATECPP_PROVE_SECONDS is the time of a long run, which all targets share; such
a run goes on from the inputs that earlier ones found, and keeps its own.
STATECPP_TEST_SEED gives the seed of a run, which every run prints.
STATECPP_PROVE_LEDGER names a file that gets a line of JSON for each target.

Exits with 1 if a target found a mistake or could not run, or if a planted
mistake was not found.
"""

import argparse
import collections
import concurrent.futures
import contextlib
import json
import os
import pathlib
import random
import re
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
HERE = ROOT / "tests/fuzz"
sys.path.insert(0, str(ROOT / "scripts"))
import clang_build  # noqa: E402

# What a long run found worth keeping, and what crashed.
KEPT = clang_build.CACHE / "fuzz-corpus"
FOUND = clang_build.CACHE / "fuzz-found"

SMOKE_SECONDS = 5
MOST_IN_CORPUS = 50
# A canary dies within a second or two; this is for a machine that is busy.
CANARY_SECONDS = 60
# What each planted mistake is found by.
CANARIES = {"canary_of_memory": "heap-buffer-overflow",
            "canary_of_undefined": "signed integer overflow",
            "canary_of_oracle": "EXPECTED: a frame has its size"}

# What a sanitizer, the fuzzer or Expect says first of a mistake.
MISTAKE = re.compile("EXPECTED: |ERROR: |runtime error: |Assertion ")

Target = collections.namedtuple("Target", "name label")
Result = collections.namedtuple("Result", "status output seconds")


def targets_in_tree():
    sources = [*ROOT.glob("*/*_fuzz.cc"), *ROOT.glob("tests/*/*_fuzz.cc")]
    return [Target(path.stem.removesuffix("_fuzz"),
                   f"//{path.parent.relative_to(ROOT)}:{path.stem}")
            for path in sorted(sources)]


def canaries():
    return [Target(name, f"//tests/fuzz:{name}") for name in CANARIES]


def build(targets, config):
    """With a config of .bazelrc: fuzz for long runs, or clang, whose build lint
    shares. Returns where the programs are."""
    progress = ["--show_progress", "--show_result=0", "--symlink_prefix=/"]
    if not sys.stderr.isatty():
        progress += ["--curses=no", "--show_progress_rate_limit=20"]
    print(f"building {len(targets)} programs with clang's fuzzer "
          "(from nothing this takes some minutes)", flush=True)
    built = clang_build.bazel(config, "build", *progress,
                              *(target.label for target in targets))
    if built.returncode != 0:
        sys.exit("fuzz.py: the targets did not build; of Debian they need "
                 "clang and libclang-rt-14-dev")
    return clang_build.binaries(config)


class Fuzzer:
    """Runs the programs. Inputs that crash go to `found`."""

    def __init__(self, binaries, seed, found, scratch):
        self.binaries = binaries
        # libFuzzer's has 32 bits, and 0 means one of its own choice.
        self.seed = seed % (2**32 - 1) + 1
        self.found = found
        self.scratch = scratch

    def program(self, target):
        return self.binaries / target.label.removeprefix("//").replace(":", "/")

    def call(self, target, *arguments):
        began = time.monotonic()
        environment = {
            **os.environ, "TEST_TMPDIR": str(self.scratch),
            "UBSAN_OPTIONS": "print_stacktrace=1"}
        done = subprocess.run([self.program(target), *map(str, arguments)],
                              env=environment, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, check=False)
        return Result(done.returncode, done.stdout.decode(errors="replace"),
                      time.monotonic() - began)

    def run(self, target, seconds, *corpora):
        """New inputs go into the first of the corpora."""
        self.found.mkdir(parents=True, exist_ok=True)
        options = [f"-seed={self.seed}", f"-max_total_time={seconds:.0f}",
                   "-timeout=25", "-rss_limit_mb=2048", "-print_final_stats=1",
                   "-print_funcs=0",
                   f"-artifact_prefix={self.found}/{target.name}-"]
        dictionary = HERE / "dictionary" / target.name
        if dictionary.exists():
            options.append(f"-dict={dictionary}")
        return self.call(target, *options, *corpora)


def counts_of(output):
    def last(pattern):
        found = re.findall(pattern, output)
        return int(found[-1]) if found else 0
    return {"executions": last(r"number_of_executed_units: (\d+)"),
            "corpus": last(r"corp: (\d+)/"),
            "coverage": last(r"cov: (\d+)")}


def write_ledger(part, seed, counts, wrong, seconds):
    path = os.environ.get("STATECPP_PROVE_LEDGER")
    if not path:
        return
    line = json.dumps({"harness": "fuzz", "part": part, "seed": str(seed),
                       "counts": counts,
                       "wrong": {"lost": 0, "torn": 0, "false": wrong},
                       "seconds": round(seconds, 1)})
    with open(path, "a", encoding="utf-8") as ledger:
        ledger.write(line + "\n")


def report_crash(target, result):
    """Says what happened, and how to have it again."""
    print(f"\n{target.name}: a mistake, or the fuzzer could not run "
          f"(status {result.status}):")
    lines = result.output.splitlines()
    first = next((i for i, line in enumerate(lines) if MISTAKE.search(line)),
                 max(len(lines) - 20, 0))
    print("\n".join("  " + line[:200] for line in lines[first:first + 20]))
    written = re.search(r"Test unit written to (\S+)", result.output)
    if written:
        print(f"{target.name}: the input is {written[1]}\n{target.name}: again:"
              f" tests/fuzz/fuzz.py replay {target.name} {written[1]}")
    print(flush=True)


def run_canaries(fuzzer, seed):
    """How many of the planted mistakes were not found."""
    began = time.monotonic()
    missed = 0
    for target in canaries():
        result = fuzzer.run(target, CANARY_SECONDS)
        if result.status == 0 or CANARIES[target.name] not in result.output:
            missed += 1
            print(f"{target.name}: the planted mistake was not found")
    print(f"{len(CANARIES) - missed} of {len(CANARIES)} planted mistakes found",
          flush=True)
    write_ledger("canaries", seed, {"planted": len(CANARIES)}, missed,
                 time.monotonic() - began)
    return missed


def run_target(fuzzer, target, seconds, keep, seed):
    """Whether all was well."""
    with contextlib.ExitStack() as stack:
        if keep:
            grown = KEPT / target.name
            grown.mkdir(parents=True, exist_ok=True)
        else:
            grown = stack.enter_context(tempfile.TemporaryDirectory())
        result = fuzzer.run(target, seconds, grown,
                            HERE / "corpus" / target.name)
    counts = counts_of(result.output)
    good = result.status == 0 and counts["executions"] > 0
    rate = counts["executions"] / max(result.seconds, 1)
    print(f"{target.name:20} {counts['executions']:>10} executions "
          f"{rate:>8.0f}/s  {counts['coverage']:>5} edges "
          f"{counts['corpus']:>5} inputs  {'' if good else 'FAILED'}",
          flush=True)
    if not good:
        report_crash(target, result)
    write_ledger(target.name, seed, counts, 0 if good else 1, result.seconds)
    return good


def run_all(fuzzer, targets, seconds, keep, jobs, seed):
    missed = run_canaries(fuzzer, seed)
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        good = list(pool.map(
            lambda target: run_target(fuzzer, target, seconds, keep, seed),
            targets))
    print(f"{len(good)} targets, {good.count(False)} of them failed")
    return 0 if all(good) and not missed else 1


def merge(fuzzer, target):
    """Adds what reaches other edges, up to so many inputs in the corpus."""
    corpus = HERE / "corpus" / target.name
    with tempfile.TemporaryDirectory() as folder:
        merged = pathlib.Path(folder) / target.name
        shutil.copytree(corpus, merged)
        result = fuzzer.call(target, "-set_cover_merge=1", "-use_counters=0",
                             "-max_len=300", merged, KEPT / target.name)
        if result.status != 0:
            report_crash(target, result)
            return 1
        there = {path.name for path in corpus.iterdir()}
        new = [path for path in merged.iterdir() if path.name not in there]
        # The longest reach the most.
        new.sort(key=lambda path: path.stat().st_size, reverse=True)
        new = new[:max(MOST_IN_CORPUS - len(there), 0)]
        for path in new:
            shutil.copy(path, corpus)
    print(f"{target.name}: {len(new)} more inputs")
    return 0


def wanted(names):
    known = {target.name: target for target in targets_in_tree()}
    for name in names:
        if name not in known:
            sys.exit(f"fuzz.py: there is no target {name}; there are "
                     + ", ".join(known))
    return [known[name] for name in names or known]


def parse_arguments():
    parser = argparse.ArgumentParser(
        usage=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("words", nargs="*")
    parser.add_argument("--seconds", type=float, default=SMOKE_SECONDS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--binaries", type=pathlib.Path)
    parser.add_argument("--found", type=pathlib.Path, default=FOUND)
    return parser.parse_args()


def main():
    arguments = parse_arguments()
    verb, *rest = arguments.words or ["run"]
    if verb not in ("replay", "merge"):
        verb, rest = "run", arguments.words
    targets = wanted(rest[:1] if verb != "run" else rest)
    if (verb, len(rest)) not in (("run", len(rest)), ("replay", 2),
                                 ("merge", 1)):
        sys.exit("fuzz.py: replay takes a NAME and a FILE, merge a NAME")
    seed = int(os.environ.get("STATECPP_TEST_SEED") or random.getrandbits(64))
    total = os.environ.get("STATECPP_PROVE_SECONDS")
    binaries = arguments.binaries or build(
        targets + (canaries() if verb == "run" else []),
        "fuzz" if total else "clang")
    memory = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=memory) as scratch:
        fuzzer = Fuzzer(binaries, seed, arguments.found, scratch)
        if verb == "merge":
            return merge(fuzzer, targets[0])
        if verb == "replay":
            result = fuzzer.call(targets[0], rest[1])
            print(result.output, end="")
            return 0 if result.status == 0 else 1
        print(f"STATECPP_TEST_SEED={seed}", flush=True)
        seconds = arguments.seconds
        if total:
            share = float(total) * arguments.jobs / len(targets)
            seconds = max(share, 1)
        return run_all(fuzzer, targets, seconds, bool(total), arguments.jobs,
                       seed)


if __name__ == "__main__":
    sys.exit(main())
