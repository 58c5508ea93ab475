// SPDX-License-Identifier: Apache-2.0

// Package conformance_test has Dapr judge the store: the suite that every
// state store of components-contrib has to pass runs against our socket,
// through the client that daprd itself uses for it.
package conformance_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/dapr/components-contrib/state"
	upstream "github.com/dapr/components-contrib/tests/conformance/state"

	"statecpp.dev/tests/dapr/sidecar"
)

// What upstream is told that we can do. It fails where the store lists more
// features, or fewer, than these stand for.
var operations = []string{"transaction", "etag", "first-write", "query", "ttl", "actorStateStore"}

// The names of these cases are those of docs/conformance.md, which is made
// from their outcome.
func TestUpstreamsSuite(t *testing.T) {
	store := sidecar.StartAs(t, sidecar.Setup{StoreAlone: true})
	t.Run("clean", func(t *testing.T) { suite(t, connect(store), operations, "bad-etag") })
	t.Run("held", func(t *testing.T) {
		hold(t, store)
		// An ETag that the store could have issued.
		suite(t, connect(store), operations, "0123456789abcdef")
	})
}

// Upstream asks about ttlExpireTime only where a store claims no TTL: the
// branch is the wrong one. So here is a store that does all of it and claims
// nothing.
func TestUpstreamsSuiteOfTimeToLive(t *testing.T) {
	without := slices.DeleteFunc(slices.Clone(operations), func(o string) bool { return o == "ttl" })
	suite(t, modest{connect(sidecar.StartAs(t, sidecar.Setup{StoreAlone: true}))}, without, "bad-etag")
}

func suite(t *testing.T, store state.Store, operations []string, badETag string) {
	config, err := upstream.NewTestConfig("cpp", operations, map[string]any{"badEtag": badETag})
	if err != nil {
		t.Fatal(err)
	}
	upstream.ConformanceTests(t, properties(), store, config)
}

// hold gives the store some thousand rows of each kind, most of them like the
// suite's own, and reopens it from its file.
func hold(t *testing.T, pair *sidecar.Pair) {
	store := connect(pair)
	if err := store.Init(t.Context(), initMetadata()); err != nil {
		t.Fatal(err)
	}
	kinds := []func(i int) state.SetRequest{
		func(i int) state.SetRequest { return state.SetRequest{Value: i} },
		func(i int) state.SetRequest { return state.SetRequest{Value: []byte{0xff, byte(i), 0}} },
		func(i int) state.SetRequest { return state.SetRequest{Value: fmt.Sprint("text ", i)} },
		func(i int) state.SetRequest {
			return state.SetRequest{Value: map[string]any{
				"message": fmt.Sprint("message", i), "status": "ACTIVE",
				"product": map[string]int{"value": i % 20},
			}}
		},
		func(i int) state.SetRequest {
			return state.SetRequest{Value: i, Metadata: map[string]string{"ttlInSeconds": fmt.Sprint(1 + i)}}
		},
	}
	for k, kind := range kinds {
		var rows []state.SetRequest
		for i := range 1000 {
			row := kind(i)
			row.Key = fmt.Sprintf("%x||held-%d-%d", i*0x9e3779b1&0xff, k, i)
			rows = append(rows, row)
		}
		if err := store.BulkSet(t.Context(), rows, state.BulkStoreOpts{}); err != nil {
			t.Fatal(err)
		}
	}
	pair.StopStore(t)
	pair.StartStore(t)
}
