// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"testing"
	"time"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

func TestATransactionAppliesEveryOperationInOrder(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		old, made, gone, fresh := key(t, "old"), key(t, "made"), key(t, "gone"), key(t, "fresh")
		mustSave(t, app, plain, sidecar.Item{Key: old, Value: value("0")})

		mustTransact(t, app,
			sidecar.Delete(sidecar.Item{Key: old}),
			sidecar.Upsert(sidecar.Item{Key: made, Value: value("1")}),
			sidecar.Upsert(sidecar.Item{Key: made, Value: value(`{"n":2}`)}),
			sidecar.Upsert(sidecar.Item{Key: gone, Value: value("3")}),
			sidecar.Delete(sidecar.Item{Key: gone}),
			sidecar.Delete(sidecar.Item{Key: key(t, "never written")}),
			sidecar.Upsert(sidecar.Item{Key: fresh, Value: value("4")}))

		wantMissing(t, app, plain, old)
		wantMissing(t, app, plain, gone)
		wantValue(t, app, plain, made, `{"n":2}`)
		wantValue(t, app, plain, fresh, "4")
	})
}

func TestATransactionWithTheRightETagsIsApplied(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		a, b := key(t, "a"), key(t, "b")
		mustSave(t, app, plain, sidecar.Item{Key: a, Value: value("1")}, sidecar.Item{Key: b, Value: value("1")})
		etagA, etagB := wantValue(t, app, plain, a, "1"), wantValue(t, app, plain, b, "1")

		mustTransact(t, app,
			sidecar.Upsert(sidecar.Item{Key: a, Value: value("2"), ETag: etagA}),
			sidecar.Delete(sidecar.Item{Key: b, ETag: etagB}))
		wantValue(t, app, plain, a, "2")
		wantMissing(t, app, plain, b)
	})
}

// daprd answers 500 to whatever fails in a transaction, so the text has to
// carry all that an app's author needs to know.
func TestATransactionWithOneBadETagWritesNothingAndSaysWhy(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		first, kept, last := key(t, "first"), key(t, "kept"), key(t, "last")
		mustSave(t, app, plain, sidecar.Item{Key: kept, Value: value("1")}, sidecar.Item{Key: last, Value: value("1")})
		etag := wantValue(t, app, plain, kept, "1")

		for name, second := range map[string]sidecar.Operation{
			"upsert": sidecar.Upsert(sidecar.Item{Key: kept, Value: value("2"), ETag: "bad-etag"}),
			"delete": sidecar.Delete(sidecar.Item{Key: kept, ETag: "bad-etag"}),
		} {
			err := app.Transact(plain,
				sidecar.Upsert(sidecar.Item{Key: first, Value: value("2")}),
				second,
				sidecar.Delete(sidecar.Item{Key: last}))
			wantTransactionRefused(t, err, kept, "etag mismatch", "nothing was written")
			if second := regexp.MustCompile(`(?i)\bop(eration)?\s*#?2\b`); !second.MatchString(err.Error()) {
				t.Errorf("%s: the refusal does not say that it is operation 2: %v", name, err)
			}

			wantMissing(t, app, plain, first)
			wantValue(t, app, plain, last, "1")
			if after := wantValue(t, app, plain, kept, "1"); after != etag {
				t.Errorf("%s: a refused transaction changed the ETag from %q to %q", name, etag, after)
			}
		}
	})
}

// What stands behind "expected" and "found" is what it was and what it is: an
// app that has nothing else can see from it who is behind.
func TestATransactionsConflictNamesBothVersions(t *testing.T) {
	versions := regexp.MustCompile(`in operation 2 of 3: .*"([^"]+)".*: expected (no item|[0-9a-f]{16}), found (no item|[0-9a-f]{16});`)
	overEach(t, func(t *testing.T, app sidecar.App) {
		one := sidecar.Item{Key: key(t, "a"), Value: value("1")}
		mustSave(t, app, plain, one)
		former := wantValue(t, app, plain, one.Key, "1")
		one.Value = value("2")
		mustSave(t, app, plain, one)
		current := wantValue(t, app, plain, one.Key, "2")
		gone := sidecar.Item{Key: key(t, "gone"), Value: value("1"), ETag: former}

		stale, first := one, one
		stale.ETag, first.FirstWrite = former, true
		for name, c := range map[string]struct {
			second          sidecar.Operation
			expected, found string
		}{
			"set":               {sidecar.Upsert(stale), former, current},
			"delete":            {sidecar.Delete(stale), former, current},
			"first-write":       {sidecar.Upsert(first), "no item", current},
			"set of nothing":    {sidecar.Upsert(gone), former, "no item"},
			"delete of nothing": {sidecar.Delete(gone), former, "no item"},
		} {
			other := sidecar.Upsert(sidecar.Item{Key: key(t, "other"), Value: value("1")})
			err := app.Transact(plain, other, c.second, other)
			var no *sidecar.Refusal
			if !errors.As(err, &no) {
				t.Errorf("%s: got %v, want a refusal", name, err)
				continue
			}
			said := versions.FindStringSubmatch(no.Message)
			want := []string{"app1||" + c.second.Key, c.expected, c.found}
			if said == nil || !slices.Equal(said[1:], want) {
				t.Errorf("%s: key and versions are not %q:\n%s", name, want, no.Message)
			}
			wantMissing(t, app, plain, other.Key)
		}
		if after := wantValue(t, app, plain, one.Key, "2"); after != current {
			t.Errorf("the ETag is %q, and was %q", after, current)
		}
	})
}

func TestAFirstWriteInATransactionHoldsOrNothingIsWritten(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		once, other := key(t, "once"), key(t, "other")
		operations := []sidecar.Operation{
			sidecar.Upsert(sidecar.Item{Key: other, Value: value("1")}),
			sidecar.Upsert(sidecar.Item{Key: once, Value: value("1"), FirstWrite: true}),
		}
		mustTransact(t, app, operations...)
		mustDelete(t, app, plain, sidecar.Item{Key: other})

		wantTransactionRefused(t, app.Transact(plain, operations...), once, "nothing was written")
		wantMissing(t, app, plain, other)
	})
}

func TestAnEmptyTransactionSucceeds(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) { mustTransact(t, app) })
}

func TestATransactionSetsATimeToLive(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		mortal, immortal := key(t, "mortal"), key(t, "immortal")
		mustTransact(t, app,
			sidecar.Upsert(sidecar.Item{Key: mortal, Value: value("1")}.TTL("100")),
			sidecar.Upsert(sidecar.Item{Key: immortal, Value: value("1")}))
		wantExpiry(t, mustGet(t, app, plain, mortal), 100*time.Second)
		wantNoExpiry(t, mustGet(t, app, plain, immortal))
	})
}

func TestATransactionWithABadTimeToLiveWritesNothing(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		err := app.Transact(plain,
			sidecar.Upsert(sidecar.Item{Key: key(t, "a"), Value: value("1")}),
			sidecar.Upsert(sidecar.Item{Key: key(t, "b"), Value: value("1")}.TTL("foo")))
		wantTransactionRefused(t, err, "ttlInSeconds", "foo")
		wantMissing(t, app, plain, key(t, "a"))
		wantMissing(t, app, plain, key(t, "b"))
	})
}

// Readers beside a stream of transactions over two keys must never see one key
// of a transaction without the other.
func TestABulkReadSeesWholeTransactions(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		a, b := key(t, "a"), key(t, "b")
		write := func(n int) error {
			return app.Transact(plain,
				sidecar.Upsert(sidecar.Item{Key: a, Value: value("%d", n)}),
				sidecar.Upsert(sidecar.Item{Key: b, Value: value("%d", n)}))
		}
		if err := write(0); err != nil {
			t.Fatal(err)
		}
		done := make(chan error, 1)
		go func() {
			for n := 1; n <= 50; n++ {
				if err := write(n); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
		for {
			got, err := app.BulkGet(plain, a, b)
			if err != nil {
				t.Fatal(err)
			}
			if string(got[0].Value) != string(got[1].Value) {
				t.Fatalf("saw %s in one key and %s in the other", got[0].Value, got[1].Value)
			}
			select {
			case err := <-done:
				if err != nil {
					t.Fatal(err)
				}
				return
			default:
			}
		}
	})
}

func mustTransact(t *testing.T, app sidecar.App, operations ...sidecar.Operation) {
	t.Helper()
	if err := app.Transact(plain, operations...); err != nil {
		t.Fatalf("transaction: %v", err)
	}
}

func wantTransactionRefused(t *testing.T, err error, words ...string) {
	t.Helper()
	wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, words...)
}
