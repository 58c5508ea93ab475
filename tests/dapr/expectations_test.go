// SPDX-License-Identifier: Apache-2.0

// Package dapr_test asks the questions of an application: through daprd, over
// HTTP and over gRPC, of a statecpp that neither the tests nor daprd can see
// into.
package dapr_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// The components of the shared pair.
const (
	plain   = "statestore"
	second  = "secondstore"
	cramped = "crampedstore" // takes values up to crampedLimit and crampedOps steps
)

const (
	crampedLimit = 1024
	crampedOps   = 3
)

var sharedPair = sync.OnceValues(func() (*sidecar.Pair, error) {
	return sidecar.New(
		sidecar.Component{Name: plain},
		sidecar.Component{Name: second},
		sidecar.Component{Name: cramped}.
			With("maxValueSize", fmt.Sprint(crampedLimit)).With("maxTxnOps", fmt.Sprint(crampedOps)),
	)
})

var sharedInUse bool

func TestMain(m *testing.M) {
	code := m.Run()
	if sharedInUse {
		if pair, err := sharedPair(); err == nil {
			if err := pair.Close(); err != nil {
				fmt.Fprintln(os.Stderr, err)
				code = 1
			}
		}
	}
	os.Exit(code)
}

// shared is the pair that every test may use which neither kills nor changes
// it. Such a test keeps to keys of its own: see key.
func shared(t *testing.T) *sidecar.Pair {
	t.Helper()
	sharedInUse = true
	pair, err := sharedPair()
	if err != nil {
		t.Fatal(err)
	}
	pair.Watch(t)
	return pair
}

// overEach runs a test once over HTTP and once over gRPC.
func overEach(t *testing.T, test func(t *testing.T, app sidecar.App)) {
	pair := shared(t)
	t.Run("HTTP", func(t *testing.T) { test(t, pair.HTTP) })
	t.Run("gRPC", func(t *testing.T) { test(t, pair.GRPC) })
}

// key makes a key that no other test, no other protocol and no repetition of
// this test (go test -count) writes.
func key(t *testing.T, name string) string {
	run, known := runs.Load(t)
	if !known {
		run, _ = runs.LoadOrStore(t, runsBegun.Add(1))
	}
	return fmt.Sprintf("%s-%d-%s", strings.ReplaceAll(t.Name(), "/", "-"), run, name)
}

var (
	runs      sync.Map // of *testing.T to its number
	runsBegun atomic.Int64
)

func mustSave(t *testing.T, app sidecar.App, store string, items ...sidecar.Item) {
	t.Helper()
	if err := app.Save(store, items...); err != nil {
		t.Fatalf("save: %v", err)
	}
}

func mustGet(t *testing.T, app sidecar.App, store, key string) sidecar.Got {
	t.Helper()
	got, err := app.Get(store, key)
	if err != nil {
		t.Fatalf("get %q: %v", key, err)
	}
	return got
}

func mustDelete(t *testing.T, app sidecar.App, store string, item sidecar.Item) {
	t.Helper()
	if err := app.Delete(store, item); err != nil {
		t.Fatalf("delete %q: %v", item.Key, err)
	}
}

// wantValue reads a key and expects a value, compared as JSON: daprd decodes
// and encodes what it is sent over HTTP. It returns the ETag.
func wantValue(t *testing.T, app sidecar.App, store, key, want string) string {
	t.Helper()
	got := mustGet(t, app, store, key)
	if !sameJSON(got.Value, want) {
		t.Fatalf("get %q: value %q, want %q", key, got.Value, want)
	}
	if got.ETag == "" {
		t.Fatalf("get %q: no ETag", key)
	}
	return got.ETag
}

func wantMissing(t *testing.T, app sidecar.App, store, key string) {
	t.Helper()
	got := mustGet(t, app, store, key)
	if len(got.Value) != 0 || got.ETag != "" || got.ExpireTime != "" {
		t.Fatalf("get %q: got %q with ETag %q and expiry %q, want nothing at all",
			key, got.Value, got.ETag, got.ExpireTime)
	}
}

func sameJSON(got []byte, want string) bool {
	var a, b any
	if json.Unmarshal(got, &a) != nil || json.Unmarshal([]byte(want), &b) != nil {
		return bytes.Equal(got, []byte(want))
	}
	x, _ := json.Marshal(a)
	y, _ := json.Marshal(b)
	return bytes.Equal(x, y)
}

// wantRefusal expects daprd's no: the status over HTTP, the code over gRPC, and
// a text that holds each of the given words, in any case.
func wantRefusal(t *testing.T, err error, http int, grpc codes.Code, words ...string) {
	t.Helper()
	var no *sidecar.Refusal
	if !errors.As(err, &no) {
		t.Fatalf("got %v, want a refusal: HTTP %d or gRPC %s", err, http, grpc)
	}
	if no.HTTP != 0 && no.HTTP != http || no.GRPC != codes.OK && no.GRPC != grpc {
		t.Fatalf("got %v, want HTTP %d or gRPC %s", no, http, grpc)
	}
	for _, word := range words {
		if !strings.Contains(strings.ToLower(no.Text), strings.ToLower(word)) {
			t.Errorf("the refusal does not say %q: %v", word, no)
		}
	}
}

// wantConflict expects the answer to a write whose ETag is not the row's.
func wantConflict(t *testing.T, err error, words ...string) {
	t.Helper()
	wantRefusal(t, err, http.StatusConflict, codes.Aborted, append(words, "etag")...)
}

func value(format string, arguments ...any) []byte {
	return fmt.Appendf(nil, format, arguments...)
}
