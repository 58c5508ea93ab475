// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// startPatient runs a daprd that is told to repeat what the store does not do,
// that many times.
func startPatient(t *testing.T, retries int) *sidecar.Pair {
	t.Helper()
	return sidecar.StartAs(t, sidecar.Setup{Resources: map[string]string{"resiliency.yaml": fmt.Sprintf(`apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: patient}
spec:
  policies:
    retries:
      often: {policy: constant, duration: 200ms, maxRetries: %d}
  targets:
    components:
      statestore:
        outbound: {retry: often}
`, retries)}}, sidecar.Component{Name: "statestore"})
}

// While the store is dead the app waits; it never hears of it.
func TestAResiliencyPolicyRepeatsWhatADeadStoreDidNotDo(t *testing.T) {
	pair := startPatient(t, 300) // a minute, and no program needs that to start
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	etag := wantValue(t, pair.HTTP, "statestore", "a", "1")
	pair.KillStore(t)

	type answer struct {
		what string
		err  error
	}
	answers := make(chan answer)
	calls := map[string]func() error{
		"save": func() error { return pair.HTTP.Save("statestore", sidecar.Item{Key: "b", Value: value("1")}) },
		"update": func() error {
			return pair.GRPC.Save("statestore", sidecar.Item{Key: "a", Value: value("2"), ETag: etag})
		},
		"delete":   func() error { return pair.GRPC.Delete("statestore", sidecar.Item{Key: "never there"}) },
		"get":      func() error { _, err := pair.HTTP.Get("statestore", "a"); return err },
		"bulk get": func() error { _, err := pair.GRPC.BulkGet("statestore", "a", "b"); return err },
		"transaction": func() error {
			return pair.HTTP.Transact("statestore", sidecar.Upsert(sidecar.Item{Key: "c", Value: value("1")}))
		},
	}
	for what, call := range calls {
		go func() { answers <- answer{what, call()} }()
	}
	pair.Await(t, "daprd begins to repeat each call", func() error { // it says so of the first time only
		if n := repeated(pair); n < len(calls) {
			return fmt.Errorf("it repeats %d", n)
		}
		return nil
	})
	select {
	case early := <-answers:
		t.Errorf("%s was answered while the store was dead: %v", early.what, early.err)
	default:
	}
	pair.StartStore(t)
	for range calls {
		if one := <-answers; one.err != nil {
			t.Errorf("%s: %v", one.what, one.err)
		}
	}
	wantValue(t, pair.HTTP, "statestore", "a", "2")
	wantValue(t, pair.HTTP, "statestore", "b", "1")
	wantValue(t, pair.HTTP, "statestore", "c", "1")
}

// Without a policy each call is answered at once, in the words of daprd's gRPC
// client.
func TestWithoutAPolicyADeadStoreIsAnErrorAtOnce(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	pair.KillStore(t)
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		_, err := app.Get("statestore", "a")
		wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, "code = Unavailable")
		err = app.Save("statestore", sidecar.Item{Key: "a", Value: value("1")})
		wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, "code = Unavailable")
	}
	pair.RestartStore(t, "statestore")
	wantMissing(t, pair.HTTP, "statestore", "a")
}

// No repetition changes a conflict. daprd knows that of a save; a delete and a
// transaction it repeats all the same, and then answers what it would have.
func TestWhatAResiliencyPolicyMakesOfAConflict(t *testing.T) {
	pair := startPatient(t, 3)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	stale := sidecar.Item{Key: "a", Value: value("2"), ETag: "999"}
	for i, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		wantConflict(t, app.Save("statestore", stale))
		wantRepeated(t, pair, 2*i)
		wantConflict(t, app.Delete("statestore", stale))
		wantRepeated(t, pair, 2*i+1)
		wantTransactionRefused(t, app.Transact("statestore", sidecar.Upsert(stale)), "etag")
		wantRepeated(t, pair, 2*i+2)
	}
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

// repeated is how many calls daprd has begun to repeat.
func repeated(pair *sidecar.Pair) int {
	return strings.Count(pair.DaprdSaid(), "Error processing operation component[statestore]")
}

func wantRepeated(t *testing.T, pair *sidecar.Pair, want int) {
	t.Helper()
	if got := repeated(pair); got != want {
		t.Fatalf("daprd has repeated %d calls, want %d", got, want)
	}
}
