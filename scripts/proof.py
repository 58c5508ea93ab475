#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""The ledger of long runs, and the pages made from it.

  proof.py add LINES      puts what harnesses wrote to LINES into the ledger, and
                          makes the pages anew
  proof.py check          1 if the pages say anything else than the ledger

Each line of docs/proof/ledger.jsonl is one part of one run. A harness writes
`harness`, `part`, `seed`, `counts` and `wrong` (names and numbers) and `seconds`;
`date` and `commit` are added here. docs/proof/HARNESS.md sums them up. Nothing
there is written by hand.
"""

import datetime
import difflib
import json
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs/proof"
LEDGER = FOLDER / "ledger.jsonl"

TITLES = {
    "crash": "Kill -9",
    "power": "Power cuts",
    "linear": "Linearizability",
    "faults": "Failed system calls",
    "fuzz": "Fuzzing",
}
PROSE = {
    "crash": "A process that has a store open is killed at any moment, or at a "
             "named fail point, and the store is looked at: nothing that was "
             "acknowledged is missing, nothing is torn, no ETag comes twice, the "
             "records are those that the accumulator knows. See "
             "[tests/crash](../../tests/crash).",
    "power": "What was not synced is lost, reordered or torn at a power cut: by "
             "real file systems that are shut down, and by states made from a "
             "recording. See [tests/power](../../tests/power).",
    "linear": "Histories of concurrent clients over the real socket, checked for "
              "an order that explains every answer. See "
              "[tests/dapr/linear](../../tests/dapr/linear).",
    "faults": "Each system call of each operation fails in turn. See "
              "[tests/faults](../../tests/faults).",
    "fuzz": "Each parser, fed by libFuzzer under ASan and UBSan. See "
            "[tests/fuzz](../../tests/fuzz).",
}


def number(value):
    return f"{value:,.0f}"


def add_up(dicts):
    total = {}
    for each in dicts:
        for name, value in each.items():
            total[name] = total.get(name, 0) + value
    return total


def words(counts):
    return ", ".join(f"{number(value)} {name}" for name, value in counts.items())


def page(harness, runs):
    wrong = add_up(run["wrong"] for run in runs)
    lines = [
        f"# {TITLES[harness]}", "", PROSE[harness], "",
        f"`./dev prove {harness}` adds to [the ledger](ledger.jsonl) and makes this "
        "page from it; `--seed` repeats a run's choices.", "",
        f"**{words(wrong)}** in {sum(run['seconds'] for run in runs) / 3600:.1f} "
        "hours.", "",
        "| part | runs | what was done | wrong |", "|---|---|---|---|"]
    for part in sorted({run["part"] for run in runs}):
        of_part = [run for run in runs if run["part"] == part]
        lines.append(
            f"| {part} | {len(of_part)} "
            f"| {words(add_up(run['counts'] for run in of_part))} "
            f"| {words(add_up(run['wrong'] for run in of_part))} |")
    return "\n".join(lines) + "\n"


def pages(ledger):
    return {f"{harness}.md": page(harness, runs) for harness in TITLES
            if (runs := [run for run in ledger if run["harness"] == harness])}


def read(path):
    lines = path.read_text("utf-8").splitlines() if path.exists() else ()
    return [json.loads(line) for line in lines]


def commit():
    def git(*arguments):
        return subprocess.run(["git", "-C", ROOT, *arguments], check=True,
                              capture_output=True, text=True).stdout.strip()

    changed = git("status", "--porcelain", "--untracked-files=no", "--", ".",
                  ":!docs")
    return git("rev-parse", "--short=12", "HEAD") + ("+" if changed else "")


def add(lines):
    runs = read(lines)
    if not runs:
        sys.exit("proof.py: no harness wrote a line")
    made = {"date": datetime.date.today().isoformat(), "commit": commit()}
    FOLDER.mkdir(parents=True, exist_ok=True)
    with LEDGER.open("a", encoding="utf-8") as ledger:
        for run in runs:
            if missing := {"harness", "part", "seed", "counts", "wrong",
                           "seconds"} - run.keys():
                sys.exit(f"proof.py: a line without {missing}: {run}")
            ledger.write(json.dumps(made | run) + "\n")
    for name, text in pages(read(LEDGER)).items():
        (FOLDER / name).write_text(text, encoding="utf-8")


def check():
    good = True
    for name, text in pages(read(LEDGER)).items():
        path = FOLDER / name
        there = path.read_text("utf-8") if path.exists() else ""
        if there != text:
            good = False
            print(f"docs/proof/{name} is not what the ledger says:")
            print(*difflib.unified_diff(there.splitlines(), text.splitlines(),
                                        lineterm=""), sep="\n")
    return 0 if good else 1


if __name__ == "__main__":
    if len(sys.argv) == 3 and sys.argv[1] == "add":
        add(pathlib.Path(sys.argv[2]))
    elif sys.argv[1:] == ["check"]:
        sys.exit(check())
    else:
        sys.exit(__doc__)
