#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""What the tests would notice: mistakes are made in the code, one at a time.

  mutants.py [--count N] [--seed S] [--jobs J] [FILE...]

Of all mutants of engine and crypto, or of these FILEs, N are drawn. Each is
compiled, its library takes the place of the good one, and the tests that have
it run until one fails. The mutants that live are named, and all are entered in
docs/proof/mutants.jsonl, from which docs/proof/mutants.md is made. It builds
what scripts/coverage.py builds.

Only tests within one process are run: none that starts `statecpp`, which has a
copy of the code.
"""

import argparse
import concurrent.futures
import datetime
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

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import clang_build  # noqa: E402
import coverage  # noqa: E402

ROOT = clang_build.ROOT
LEDGER = ROOT / "docs/proof/mutants.jsonl"
PAGE = ROOT / "docs/proof/mutants.md"
# What is the same program, or none: judged by reading, each with its reason.
EQUIVALENT = ROOT / "docs/proof/equivalent_mutants.txt"
TESTS = ["//api/...", "//crypto/...", "//engine/...", "//tests/contract/...",
         "//tests/golden/...", "//tests/model/...", "//tests/faults/..."]

# A mistake: a name, what it takes the place of, and what it puts there.
SWAPS = [(f"{a} for {b}", re.compile(f" {re.escape(b)} "), f" {a} ")
         for pair in (("<", "<="), (">", ">="), ("==", "!="), ("&&", "||"),
                      ("+", "-"), ("*", "/"), ("+=", "-="))
         for a, b in (pair, pair[::-1])]
OTHERS = [
    ("true for false", re.compile(r"\bfalse\b"), "true"),
    ("false for true", re.compile(r"\btrue\b"), "false"),
    ("a condition turned", re.compile(r"\b(if|while) \((?=.*\) \{?$|.*\) \w.*;$)"),
     r"\1 (!"),
    ("a number one higher", re.compile(r"(?<![\w.'\"])(\d+)(?![\w.'\"])"), None),
    ("a call left out", re.compile(r"^\s+[\w.:>-]+\([^;]*\);$"), None),
    ("a break left out", re.compile(r"\bbreak;"), ";"),
    ("no return", re.compile(r"\breturn;"), ";"),
]


class Mutant:
    def __init__(self, path, line, column, kind, text):
        self.path, self.line, self.column = path, line, column
        self.kind, self.text = kind, text

    def __str__(self):
        return f"{self.path}:{self.line}: {self.kind}: {self.text.strip()}"


def code_lines(path):
    """(number, text) of the lines that have code to change."""
    for number, text in enumerate(
            (ROOT / path).read_text("utf-8").splitlines(), 1):
        code = text.split("//")[0].rstrip()
        if code and not code.lstrip().startswith(
                ("#", "using ", "static_assert", "namespace ", "template")):
            yield number, code


def outside_quotes(code, position):
    return code[:position].count('"') % 2 == 0


def changed(kind, match, code, with_text):
    if kind == "a call left out":
        return re.match(r"\s*", code).group() + ";"
    if kind == "a number one higher":
        with_text = str(int(match.group(1)) + 1)
    elif kind == "a condition turned":
        return turn_condition(code, match)
    else:
        with_text = match.expand(with_text)
    return code[:match.start()] + with_text + code[match.end():]


def turn_condition(code, match):
    """`if (a && b) …` becomes `if (!(a && b)) …`; None where it goes on."""
    depth = 0
    for position in range(match.end() - 1, len(code)):
        depth += {"(": 1, ")": -1}.get(code[position], 0)
        if depth == 0:
            inner = code[match.end():position]
            if ";" in inner or re.search(r"\w \w+ =|\b(auto|const)\b", inner):
                return None
            return (f"{code[:match.end()]}!({inner}){code[position:]}")
    return None


def mutants_of(path):
    for number, code in code_lines(path):
        for kind, pattern, with_text in SWAPS + OTHERS:
            for match in pattern.finditer(code):
                if not outside_quotes(code, match.start()):
                    continue
                text = changed(kind, match, code, with_text)
                if text is not None and text != code:
                    yield Mutant(path, number, match.start(), kind, text)


def sources():
    return [f"{room}/{path.name}" for room in coverage.ROOMS
            for path in sorted((ROOT / room).glob("*.cc"))
            if not path.name.endswith(("_test.cc", "_fuzz.cc"))
            # What is of test-only programs.
            and path.name != "fail_point.cc"]


class Bench:
    """The good build: where a source's objects are, which tests have them."""

    def __init__(self):
        done = clang_build.bazel(
            "coverage", "build", "--symlink_prefix=/", "--show_result=0",
            "--build_tests_only", "--keep_going", *TESTS)
        if done.returncode != 0:
            sys.exit("mutants.py: the tests did not build")
        self.folder = clang_build.binaries("coverage")
        # bazel-out/CONFIG/bin, three below the folder in which clang compiles.
        self.workspace = self.folder.parent.parent.parent
        [self.libraries] = self.folder.glob("_solib_*")
        self.tests = self.find_tests()

    def find_tests(self):
        """{program: names of the libraries that it loads}."""
        found = {}
        for manifest in self.folder.glob("**/*_test.runfiles"):
            program = manifest.with_suffix("")
            if not program.is_file() or program.suffix == ".py":
                continue
            told = subprocess.run(["readelf", "-d", program], text=True,
                                  stdout=subprocess.PIPE, check=False,
                                  stderr=subprocess.DEVNULL).stdout
            names = set(re.findall(r"NEEDED.*\[(lib\S+_S\S+\.so)\]", told))
            if names:
                found[program] = names
        return found

    def objects(self, path):
        """The object of a source, with the others of its library."""
        room, stem = path.split("/")[0], pathlib.Path(path).stem
        found = list((self.folder / room / "_objs").glob(f"*/{stem}.pic.o"))
        if len(found) != 1:
            return None, None
        return found[0], sorted(found[0].parent.glob("*.pic.o"))

    def library(self, path):
        own, _ = self.objects(path)
        if own is None:
            return None
        room = path.split("/")[0]
        library = f"lib{room}_S" + "lib" + own.parent.name.replace("_", "_U")
        return library + ".so"


COMPILE = ["clang", "-c", "-fPIC", "-O0", "-std=c++20", "-UNDEBUG", "-I.",
           "-U_FORTIFY_SOURCE", "-w"]


class Trial:
    def __init__(self, bench, times):
        self.bench, self.times = bench, times

    def tests_of(self, mutant, library):
        """Its own test first, then the quickest."""
        own = f"{pathlib.Path(mutant.path).stem}_test"
        return sorted((program for program, names in self.bench.tests.items()
                       if library in names),
                      key=lambda program: (program.name != own,
                                           self.times.get(str(program), 0)))

    def run(self, mutant):
        """The name of the test that noticed it, "" if none did, None if it is no
        program."""
        library = self.bench.library(mutant.path)
        own, objects = self.bench.objects(mutant.path)
        with tempfile.TemporaryDirectory() as scratch:
            scratch = pathlib.Path(scratch)
            if not self.build(mutant, scratch, own, objects, library):
                return None
            for program in self.tests_of(mutant, library):
                if not passes(program, scratch, self.times.get(str(program), 60)):
                    return program.name
        return ""

    def build(self, mutant, scratch, own, objects, library):
        lines = (ROOT / mutant.path).read_text("utf-8").splitlines()
        lines[mutant.line - 1] = mutant.text
        source = scratch / pathlib.Path(mutant.path).name
        source.write_text("\n".join(lines) + "\n", encoding="utf-8")
        object_ = scratch / "mutant.o"
        includes = ["-iquote", str(ROOT), "-iquote", str(self.bench.folder)]
        compiled = subprocess.run([*COMPILE, *includes, source, "-o", object_],
                                  cwd=ROOT, check=False,
                                  stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL)
        if compiled.returncode != 0:
            return False
        others = [path for path in objects if path != own]
        subprocess.run(["clang++", "-shared", "-fprofile-instr-generate",
                        "-o", scratch / library, object_, *others], check=True)
        object_.unlink()
        source.unlink()
        return True


def passes(program, libraries, usual):
    """Whether a test passes with libraries from that folder, in time."""
    with tempfile.TemporaryDirectory(dir="/dev/shm") as scratch:
        environment = {
            **os.environ, "LD_LIBRARY_PATH": str(libraries),
            "TEST_TMPDIR": scratch, "LLVM_PROFILE_FILE": "/dev/null",
            "GTEST_FAIL_FAST": "1", "STATECPP_TEST_SEED": "1"}
        try:
            done = subprocess.run(
                [program], cwd=f"{program}.runfiles/statecpp", env=environment,
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                stdin=subprocess.DEVNULL, timeout=20 + 10 * usual, check=False)
        except subprocess.TimeoutExpired:
            return False
        return done.returncode == 0


def measure(bench):
    """How long each test takes; those that do not pass as they are are left
    out, and named."""
    times = {}
    with tempfile.TemporaryDirectory() as empty:
        for program in list(bench.tests):
            began = time.monotonic()
            if passes(program, empty, 60):
                times[str(program)] = time.monotonic() - began
            else:
                print(f"left out, for it does not pass here: {program.name}")
                del bench.tests[program]
    return times


def equivalent():
    lines = EQUIVALENT.read_text("utf-8").splitlines() if EQUIVALENT.exists() else ()
    return {line.split(" -- ")[0] for line in lines
            if line and not line.startswith("#")}


def name_of(mutant):
    """Without the number of its line, which changes."""
    return f"{mutant.path}: {mutant.kind}: {mutant.text.strip()}"


def page():
    runs = [json.loads(line) for line in LEDGER.read_text("utf-8").splitlines()]
    # The last word on each mutant counts.
    last = {(run["mutant"], run["line"]): run for run in runs}
    same = equivalent()
    rows = {}
    for run in last.values():
        count = rows.setdefault(run["mutant"].split(":")[0], [0, 0])
        if run["noticed"] or run["mutant"] not in same:
            count[0] += 1
            count[1] += bool(run["noticed"])
    made = sum(count[0] for count in rows.values())
    killed = sum(count[1] for count in rows.values())
    lines = [
        "# Mutants", "",
        "Mistakes made in the code of `engine` and `crypto`, one at a time, and "
        "whether a test within one process notices. Drawn at random by "
        "`./dev mutants`, entered in [a ledger](mutants.jsonl). What is the same "
        "program in other words is in [a list](equivalent_mutants.txt), each with "
        "its reason, and does not count.", "",
        f"**{killed:,} of {made:,} noticed: {100 * killed / made:.1f} %.**", "",
        "| | made | noticed |", "|---|--:|--:|"]
    lines += [f"| {path} | {count[0]} | {count[1]} |"
              for path, count in sorted(rows.items())]
    living = sorted(f"- `{run['mutant']}` (line {run['line']})"
                    for run in last.values()
                    if not run["noticed"] and run["mutant"] not in same)
    return "\n".join([*lines, "", "Not noticed:", "", *living]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--count", type=int, default=100)
    parser.add_argument("--seed", type=int, default=random.getrandbits(32))
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("files", nargs="*")
    arguments = parser.parse_args()
    print(f"--seed {arguments.seed}", flush=True)
    bench = Bench()
    everything = [mutant for path in arguments.files or sources()
                  if bench.library(path) for mutant in mutants_of(path)]
    drawn = random.Random(arguments.seed).sample(
        everything, min(arguments.count, len(everything)))
    print(f"{len(everything)} mutants, {len(drawn)} of them drawn", flush=True)
    trial = Trial(bench, measure(bench))
    today = datetime.date.today().isoformat()
    with LEDGER.open("a", encoding="utf-8") as ledger, \
            concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
        for mutant, noticed in zip(drawn, pool.map(trial.run, drawn)):
            if noticed is None:
                continue
            if not noticed:
                print(f"lives: {mutant}", flush=True)
            ledger.write(json.dumps({
                "date": today, "mutant": name_of(mutant), "line": mutant.line,
                "noticed": noticed}) + "\n")
            ledger.flush()
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    main()
