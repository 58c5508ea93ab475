// SPDX-License-Identifier: Apache-2.0

//go:build !before_dapr_1_18

package main

import (
	"go.opencensus.io/stats/view"

	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/runtime"
)

// addNewer sets what the runtime has learnt since 1.17.
func addNewer(config *runtime.Config, o *options.Options) {
	config.ActorsDisseminationTimeout = o.ActorsDisseminationTimeout
	config.HotReloadReconcileInterval = o.HotReloadReconcileInterval
	config.DisableInitEndpoints = o.DisableInitEndpoints
	config.Metrics.Meter = view.NewMeter()
}
