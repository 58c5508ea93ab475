#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Makes the Debian package of a program that is built already.

    ./dev build && deploy/debian/make_deb.py bazel-bin/statecpp .

prints the path of the package. Needs debhelper. The same program makes the same
package, byte for byte.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent


def output(*command):
    return subprocess.run(command, check=True, capture_output=True,
                          text=True).stdout


def make(program, out):
    """Returns the package's path, in the folder `out`."""
    with tempfile.TemporaryDirectory() as scratch:
        tree = pathlib.Path(scratch, "statecpp")
        shutil.copytree(HERE, tree / "debian",
                        ignore=shutil.ignore_patterns("make_deb.py"))
        units = ROOT / "deploy/systemd"
        shutil.copy(units / "statecpp.service", tree / "debian")
        for unit in ("statecpp-backup.service", "statecpp-backup.timer"):
            shutil.copy(units / unit, tree / "debian" / f"statecpp.{unit}")
        shutil.copy(ROOT / "NOTICE", tree)
        shutil.copy(program, tree / "statecpp")
        # Bazel's outputs are read-only, and debhelper strips its own copy.
        (tree / "statecpp").chmod(0o755)
        (tree / "statecpp.1").write_text(output(tree / "statecpp", "manual"))
        (tree / "completions").mkdir()
        (tree / "completions/statecpp").write_text(
            output(tree / "statecpp", "completion"))
        built = subprocess.run(
            ["dpkg-buildpackage", "--build=binary", "--no-sign"], cwd=tree,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env={**os.environ, "DEB_BUILD_OPTIONS": "noautodbgsym nocheck"})
        if built.returncode:
            sys.exit(f"{built.stdout}\nmake_deb: dpkg-buildpackage failed with "
                     f"{built.returncode}; the reason stands above")
        package, = pathlib.Path(scratch).glob("*.deb")
        return pathlib.Path(shutil.copy(package, out))


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: make_deb.py PROGRAM FOLDER")
    print(make(sys.argv[1], sys.argv[2]))


if __name__ == "__main__":
    main()
