// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"encoding/json"
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
	Name    string
	Fields  map[string]string
	Secrets map[string]string // fields that daprd takes from its secret store

	InitTimeout string // spec.initTimeout; empty for daprd's default, 5s

	file string // the whole text, if it was read from a file
}

// Sealed reports whether this run is the one on sealed stores; every test that
// does not say otherwise is for both.
func Sealed() bool { return os.Getenv("STATECPP_TEST_SEALED") != "" }

// FromText takes a component's file as it stands.
func FromText(name, text string) Component { return Component{Name: name, file: text} }

// FromFile takes a component's file as it stands.
func FromFile(name, path string) (Component, error) {
	text, err := os.ReadFile(path)
	return FromText(name, string(text)), err
}

// With returns a copy of the component with one field more, or changed.
func (c Component) With(field, value string) Component {
	c.Fields = with(c.Fields, field, value)
	return c
}

// WithSecret returns a copy of the component with one field more whose value
// is not in its file: daprd takes it from a secret store.
func (c Component) WithSecret(field, value string) Component {
	c.Secrets = with(c.Secrets, field, value)
	return c
}

func with(fields map[string]string, field, value string) map[string]string {
	fields = maps.Clone(fields)
	if fields == nil {
		fields = map[string]string{}
	}
	fields[field] = value
	return fields
}

// Properties are the component's fields as Init carries them, but for secrets.
// A sealed store takes no field at all.
func (c Component) Properties() map[string]string {
	fields := map[string]string{}
	if !Sealed() {
		fields["encryption"] = "off"
	}
	maps.Copy(fields, c.Fields)
	return fields
}

// yaml is the component as a Dapr user would write it. Every value is quoted,
// because an unquoted `off` reaches the store as `false`.
func (c Component) yaml() string {
	if c.file != "" {
		return c.file
	}
	fields := c.Properties()
	var b strings.Builder
	fmt.Fprintf(&b, `apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: %s
spec:
  type: state.cpp
  version: v1
`, c.Name)
	if c.InitTimeout != "" {
		fmt.Fprintf(&b, "  initTimeout: %s\n", c.InitTimeout)
	}
	b.WriteString("  metadata:\n")
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		fmt.Fprintf(&b, "  - name: %s\n    value: %q\n", name, fields[name])
	}
	for _, name := range slices.Sorted(maps.Keys(c.Secrets)) {
		fmt.Fprintf(&b, "  - name: %s\n    secretKeyRef:\n      name: %[2]s\n      key: %[2]s\n",
			name, c.secretName(name))
	}
	if len(c.Secrets) > 0 {
		fmt.Fprintf(&b, "auth:\n  secretStore: %s\n", secretStore)
	}
	return b.String()
}

// The name of daprd's secret store, and in it that of a component's secret.
const secretStore = "secrets"

func (c Component) secretName(field string) string { return c.Name + "-" + field }

// writeSecrets makes the secret store that the components' files refer to, if
// any does. It cannot be changed afterwards.
func writeSecrets(resources string, components []Component) error {
	secrets := map[string]string{}
	for _, component := range components {
		for field, value := range component.Secrets {
			secrets[component.secretName(field)] = value
		}
	}
	if len(secrets) == 0 {
		return nil
	}
	text, err := json.Marshal(secrets)
	if err != nil {
		return err
	}
	file := filepath.Join(filepath.Dir(resources), "secrets.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return err
	}
	yaml := fmt.Sprintf(`apiVersion: dapr.io/v1alpha1
kind: Component
metadata:
  name: %s
spec:
  type: secretstores.local.file
  version: v1
  metadata:
  - name: secretsFile
    value: %q
`, secretStore, file)
	return os.WriteFile(filepath.Join(resources, secretStore+".yaml"), []byte(yaml), 0o600)
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
