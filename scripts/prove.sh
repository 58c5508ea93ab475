# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev prove: the harnesses of `./dev test` for as long as one likes. What they
# did goes to docs/proof (scripts/proof.py).

# prove HARNESS [--seconds N] [--seed S]
prove() {
  local harness=${1:-} seconds=300 seed='' part status=0
  [[ $harness =~ ^(crash|power|linear|faults|fuzz)$ ]] ||
    fail "prove takes crash, power, linear, faults or fuzz, --seconds and --seed"
  shift
  while [[ $# -gt 0 ]]; do
    case $1 in
      --seconds) seconds=${2:?} ;;
      --seed) seed=${2:?} ;;
      *) fail "prove $harness takes --seconds N and --seed S; not $1" ;;
    esac
    shift 2
  done
  [[ $seconds =~ ^[0-9]+$ ]] || fail "--seconds takes a number; not $seconds"
  ensure_packages build test

  local lines parts
  lines=$(mktemp)
  export STATECPP_PROVE_LEDGER=$lines
  [[ -z $seed ]] || export STATECPP_TEST_SEED=$seed
  mapfile -t parts < <(parts_of "$harness")
  # The same time for each.
  export STATECPP_PROVE_SECONDS=$((seconds / ${#parts[@]} + 1))
  for part in "${parts[@]}"; do
    say "$part, $STATECPP_PROVE_SECONDS s"
    prove_part "$part" || status=$?
  done
  scripts/proof.py add "$lines"
  rm -f "$lines"
  say "added to docs/proof/ledger.jsonl; docs/proof/$harness.md"
  [[ $status -eq 0 ]] || fail "$harness found something wrong, or did not run"
}

# The programs of a harness, a line each; with `sealed`, on sealed stores.
parts_of() {
  case $1 in
    crash)
      printf '%s\n' tests/crash/{store,server}_kill_test \
        tests/crash/{store,server}_kill_test\ sealed \
        tests/crash/{key,copy}_kill_test
      ;;
    power) printf '%s\n' tests/power/{explorer,power_cut}_test{,\ sealed} ;;
    faults) printf '%s\n' tests/faults/syscall_fault_test{,\ sealed} ;;
    linear) printf '%s\n' linear linear\ sealed ;;
    fuzz) echo fuzz ;;
  esac
}

# prove_part "PROGRAM [sealed]"
prove_part() {
  local program=${1% sealed}
  local -x STATECPP_TEST_SEALED=1
  [[ $1 == *\ sealed ]] || unset STATECPP_TEST_SEALED
  case $program in
    linear)
      build_with_bazel build --show_result=0 //:statecpp || return
      STATECPP_BIN=$PWD/bazel-bin/statecpp GOTOOLCHAIN=${GOTOOLCHAIN:-auto} \
        CGO_ENABLED=0 go -C tests/dapr test -count=1 -timeout 24h -v ./linear
      ;;
    fuzz) tests/fuzz/fuzz.py ;;
    *)
      build_with_bazel build --show_result=0 "//${program%/*}:${program##*/}" ||
        return
      (cd "bazel-bin/$program.runfiles/statecpp" && "./$program")
      ;;
  esac
}
