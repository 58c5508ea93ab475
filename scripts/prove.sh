# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev prove: the harnesses of `./dev test` for as long as one likes. What they
# did goes to docs/proof (scripts/proof.py).

# prove HARNESS [--seconds N] [--seed S]: how a program shares N among its parts,
# or gives it to each, is its own affair.
prove() {
  local harness=${1:-} seconds=60 seed='' program status=0
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

  local lines programs
  lines=$(mktemp)
  export STATECPP_PROVE_LEDGER=$lines STATECPP_PROVE_SECONDS=$seconds
  [[ -z $seed ]] || export STATECPP_TEST_SEED=$seed
  mapfile -t programs < <(programs_of "$harness")
  for program in "${programs[@]}"; do
    say "$program"
    prove_by "$program" || status=$?
  done
  scripts/proof.py add "$lines"
  rm -f "$lines"
  say "added to docs/proof/ledger.jsonl; docs/proof/$harness.md"
  [[ $status -eq 0 ]] || fail "$harness found something wrong, or did not run"
}

# The programs of a harness, a line each; with `sealed`, on sealed stores.
programs_of() {
  case $1 in
    crash)
      printf '%s\n' tests/crash/{store,server}_kill_test \
        tests/crash/{store,server}_kill_test\ sealed \
        tests/crash/{key,copy}_kill_test
      ;;
    power) printf '%s\n' tests/power/power_{states,cut}_test{,\ sealed} ;;
    faults)
      printf '%s\n' tests/faults/faults_test{,\ sealed} \
        tests/hostile/{plateau,streams,load}_test{,\ sealed}
      ;;
    linear) printf '%s\n' linear linear\ sealed ;;
    fuzz) echo fuzz ;;
  esac
}

# prove_by "PROGRAM [sealed]"
prove_by() {
  local program=${1% sealed}
  local -x STATECPP_TEST_SEALED=1
  [[ $1 == *\ sealed ]] || unset STATECPP_TEST_SEALED
  case $program in
    linear)
      build_with_bazel build --show_result=0 //:statecpp || return
      STATECPP_BIN=$PWD/bazel-bin/statecpp GOTOOLCHAIN=${GOTOOLCHAIN:-auto} \
        CGO_ENABLED=0 go -C tests/dapr test -count=1 -timeout 24h -v ./linear
      ;;
    fuzz) ensure_packages clang && tests/fuzz/fuzz.py --jobs 2 ;;
    *)
      build_with_bazel build --show_result=0 "//${program%/*}:${program##*/}" ||
        return
      (cd "bazel-bin/$program.runfiles/statecpp" && "./$program")
      ;;
  esac
}
