// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"fmt"
	"strconv"
	"sync"
	"testing"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

// A writer saves 1, 2, 3, … into keys of its own and into one counter, and
// remembers what it tried and what was acknowledged.
type writer struct {
	app                 sidecar.App
	name                string
	tried, acknowledged int
	refusal             error
	refusedAt           time.Time
}

// run writes until the store stops answering. A write that was not answered
// may have happened or not.
func (w *writer) run() {
	for {
		w.tried++
		err := w.app.Transact("statestore",
			sidecar.Upsert(sidecar.Item{Key: w.key(w.tried), Value: value("%d", w.tried)}),
			sidecar.Upsert(sidecar.Item{Key: w.name, Value: value("%d", w.tried)}))
		if err != nil {
			w.refusal, w.refusedAt = err, time.Now()
			return
		}
		w.acknowledged++
	}
}

func (w *writer) key(n int) string { return fmt.Sprintf("%s-%d", w.name, n) }

// check expects everything acknowledged to be there, and the last, unanswered
// transaction to be there whole or not at all.
func (w *writer) check(t *testing.T, app sidecar.App) {
	t.Helper()
	for n := 1; n <= w.acknowledged; n++ {
		wantValue(t, app, "statestore", w.key(n), strconv.Itoa(n))
	}
	counter := mustGet(t, app, "statestore", w.name)
	last := mustGet(t, app, "statestore", w.key(w.tried))
	n, _ := strconv.Atoi(string(counter.Value))
	if n != w.acknowledged && n != w.tried {
		t.Errorf("%s is %d; acknowledged up to %d, tried up to %d", w.name, n, w.acknowledged, w.tried)
	}
	if there := len(last.Value) > 0; there != (n == w.tried) {
		t.Errorf("half a transaction: the counter is %d and %s is %q", n, w.key(w.tried), last.Value)
	}
}

// startWriters runs two over HTTP and two over gRPC. The group is done when all
// of them have been refused.
func startWriters(pair *sidecar.Pair, round int) ([]*writer, *sync.WaitGroup) {
	writers, group := []*writer{}, &sync.WaitGroup{}
	for i := range 4 {
		app := []sidecar.App{pair.HTTP, pair.GRPC}[i%2]
		w := &writer{app: app, name: fmt.Sprintf("round-%d-writer-%d", round, i)}
		writers = append(writers, w)
		group.Go(w.run)
	}
	return writers, group
}

func TestEveryAcknowledgedWriteSurvivesAKill(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	for round := range 3 {
		writers, group := startWriters(pair, round)
		time.Sleep(time.Duration(200+100*round) * time.Millisecond)
		killedAt := time.Now()
		pair.KillStore(t)
		group.Wait()
		pair.RestartStore(t, "statestore")

		for _, w := range writers {
			if w.acknowledged == 0 || w.refusedAt.Before(killedAt) {
				t.Fatalf("%s was refused before the kill, after %d acknowledged writes: %v",
					w.name, w.acknowledged, w.refusal)
			}
			w.check(t, pair.GRPC)
		}
	}
}

// Under requests, some of which daprd has taken and not answered when it ends.
func TestEveryAcknowledgedWriteSurvivesDaprdsRestart(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	for round := range 2 {
		writers, group := startWriters(pair, round)
		time.Sleep(300 * time.Millisecond)
		pair.RestartDaprd(t)
		group.Wait()

		for _, w := range writers {
			if w.acknowledged == 0 {
				t.Fatalf("%s: nothing was acknowledged: %v", w.name, w.refusal)
			}
			w.check(t, pair.GRPC)
		}
	}
}

// daprd does not repeat Init for a store that went away and came back, so the
// store has to remember how each instance was configured.
func TestAConfiguredInstanceIsRememberedAcrossAKill(t *testing.T) {
	pair := sidecar.Start(t,
		sidecar.Component{Name: "brief"}.With("ttlInSeconds", "100").With("dataDir", "elsewhere"),
		sidecar.Component{Name: "lasting"})
	mustSave(t, pair.HTTP, "brief", sidecar.Item{Key: "before", Value: value("1")})
	mustSave(t, pair.HTTP, "lasting", sidecar.Item{Key: "before", Value: value("2")})

	pair.KillStore(t)
	pair.RestartStore(t, "brief")

	wantValue(t, pair.HTTP, "brief", "before", "1")
	wantExpiry(t, mustGet(t, pair.HTTP, "brief", "before"), 100*time.Second)
	mustSave(t, pair.HTTP, "brief", sidecar.Item{Key: "after", Value: value("1")})
	wantExpiry(t, mustGet(t, pair.HTTP, "brief", "after"), 100*time.Second)

	wantValue(t, pair.HTTP, "lasting", "before", "2")
	mustSave(t, pair.HTTP, "lasting", sidecar.Item{Key: "after", Value: value("2")})
	wantNoExpiry(t, mustGet(t, pair.HTTP, "lasting", "after"))
}

func TestETagsAndExpirySurviveARestart(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	app := pair.HTTP
	mustSave(t, app, "statestore",
		sidecar.Item{Key: "lasting", Value: value("1")}, sidecar.Item{Key: "mortal", Value: value("1")}.TTL("2"))
	etag := wantValue(t, app, "statestore", "lasting", "1")

	pair.StopStore(t)
	pair.RestartStore(t, "statestore")
	time.Sleep(2 * time.Second)

	wantMissing(t, app, "statestore", "mortal")
	mustSave(t, app, "statestore", sidecar.Item{Key: "lasting", Value: value("2"), ETag: etag})
	wantConflict(t, app.Save("statestore", sidecar.Item{Key: "lasting", Value: value("3"), ETag: etag}))
}

func TestANewDaprdFindsTheOldData(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	etag := wantValue(t, pair.HTTP, "statestore", "a", "1")

	pair.RestartDaprd(t)

	if again := wantValue(t, pair.HTTP, "statestore", "a", "1"); again != etag {
		t.Fatalf("the ETag changed from %q to %q", etag, again)
	}
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("2"), ETag: etag})
}
