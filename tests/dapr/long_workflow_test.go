// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	"github.com/dapr/durabletask-go/workflow"
	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// daprd loads a workflow with one bulk read of its whole history, and takes no
// reply of more than 4 MiB. Whatever a store does, a longer history cannot be
// loaded; what can be had is an error that says why. docs/operations.md quotes
// it.

// mebibyte is an activity that returns so much text.
func mebibyte(workflow.ActivityContext) (any, error) { return strings.Repeat("x", 1<<20), nil }

// collect has its input in mebibytes in its history, in the end.
func collect(ctx *workflow.WorkflowContext) (any, error) {
	var mebibytes int
	if err := ctx.GetInput(&mebibytes); err != nil {
		return nil, err
	}
	for range mebibytes {
		if err := ctx.CallActivity("step").Await(new(string)); err != nil {
			return nil, err
		}
	}
	return mebibytes, nil
}

// tooLong expects the error of a workflow whose history cannot be loaded.
func tooLong(err error) error {
	if err == nil {
		return errors.New("no error")
	}
	for _, word := range []string{"failed to load workflow state", "||history-0000", "left out: with this item the reply would pass the limit of 4192256 bytes"} {
		if !strings.Contains(err.Error(), word) {
			return fmt.Errorf("no %q in: %w", word, err)
		}
	}
	return nil
}

func TestAWorkflowPast4MiBStopsAndTheErrorSaysWhy(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"})
	app := work(t, pair, register(t, "collect", collect, mebibyte))
	app.begin(t, "collect", "long", workflow.WithInput(6))
	pair.Await(t, "the workflow cannot be loaded", func() error {
		_, err := app.FetchWorkflowMetadata(t.Context(), "long")
		return tooLong(err)
	})
	// It may come after the first refusal.
	pair.Await(t, "daprd says that the workflow is stalled", func() error {
		if !strings.Contains(pair.DaprdSaid(), "Workflow actor 'long': workflow is stalled") {
			return errors.New("it does not")
		}
		return nil
	})

	_, _, err := pair.HTTP.Do(http.MethodGet, "/v1.0/workflows/dapr/long", nil)
	wantRefusal(t, err, http.StatusInternalServerError, codes.Internal,
		"failed to load workflow state", "the reply would pass the limit of 4192256 bytes")

	app.begin(t, "collect", "short", workflow.WithInput(2)) // beside it, all is well
	app.wantEnd(t, "short", "2")
}

// With a larger --max-body-size daprd does not stop such a workflow, since it
// remembers the history while it runs. Once it has forgotten it, nothing can be
// done about that workflow any more.
func TestWithALargerBodyAWorkflowPast4MiBEndsButIsNotSeenAgain(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"}, "--max-body-size=16Mi")
	app := work(t, pair, register(t, "collect", collect, mebibyte))
	app.begin(t, "collect", "long", workflow.WithInput(6))
	app.wantEnd(t, "long", "6")

	pair.RestartDaprd(t)
	app = work(t, pair, register(t, "collect", collect, mebibyte))
	_, err := app.FetchWorkflowMetadata(t.Context(), "long")
	_, history := app.GetInstanceHistory(t.Context(), "long")
	_, again := app.ScheduleWorkflow(t.Context(), "collect", workflow.WithInstanceID("long"), workflow.WithInput(1))
	for what, err := range map[string]error{
		"its state":           err,
		"its history":         history,
		"its purge":           app.PurgeWorkflowState(t.Context(), "long"),
		"its purge by force":  app.PurgeWorkflowState(t.Context(), "long", workflow.WithForcePurge(true)),
		"another of its name": again,
	} {
		if err := tooLong(err); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
	app.begin(t, "collect", "short", workflow.WithInput(2))
	app.wantEnd(t, "short", "2")
}
