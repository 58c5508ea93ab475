// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
)

func TestTheNodeExampleRuns(t *testing.T) {
	folder := installNode(t)
	pair := startForExample(t, "node")
	said := shell(t, folder, where(pair), "node", "app.js")
	wantLines(t, said, shown(t, "node", "dapr run")...)
	wantValue(t, pair.HTTP, "statestore", "shipped", `"1"`)
	wantMissing(t, pair.HTTP, "statestore", "orderId")
}

// installNode fetches what the lock file names, once for all tests, into a folder
// beside it that git ignores, and returns where the examples are.
func installNode(t *testing.T) string {
	t.Helper()
	const newEnough = "Node.js 18 or later and npm"
	need(t, "NODE", newEnough, "npm", "--version")
	version := need(t, "NODE", newEnough, "node", "--version")
	major, _, _ := strings.Cut(strings.TrimPrefix(version, "v"), ".")
	if n, err := strconv.Atoi(major); err != nil || n < 18 {
		t.Skipf("SKIPPED: THE NODE EXAMPLE WAS NOT RUN: it needs %s: this is %s", newEnough, version)
	}
	folder, err := filepath.Abs(exampleFolder("node"))
	if err != nil {
		t.Fatal(err)
	}
	npmCI.Do(func() {
		shell(t, folder, nil, "npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
	})
	return folder
}

// The first test that needs it fails if it does, and those after it for what is
// missing.
var npmCI sync.Once
