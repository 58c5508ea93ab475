// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
)

// Seed is that of a random test: new for each run, and printed, so that a run
// that failed can be had again:
//
//	STATECPP_TEST_SEED=123 go test -run TestOfThatName ./linear
func Seed(t testing.TB) uint64 {
	t.Helper()
	seed := rand.Uint64()
	if given := os.Getenv("STATECPP_TEST_SEED"); given != "" {
		var err error
		if seed, err = strconv.ParseUint(given, 10, 64); err != nil {
			t.Fatalf("STATECPP_TEST_SEED is no number: %v", err)
		}
	}
	t.Logf("STATECPP_TEST_SEED=%d", seed)
	return seed
}
