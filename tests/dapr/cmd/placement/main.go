// SPDX-License-Identifier: Apache-2.0

// Command placement is Dapr's placement service, unchanged. This package only
// makes it a program of this module, built from the versions in go.mod.
package main

import "github.com/dapr/dapr/cmd/placement/app"

func main() { app.Run() }
