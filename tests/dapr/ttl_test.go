// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"net/http"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

func TestAValueWithATimeToLiveExpires(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")}.TTL("2"))
		etag := wantValue(t, app, plain, k, "1")
		wantExpiry(t, mustGet(t, app, plain, k), 2*time.Second)

		time.Sleep(2500 * time.Millisecond)
		wantMissing(t, app, plain, k)
		got, err := app.BulkGet(plain, k)
		if err != nil || len(got) != 1 || len(got[0].Value) != 0 || got[0].ETag != "" || got[0].ExpireTime != "" {
			t.Fatalf("bulk get of the expired key: %+v, %v", got, err)
		}

		// Expired is absent, to every kind of condition.
		wantConflict(t, app.Save(plain, sidecar.Item{Key: k, Value: value("2"), ETag: etag}))
		wantConflict(t, app.Delete(plain, sidecar.Item{Key: k, ETag: etag}))
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("3"), FirstWrite: true})
		wantNoExpiry(t, mustGet(t, app, plain, k))
	})
}

func TestABulkReadTellsExpiryOfThoseThatHaveOne(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		mortal, immortal := key(t, "mortal"), key(t, "immortal")
		mustSave(t, app, plain,
			sidecar.Item{Key: mortal, Value: value("1")}.TTL("3600"),
			sidecar.Item{Key: immortal, Value: value("2")})

		got, err := app.BulkGet(plain, mortal, immortal, key(t, "missing"))
		if err != nil || len(got) != 3 {
			t.Fatalf("got %+v, %v", got, err)
		}
		wantExpiry(t, got[0], time.Hour)
		wantNoExpiry(t, got[1])
		wantNoExpiry(t, got[2])
	})
}

func TestMinusOneAndNoneEndATimeToLive(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		for name, forever := range map[string]sidecar.Item{
			"-1":   sidecar.Item{Value: value("2")}.TTL("-1"),
			"none": {Value: value("2")},
		} {
			forever.Key = key(t, name)
			mustSave(t, app, plain, sidecar.Item{Key: forever.Key, Value: value("1")}.TTL("1"))
			mustSave(t, app, plain, forever)
			wantNoExpiry(t, mustGet(t, app, plain, forever.Key))
		}
		time.Sleep(1500 * time.Millisecond)
		wantValue(t, app, plain, key(t, "-1"), "2")
		wantValue(t, app, plain, key(t, "none"), "2")
	})
}

func TestALaterTimeToLiveReplacesTheEarlier(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")}.TTL("1"))
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("2")}.TTL("1000"))
		time.Sleep(1500 * time.Millisecond)
		wantValue(t, app, plain, k, "2")
		wantExpiry(t, mustGet(t, app, plain, k), 1000*time.Second)
	})
}

func TestABadTimeToLiveIsRefusedAndNothingIsWritten(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		for _, bad := range []string{"foo", "-2", "1.5", "2147483648", "99999999999999999999", "10s"} {
			err := app.Save(plain, sidecar.Item{Key: key(t, "a"), Value: value("1")}.TTL(bad))
			wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument, "ttlInSeconds", bad)
			wantMissing(t, app, plain, key(t, "a"))
		}
	})
}

// Dapr lets metadata travel in the URL too, where it counts for every item.
func TestATimeToLiveInTheURLCounts(t *testing.T) {
	pair := shared(t)
	body := []map[string]any{{"key": key(t, "a"), "value": 1}}
	_, _, err := pair.HTTP.Do(http.MethodPost, "/v1.0/state/"+plain+"?metadata.ttlInSeconds=60", body)
	if err != nil {
		t.Fatal(err)
	}
	wantExpiry(t, mustGet(t, pair.HTTP, plain, key(t, "a")), time.Minute)
}

// wantExpiry expects ttlExpireTime to be about `ttl` from now: whole seconds,
// in RFC 3339 and UTC, which is how every other Dapr store writes it.
func wantExpiry(t *testing.T, got sidecar.Got, ttl time.Duration) {
	t.Helper()
	at, err := time.Parse("2006-01-02T15:04:05Z", got.ExpireTime)
	if err != nil {
		t.Fatalf("%q has ttlExpireTime %q: %v", got.Key, got.ExpireTime, err)
	}
	if off := time.Until(at) - ttl; off < -5*time.Second || off > 2*time.Second {
		t.Fatalf("%q expires at %s, which is %s off from %s after now", got.Key, got.ExpireTime, off, ttl)
	}
}

func wantNoExpiry(t *testing.T, got sidecar.Got) {
	t.Helper()
	if got.ExpireTime != "" {
		t.Fatalf("%q expires at %s, want never", got.Key, got.ExpireTime)
	}
}
