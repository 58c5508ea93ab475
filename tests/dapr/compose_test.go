// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// What deploy/compose runs, without its containers: one store, two daprds on its
// folder of sockets, and behind each the app, with the component as it stands.
func TestTheAppsOfDeployComposeCountInOneItem(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("no node on this machine")
	}
	folder := filepath.Join("..", "..", "deploy", "compose")
	component, err := os.ReadFile(filepath.Join(folder, "components", "statestore.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	setup := func(app string) sidecar.Setup {
		return sidecar.Setup{AppID: app, Resources: map[string]string{"statestore.yaml": string(component)}}
	}
	order := sidecar.StartAs(t, setup("order"))
	billing := order.Beside(t, setup("billing"))
	for _, pair := range []*sidecar.Pair{order, billing} {
		app := exec.Command(node, filepath.Join(folder, "app", "app.js"), pair.AppID)
		app.Env = append(os.Environ(), "DAPR_HTTP_PORT="+pair.HTTP.Port())
		if err := app.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _, _ = app.Process.Kill(), app.Wait() })
	}
	order.Await(t, "each app has been there three times", func() error {
		item, err := billing.HTTP.Get("statestore", "visits")
		if err != nil {
			return err
		}
		var visits map[string]int
		if len(item.Value) > 0 {
			err = json.Unmarshal(item.Value, &visits)
		}
		if err == nil && (visits["order"] < 3 || visits["billing"] < 3) {
			err = fmt.Errorf("it says %s", item.Value)
		}
		return err
	})
}
