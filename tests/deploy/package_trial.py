#!/usr/bin/python3 -B
# SPDX-License-Identifier: Apache-2.0
"""Installs the Debian package beside it, uses its service, and removes it. Changes
the machine that it runs on: check_deploy.py gives it one of its own."""

import grp
import os
import pathlib
import re
import signal
import subprocess
import sys
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
import http2  # noqa: E402

UNIT = "statecpp.service"
TIMER = "statecpp-backup.timer"
KEY = pathlib.Path("/etc/statecpp/statecpp.key")
DATA = pathlib.Path("/var/lib/statecpp")
BACKUPS = pathlib.Path("/var/lib/statecpp-backups")
DEFAULTS = pathlib.Path("/etc/default/statecpp")
SOCKET = "/run/dapr-components-sockets/cpp.sock"
NOBODY = 65534
CLIENT = """
import sys
sys.path.insert(0, sys.argv[1])
import http2
with http2.Client(sys.argv[2]) as client:
    if sys.argv[3] == "set":
        client.init({"encryption": "required"})
        client.set("city", b"Shanghai")
    print(client.get("city"))
"""


def run(*command, code=0, **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.STDOUT, **more)
    assert done.returncode == code, (
        f"{command} exited {done.returncode}, not {code}:\n{done.stdout}")
    return done.stdout


def property_of_unit(name):
    return run("systemctl", "show", f"--property={name}", "--value", UNIT).strip()


def status_of_process(name):
    text = pathlib.Path("/proc", property_of_unit("MainPID"), "status").read_text()
    return re.search(rf"^{name}:\s*(.*)$", text, re.M)[1]


def use(verb, *, member=True, code=0):
    """As nobody, who is in the service's group or is not."""
    groups = [grp.getgrnam("statecpp").gr_gid] if member else []
    return run(sys.executable, "-B", "-c", CLIENT, HERE, SOCKET,
               verb, user=NOBODY, group=NOBODY, extra_groups=groups, code=code)


class PackageTrial(unittest.TestCase):
    """One story, told in the order of its names."""

    @classmethod
    def setUpClass(cls):
        cls.package, = HERE.glob("*.deb")
        run("systemctl", "start", "systemd-journald")
        run("dpkg", "--no-triggers", "--install", cls.package)

    def test_1_installed_means_started_and_answering(self):
        self.assertEqual(property_of_unit("ActiveState"), "active")
        self.assertEqual(property_of_unit("UnitFileState"), "enabled")
        run("statecpp", "health", "--socket-folder", os.path.dirname(SOCKET))

    def test_1_has_a_key_that_root_alone_can_read(self):
        self.assertEqual((KEY.stat().st_mode & 0o777, KEY.stat().st_uid),
                         (0o600, 0))
        self.assertEqual((DATA.stat().st_mode & 0o777), 0o700)

    def test_2_runs_as_nobody_else_and_without_a_privilege(self):
        self.assertNotIn("0", status_of_process("Uid").split())
        for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
            self.assertEqual(int(status_of_process(name), 16), 0, name)
        self.assertEqual(status_of_process("NoNewPrivs"), "1")
        self.assertEqual(status_of_process("Seccomp"), "2")

    def test_2_can_write_in_its_two_folders_alone(self):
        process = property_of_unit("MainPID")
        inside = ("nsenter", f"--target={process}", "--mount", f"--setuid={NOBODY}")
        for folder in ("/", "/usr", "/etc/statecpp", "/var/lib", "/run"):
            said = run(*inside, "touch", f"{folder}/made", code=1)
            self.assertIn("Read-only file system", said)
        self.assertIn("denied", run(*inside, "ls", "/root", code=2))

    def test_3_keeps_state_for_a_member_of_its_group(self):
        self.assertIn("Shanghai", use("set"))
        run("statecpp", "verify", f"--data-root={DATA}", "--store=orders")

    def test_4_backs_up_all_stores_once_its_timer_is_enabled(self):
        self.assertEqual(run("systemctl", "is-enabled", TIMER, code=1), "disabled\n")
        run("systemctl", "enable", "--now", TIMER)
        self.assertIn("statecpp-backup.service",
                      run("systemctl", "list-timers", "--no-pager"))
        run("systemctl", "start", "statecpp-backup.service")
        made, = BACKUPS.iterdir()
        self.assertRegex(made.name, r"^orders-\d{8}T\d{6}Z$")
        self.assertEqual(made.stat().st_mode & 0o777, 0o700)
        self.assertNotIn(b"Shanghai", (made / "data.mdb").read_bytes())
        run("statecpp", "verify", f"--store-path={made}", f"--key-file={KEY}")
        DEFAULTS.write_text(DEFAULTS.read_text().replace("--keep=7", "--keep=2"))
        for _ in range(2):
            run("systemctl", "start", "statecpp-backup.service")
        self.assertEqual(len(list(BACKUPS.iterdir())), 2)
        self.assertFalse(made.exists())

    def test_4_keeps_it_sealed(self):
        store, = DATA.glob("stores/*/data.mdb")
        self.assertNotIn(b"Shanghai", store.read_bytes())

    def test_3_turns_others_away(self):
        self.assertIn("PermissionError", use("get", member=False, code=1))

    def test_5_has_the_state_after_a_restart(self):
        run("systemctl", "restart", UNIT)
        self.assertIn("Shanghai", use("get"))

    def test_6_is_started_again_where_it_was_killed(self):
        before = property_of_unit("MainPID")
        os.kill(int(before), signal.SIGKILL)
        deadline = time.monotonic() + http2.PATIENCE_S
        while (property_of_unit("MainPID") in ("0", before) or
               property_of_unit("ActiveState") != "active"):
            self.assertLess(time.monotonic(), deadline, "it was not started again")
            time.sleep(0.1)
        self.assertIn("Shanghai", use("get"))

    def test_7_is_not_started_again_and_again_with_a_wrong_flag(self):
        right = DEFAULTS.read_text()
        DEFAULTS.write_text('STATECPP_OPTIONS="--no-such-flag"\n')
        run("systemctl", "restart", UNIT, code=1)
        self.assertEqual(property_of_unit("ActiveState"), "failed")
        self.assertEqual(property_of_unit("NRestarts"), "0")
        DEFAULTS.write_text(right)
        run("systemctl", "start", UNIT)

    def test_7_does_not_start_without_its_key(self):
        aside = KEY.with_suffix(".aside")
        KEY.rename(aside)
        run("systemctl", "restart", UNIT, code=1)
        self.assertIn(str(KEY), run("systemctl", "status", UNIT, code=3))
        aside.rename(KEY)
        run("systemctl", "start", UNIT)

    def test_8_ends_when_it_is_told_to(self):
        run("systemctl", "stop", UNIT)
        self.assertEqual(property_of_unit("Result"), "success")
        self.assertFalse(os.path.exists(SOCKET))
        # It is no reason to start the server, nor to open the stores itself.
        run("systemctl", "start", "statecpp-backup.service", code=1)
        run("systemctl", "start", UNIT)

    def test_8_then_another_package_serves_the_state_with_the_same_key(self):
        key = KEY.read_bytes()
        run("dpkg", "--no-triggers", "--install", self.package)
        self.assertEqual(KEY.read_bytes(), key)
        run("systemctl", "is-active", TIMER)
        self.assertIn("Shanghai", use("get"))

    def test_9_purged_it_leaves_the_state_and_its_key(self):
        run("dpkg", "--no-triggers", "--purge", "statecpp")
        self.assertEqual(property_of_unit("ActiveState"), "inactive")
        run("systemctl", "is-active", TIMER, code=3)
        self.assertFalse(os.path.exists("/etc/default/statecpp"))
        self.assertTrue(KEY.exists())
        self.assertTrue(list(DATA.glob("stores/*/data.mdb")))
        self.assertTrue(list(BACKUPS.glob("*/data.mdb")))
        run("dpkg", "--no-triggers", "--install", self.package)
        self.assertIn("Shanghai", use("get"))


if __name__ == "__main__":
    story = unittest.main(verbosity=2, exit=False)
    if not story.result.wasSuccessful():
        print(run("journalctl", "--no-pager", "--lines=100"))
        sys.exit(1)
