#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""One load on a server of its own, by wire_client, in words.

  load.py FOLDER_OF_PROGRAMS [WIRE_CLIENT'S FLAGS]   (./dev bench wire calls it)
"""

import json
import pathlib
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent))
from smoke import serving  # noqa: E402


def main(programs, flags):
    client = programs / "bench" / "wire" / "wire_client"
    if not any(flag.startswith("--encryption") for flag in flags):
        flags = [*flags, "--encryption", "required"]
    with tempfile.TemporaryDirectory(prefix="statecpp-load-") as folder:
        with serving(programs / "statecpp", pathlib.Path(folder)) as (
                server, socket, _):
            said = subprocess.run(
                [client, "--socket", socket, "--server-pid", str(server.pid),
                 *flags], stdout=subprocess.PIPE)
    if said.returncode != 0:
        sys.exit(said.returncode)
    result = json.loads(said.stdout)
    print(f"{result['calls']} calls, {result['qps']:,.0f} a second; "
          f"p50 {result['p50_us']:,.0f} us, p99 {result['p99_us']:,.0f}, "
          f"p99.9 {result['p999_us']:,.0f}, most {result['max_us']:,.0f}; "
          f"CPU of the server {result['server_cpu_us']:.1f} us a call; "
          f"at most {result['backlog']} calls waited to be begun")


if __name__ == "__main__":
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    main(pathlib.Path(sys.argv[1]), sys.argv[2:])
