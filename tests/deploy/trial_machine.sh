#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A machine for the length of one command: systemd as process 1, in namespaces of
# its own, on this machine's root file system. What it writes there stays in
# memory and is gone with it. Needs root.
#
#   trial_machine.sh FOLDER COMMAND...
#
# runs COMMAND in a copy of FOLDER, prints what it prints and exits as it does;
# 125: there was no machine.
set -euo pipefail

readonly patience=300

# In a mount namespace: makes the machine's folders, and a control group.
outside() {
  local scratch status=0
  scratch=$(mktemp -d)
  mount -t tmpfs tmpfs "$scratch" || exit 125
  mkdir "$scratch"/{upper,work,root,groups}
  : > "$scratch/log"
  cp -r "$1" "$scratch/upper/given"
  chmod -R a+rX "$scratch/upper/given"
  printf '#!/bin/bash\ncd /given\n%s\nexec systemctl exit $?\n' \
    "$(printf '%q ' "${@:2}")" > "$scratch/upper/trial"
  chmod 755 "$scratch/upper/trial"
  mount -t overlay overlay "$scratch/root" -o \
    "lowerdir=/,upperdir=$scratch/upper,workdir=$scratch/work" || exit 125
  mount -t cgroup2 cgroup2 "$scratch/groups" || exit 125
  local group=$scratch/groups/statecpp-trial-$$
  mkdir "$group"
  (
    echo "$BASHPID" > "$group/cgroup.procs"
    exec timeout --signal=KILL "$patience" \
      unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
      "${BASH_SOURCE[0]}" --inside "$scratch"
  ) || status=$?
  cat "$scratch/log"
  find "$group" -depth -type d -exec rmdir {} + || true
  umount -l "$scratch"
  rmdir "$scratch"
  return "$status"
}

# As process 1: a root file system as systemd wants it, and systemd.
inside() {
  local scratch=$1 root=$1/root unit device
  mount -t proc proc "$root/proc"
  mount -t sysfs -o ro sysfs "$root/sys"
  mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
  mount -t tmpfs tmpfs "$root/run"
  mount -t tmpfs tmpfs "$root/tmp"
  mount -t tmpfs -o mode=755 tmpfs "$root/dev"
  for device in null zero full random urandom tty; do
    : > "$root/dev/$device"
    mount --bind "/dev/$device" "$root/dev/$device"
  done
  mkdir "$root"/dev/{shm,pts}
  mount -t tmpfs tmpfs "$root/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
  ln -s pts/ptmx "$root/dev/ptmx"
  : > "$root/dev/console"
  : > "$root/trial.log"
  mount --bind "$scratch/log" "$root/dev/console"
  mount --bind "$scratch/log" "$root/trial.log"

  # Nothing of what this machine runs, and no hardware.
  rm -rf "$root"/etc/systemd/system/* "$root/usr/sbin/policy-rc.d"
  tr -d - < /proc/sys/kernel/random/uuid > "$root/etc/machine-id"
  for unit in dev-hugepages.mount dev-mqueue.mount sys-kernel-debug.mount \
    sys-kernel-tracing.mount proc-sys-fs-binfmt_misc.automount \
    systemd-journal-flush.service systemd-logind.service \
    systemd-random-seed.service systemd-timesyncd.service \
    systemd-udev-trigger.service systemd-udevd.service; do
    ln -s /dev/null "$root/etc/systemd/system/$unit"
  done
  cat > "$root/etc/systemd/system/trial.service" << 'UNIT'
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/trial
StandardOutput=append:/trial.log
StandardError=inherit
UNIT
  mkdir "$root/run/old"
  cd "$root"
  pivot_root . run/old
  umount -l /run/old
  # As systemd has it where it starts a machine; credentials come by it.
  mount --make-rshared /
  exec env -i container=trial PATH=/usr/sbin:/usr/bin:/sbin:/bin \
    /lib/systemd/systemd --system --unit=trial.service
}

case ${1:-} in
  --inside) inside "$2" ;;
  --outside) outside "${@:2}" ;;
  *) exec unshare --mount --propagation private \
    "$(readlink -f "${BASH_SOURCE[0]}")" --outside "$@" ;;
esac
