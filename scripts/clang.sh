# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# What clang builds, for lint, for tests under sanitizers and for fuzzing.
# scripts/clang_build.py knows where.

# bazel_with_clang CONFIG VERB ARGUMENT...
bazel_with_clang() {
  build_with_bazel --output_base="$(scripts/clang_build.py "$1")" --max_idle_secs=60 \
    "$2" --config="$1" --keep_going --show_result=0 --symlink_prefix=/ "${@:3}"
}

# What has threads and memory of its own, and one test through the socket.
core_tests=(
  //crypto/... //engine/... //api/... //tests/contract:wire_contract_test
)

# test_sanitized asan|tsan core|all: ASan with UBSan, or TSan.
test_sanitized() {
  local config=$1 scope=$2 targets status=0
  [[ $config != asan ]] || config=clang
  if [[ $scope == core ]]; then
    targets=("${core_tests[@]}")
  else
    mapfile -t targets < <(list_packages)
  fi
  say "$scope tests under $1 (from nothing the build takes some minutes)"
  # A test of the sanitizers themselves comes along.
  bazel_with_clang "$config" test --build_tests_only \
    --build_event_json_file="${results:?}/bazel.json" "${targets[@]}" \
    //tests/sanitizers:sanitizer_test || status=$?
  echo "$status" > "$results/bazel.status"
  test_sanitized_server "$config" "$1"
}

# The concurrent clients of tests/dapr/linear against a server under a sanitizer;
# and, as clang builds it with fail points, against one that is sabotaged.
test_sanitized_server() {
  local config=$1 reason
  if ! reason=$(check_go); then
    note skipped 1 "tests of the server under $2: $reason"
    return
  fi
  if ! bazel_with_clang "$config" build //:statecpp; then
    note failed 1 "tests of the server under $2: //:statecpp did not build"
    return
  fi
  STATECPP_BIN=$(bazel_with_clang "$config" info bazel-bin 2> /dev/null)/statecpp
  export STATECPP_BIN
  say "concurrent clients of the server under $2"
  run_go_tests "linear_$2" ./linear -run TheStoreIs
  [[ $config == clang ]] || return 0
  say "mistakes that are planted in it"
  run_go_tests "sabotage" ./linear/sabotage
}

# For //... in another output base than the usual one: there Bazel takes the
# links bazel-* that the usual one left for folders of the tree. No code of ours
# is in third_party/.
list_packages() {
  list_files BUILD | grep -v '^./third_party/' |
    sed -E 's|^\.|/|; s|/BUILD$|:all|; s|^/:|//:|'
}

remove_clang_builds() {
  local config output_base
  for config in lint clang tsan fuzz coverage; do
    output_base=$(scripts/clang_build.py "$config")
    if [[ -d $output_base ]]; then
      bazel --output_base="$output_base" clean --expunge
    fi
  done
}
