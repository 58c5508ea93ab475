// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	_ "github.com/dapr/dapr/tests/integration/suite/actors/grpc"
	_ "github.com/dapr/dapr/tests/integration/suite/actors/http"
	_ "github.com/dapr/dapr/tests/integration/suite/actors/state"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/outbox"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/pluggable"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/state/grpc"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/state/http"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/basic"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/chaos"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/continueasnew"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/purge"
	_ "github.com/dapr/dapr/tests/integration/suite/daprd/workflow/records"
)

// casesTaken is how many of upstream's cases run here. The README says it too,
// and scripts/test.sh where there is no Go to run them.
const casesTaken = 90

// leftOut names the cases of these packages that do not run here, and why not.
func leftOut() map[string]string {
	const (
		faults = "asserts what daprd makes of errors that a store of its own was told to return"
		names  = "names components in letters that gRPC's metadata, and so a pluggable store, cannot carry"
		sql    = "reads or changes rows of its database by SQL"
		disk   = "is about daprd's memory, and wants a disk that takes a gigabyte within its 45 seconds"
	)
	return map[string]string{
		"daprd/state/grpc/customerrors":  faults,
		"daprd/state/grpc/errors":        faults,
		"daprd/state/http/customerrors":  faults,
		"daprd/state/http/errors":        faults,
		"daprd/state/grpc/componentName": names,
		"daprd/state/http/componentName": names,

		"daprd/state/http/memory/save":        disk,
		"daprd/state/http/memory/transaction": disk,

		"daprd/state/http/basic":        "expects 204 for an item without a value, which daprd's client of pluggable stores refuses: see http_test.go",
		"daprd/state/http/nostatestore": "has no store",

		"daprd/workflow/continueasnew/inboxoverload":   sql,
		"daprd/workflow/continueasnew/multi":           sql,
		"daprd/workflow/continueasnew/raisebatch":      sql,
		"daprd/workflow/continueasnew/raisebatchnodup": sql,

		"daprd/workflow/purge/retention/kubernetes/base": "is about reading a configuration from Kubernetes",
	}
}
