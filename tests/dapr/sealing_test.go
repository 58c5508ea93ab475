// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/health/grpc_health_v1"

	"statecpp.dev/tests/dapr/sidecar"
)

// A key that is no server's here, and what a component calls its own key.
const (
	otherKey = "7f3e2d1c0b9a88776655443322110fedcba98765432100112233445566778899"
	ownKey   = "encryptionKey"
)

// What the README shows first: whoever says nothing of encryption has it.
func TestASixLineComponentIsSealed(t *testing.T) {
	pair := sidecar.Start(t, sidecar.FromText("statestore", `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: statestore}
spec:
  type: state.cpp
  version: v1
`))
	for i, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		key := fmt.Sprintf("the-secret-key-%d", i)
		mustSave(t, app, "statestore", sidecar.Item{Key: key, Value: value(`"the-secret-value"`)})
		mustSave(t, app, "statestore",
			sidecar.Item{Key: key + "-a", Value: value(`"the-secret-value"`)},
			sidecar.Item{Key: key + "-b", Value: value(`"the-secret-value"`)})
		if err := app.Transact("statestore", sidecar.Upsert(
			sidecar.Item{Key: key + "-c", Value: value(`"the-secret-value"`)})); err != nil {
			t.Fatal(err)
		}
		wantValue(t, app, "statestore", key+"-c", `"the-secret-value"`)
	}
	if kept := pair.OnDisk(t); bytes.Contains(kept, []byte("the-secret")) {
		t.Error("a key or a value stands in clear on disk")
	}
	pair.KillStore(t)
	pair.RestartStore(t, "statestore")
	wantValue(t, pair.HTTP, "statestore", "the-secret-key-0", `"the-secret-value"`)
}

// What the test above looks for is found where it is.
func TestAComponentThatIsNotSealedIsInClear(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"}.With("encryption", "off"))
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "k", Value: value(`"the-plain-value"`)})
	if kept := pair.OnDisk(t); !bytes.Contains(kept, []byte("the-plain-value")) {
		t.Error("the value is not found on disk")
	}
}

func TestWithoutAKeyDaprdsLogSaysHowToMakeOne(t *testing.T) {
	pair := sidecar.StartWithKey(t, "", sidecar.Component{Name: "plain"}.With("encryption", "off"))
	pair.StopDaprd(t) // which would else reload the file, and end by itself
	pair.Rewrite(t, sidecar.FromText("plain", `apiVersion: dapr.io/v1alpha1
kind: Component
metadata: {name: sealed}
spec: {type: state.cpp, version: v1}
`))
	said := pair.StartDaprdInVain(t)
	wantLine(t, said, "app_id=app1", "PermissionDenied", "statecpp keygen", "--key-file")
}

func TestAnotherKeyStopsDaprdAndItsLogSaysWhy(t *testing.T) {
	pair := sidecar.Start(t, sealed("statestore"))
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	pair.StopStore(t)
	pair.ChangeKey(otherKey)
	pair.StartStore(t)
	said := pair.RestartDaprdInVain(t)
	wantLine(t, said, "app_id=app1", "PermissionDenied", "no configured key opens the store", "sealed for: store (")
}

// --- A key that came with Init alone.

// startForgetful runs a pair whose store gets its key from daprd, which has it
// from a secret store, and restarts the store: the key is gone.
func startForgetful(t *testing.T) (*sidecar.Pair, sidecar.Component) {
	t.Helper()
	component := sealed("statestore").WithSecret(ownKey, otherKey)
	pair := sidecar.StartWithKey(t, "", component)
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
	wantHealth(t, pair, grpc_health_v1.HealthCheckResponse_SERVING)
	if said := pair.StoreSaid(); !strings.Contains(said, "remembered nowhere") || strings.Contains(said, otherKey) {
		t.Errorf("the store does not warn of the key, or shows it:\n%s", said)
	}
	pair.KillStore(t)
	pair.StartStore(t)
	// Before any call: whoever watches hears of it first.
	wantHealth(t, pair, grpc_health_v1.HealthCheckResponse_NOT_SERVING)

	pair.Await(t, "the app is told what to do", func() error {
		_, err := pair.HTTP.Get("statestore", "a")
		if err == nil {
			t.Fatal("a store without a key answered")
		}
		if !strings.Contains(err.Error(), "restart daprd") {
			return err // daprd has not reached the new store yet
		}
		return nil
	})
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		_, err := app.Get("statestore", "a")
		wantRefusal(t, err, http.StatusServiceUnavailable, codes.Unavailable, ownKey, "restart daprd", "--key-file")
		err = app.Save("statestore", sidecar.Item{Key: "a", Value: value("2")})
		wantRefusal(t, err, http.StatusServiceUnavailable, codes.Unavailable, ownKey, "restart daprd", "--key-file")
	}
	return pair, component
}

func TestAForgottenKeyComesBackWithDaprd(t *testing.T) {
	pair, _ := startForgetful(t)
	pair.RestartDaprd(t)
	wantHealth(t, pair, grpc_health_v1.HealthCheckResponse_SERVING)
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

func TestAForgottenKeyComesBackWithAChangedComponent(t *testing.T) {
	pair, component := startForgetful(t)
	pair.Rewrite(t, component.With("maxTxnOps", "7"))
	pair.Await(t, "the component's Init brings the key", func() error {
		_, err := pair.HTTP.Get("statestore", "a")
		return err
	})
	wantHealth(t, pair, grpc_health_v1.HealthCheckResponse_SERVING)
	wantValue(t, pair.GRPC, "statestore", "a", "1")
}

func TestAServersKeyIsNotForgotten(t *testing.T) {
	pair, _ := startForgetful(t)
	pair.StopStore(t)
	pair.ChangeKey(otherKey)
	pair.RestartStore(t, "statestore")
	wantHealth(t, pair, grpc_health_v1.HealthCheckResponse_SERVING)
	wantValue(t, pair.HTTP, "statestore", "a", "1")
}

// --- Dapr's own encryption.

// `primaryEncryptionKey` is daprd's: it encrypts what its state API is given,
// and then refuses queries. The store says so, and seals what it gets.
func TestDaprsOwnEncryptionKeyIsNotTheStores(t *testing.T) {
	const daprsKey = "000102030405060708090a0b0c0d0e0f"
	pair := sidecar.Start(t, sealed("statestore").WithSecret("primaryEncryptionKey", daprsKey), sealed("ours"))
	// Over gRPC, since daprd turns what came over HTTP into another text.
	mustSave(t, pair.GRPC, "statestore", sidecar.Item{Key: "a", Value: value(`"a value"`)})
	wantValue(t, pair.GRPC, "statestore", "a", `"a value"`)

	said := pair.StoreSaid()
	wantLine(t, said, "level=warning", "primaryEncryptionKey", "daprd then encrypts values itself", "refuses queries")
	if strings.Contains(said, daprsKey) || bytes.Contains(pair.OnDisk(t), []byte(daprsKey)) {
		t.Error("the store shows or keeps daprd's key")
	}

	const all = `{"filter":{}}`
	_, err := pair.HTTP.Query("statestore", all)
	wantRefusal(t, err, http.StatusInternalServerError, codes.Internal, "cannot query encrypted store")
	// Of a store that seals by itself daprd knows nothing: it asks.
	mustSave(t, pair.GRPC, "ours", sidecar.Item{Key: "a", Value: value(`"a value"`)})
	found, err := pair.HTTP.Query("ours", all)
	if err != nil || len(found.Rows) != 1 || !sameJSON(found.Rows[0].Value, `"a value"`) {
		t.Errorf("a store that seals by itself answers a query with %+v and %v", found, err)
	}
}

// --- What these tests expect.

// sealed is a component that is sealed in either run.
func sealed(name string) sidecar.Component {
	return sidecar.Component{Name: name}.With("encryption", "required")
}

// wantLine expects a line of a log that holds all the words.
func wantLine(t *testing.T, said string, words ...string) {
	t.Helper()
line:
	for _, line := range strings.Split(said, "\n") {
		for _, word := range words {
			if !strings.Contains(line, word) {
				continue line
			}
		}
		return
	}
	t.Errorf("no line says %q:\n%s", words, said)
}

// wantHealth expects the store's own answer of the state store's service, and
// that the process as a whole is well.
func wantHealth(t *testing.T, pair *sidecar.Pair, want grpc_health_v1.HealthCheckResponse_ServingStatus) {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+pair.Socket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	for service, want := range map[string]grpc_health_v1.HealthCheckResponse_ServingStatus{
		"":                                    grpc_health_v1.HealthCheckResponse_SERVING,
		"dapr.proto.components.v1.StateStore": want,
	} {
		got, err := grpc_health_v1.NewHealthClient(conn).Check(ctx, &grpc_health_v1.HealthCheckRequest{Service: service})
		if err != nil {
			t.Fatal(err)
		}
		if got.Status != want {
			t.Errorf("health of %q is %s, want %s", service, got.Status, want)
		}
	}
}
