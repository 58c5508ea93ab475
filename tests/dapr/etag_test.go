// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"errors"
	"net/http"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

func TestTheRightETagWritesOnce(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")})
		etag := wantValue(t, app, plain, k, "1")

		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("2"), ETag: etag})
		after := wantValue(t, app, plain, k, "2")

		wantConflict(t, app.Save(plain, sidecar.Item{Key: k, Value: value("3"), ETag: etag}), k)
		if again := wantValue(t, app, plain, k, "2"); again != after {
			t.Fatalf("a refused save changed the ETag from %q to %q", after, again)
		}
	})
}

func TestTheRightETagDeletesAndAStaleOneDoesNot(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")})
		stale := wantValue(t, app, plain, k, "1")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("2")})
		right := wantValue(t, app, plain, k, "2")

		wantConflict(t, app.Delete(plain, sidecar.Item{Key: k, ETag: stale}), k)
		wantValue(t, app, plain, k, "2")
		mustDelete(t, app, plain, sidecar.Item{Key: k, ETag: right})
		wantMissing(t, app, plain, k)
	})
}

// An ETag that we could never have issued is a mismatch like any other, so
// that an app has one case to handle.
func TestAnETagThatIsNotOursIsAConflict(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")})
		for _, etag := range []string{"bad-etag", "1", "0123456789abcdeg", "0000000000000000", "*"} {
			wantConflict(t, app.Save(plain, sidecar.Item{Key: k, Value: value("2"), ETag: etag}))
			wantConflict(t, app.Delete(plain, sidecar.Item{Key: k, ETag: etag}))
		}
		wantValue(t, app, plain, k, "1")
	})
}

func TestAnyETagConflictsWithAMissingKey(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("1")})
		etag := wantValue(t, app, plain, k, "1")
		mustDelete(t, app, plain, sidecar.Item{Key: k})

		wantConflict(t, app.Save(plain, sidecar.Item{Key: k, Value: value("2"), ETag: etag}))
		wantConflict(t, app.Delete(plain, sidecar.Item{Key: k, ETag: etag}))
		wantMissing(t, app, plain, k)
	})
}

func TestAFirstWriteWritesOnlyOnce(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		first := sidecar.Item{Key: k, Value: value("1"), FirstWrite: true, Consistency: sidecar.Strong}
		mustSave(t, app, plain, first)
		etag := wantValue(t, app, plain, k, "1")
		wantConflict(t, app.Save(plain, first))

		// With an ETag it is an ordinary conditional write.
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("2"), FirstWrite: true, ETag: etag})
		wantConflict(t, app.Save(plain, sidecar.Item{Key: k, Value: value("3"), FirstWrite: true, ETag: etag}))
		wantValue(t, app, plain, k, "2")

		mustDelete(t, app, plain, sidecar.Item{Key: k})
		mustSave(t, app, plain, first)
	})
}

func TestOfManyFirstWritersOneWins(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		var won, lost atomic.Int32
		var group sync.WaitGroup
		for i := range 16 {
			group.Go(func() {
				err := app.Save(plain, sidecar.Item{Key: key(t, "a"), Value: value("%d", i), FirstWrite: true})
				switch {
				case err == nil:
					won.Add(1)
				case isConflict(err):
					lost.Add(1)
				default:
					t.Errorf("writer %d: %v", i, err)
				}
			})
		}
		group.Wait()
		if won.Load() != 1 || lost.Load() != 15 {
			t.Fatalf("%d won and %d lost, want 1 and 15", won.Load(), lost.Load())
		}
	})
}

// The loop that every app with ETags writes: read, add one, write if nobody
// else has. No increment may be lost and none may count twice.
func TestIncrementsUnderETagsAddUp(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		const workers, each = 4, 10
		k := key(t, "counter")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value("0")})
		var group sync.WaitGroup
		for range workers {
			group.Go(func() {
				for range each {
					if err := increment(app, k); err != nil {
						t.Error(err)
						return
					}
				}
			})
		}
		group.Wait()
		wantValue(t, app, plain, k, strconv.Itoa(workers*each))
	})
}

func increment(app sidecar.App, k string) error {
	for {
		got, err := app.Get(plain, k)
		if err != nil {
			return err
		}
		n, err := strconv.Atoi(string(got.Value))
		if err != nil {
			return err
		}
		err = app.Save(plain, sidecar.Item{Key: k, Value: value("%d", n+1), ETag: got.ETag})
		if !isConflict(err) {
			return err
		}
	}
}

func isConflict(err error) bool {
	var no *sidecar.Refusal
	return errors.As(err, &no) && (no.HTTP == http.StatusConflict || no.GRPC == codes.Aborted)
}
