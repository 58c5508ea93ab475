// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

// daprd hands no trace on to a store, but what the app says of its request.
func TestTheSlowLogHasTheTraceThatTheAppNames(t *testing.T) {
	logAll := func(_ string, command []string) []string { return append(command, "--slow-operation", "1ns") }
	pair := sidecar.StartAs(t, sidecar.Setup{StoreThrough: logAll}, sidecar.Component{Name: plain})
	mustSave(t, pair.HTTP, plain, sidecar.Item{Key: "a", Value: value("1")})

	const trace = "0af7651916cd43dd8448eb211c80319c"
	path := "/v1.0/state/" + plain + "/a?metadata.traceparent=00-" + trace + "-b7ad6b7169203331-01"
	if _, _, err := pair.HTTP.Do(http.MethodGet, path, nil); err != nil {
		t.Fatal(err)
	}

	// A worker writes the line, after the reply.
	for end := time.Now().Add(10 * time.Second); ; time.Sleep(20 * time.Millisecond) {
		for _, line := range strings.Split(pair.StoreSaid(), "\n") {
			if strings.Contains(line, "slow operation") && strings.Contains(line, `operation="get"`) &&
				strings.Contains(line, `trace_id="`+trace+`"`) {
				return
			}
		}
		if time.Now().After(end) {
			t.Fatalf("no line of a slow get has the trace %s:\n%s", trace, pair.StoreSaid())
		}
	}
}
