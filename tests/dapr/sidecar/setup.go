// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// A Setup is what stands beside a pair's components. Its zero value is what
// Start runs.
type Setup struct {
	AppID     string // of daprd; empty for app1
	Namespace string // of daprd; empty for Dapr's default

	// StoreAlone leaves out daprd, and with it HTTP and GRPC: for clients of the
	// socket itself.
	StoreAlone bool

	// ControlPlane adds placement and scheduler, which actors and workflows
	// need.
	ControlPlane bool

	// Program is an app of this module, ./cmd/PROGRAM, that daprd calls. It is
	// started before each daprd and told the port to serve on by --port, and
	// where daprd is as the Dapr CLI tells it: by environment.
	Program string

	// Command is an app too, with its arguments, and not ours: it is started as
	// Program is, and told the port by environment alone, in APP_PORT.
	Command []string

	// Names is a folder in which daprds find each other's apps, for service
	// invocation: the same for all of them.
	Names string

	// AppPort is where daprd finds an app that the test itself serves.
	AppPort string

	// Resources are files that daprd reads beside the components: a name and
	// the text.
	Resources map[string]string

	// Flags are more of daprd's.
	Flags []string

	// StoreThrough makes of the command that runs statecpp another one that ends
	// in it, by exec: for what has to be different around that process alone.
	StoreThrough func(dataRoot string, command []string) []string

	// SocketFolder makes the folder of the sockets before anything runs; nil:
	// a new one.
	SocketFolder func(path string) error
}

// StartAs is Start with more around the pair.
func StartAs(t testing.TB, setup Setup, components ...Component) *Pair {
	t.Helper()
	return start(t, func() (*Pair, error) { return newPair(Key, setup, nil, components) })
}

// Beside runs another daprd in front of p's store, as two apps on one machine
// have it. Components, app and control plane are its own; whatever is done to
// the store is done at p.
func (p *Pair) Beside(t testing.TB, setup Setup, components ...Component) *Pair {
	t.Helper()
	return start(t, func() (*Pair, error) { return newPair("", setup, p, components) })
}

func start(t testing.TB, begin func() (*Pair, error)) *Pair {
	t.Helper()
	pair, err := begin()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := pair.Close(); err != nil {
			t.Error(err)
		}
	})
	pair.report(t, nil)
	return pair
}

func (s Setup) makeSocketFolder(path string) error {
	if s.SocketFolder != nil {
		return s.SocketFolder(path)
	}
	return os.Mkdir(path, 0o700)
}

// write puts the resources where daprd looks for them.
func (s Setup) write(folder string) error {
	for name, text := range s.Resources {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// writeNames makes the configuration by which daprd uses Names, and returns its
// name.
func (s Setup) writeNames(folder string) (string, error) {
	file := filepath.Join(folder, "names.yaml")
	return file, os.WriteFile(file, fmt.Appendf(nil, `apiVersion: dapr.io/v1alpha1
kind: Configuration
metadata: {name: names}
spec:
  nameResolution: {component: directory, configuration: %q}
`, s.Names), 0o600)
}

// hasApp reports whether there is an app that is started with daprd.
func (s Setup) hasApp() bool { return s.Program != "" || len(s.Command) > 0 }

// environment is what daprd gets of it.
func (s Setup) environment() []string {
	var env []string
	if s.Namespace != "" {
		env = append(env, "NAMESPACE="+s.Namespace)
	}
	if s.ControlPlane {
		// What daprd tells placement to be found at; it serves nowhere else.
		env = append(env, "DAPR_HOST_IP=127.0.0.1")
	}
	return env
}
