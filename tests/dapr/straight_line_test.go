// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// The whole way once, with nothing beside it: an app, daprd, the socket,
// statecpp, the disk. When this one fails, read no other.
func TestAValueSurvivesTheDeathOfTheStore(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})

	if err := pair.HTTP.Save("statestore", sidecar.Item{Key: "order", Value: []byte(`{"n":1}`)}); err != nil {
		t.Fatal(err)
	}
	wantValue(t, pair.HTTP, "statestore", "order", `{"n":1}`)

	pair.KillStore(t)
	if got, err := pair.HTTP.Get("statestore", "order"); err == nil {
		t.Fatalf("with the store dead, get answered %q: whose value is that?", got.Value)
	}
	pair.RestartStore(t, "statestore")
	wantValue(t, pair.HTTP, "statestore", "order", `{"n":1}`)
}
