// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// A Component is one Dapr component of type state.cpp: a name that the app
// uses, and the fields of spec.metadata.
type Component struct {
	Name   string
	Fields map[string]string

	file string // the whole text, if it was read from a file
}

// FromFile takes a component's file as it stands.
func FromFile(name, path string) (Component, error) {
	text, err := os.ReadFile(path)
	return Component{Name: name, file: string(text)}, err
}

// With returns a copy of the component with one field more, or changed.
func (c Component) With(field, value string) Component {
	fields := maps.Clone(c.Fields)
	if fields == nil {
		fields = map[string]string{}
	}
	fields[field] = value
	return Component{Name: c.Name, Fields: fields}
}

// yaml is the component as a Dapr user would write it. Every value is quoted,
// because an unquoted `off` reaches the store as `false`.
func (c Component) yaml() string {
	if c.file != "" {
		return c.file
	}
	fields := map[string]string{"encryption": "off"}
	maps.Copy(fields, c.Fields)
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: %s
spec:
  type: state.cpp
  version: v1
  metadata:
`, c.Name)
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "  - name: %s\n    value: %q\n", name, fields[name])
	}
	return b.String()
}

// write puts the component where daprd looks for it, by rename: daprd watches
// the folder, and must never read half a file.
func (c Component) write(resources string) error {
	aside := filepath.Join(filepath.Dir(resources), c.Name+".new")
	if err := os.WriteFile(aside, []byte(c.yaml()), 0o600); err != nil {
		return err
	}
	return os.Rename(aside, filepath.Join(resources, c.Name+".yaml"))
}
