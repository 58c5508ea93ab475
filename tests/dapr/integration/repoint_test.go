// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"

	"sigs.k8s.io/yaml"
)

// A case starts daprd with components that name the store it was written for.
// What it starts is this test's own binary under the name of daprd, which
// repoints the components to state.cpp and then becomes daprd.

// A target is what to repoint to. It is read from a file beside the binary:
// a case may give daprd an environment of its own.
type target struct {
	Daprd   string // the real one
	Sockets string // where daprd finds the store
	Plain   bool   // whether the components say encryption: "off"
	Keep    bool   // change nothing: see interpose
}

const targetFile = "target.json"

// becomeDaprd returns only if it fails.
func becomeDaprd() error {
	text, err := os.ReadFile(filepath.Join(filepath.Dir(os.Args[0]), targetFile))
	if err != nil {
		return err
	}
	var to target
	if err := json.Unmarshal(text, &to); err != nil {
		return err
	}
	environment := os.Environ()
	if !to.Keep {
		const sockets = "DAPR_COMPONENTS_SOCKETS_FOLDER="
		environment = slices.DeleteFunc(environment, func(entry string) bool {
			return strings.HasPrefix(entry, sockets)
		})
		environment = append(environment, sockets+to.Sockets)
		for _, argument := range os.Args {
			if folder, found := strings.CutPrefix(argument, "--resources-path="); found {
				if err := to.repointFolder(folder); err != nil {
					return err
				}
			}
		}
	}
	return syscall.Exec(to.Daprd, os.Args, environment)
}

func (to target) repointFolder(folder string) error {
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	if err != nil {
		return err
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		documents := bytes.Split(text, []byte("\n---"))
		for i, document := range documents {
			if documents[i], err = to.repoint(document); err != nil {
				return fmt.Errorf("%s: %w", file, err)
			}
		}
		if err := os.WriteFile(file, bytes.Join(documents, []byte("\n---\n")), 0o600); err != nil {
			return err
		}
	}
	return nil
}

// repoint has a state store's component name ours, with the fields it has.
func (to target) repoint(document []byte) ([]byte, error) {
	var component map[string]any
	if err := yaml.Unmarshal(document, &component); err != nil {
		return nil, err
	}
	spec, _ := component["spec"].(map[string]any)
	kind, _ := spec["type"].(string)
	if component["kind"] != "Component" || !strings.HasPrefix(kind, "state.") {
		return document, nil
	}
	spec["type"] = "state.cpp"
	if to.Plain {
		fields, _ := spec["metadata"].([]any)
		spec["metadata"] = append(fields, map[string]any{"name": "encryption", "value": "off"})
	}
	return yaml.Marshal(component)
}
