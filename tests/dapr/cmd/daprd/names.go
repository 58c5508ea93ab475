// SPDX-License-Identifier: Apache-2.0

package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"

	"github.com/dapr/components-contrib/nameresolution"
	"github.com/dapr/kit/logger"
)

// A directory is a name resolver for daprds of one machine: each writes in a
// folder, the resolver's whole configuration, where it is, under its app's name.
// Upstream's for such a machine, mDNS, would send multicast on every interface.
type directory struct{ folder string }

func newDirectory(logger.Logger) nameresolution.Resolver { return &directory{} }

func (d *directory) Init(_ context.Context, metadata nameresolution.Metadata) error {
	folder, ok := metadata.Configuration.(string)
	if !ok {
		return fmt.Errorf("its configuration is %v, want the name of a folder", metadata.Configuration)
	}
	d.folder = folder
	instance := metadata.Instance
	address := net.JoinHostPort(instance.Address, strconv.Itoa(instance.DaprInternalPort))
	return os.WriteFile(filepath.Join(folder, instance.AppID), []byte(address), 0o600)
}

func (d *directory) ResolveID(_ context.Context, request nameresolution.ResolveRequest) (string, error) {
	address, err := os.ReadFile(filepath.Join(d.folder, filepath.Base(request.ID)))
	return string(address), err
}

func (d *directory) Close() error { return nil }
