#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Holds the whole tree to the rules in rules.py, and the rules to theirs."""

import os
import pathlib
import sys
import unittest

# Bazel starts this file through a link; beside the real one stand its rules,
# and two folders up the tree.
HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path.insert(0, str(HERE))
import rules  # noqa: E402

# What tools made, here and elsewhere.
NOT_OURS = {".git", ".bin", ".statecpp", "node_modules", ".venv", "target",
            "package-lock.json", "requirements.txt", "go.sum", "LICENSE"}


def tree():
    for folder, folders, names in os.walk(ROOT):
        folders[:] = sorted(f for f in folders if f not in NOT_OURS
                            and not os.path.islink(os.path.join(folder, f)))
        for name in sorted(set(names) - NOT_OURS):
            path = pathlib.Path(folder, name)
            try:
                text = path.read_text(encoding="utf-8")
            except (UnicodeDecodeError, FileNotFoundError):
                continue  # no text, or gone since it was listed
            yield rules.File(path.relative_to(ROOT).as_posix(), text)


class TidyTest(unittest.TestCase):
    longMessage = False

    def test_every_rule_finds_what_it_is_for(self):
        for rule in rules.RULES:
            self.assertTrue(rule.bad, rule.name)
            for fixture in rule.bad:
                with self.subTest(rule=rule.name, path=fixture.path):
                    self.assertTrue(list(rule.check(rules.File(*fixture))))

    def test_no_rule_finds_more(self):
        for rule in rules.RULES:
            for fixture in rule.good:
                with self.subTest(rule=rule.name, path=fixture.path):
                    self.assertEqual(list(rule.check(rules.File(*fixture))), [])

    def test_the_tree_keeps_every_rule(self):
        files = list(tree())
        self.assertGreater(len(files), 50, f"{ROOT} is not the tree")
        found = [f"{file.path}:{line}: {rule.name}: {what}"
                 for file in files for rule in rules.RULES
                 for line, what in rule.check(file)]
        self.assertFalse(found, "\n" + "\n".join(found))


if __name__ == "__main__":
    unittest.main()
