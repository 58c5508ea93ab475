// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"encoding/json"
	"net/http"
	"slices"
	"testing"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

func TestTwoComponentsKeepSeparateData(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		k := key(t, "a")
		mustSave(t, app, plain, sidecar.Item{Key: k, Value: value(`"plain"`)})
		wantMissing(t, app, second, k)
		mustSave(t, app, second, sidecar.Item{Key: k, Value: value(`"second"`)})

		etag := wantValue(t, app, plain, k, `"plain"`)
		wantValue(t, app, second, k, `"second"`)
		wantConflict(t, app.Save(second, sidecar.Item{Key: k, Value: value("1"), ETag: etag}))

		mustDelete(t, app, plain, sidecar.Item{Key: k})
		wantValue(t, app, second, k, `"second"`)
	})
}

// What daprd lists is how a user checks that the store does what its page says.
func TestDaprdListsWhatTheStoreCanDo(t *testing.T) {
	_, body, err := shared(t).HTTP.Do(http.MethodGet, "/v1.0/metadata", nil)
	if err != nil {
		t.Fatal(err)
	}
	var metadata struct {
		Components []struct {
			Name, Type, Version string
			Capabilities        []string
		}
	}
	if err := json.Unmarshal(body, &metadata); err != nil {
		t.Fatal(err)
	}
	if len(metadata.Components) != 3 {
		t.Fatalf("daprd lists %d components, want 3: %s", len(metadata.Components), body)
	}
	for _, component := range metadata.Components {
		slices.Sort(component.Capabilities)
		// ACTOR is daprd's own conclusion from ETAG and TRANSACTIONAL.
		want := []string{"ACTOR", "ETAG", "QUERY_API", "TRANSACTIONAL", "TTL"}
		if component.Type != "state.cpp" || !slices.Equal(component.Capabilities, want) {
			t.Errorf("%s: type %q can %q, want state.cpp and %q",
				component.Name, component.Type, component.Capabilities, want)
		}
	}
}

func TestAComponentsTimeToLiveIsTheDefault(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "brief"}.With("ttlInSeconds", "100"))
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		mustSave(t, app, "brief", sidecar.Item{Key: "default", Value: value("1")})
		wantExpiry(t, mustGet(t, app, "brief", "default"), 100*time.Second)
		mustSave(t, app, "brief", sidecar.Item{Key: "own", Value: value("1")}.TTL("500"))
		wantExpiry(t, mustGet(t, app, "brief", "own"), 500*time.Second)
		mustSave(t, app, "brief", sidecar.Item{Key: "never", Value: value("1")}.TTL("-1"))
		wantNoExpiry(t, mustGet(t, app, "brief", "never"))
	}
}

// The reason has to be where a user looks for it: in daprd's own log.
func TestABadFieldStopsDaprdAndItsLogSaysWhy(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "another"})
	said := pair.BesideInVain(t, sidecar.Component{Name: "statestore"}.With("ttlInSeconds", "soon"))
	wantLine(t, said, "app_id=app2", "ttlInSeconds", "soon")
}

// Two names with one dataDir are two doors to one store. Without a key prefix
// they see the same keys.
func TestTwoComponentsWithOneDataFolderShareTheirData(t *testing.T) {
	door := sidecar.Component{Name: "front"}.With("dataDir", "house").With("keyPrefix", "none")
	pair := sidecar.Start(t, door, sidecar.Component{Name: "back", Fields: door.Fields})

	mustSave(t, pair.HTTP, "front", sidecar.Item{Key: "a", Value: value("1")})
	etag := wantValue(t, pair.GRPC, "back", "a", "1")
	mustSave(t, pair.GRPC, "back", sidecar.Item{Key: "a", Value: value("2"), ETag: etag})
	wantConflict(t, pair.HTTP.Save("front", sidecar.Item{Key: "a", Value: value("3"), ETag: etag}))
	wantValue(t, pair.HTTP, "front", "a", "2")
}
