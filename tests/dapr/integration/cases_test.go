// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	_ "github.com/dapr/dapr/tests/integration/suite/actors/grpc"
	_ "github.com/dapr/dapr/tests/integration/suite/actors/http"
	_ "github.com/dapr/dapr/tests/integration/suite/actors/state"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/pluggable"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/state/grpc"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/state/http"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/basic"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/chaos"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/purge"
)

// leftOut names the cases of these packages that do not run here, and why not.
func leftOut() map[string]string {
	// They assert what daprd makes of errors that a store in the test's own
	// process was told to return.
	const faults = "is about errors that its own store makes"
	return map[string]string{
		"daprd/state/grpc/customerrors": faults,
		"daprd/state/grpc/errors":       faults,
		"daprd/state/http/customerrors": faults,
		"daprd/state/http/errors":       faults,
	}
}
