// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"errors"
	"testing"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

// A changed file makes daprd close its connection and Init the same instance
// again with the new fields. What was stored stays.
func TestAChangedFieldTakesEffectWithoutARestart(t *testing.T) {
	component := sidecar.Component{Name: "statestore"}
	pair := sidecar.Start(t, component)
	app := pair.HTTP
	mustSave(t, app, "statestore", sidecar.Item{Key: "before", Value: value("1")})
	etag := wantValue(t, app, "statestore", "before", "1")
	wantNoExpiry(t, mustGet(t, app, "statestore", "before"))

	pair.Rewrite(t, component.With("ttlInSeconds", "100"))
	awaitDefaultExpiry(t, pair, 100*time.Second)
	pair.Rewrite(t, component.With("ttlInSeconds", "10000"))
	awaitDefaultExpiry(t, pair, 10000*time.Second)

	wantNoExpiry(t, mustGet(t, app, "statestore", "before"))
	if again := wantValue(t, app, "statestore", "before", "1"); again != etag {
		t.Fatalf("the reload changed the ETag from %q to %q", etag, again)
	}

	// The last configuration is the one that a restart remembers.
	pair.KillStore(t)
	pair.RestartStore(t, "statestore")
	mustSave(t, app, "statestore", sidecar.Item{Key: "after", Value: value("1")})
	wantExpiry(t, mustGet(t, app, "statestore", "after"), 10000*time.Second)
}

// awaitDefaultExpiry waits until a save that says nothing of expiry gets about
// the given one. While daprd reloads, it may refuse.
func awaitDefaultExpiry(t *testing.T, pair *sidecar.Pair, ttl time.Duration) {
	t.Helper()
	pair.Await(t, "the new ttlInSeconds takes effect", func() error {
		if err := pair.HTTP.Save("statestore", sidecar.Item{Key: "probe", Value: value("1")}); err != nil {
			return err
		}
		got, err := pair.HTTP.Get("statestore", "probe")
		if err != nil {
			return err
		}
		at, err := time.Parse(time.RFC3339, got.ExpireTime)
		if err != nil {
			return err
		}
		if off := time.Until(at) - ttl; off.Abs() > 10*time.Second {
			return errors.New("still expires at " + got.ExpireTime)
		}
		return nil
	})
}

func TestAComponentAddedLaterWorks(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})

	pair.Rewrite(t, sidecar.Component{Name: "late"})
	pair.Await(t, "the new component takes a value", func() error {
		return pair.HTTP.Save("late", sidecar.Item{Key: "a", Value: value("2")})
	})
	wantValue(t, pair.HTTP, "late", "a", "2")
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}
