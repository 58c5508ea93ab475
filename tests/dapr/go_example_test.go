// SPDX-License-Identifier: Apache-2.0

package dapr_test

import "testing"

// It is a module of its own; what it depends on is in Go's cache of modules.
func TestTheGoExampleRuns(t *testing.T) {
	pair := startForExample(t, "go")
	said := shell(t, exampleFolder("go"), where(pair), "go", "run", "-mod=readonly", ".")
	wantLines(t, said, shown(t, "go", "dapr run")...)
	wantMissing(t, pair.HTTP, "statestore", "order-1")
}
