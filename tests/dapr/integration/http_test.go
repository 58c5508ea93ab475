// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// The bodies of upstream's case daprd/state/http/basic. One of them has another
// outcome on any pluggable store: daprd's client refuses to send an item that
// has no value.
func TestTheBodiesOfDaprdsBasicCaseOverHTTP(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "mystore"})
	url := "http://127.0.0.1:" + pair.HTTP.Port() + "/v1.0/state/mystore"
	const malformed = "ERR_MALFORMED_REQUEST"
	for _, one := range []struct {
		body   string
		status int
		says   string
	}{
		{"", http.StatusBadRequest, malformed},
		{"{}", http.StatusBadRequest, malformed},
		{`foobar`, http.StatusBadRequest, malformed},
		{"[{}]", http.StatusBadRequest, malformed},
		{`[{"key": "ke||y1", "value": "value1"}]`, http.StatusBadRequest, malformed},
		{`[{"key": "key1", "value": "value1"},]`, http.StatusBadRequest, malformed},
		{`[{"key": "key1", "value": "value1"},{"key": "key2", "value": "value1"},]`, http.StatusBadRequest, malformed},
		{`[{"key": "key1", "value": "value1", "etag": 123}]`, http.StatusBadRequest, malformed},
		{`[{"ey": "key0", "value": "value1"}]`, http.StatusBadRequest, malformed},
		{`[{"key": "key1", "vae": "value1"}]`, http.StatusInternalServerError, "an attempt to set a nil value was received"},
		{"[]", http.StatusNoContent, ""},
		{`[{"key": "key1", "value": "value1"}]`, http.StatusNoContent, ""},
		{`[{"key": "key1", "value": "value1"},{"key": "key2", "value": "value1"}]`, http.StatusNoContent, ""},
		{`[{"key": "key1", "value": "value1"},{"key": "key2", "value": "value1"},  {"key": "key1", "value": "value1"},{"key": "key2", "value": "value1"}]`, http.StatusNoContent, ""},
	} {
		t.Run(one.body, func(t *testing.T) {
			answer, err := http.Post(url, "application/json", strings.NewReader(one.body))
			if err != nil {
				t.Fatal(err)
			}
			defer answer.Body.Close()
			said, err := io.ReadAll(answer.Body)
			if err != nil {
				t.Fatal(err)
			}
			if answer.StatusCode != one.status || !strings.Contains(string(said), one.says) || one.says == "" && len(said) > 0 {
				t.Errorf("daprd answered %d %s, want %d and %q", answer.StatusCode, said, one.status, one.says)
			}
		})
	}
}
