# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# The one list of what must be installed, and its installation.

# Debian 12 packages by what needs them. NAME:COMMAND is not installed where
# COMMAND is there from elsewhere.
packages_to_build=(
  bazel-bootstrap bazel-platforms bazel-rules-java bazel-rules-proto
  bazel-skylib openjdk-17-jdk-headless g++ python3
  libabsl-dev libcli11-dev libgrpc++-dev liblmdb-dev libprotobuf-dev
  libsimdjson-dev libsodium-dev libyaml-cpp-dev prometheus-cpp-dev
  protobuf-compiler
  protobuf-compiler-grpc
)
# curl is what README's commands, which .ci/run tries, take for an app. The
# Python libraries read a store as docs/format.md says. libseccomp reads
# deploy/seccomp.json, libfaketime sets a program's clock. xfsprogs makes a disk
# whose power is cut (tests/power). Maven and python3-venv run examples.
# prometheus scrapes the server (tests/metrics).
packages_to_test=(
  binutils curl:curl libbenchmark-dev libfaketime libgmock-dev libgtest-dev
  librapidcheck-dev libseccomp-dev libsqlite3-dev maven:mvn prometheus
  python3-lmdb python3-pycryptodome python3-venv xfsprogs
)
# What ./dev bench compare measures beside the server. redis-tools has all of
# Redis's server, and starts none, as redis-server would.
packages_to_bench=(redis-tools:redis-benchmark)
# Clang with its sanitizers, libFuzzer, and what names the lines in their reports.
packages_to_clang=(clang libclang-rt-14-dev llvm)
# The latter five make a package of the program, and look at what deploy/ ships.
packages_to_lint=(
  clang-format shellcheck npm:npm
  debhelper dpkg-dev lintian python3-venv systemd
)

# ensure_packages build|test|bench|clang|lint ...: installs what is missing of these lists.
# As root; with sudo where there is one; else says what to run, and stops.
ensure_packages() {
  local wanted=() missing=() purpose
  for purpose in "$@"; do
    case $purpose in
      build) wanted+=("${packages_to_build[@]}") ;;
      test) wanted+=("${packages_to_test[@]}") ;;
      bench) wanted+=("${packages_to_bench[@]}") ;;
      clang) wanted+=("${packages_to_clang[@]}") ;;
      lint) wanted+=("${packages_to_lint[@]}") ;;
    esac
  done
  mapfile -t missing < <(list_missing "${wanted[@]}")
  [[ ${#missing[@]} -gt 0 ]] || return 0

  command -v apt-get > /dev/null ||
    fail "no apt-get here; install the equivalents of: ${missing[*]}"
  local install="apt-get install -y --no-install-recommends ${missing[*]}"
  local as_root=()
  if [[ $EUID -ne 0 ]]; then
    command -v sudo > /dev/null ||
      fail "packages are missing; as root, run: apt-get update && $install"
    as_root=(sudo)
  fi
  say "installing missing packages: apt-get update, then $install"
  "${as_root[@]}" apt-get update
  # shellcheck disable=SC2086  # the line is what was shown, word by word
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $install
}

list_missing() {
  local entry names=()
  for entry in "$@"; do
    if [[ $entry != *:* ]] || ! command -v "${entry#*:}" > /dev/null; then
      names+=("${entry%%:*}")
    fi
  done
  # dpkg-query complains of names it does not know; they are missing, too.
  comm -23 <(printf '%s\n' "${names[@]}" | sort -u) \
    <(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "${names[@]}" \
      2> /dev/null | sed -n 's/^installed //p' | sort -u)
}
