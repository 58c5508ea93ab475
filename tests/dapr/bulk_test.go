// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// A bulk read answers in the order of the question, a key asked twice twice,
// and a missing key with nothing but its name.
func TestABulkReadAnswersInOrder(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		a, b, missing := key(t, "a"), key(t, "b"), key(t, "missing")
		mustSave(t, app, plain,
			sidecar.Item{Key: a, Value: value("1")}, sidecar.Item{Key: b, Value: value("2")})
		etags := map[string]string{
			a: wantValue(t, app, plain, a, "1"), b: wantValue(t, app, plain, b, "2"), missing: "",
		}
		values := map[string]string{a: "1", b: "2", missing: ""}

		asked := []string{b, missing, a, b}
		got, err := app.BulkGet(plain, asked...)
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != len(asked) {
			t.Fatalf("asked for %d keys, got %d items: %+v", len(asked), len(got), got)
		}
		for i, k := range asked {
			if got[i].Key != k || string(got[i].Value) != values[k] || got[i].ETag != etags[k] || got[i].Error != "" {
				t.Errorf("item %d is %q = %q, ETag %q, error %q; want %q = %q, ETag %q",
					i, got[i].Key, got[i].Value, got[i].ETag, got[i].Error, k, values[k], etags[k])
			}
		}
	})
}

func TestABulkSaveWritesAllOfManyItems(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		const many = 500
		var items []sidecar.Item
		var keys []string
		for i := range many {
			items = append(items, sidecar.Item{Key: key(t, string(value("%d", i))), Value: value("%d", i)})
			keys = append(keys, items[i].Key)
		}
		mustSave(t, app, plain, items...)

		got, err := app.BulkGet(plain, keys...)
		if err != nil || len(got) != many {
			t.Fatalf("got %d items and %v, want %d", len(got), err, many)
		}
		for i := range got {
			if got[i].Key != keys[i] || string(got[i].Value) != string(items[i].Value) {
				t.Fatalf("item %d is %q = %q", i, got[i].Key, got[i].Value)
			}
		}
	})
}

// A bulk save is no transaction: each item stands for itself, and the answer
// can only be one error, which therefore has to name the key.
func TestABulkSaveWithOneBadETagWritesTheOthers(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		good, bad, fresh := key(t, "good"), key(t, "bad"), key(t, "fresh")
		mustSave(t, app, plain,
			sidecar.Item{Key: good, Value: value("1")}, sidecar.Item{Key: bad, Value: value("1")})
		etag := wantValue(t, app, plain, good, "1")
		before := wantValue(t, app, plain, bad, "1")

		err := app.Save(plain,
			sidecar.Item{Key: bad, Value: value("2"), ETag: "bad-etag"},
			sidecar.Item{Key: good, Value: value("2"), ETag: etag},
			sidecar.Item{Key: fresh, Value: value("2")})
		wantConflict(t, err, bad)

		if after := wantValue(t, app, plain, bad, "1"); after != before {
			t.Errorf("the refused item's ETag changed from %q to %q", before, after)
		}
		wantValue(t, app, plain, good, "2")
		wantValue(t, app, plain, fresh, "2")
	})
}

func TestABulkSaveOfOneKeyTwiceKeepsTheLast(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		mustSave(t, app, plain,
			sidecar.Item{Key: key(t, "a"), Value: value("1")},
			sidecar.Item{Key: key(t, "b"), Value: value("2")},
			sidecar.Item{Key: key(t, "a"), Value: value("3")})
		wantValue(t, app, plain, key(t, "a"), "3")
		wantValue(t, app, plain, key(t, "b"), "2")
	})
}

// Dapr offers bulk delete over gRPC alone.
func TestABulkDeleteDeletesAll(t *testing.T) {
	app := shared(t).GRPC
	a, b, never := key(t, "a"), key(t, "b"), key(t, "never written")
	mustSave(t, app, plain, sidecar.Item{Key: a, Value: value("1")}, sidecar.Item{Key: b, Value: value("2")})

	err := app.BulkDelete(plain, sidecar.Item{Key: a}, sidecar.Item{Key: never}, sidecar.Item{Key: b})
	if err != nil {
		t.Fatal(err)
	}
	wantMissing(t, app, plain, a)
	wantMissing(t, app, plain, b)
}

func TestABulkDeleteWithOneBadETagDeletesTheOthers(t *testing.T) {
	app := shared(t).GRPC
	good, bad := key(t, "good"), key(t, "bad")
	mustSave(t, app, plain, sidecar.Item{Key: good, Value: value("1")}, sidecar.Item{Key: bad, Value: value("1")})
	etag := wantValue(t, app, plain, good, "1")
	before := wantValue(t, app, plain, bad, "1")

	err := app.BulkDelete(plain, sidecar.Item{Key: good, ETag: etag}, sidecar.Item{Key: bad, ETag: "bad-etag"})
	wantConflict(t, err, bad)

	wantMissing(t, app, plain, good)
	if after := wantValue(t, app, plain, bad, "1"); after != before {
		t.Errorf("the refused item's ETag changed from %q to %q", before, after)
	}
}

// A policy that retries has daprd send the whole of a bulk save again, also what
// was written: that then conflicts with itself. A bulk that holds whole or not
// at all can be sent again without harm.
func TestARetriedBulkSaveConflictsWithItselfUnlessAtomic(t *testing.T) {
	const policy = `apiVersion: dapr.io/v1alpha1
kind: Resiliency
metadata: {name: resiliency}
spec:
  policies:
    retries:
      again: {policy: constant, duration: 10ms, maxRetries: 2}
  targets:
    components:
      each: {outbound: {retry: again}}
      all: {outbound: {retry: again}}
`
	pair := sidecar.Start(t, sidecar.FromText("resiliency", policy),
		sidecar.Component{Name: "each"}, sidecar.Component{Name: "all"}.With("bulkMode", "atomic"))
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		good, bad := key(t, "good"), key(t, "bad")
		for _, store := range []string{"each", "all"} {
			mustSave(t, app, store, sidecar.Item{Key: good, Value: value("1")}, sidecar.Item{Key: bad, Value: value("1")})
		}
		bulk := func(store string) error {
			return app.Save(store,
				sidecar.Item{Key: good, Value: value("2"), ETag: wantValue(t, app, store, good, "1")},
				sidecar.Item{Key: bad, Value: value("2"), ETag: "bad-etag"})
		}
		wantConflict(t, bulk("each"), "2 of 2 items were not written", good, bad)
		wantValue(t, app, "each", good, "2")

		err := bulk("all")
		wantConflict(t, err, "2 of 2", bad)
		wantValue(t, app, "all", good, "1")
		mustDelete(t, app, "each", sidecar.Item{Key: good})
		mustDelete(t, app, "all", sidecar.Item{Key: good})
	}
}
