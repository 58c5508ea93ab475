// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"os"
	"strconv"
	"testing"
	"time"
)

func TestTheStoreIsLinearizableUnderKills(t *testing.T) {
	prove(t, Plan{Name: "kills", Lives: 4})
}

func TestTheStoreIsLinearizableUnderDrains(t *testing.T) {
	prove(t, Plan{Name: "drains", Lives: 3, Drain: true})
}

func TestTheStoreIsLinearizableUnderDeadlines(t *testing.T) {
	prove(t, Plan{Name: "deadlines", Lives: 4, Storm: 0.2})
}

// How many tests share the time of a long run.
const shares = 3

// prove runs a plan once, or, where STATECPP_PROVE_SECONDS is set, for its share
// of that, each minute with another seed and a new store.
func prove(t *testing.T, plan Plan) {
	plan.Seed = Seed(t)
	seconds, _ := strconv.ParseFloat(os.Getenv("STATECPP_PROVE_SECONDS"), 64)
	end := time.Now().Add(time.Duration(seconds / shares * float64(time.Second)))
	for {
		if seconds > 0 {
			plan.For = max(time.Second, min(time.Minute, time.Until(end)))
		}
		for _, finding := range Run(t, plan) {
			t.Error(finding)
		}
		if t.Failed() || !time.Now().Before(end) {
			return
		}
		plan.Seed = mixed(plan.Seed)
	}
}
