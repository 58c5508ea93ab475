// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"errors"
	"net/http"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// defaultLimit is maxValueSize when the component does not say: key, value and
// content type together. A reply of 4 MiB is more than daprd can receive, so
// anything that is accepted must come back in less.
const defaultLimit = 4090 << 10

func TestTheLargestValueThatIsAcceptedComesBack(t *testing.T) {
	pair := shared(t)
	app := pair.GRPC
	k := key(t, "a")
	largest := bytes.Repeat([]byte("v"), defaultLimit-len(pair.AppID+"||"+k))

	mustSave(t, app, plain, sidecar.Item{Key: k, Value: largest})
	if got := mustGet(t, app, plain, k); !bytes.Equal(got.Value, largest) {
		t.Fatalf("got %d bytes back of %d", len(got.Value), len(largest))
	}
	one, err := app.BulkGet(plain, k)
	if err != nil || len(one) != 1 || !bytes.Equal(one[0].Value, largest) {
		t.Fatalf("bulk get of the same key does not return it: %v", err)
	}

	err = app.Save(plain, sidecar.Item{Key: k, Value: append(largest, 'v')})
	wantTooLarge(t, err, "maxValueSize")
	if got := mustGet(t, app, plain, k); !bytes.Equal(got.Value, largest) {
		t.Fatal("the refused save changed the value")
	}
}

func TestAValueOverTheComponentsLimitIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		large := value("%q", bytes.Repeat([]byte("v"), crampedLimit+1))
		fits := value("%q", bytes.Repeat([]byte("v"), crampedLimit/2))

		err := app.Save(cramped, sidecar.Item{Key: key(t, "a"), Value: large})
		wantTooLarge(t, err, "maxValueSize", key(t, "a"))
		wantMissing(t, app, cramped, key(t, "a"))
		mustSave(t, app, cramped, sidecar.Item{Key: key(t, "a"), Value: fits})
		wantValue(t, app, cramped, key(t, "a"), string(fits))

		// In a transaction daprd answers 500 whatever the reason.
		err = app.Transact(cramped,
			sidecar.Upsert(sidecar.Item{Key: key(t, "b"), Value: fits}),
			sidecar.Upsert(sidecar.Item{Key: key(t, "c"), Value: large}))
		wantTransactionRefused(t, err, "maxValueSize", key(t, "c"))
		wantMissing(t, app, cramped, key(t, "b"))
	})
}

// daprd asks for the limit and counts for itself: 400, without asking us.
func TestATransactionOfTooManyOperationsIsRefused(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		var operations []sidecar.Operation
		for i := range crampedOps + 1 {
			operations = append(operations, sidecar.Upsert(sidecar.Item{Key: key(t, string(value("%d", i))), Value: value("1")}))
		}
		if err := app.Transact(cramped, operations[:crampedOps]...); err != nil {
			t.Fatalf("%d operations: %v", crampedOps, err)
		}
		err := app.Transact(cramped, operations...)
		wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument)
		wantMissing(t, app, cramped, operations[crampedOps].Key)
	})
}

// A bulk read whose reply would pass 4 MiB answers what fits, and says of each
// other item that it did not, instead of failing as a whole.
func TestABulkReadOfTooMuchSaysSoPerItem(t *testing.T) {
	app := shared(t).GRPC
	mebibyte := bytes.Repeat([]byte("v"), 1<<20)
	var keys []string
	for _, name := range []string{"a", "b", "c", "d", "e"} {
		keys = append(keys, key(t, name))
		mustSave(t, app, plain, sidecar.Item{Key: key(t, name), Value: mebibyte})
	}
	got, err := app.BulkGet(plain, keys...)
	if err != nil || len(got) != len(keys) {
		t.Fatalf("got %d items and %v, want %d items", len(got), err, len(keys))
	}
	whole := 0
	for i, one := range got {
		switch {
		case one.Key != keys[i]:
			t.Errorf("item %d is %q, want %q", i, one.Key, keys[i])
		case bytes.Equal(one.Value, mebibyte) && one.Error == "":
			whole++
		case len(one.Value) != 0 || one.Error == "":
			t.Errorf("item %d has %d bytes and the error %q", i, len(one.Value), one.Error)
		}
	}
	if whole < 2 || whole == len(keys) {
		t.Errorf("%d of %d items of 1 MiB came whole", whole, len(keys))
	}
}

// wantTooLarge expects 413; over gRPC no code says it, so the text decides.
func wantTooLarge(t *testing.T, err error, words ...string) {
	t.Helper()
	var no *sidecar.Refusal
	if !errors.As(err, &no) {
		t.Fatalf("got %v, want a refusal", err)
	}
	wantRefusal(t, err, http.StatusRequestEntityTooLarge, no.GRPC, words...)
	if no.GRPC == codes.Internal || no.GRPC == codes.Unknown {
		t.Errorf("over gRPC the code is %s: the store did not say what was wrong with the request", no.GRPC)
	}
}
