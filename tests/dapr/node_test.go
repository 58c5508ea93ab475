// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"os"
	"os/exec"
	"strconv"
	"strings"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

const nodeExample = "../../examples/node"

// The example is what a reader copies first, so it is run as it stands: its own
// component file, its own lock file, Dapr's own SDK.
func TestTheNodeExampleRuns(t *testing.T) {
	needNode(t)
	component, err := sidecar.FromFile("statestore", nodeExample+"/components/statestore.yaml")
	if err != nil {
		t.Fatal(err)
	}
	pair := sidecar.Start(t, component)

	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(nodeExample)); err != nil {
		t.Fatal(err)
	}
	shell(t, folder, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	said := shell(t, folder, []string{"DAPR_HTTP_PORT=" + pair.HTTP.Port()}, "node", "app.js")

	for _, step := range []string{
		`saved    orderId = {"n":1} for an hour`,
		`read     orderId = {"n":1}`,
		`updated  orderId = {"n":2} under its ETag`,
		`refused  orderId: its ETag was stale`,
		`together shipped = "1", orderId deleted`,
		`read     shipped = "1"`,
		`read     orderId = ""`,
	} {
		if !strings.Contains(said, step) {
			t.Errorf("it did not say %q; it said\n%s", step, said)
		}
	}
	wantValue(t, pair.HTTP, "statestore", "shipped", `"1"`)
	wantMissing(t, pair.HTTP, "statestore", "orderId")
}

func needNode(t *testing.T) {
	t.Helper()
	const missing = "SKIPPED: THE NODE EXAMPLE WAS NOT RUN: it needs Node.js 18 or later and npm"
	if _, err := exec.LookPath("npm"); err != nil {
		t.Skipf("%s: %v", missing, err)
	}
	version, err := exec.Command("node", "--version").Output()
	if err != nil {
		t.Skipf("%s: %v", missing, err)
	}
	major, _, _ := strings.Cut(strings.TrimPrefix(string(version), "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 18 {
		t.Skipf("%s: this is %s", missing, version)
	}
}

// shell runs a program that has to succeed and returns what it printed.
func shell(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said)
}
