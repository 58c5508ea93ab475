// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"net/http"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// What daprd makes of things, and no store can help. docs/limits.md says so; a
// test that fails here is good news, and a line less there.

func TestDaprdAnswersNothingForABulkReadOverHTTPOfWhatIsNoJSON(t *testing.T) {
	pair := shared(t)
	binary, number := key(t, "binary"), key(t, "number")
	mustSave(t, pair.GRPC, plain,
		sidecar.Item{Key: binary, Value: []byte{1, 2, 3}}, sidecar.Item{Key: number, Value: value("1")})

	keys := map[string]any{"keys": []string{binary, number}}
	answer, body, err := pair.HTTP.Do(http.MethodPost, "/v1.0/state/"+plain+"/bulk", keys)
	if err != nil || answer.StatusCode != http.StatusOK || len(body) != 0 {
		t.Errorf("got %v, %v with %q; an empty 200 was known", err, answer.Status, body)
	}

	got, err := pair.GRPC.BulkGet(plain, binary, number)
	if err != nil || len(got) != 2 || !bytes.Equal(got[0].Value, []byte{1, 2, 3}) || string(got[1].Value) != "1" {
		t.Errorf("over gRPC the same keys are %+v, %v", got, err)
	}
}

func TestDaprdCannotNameAComponentThatIsNotASCII(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "statestore"})
	said := pair.BesideInVain(t, sidecar.Component{Name: "größe"})
	wantLine(t, said, "app_id=app2", "x-component-instance", "non-printable ASCII characters")
	mustSave(t, pair.HTTP, "statestore", sidecar.Item{Key: "a", Value: value("1")})
}
