// SPDX-License-Identifier: Apache-2.0

// Command scheduler is Dapr's scheduler service, unchanged. This package only
// makes it a program of this module, built from the versions in go.mod.
package main

import "github.com/dapr/dapr/cmd/scheduler/app"

func main() { app.Run() }
