// SPDX-License-Identifier: Apache-2.0

package sidecar

import "testing"

// StartAlone runs a statecpp with no daprd in front of it, for the length of
// one test: for clients of the socket itself. Such a pair has no HTTP and no
// GRPC.
func StartAlone(t testing.TB) *Pair {
	t.Helper()
	pair, err := newPair(Key, nil, (*Pair).startStore)
	if err != nil {
		t.Fatal(err)
	}
	pair.tend(t)
	return pair
}
