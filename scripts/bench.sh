# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# ./dev bench: bench/README.md says what each part measures.

bench() {
  case ${1:-} in
    smoke)
      bench_briefly
      return
      ;;
    sealing)
      ensure_packages build test
      bench_sealing "${@:2}"
      return
      ;;
    compare)
      ensure_packages build test bench
      bench_against_others "${@:2}"
      return
      ;;
    daprd)
      ensure_packages build test bench
      bench_through_daprd "${@:2}"
      return
      ;;
    wire)
      ensure_packages build test
      bench_wire "${@:2}"
      return
      ;;
  esac
  ensure_packages build test
  local suite
  for suite in crypto_bench record_bench store_bench; do
    say "running //bench:$suite"
    build_with_bazel run "//bench:$suite" -- "$@"
  done
  bench_sealing
}

# The processor time that sealing adds to a call.
bench_sealing() {
  build
  build_with_bazel build --show_result=0 //bench/wire:wire_client
  say "measuring what sealing adds to a call"
  bench/sealing.py bazel-bin/statecpp bazel-bin/bench/wire/wire_client "$@"
}

# The server beside what one would take instead.
bench_against_others() {
  build
  build_with_bazel build --show_result=0 //bench:disk_rivals \
    //bench/wire:callback_peer //bench/wire:same_bytes_peer \
    //bench/wire:wire_client
  say "measuring the server, its peers and its rivals in turns"
  bench/compare.py bazel-bin "$@"
}

# The same app's calls on state.cpp and on Dapr's own stores.
bench_through_daprd() {
  command -v go > /dev/null || fail "bench daprd builds daprd: install Go"
  build
  local programs=tests/dapr/.bin
  local go=(env CGO_ENABLED=0 GOTOOLCHAIN="${GOTOOLCHAIN:-auto}" go -C tests/dapr)
  say "building daprd with those stores (the first time takes minutes)"
  "${go[@]}" build -modfile=../../bench/daprd/go.mod -tags rivals \
    -o .bin/daprd-rivals ./cmd/daprd
  "${go[@]}" build -o .bin/load ./cmd/load
  say "measuring stores through daprd in turns"
  bench/through_daprd.py bazel-bin/statecpp "$programs/daprd-rivals" \
    "$programs/load" "$@"
}

# One load on a server of its own.
bench_wire() {
  build
  build_with_bazel build --show_result=0 //bench/wire:wire_client
  bench/wire/load.py bazel-bin "$@"
}

# Whether the benchmarks run at all, and what the program costs a pod.
bench_briefly() {
  build
  ensure_packages build test bench
  say "building the benchmarks"
  build_with_bazel build --show_result=0 \
    //bench:crypto_bench //bench:record_bench //bench:store_bench \
    //bench:smoke_load
  local suite log which
  log=$(mktemp)
  # shellcheck disable=SC2064  # the name is wanted as it is now
  trap "rm -f '$log'" EXIT
  for suite in crypto_bench record_bench store_bench; do
    say "running //bench:$suite, each benchmark for 10 ms"
    which=.
    # Each workload with one size of values, alone and in a crowd.
    [[ $suite != store_bench ]] ||
      which='(bytes:1024|query100k).*threads:(1|64)$'
    "bazel-bin/bench/$suite" --benchmark_min_time=0.01 \
      --benchmark_filter="$which" | tee "$log"
    # The library reports a benchmark that failed, and exits with 0.
    if grep -q 'ERROR OCCURRED' "$log"; then
      fail "a benchmark of $suite failed"
    fi
  done
  say "measuring what sealing adds to a call, in one short round"
  build_with_bazel build --show_result=0 //bench/wire:wire_client
  bench/sealing.py bazel-bin/statecpp bazel-bin/bench/wire/wire_client \
    --rounds 1 --seconds 0.1
  say "loading the socket, by a closed and an open loop"
  bench_wire --op get:6,set:2,bulkget:1,transact:1 --seconds 0.3
  bench_wire --op get:9,set:1 --rate 500 --seconds 0.3
  say "comparing, in one short round"
  bench_against_others --rounds 1 --seconds 0.1 --keys 2000 --overwrites 500
  say "measuring what the program costs a pod"
  bench/smoke.py bazel-bin/statecpp bazel-bin/bench/smoke_load
}
