#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Measures what a machine that has never built Dapr pays for each Go program
# that a test may want, and prints one row each.
#
#   ./build_times.sh              every program alone, each from an empty cache
#   ./build_times.sh --shared     one after another into one cache
#   ./build_times.sh --download   also fetch the modules anew, and time that
#
# Every cache it fills is a temporary folder and goes away at the end. A build
# is given STEP_LIMIT seconds (default 900). Other work on the machine counts
# against the real time; the user and system times hardly change.
set -euo pipefail
cd "$(dirname "$0")"

shared=no download=no
for arg in "$@"; do
  case "$arg" in
    --shared) shared=yes ;;
    --download) download=yes ;;
    *) echo "usage: $0 [--shared] [--download]" >&2; exit 2 ;;
  esac
done

work=$(mktemp -d)
trap 'chmod -R u+w "$work"; rm -rf "$work"' EXIT

# The programs are built in a module of their own, with our versions, because
# the conformance suite needs sums that go.sum of the tests does not carry.
module="$work/module"
mkdir -p "$module/suite" "$module/cmd"
cp go.mod go.sum "$module/"
cp -r cmd/daprd cmd/placement cmd/scheduler "$module/cmd/"
cat > "$module/suite/suite_test.go" <<'GO'
package suite

import (
	"testing"

	"github.com/dapr/components-contrib/tests/conformance/state"
	dapr "github.com/dapr/dapr/pkg/components/state"
)

func TestBuilds(t *testing.T) { _, _ = state.ConformanceTests, dapr.NewGRPCStateStore }
GO

export CGO_ENABLED=0 GOFLAGS=-mod=mod
version=$(go list -m -f '{{.Version}}' github.com/dapr/dapr)
ldflags="-X github.com/dapr/dapr/pkg/buildinfo.version=${version#v}"
cd "$module"

build() {
  local out="$work/bin-$1"
  case "$1" in
    daprd) go build -ldflags "$ldflags" -o "$out" ./cmd/daprd ;;
    placement | scheduler) go build -ldflags "$ldflags" -o "$out" "./cmd/$1" ;;
    conformance) go test -c -o "$out" ./suite ;;
  esac
}

# Lists a program's packages, which fetches every module that one of them lies in.
fetch() {
  case "$1" in
    daprd) go list -deps ./cmd/daprd ;;
    placement | scheduler) go list -deps "./cmd/$1" ;;
    conformance) go list -deps -test ./suite ;;
  esac > /dev/null
}

# Prints one row: what was done to which program, its times, the size it left.
row() {
  local verb=$1 name=$2 measured=$3 log="$work/log" times
  TIMEFORMAT='%R %U %S'
  if ! times=$( { time timeout "${STEP_LIMIT:-900}" bash -euc "$verb $name" > "$log" 2>&1; } 2>&1 ); then
    cat "$log" >&2
    echo "$verb of $name failed or took longer than ${STEP_LIMIT:-900} s" >&2
    exit 1
  fi
  read -r real user sys <<< "$times"
  printf '%-10s %-12s %9s %9s %9s %9s\n' "$verb" "$name" "$real" "$user" "$sys" "$(du -shm "$measured" | cut -f1)"
}
export -f build fetch
export work ldflags

programs=(daprd placement scheduler conformance)
printf 'dapr %s, %s, %s cores\n' "$version" "$(go env GOVERSION)" "$(nproc)"
printf '%-10s %-12s %9s %9s %9s %9s\n' step program 'real s' 'user s' 'sys s' 'MiB'
if [ "$download" = yes ]; then
  export GOMODCACHE="$work/modules"
  mkdir -p "$GOMODCACHE"
  for program in "${programs[@]}"; do row fetch "$program" "$GOMODCACHE"; done
else
  for program in "${programs[@]}"; do
    fetch "$program" 2> "$work/log" || { cat "$work/log" >&2; exit 1; }
  done
fi
for program in "${programs[@]}"; do
  [ "$shared" = yes ] && cache="$work/cache" || cache="$work/cache-$program"
  mkdir -p "$cache"
  GOCACHE="$cache" row build "$program" "$cache"
  [ "$shared" = yes ] || rm -rf "$cache"
done
