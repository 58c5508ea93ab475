# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev test. What must not be answered from Bazel's cache (random tests, crash
# tests, tests that read the tree) carries tags = ["external"]; `go test` is
# told -count=1. The last line counts test cases, not targets.

# run_tests [cpp|dapr] [--strict]
run_tests() {
  local part=all strict=no argument
  for argument in "$@"; do
    case $argument in
      cpp | dapr) part=$argument ;;
      --strict) strict=yes ;;
      *) fail "test takes cpp or dapr, and --strict; not $argument" ;;
    esac
  done
  ensure_packages build test

  results=$(mktemp -d)
  trap 'rm -rf "$results"' EXIT
  [[ $part == dapr ]] || test_cpp
  [[ $part == cpp ]] || test_dapr "$strict"
  count_results
}

# Each part leaves its exit status in $results, and a note of what it could not
# do: a line "failed|skipped COUNT REASON" in $results/notes.
note() { printf '%s\n' "$*" >> "$results/notes"; }

test_cpp() {
  say "C++ tests"
  local status=0
  build_with_bazel test --keep_going --build_tests_only \
    --build_event_json_file="$results/bazel.json" //... || status=$?
  echo "$status" > "$results/bazel.status"
}

# Against real daprd, the Node example included (tests/dapr/node_test.go).
test_dapr() {
  local strict=$1 reason cases
  # CGO off, as in lint: one build cache for both.
  export GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0
  cases=$(cat tests/dapr/*_test.go | grep -c '^func Test')
  if ! reason=$(check_go); then
    say "SKIPPED: the tests against real daprd: $reason"
    local outcome=skipped
    if [[ $strict == yes ]] && command -v go > /dev/null; then
      outcome=failed
    fi
    note "$outcome" "$cases" "tests against real daprd: $reason"
    return
  fi
  say "building what they run against: //:statecpp"
  if ! build_with_bazel build --show_result=0 //:statecpp; then
    note failed "$cases" "tests against real daprd: //:statecpp did not build"
    return
  fi
  say "tests against real daprd, which is built first (once, some minutes)"
  local status=0
  export STATECPP_BIN=$PWD/bazel-bin/statecpp
  go -C tests/dapr test -json -count=1 -timeout 30m ./... |
    tee "$results/go.json" | scripts/tally.py follow || status=$?
  echo "$status" > "$results/go.status"
}

# Says why Go will not do, and returns 1, if it will not. Go itself fetches the
# version that go.mod asks for.
check_go() {
  local said
  if ! command -v go > /dev/null; then
    echo "there is no Go on this machine"
    return 1
  fi
  if ! said=$(timeout 300 go -C tests/dapr list -m 2>&1); then
    printf '%s\n' "$said" | tail -1
    return 1
  fi
}

count_results() {
  say "results"
  scripts/tally.py sum "$results"
}
