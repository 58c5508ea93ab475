// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/dapr/durabletask-go/api"
	"github.com/dapr/durabletask-go/workflow"

	"statecpp.dev/tests/dapr/sidecar"
)

// startWorkflows runs a daprd that can run workflows, on a store.
func startWorkflows(t *testing.T, store sidecar.Component, flags ...string) *sidecar.Pair {
	t.Helper()
	return sidecar.StartAs(t, sidecar.Setup{ControlPlane: true, Flags: flags}, store.With("actorStateStore", "true"))
}

// A factory is an app with workflows: it offers daprd what is registered, and
// asks daprd for new ones.
type factory struct {
	*workflow.Client
	pair *sidecar.Pair
}

// work offers the registered workflows to the pair's daprd until it ends, and
// returns once daprd knows.
func work(t *testing.T, pair *sidecar.Pair, registry *workflow.Registry) factory {
	t.Helper()
	client := workflow.NewClientWithLogger(pair.GRPC.Conn(), quiet{})
	if err := client.StartWorker(t.Context(), registry); err != nil {
		t.Fatal(err)
	}
	pair.Await(t, "daprd has the worker, and placement its workflows", func() error {
		_, body, err := pair.HTTP.Do(http.MethodGet, "/v1.0/metadata", nil)
		if err != nil {
			return err
		}
		var metadata struct {
			ActorRuntime struct{ ActiveActors []any }
			Workflows    struct{ ConnectedWorkers int }
		}
		err = json.Unmarshal(body, &metadata)
		if err == nil && (len(metadata.ActorRuntime.ActiveActors) < 3 || metadata.Workflows.ConnectedWorkers < 1) {
			err = fmt.Errorf("it says %s", body)
		}
		return err
	})
	return factory{client, pair}
}

func (f factory) begin(t *testing.T, name, id string, options ...workflow.NewWorkflowOptions) {
	t.Helper()
	if _, err := f.ScheduleWorkflow(t.Context(), name, append(options, workflow.WithInstanceID(id))...); err != nil {
		t.Fatalf("workflow %s does not begin: %v", id, err)
	}
}

// wantEnd waits for a workflow's end and expects it to be of the kind, and to
// have that output, as JSON.
func (f factory) wantEnd(t *testing.T, id, output string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	end, err := f.WaitForWorkflowCompletion(ctx, id)
	if err != nil {
		t.Fatalf("workflow %s does not end: %v", id, err)
	}
	if end.String() != "COMPLETED" || end.Output.GetValue() != output {
		t.Errorf("workflow %s is %s with %s and %v, want it completed with %s",
			id, end, end.Output.GetValue(), end.FailureDetails, output)
	}
}

// row is a row of a workflow's, whose key is Dapr's choice.
func (f factory) row(t *testing.T, id, key string) string {
	t.Helper()
	return f.pair.Row(t, "statestore", "app1||dapr.internal.default.app1.workflow||"+id+"||"+key)
}

// register is a registry with one workflow and one activity, `step`.
func register(t *testing.T, name string, one workflow.Workflow, step workflow.Activity) *workflow.Registry {
	t.Helper()
	registry := workflow.NewRegistry()
	if err := errors.Join(registry.AddWorkflowN(name, one), registry.AddActivityN("step", step)); err != nil {
		t.Fatal(err)
	}
	return registry
}

// double is an activity.
func double(ctx workflow.ActivityContext) (any, error) {
	var n int
	err := ctx.GetInput(&n)
	return 2 * n, err
}

// chain doubles its input that many times, one step after the other.
func chain(steps int) workflow.Workflow {
	return func(ctx *workflow.WorkflowContext) (any, error) {
		var n int
		if err := ctx.GetInput(&n); err != nil {
			return nil, err
		}
		for range steps {
			if err := ctx.CallActivity("step", workflow.WithActivityInput(n)).Await(&n); err != nil {
				return nil, err
			}
		}
		return n, nil
	}
}

// order is a workflow with one of each: steps in a row, steps at once, a timer
// and an event from outside.
func order(ctx *workflow.WorkflowContext) (any, error) {
	n := 1
	if err := ctx.CallActivity("step", workflow.WithActivityInput(n)).Await(&n); err != nil {
		return nil, err
	}
	var steps []workflow.Task
	for i := range 10 {
		steps = append(steps, ctx.CallActivity("step", workflow.WithActivityInput(i)))
	}
	for _, step := range steps {
		var one int
		if err := step.Await(&one); err != nil {
			return nil, err
		}
		n += one
	}
	if err := ctx.CreateTimer(1500 * time.Millisecond).Await(nil); err != nil {
		return nil, err
	}
	ctx.SetCustomStatus("waiting")
	var approved int
	err := ctx.WaitForExternalEvent("approved", time.Minute).Await(&approved)
	return n + approved, err
}

// The store's time to live is shorter than the workflow lives; were it put on
// rows of a workflow, which says none, they would be gone before the end.
func TestAWorkflowRunsToItsEndAndIsPurged(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"}.With("ttlInSeconds", "1"))
	app := work(t, pair, register(t, "order", order, double))
	app.begin(t, "order", "o1")
	pair.Await(t, "the workflow waits for its event", func() error {
		if status := app.row(t, "o1", "customStatus"); !strings.Contains(status, "waiting") {
			return fmt.Errorf("its status is %q", status)
		}
		return nil
	})
	if err := app.RaiseEvent(t.Context(), "o1", "approved", workflow.WithEventPayload(1000)); err != nil {
		t.Fatal(err)
	}
	app.wantEnd(t, "o1", "1092")
	for _, key := range []string{"metadata", "history-000000", "customStatus"} {
		if app.row(t, "o1", key) == "" {
			t.Errorf("the store has no row %s of the workflow", key)
		}
	}

	if err := app.PurgeWorkflowState(t.Context(), "o1"); err != nil {
		t.Fatal(err)
	}
	for _, key := range []string{"metadata", "history-000000", "history-000020", "inbox-000000", "customStatus"} {
		if left := app.row(t, "o1", key); left != "" {
			t.Errorf("after the purge the row %s holds %q", key, left)
		}
	}
	if _, err := app.FetchWorkflowMetadata(t.Context(), "o1"); !errors.Is(err, api.ErrInstanceNotFound) {
		t.Errorf("after the purge, Dapr says of the workflow: %v", err)
	}
	if err := app.PurgeWorkflowState(t.Context(), "o1"); err == nil || !strings.Contains(err.Error(), api.ErrInstanceNotFound.Error()) {
		t.Errorf("the second purge: %v", err)
	}
}

// While a step runs, the store dies: what it did cannot be saved until the
// store is back. Dapr repeats what was not saved.
func TestAWorkflowSurvivesAKillOfTheStoreInTheMiddle(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"})
	const at, steps = 8, 12 // the input is 1, so that step n is given 2 to the n
	reached, dead := make(chan struct{}), make(chan struct{})
	var waited atomic.Bool
	step := func(ctx workflow.ActivityContext) (any, error) {
		var n int
		if err := ctx.GetInput(&n); err != nil {
			return nil, err
		}
		if n == 1<<at && !waited.Swap(true) {
			close(reached)
			<-dead
		}
		return 2 * n, nil
	}
	app := work(t, pair, register(t, "chain", chain(steps), step))
	app.begin(t, "chain", "c1", workflow.WithInput(1))
	<-reached
	pair.KillStore(t)
	close(dead)
	pair.Await(t, "daprd tries to save the step in vain", func() error {
		if strings.Contains(pair.DaprdSaid(), "failed to invoke scheduled actor reminder named: activity-result-") {
			return nil
		}
		return errors.New("it has not said so")
	})
	pair.RestartStore(t, "statestore")

	app.wantEnd(t, "c1", fmt.Sprint(1<<steps))
	if err := app.PurgeWorkflowState(t.Context(), "c1"); err != nil {
		t.Errorf("purge: %v", err)
	}
}

// Nobody remembers the workflow but the store: daprd and the app are new, and
// the store was killed before.
func TestANewDaprdGoesOnWithAWorkflow(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"})
	reached := make(chan struct{})
	stuck := func(ctx workflow.ActivityContext) (any, error) {
		var n int
		if err := ctx.GetInput(&n); err != nil {
			return nil, err
		}
		if n == 4 {
			close(reached)
			<-ctx.Context().Done()
			return nil, ctx.Context().Err()
		}
		return 2 * n, nil
	}
	app := work(t, pair, register(t, "chain", chain(5), stuck))
	app.begin(t, "chain", "c1", workflow.WithInput(1))
	<-reached
	pair.KillStore(t)
	pair.RestartStore(t, "statestore")
	pair.RestartDaprd(t)

	app = work(t, pair, register(t, "chain", chain(5), double))
	app.wantEnd(t, "c1", "32")
}

// `dapr workflow list` needs a store to list keys, which Dapr's protocol for
// stores like this one has no call for.
func TestWorkflowsCannotBeListed(t *testing.T) {
	pair := startWorkflows(t, sidecar.Component{Name: "statestore"})
	app := work(t, pair, register(t, "chain", chain(1), double))
	app.begin(t, "chain", "c1", workflow.WithInput(1))
	app.wantEnd(t, "c1", "2")

	listed, err := app.ListInstanceIDs(t.Context())
	if err == nil || !strings.Contains(err.Error(), "does not support listing keys") {
		t.Errorf("got %v and %v; if Dapr can list them now, docs/operations.md is to say so", listed, err)
	}
}

// quiet is a logger of the workflow client that drops what it is given; daprd's
// own log tells the same.
type quiet struct{}

func (quiet) Debug(...any)          {}
func (quiet) Debugf(string, ...any) {}
func (quiet) Info(...any)           {}
func (quiet) Infof(string, ...any)  {}
func (quiet) Warn(...any)           {}
func (quiet) Warnf(string, ...any)  {}
func (quiet) Error(...any)          {}
func (quiet) Errorf(string, ...any) {}
