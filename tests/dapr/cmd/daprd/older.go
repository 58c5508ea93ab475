// SPDX-License-Identifier: Apache-2.0

//go:build before_dapr_1_18

package main

import (
	"github.com/dapr/dapr/cmd/daprd/options"
	"github.com/dapr/dapr/pkg/runtime"
)

func addNewer(*runtime.Config, *options.Options) {}
