// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"context"
	"io"
	"reflect"

	"github.com/dapr/components-contrib/state"
	dapr "github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/dapr/tests/integration/framework/process/statestore/inmemory"
	"github.com/dapr/dapr/tests/integration/suite"
	"github.com/dapr/kit/logger"

	"statecpp.dev/tests/dapr/sidecar"
)

// interpose puts our store behind the faults that a case makes, if it makes
// any: daprd speaks to a pluggable store in this process, which fails what it
// was told to and hands the rest to the store in memory that is replaced here.
func interpose(one suite.Case, pair *sidecar.Pair) bool {
	interposed := false
	fields := reflect.ValueOf(one).Elem()
	for i := range fields.NumField() {
		field := fields.Field(i)
		if field.Kind() != reflect.Pointer || field.Type().Elem().Kind() != reflect.Struct || field.IsNil() {
			continue
		}
		embedded := field.Elem().FieldByName("Wrapped")
		if !embedded.IsValid() {
			continue
		}
		if store, found := exported(embedded).(*inmemory.Wrapped); found {
			store.Store = behind(pair)
			interposed = true
		}
	}
	return interposed
}

// exported is the value of a field that may not be exported.
func exported(field reflect.Value) any {
	return reflect.NewAt(field.Type(), field.Addr().UnsafePointer()).Elem().Interface()
}

func behind(pair *sidecar.Pair) state.Store {
	return client{dapr.NewGRPCStateStore(logger.NewLogger("integration"), pair.Socket())}
}

// A client is daprd's own, initialised with our fields.
type client struct{ wire }

type wire interface {
	state.Store
	state.TransactionalStore
	io.Closer
}

func (c client) Init(ctx context.Context, metadata state.Metadata) error {
	metadata.Properties = sidecar.Component{}.Properties()
	return c.wire.Init(ctx, metadata)
}
