// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// StoreBinary is the statecpp under test: $STATECPP_BIN, or what Bazel built.
var StoreBinary = sync.OnceValues(func() (string, error) {
	path := os.Getenv("STATECPP_BIN")
	if path == "" {
		module, err := moduleFolder()
		if err != nil {
			return "", err
		}
		path = filepath.Join(module, "../../bazel-bin/statecpp")
	}
	return existing(path, "build it with `bazel build //:statecpp`, or name it in STATECPP_BIN")
})

// DaprdBinary is $DAPRD_BIN, or ours, built on first use.
var DaprdBinary = sync.OnceValues(func() (string, error) { return daprBinary("daprd") })

// ControlPlaneBinary is $PLACEMENT_BIN or $SCHEDULER_BIN, or ours.
func ControlPlaneBinary(name string) (string, error) {
	if name == "placement" {
		return placementBinary()
	}
	return schedulerBinary()
}

var (
	placementBinary = sync.OnceValues(func() (string, error) { return daprBinary("placement") })
	schedulerBinary = sync.OnceValues(func() (string, error) { return daprBinary("scheduler") })
)

// daprBinary is a program of Dapr's: one that the environment names, or that of
// ./cmd.
func daprBinary(name string) (string, error) {
	variable := strings.ToUpper(name) + "_BIN"
	if path := os.Getenv(variable); path != "" {
		return existing(path, "it is named in "+variable)
	}
	return ProgramBinary(name)
}

// ProgramBinary builds ./cmd/NAME into .bin beside go.mod. The go command leaves
// an up-to-date binary alone, so only the first build of a machine takes
// minutes.
func ProgramBinary(name string) (string, error) {
	module, err := moduleFolder()
	if err != nil {
		return "", err
	}
	version, err := run(module, "go", "list", "-m", "-f", "{{.Version}}", "github.com/dapr/dapr")
	if err != nil {
		return "", err
	}
	// Without it daprd calls itself "edge" and leaves the version out of its
	// metadata.
	stamp := "-X github.com/dapr/dapr/pkg/buildinfo.version=" + strings.TrimPrefix(version, "v")
	path := filepath.Join(module, ".bin", name)
	if _, err := os.Stat(path); err != nil {
		fmt.Fprintf(os.Stderr, "building %s for Dapr %s for the first time: this may take minutes\n", name, version)
	}
	_, err = run(module, "go", "build", "-ldflags", stamp, "-o", path, "./cmd/"+name)
	return path, err
}

// moduleFolder is where go.mod stands, whichever package's test is running.
func moduleFolder() (string, error) {
	path, err := run(".", "go", "env", "GOMOD")
	return filepath.Dir(path), err
}

func run(folder, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var complaint strings.Builder
	cmd.Stderr = &complaint
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("%s %s: %w\n%s", name, strings.Join(args, " "), err, complaint.String())
	}
	return strings.TrimSpace(string(out)), nil
}

func existing(path, remedy string) (string, error) {
	absolute, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(absolute); err != nil {
		return "", fmt.Errorf("no binary at %s: %s", absolute, remedy)
	}
	return absolute, nil
}
