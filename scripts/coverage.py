#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Which lines and branches of engine and crypto the C++ tests reach.

  coverage.py run        builds and runs the tests, and makes
                         docs/proof/coverage.md
  coverage.py missed     of the last run the lines that no test reached

Clang counts (`--config=coverage` in .bazelrc). A process that ends by SIGKILL or
_exit leaves no counts, so what only the crash tests reach is not seen.
"""

import json
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))
import clang_build  # noqa: E402

ROOT = clang_build.ROOT
COUNTS = clang_build.CACHE / f"coverage-counts-{clang_build.CLONE}"
PAGE = ROOT / "docs/proof/coverage.md"
ROOMS = ("crypto", "engine")
TESTS = ["//api/...", "//cli/...", "//crypto/...", "//engine/...",
         "//server/...", "//tests/contract/...", "//tests/faults/...",
         "//tests/format/...", "//tests/golden/...", "//tests/model/...",
         "//tests/program/...", "//tests/query/..."]


def run():
    COUNTS.mkdir(parents=True, exist_ok=True)
    for old in COUNTS.iterdir():
        old.unlink()
    # One file for each program and library; processes add to it.
    done = clang_build.bazel(
        "coverage", "test", "--keep_going", "--symlink_prefix=/",
        "--show_result=0", "--build_tests_only",
        "--strategy=TestRunner=local", "--nocache_test_results",
        f"--test_env=LLVM_PROFILE_FILE={COUNTS}/%4m.profraw", *TESTS)
    subprocess.run(
        ["llvm-profdata", "merge", "--sparse", "-o", COUNTS / "all.profdata",
         *COUNTS.glob("*.profraw")], check=True)
    PAGE.write_text(page(files()), encoding="utf-8")
    print(PAGE.read_text("utf-8"))
    return done.returncode


def objects():
    """What holds the rooms' code: a library of each target, and the program."""
    folder = clang_build.binaries("coverage")
    libraries = [path for room in ROOMS
                 for path in sorted(folder.glob(f"_solib_*/lib{room}_S*.so"))]
    return [folder / "statecpp", *libraries]


def export(*arguments):
    first, *others = objects()
    told = subprocess.run(
        ["llvm-cov", "export", *arguments,
         f"--instr-profile={COUNTS}/all.profdata", first,
         *(f"--object={path}" for path in others)],
        check=True, stdout=subprocess.PIPE, cwd=ROOT)
    return json.loads(told.stdout)["data"][0]["files"]


def name_of(file):
    """Its path in the tree, or None if it is no code of the rooms."""
    parts = pathlib.PurePath(file["filename"]).parts
    for room in ROOMS:
        if room in parts[-2:-1] and "external" not in parts:
            name = "/".join(parts[-2:])
            tested = not name.endswith(("_test.cc", "_fuzz.cc"))
            return name if tested and (ROOT / name).exists() else None
    return None


def files():
    return {name: file["summary"] for file in export("--summary-only")
            if (name := name_of(file))}


def share(summaries, kind):
    count = sum(each[kind]["count"] for each in summaries)
    covered = sum(each[kind]["covered"] for each in summaries)
    return f"{100 * covered / count:.1f} %" if count else "–"


def page(summaries):
    lines = [
        "# Coverage", "",
        "Which lines and branches of `engine` and `crypto` the C++ tests reach, as "
        "clang counts. Of a process that is killed, or leaves by `_exit`, the "
        "counts are lost. `./dev coverage` makes this page; `./dev coverage "
        "missed` names the lines.", "",
        "| | lines | reached | branches reached |", "|---|--:|--:|--:|"]
    for room in ROOMS:
        of_room = [summary for name, summary in summaries.items()
                   if name.startswith(room + "/")]
        count = sum(each["lines"]["count"] for each in of_room)
        lines.append(f"| **{room}** | **{count:,}** | **{share(of_room, 'lines')}** "
                     f"| **{share(of_room, 'branches')}** |")
    for name, summary in sorted(summaries.items()):
        if summary["lines"]["percent"] < 100:
            lines.append(f"| {name} | {summary['lines']['count']} "
                         f"| {share([summary], 'lines')} "
                         f"| {share([summary], 'branches')} |")
    lines += ["", "Files that are not named are reached in every line."]
    return "\n".join(lines) + "\n"


def missed_lines(segments):
    """Lines where code begins that never ran. A segment is [line, column, count,
    has a count, begins a region, is a gap]."""
    lines, reached = {}, set()
    for line, _, count, counted, entry, gap in segments:
        if counted and entry and not gap:
            if count:
                reached.add(line)
            else:
                lines[line] = True
    return [line for line in sorted(lines) if line not in reached]


def missed():
    for file in export():
        if name := name_of(file):
            text = (ROOT / name).read_text("utf-8").splitlines()
            for line in missed_lines(file["segments"]):
                print(f"{name}:{line}: {text[line - 1].strip()}")
    return 0


if __name__ == "__main__":
    verb = sys.argv[1:] or ["run"]
    if verb not in (["run"], ["missed"]):
        sys.exit(__doc__)
    sys.exit(run() if verb == ["run"] else missed())
