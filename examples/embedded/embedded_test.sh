#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the example and compares what it says with what its README shows. ETags
# are drawn at random, so they are masked on both sides.
#
#   embedded_test.sh PROGRAM README
set -euo pipefail

mask_etags() { sed -E 's/[0-9a-f]{16}/ETAG/g'; }

store=$(mktemp -d)
trap 'rm -rf "$store"' EXIT

shown=$(sed -n '/^set:/,/^```/p' "$2" | sed '/^```/d' | mask_etags)
said=$("$1" "$store/orders" | mask_etags)
if [[ -z $shown ]] || ! diff <(echo "$shown") <(echo "$said"); then
  echo "the README shows the lines marked <, the program said those marked >"
  exit 1
fi
