// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// Which apps share a key is daprd's choice, by the component's keyPrefix: the
// store gets a longer key, or the same. So two apps, a sidecar each, stand on
// one store here, and what the store has under which key is looked up there.
func TestTwoAppsShareWhatTheirKeyPrefixSays(t *testing.T) {
	for strategy, prefix := range map[string]struct {
		first, second string // before the key, for either app
	}{
		"appid":     {"first||", "second||"},
		"name":      {"statestore||", "statestore||"},
		"namespace": {"east.first||", "west.second||"},
		"none":      {"", ""},
		"orders":    {"orders||", "orders||"},
	} {
		t.Run(strategy, func(t *testing.T) {
			store := sidecar.Component{Name: "statestore"}.With("keyPrefix", strategy)
			first := sidecar.StartAs(t, sidecar.Setup{AppID: "first", Namespace: "east"}, store)
			second := first.Beside(t, sidecar.Setup{AppID: "second", Namespace: "west"}, store)
			shared := prefix.first == prefix.second

			mustSave(t, first.HTTP, "statestore", sidecar.Item{Key: "k", Value: value("1")})
			wantRow(t, first, "statestore", prefix.first+"k", "1")
			if !shared {
				wantMissing(t, second.HTTP, "statestore", "k")
				wantMissing(t, second.GRPC, "statestore", "k")
				mustSave(t, second.GRPC, "statestore", sidecar.Item{Key: "k", Value: value("2")})
				wantRow(t, first, "statestore", prefix.second+"k", "2")
				wantValue(t, first.GRPC, "statestore", "k", "1")
				return
			}
			etag := wantValue(t, second.HTTP, "statestore", "k", "1")
			mustSave(t, second.GRPC, "statestore", sidecar.Item{Key: "k", Value: value("2"), ETag: etag})
			wantRow(t, first, "statestore", prefix.second+"k", "2")
			wantConflict(t, first.HTTP.Save("statestore", sidecar.Item{Key: "k", Value: value("3"), ETag: etag}))
			wantValue(t, first.HTTP, "statestore", "k", "2")
			mustDelete(t, first.GRPC, "statestore", sidecar.Item{Key: "k"})
			wantMissing(t, second.HTTP, "statestore", "k")
		})
	}
}

// One app, known by one name in two namespaces: only the strategy of that name
// tells them apart.
func TestOneAppInTwoNamespaces(t *testing.T) {
	for strategy, apart := range map[string]bool{"namespace": true, "appid": false} {
		t.Run(strategy, func(t *testing.T) {
			store := sidecar.Component{Name: "statestore"}.With("keyPrefix", strategy)
			east := sidecar.StartAs(t, sidecar.Setup{Namespace: "east"}, store)
			west := east.Beside(t, sidecar.Setup{Namespace: "west"}, store)
			mustSave(t, east.HTTP, "statestore", sidecar.Item{Key: "k", Value: value("1")})
			if apart {
				wantMissing(t, west.HTTP, "statestore", "k")
			} else {
				wantValue(t, west.HTTP, "statestore", "k", "1")
			}
		})
	}
}

// By name, two components keep apart even where they share a data folder.
func TestTwoNamesInOneDataFolder(t *testing.T) {
	front := sidecar.Component{Name: "front"}.With("dataDir", "house").With("keyPrefix", "name")
	pair := sidecar.Start(t, front, sidecar.Component{Name: "back", Fields: front.Fields})
	mustSave(t, pair.HTTP, "front", sidecar.Item{Key: "k", Value: value("1")})
	wantMissing(t, pair.HTTP, "back", "k")
	wantRow(t, pair, "back", "front||k", "1") // it is one folder
}

// wantRow expects the store to have that value under exactly that key.
func wantRow(t *testing.T, pair *sidecar.Pair, component, key, want string) {
	t.Helper()
	if got := pair.Row(t, component, key); got != want {
		t.Errorf("the store has %q under %q, want %q", got, key, want)
	}
}
