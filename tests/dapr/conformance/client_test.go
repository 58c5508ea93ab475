// SPDX-License-Identifier: Apache-2.0

package conformance_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/dapr/components-contrib/state"
	dapr "github.com/dapr/dapr/pkg/components/state"
	"github.com/dapr/kit/logger"

	"statecpp.dev/tests/dapr/sidecar"
)

// A client is daprd's own, with one thing added. The suite wants to know which
// items of a bulk call failed, as an error for each; the wire carries one error
// for the whole call, and ours names the keys in its text.
type client struct{ wire }

// What daprd's client has beside a Store. Were it embedded as it is, so would
// be whatever else it has.
type wire interface {
	state.Store
	state.TransactionalStore
	state.TransactionalStoreMultiMaxSize
	state.Querier
}

func (c client) BulkSet(ctx context.Context, reqs []state.SetRequest, opts state.BulkStoreOpts) error {
	return apart(c.wire.BulkSet(ctx, reqs, opts), reqs)
}

func (c client) BulkDelete(ctx context.Context, reqs []state.DeleteRequest, opts state.BulkStoreOpts) error {
	return apart(c.wire.BulkDelete(ctx, reqs, opts), reqs)
}

// apart takes the error of a bulk call apart: into one for each item whose key
// its text names. Where those are not as many as the text says, the error is
// returned as it is, which the suite does not accept.
func apart[Request state.StateRequest](err error, reqs []Request) error {
	var mismatch *state.ETagError
	if !errors.As(err, &mismatch) {
		return err
	}
	var failed []error
	for _, req := range reqs {
		if strings.Contains(err.Error(), fmt.Sprintf("%q", req.GetKey())) {
			failed = append(failed, state.NewBulkStoreError(req.GetKey(), mismatch))
		}
	}
	count := fmt.Sprintf(" %d of %d items were not written", len(failed), len(reqs))
	if !strings.Contains(err.Error(), count) {
		return err
	}
	return errors.Join(failed...)
}

// A modest store says nothing of TTL.
type modest struct{ client }

func (m modest) Features() []state.Feature {
	return slices.DeleteFunc(slices.Clone(m.client.Features()), func(f state.Feature) bool {
		return f == state.FeatureTTL
	})
}

func connect(pair *sidecar.Pair) client {
	return client{dapr.NewGRPCStateStore(logger.NewLogger("conformance"), pair.Socket())}
}

func properties() map[string]string { return sidecar.Component{}.Properties() }

func initMetadata() (m state.Metadata) {
	m.Properties = properties()
	return m
}
