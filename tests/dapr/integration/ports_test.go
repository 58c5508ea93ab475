// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	_ "unsafe" // for go:linkname

	_ "github.com/dapr/dapr/tests/integration/framework/process/ports"
)

// Upstream's framework hands out ports from here on. For root it begins among
// those that the kernel gives to outgoing connections, one of which then sits
// on a port every few dozen cases, and a scheduler that cannot bind ends.
//
//go:linkname lastPort github.com/dapr/dapr/tests/integration/framework/process/ports.last
var lastPort int

func init() { lastPort = 10000 }
