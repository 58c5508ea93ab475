// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"

	"statecpp.dev/tests/dapr/sidecar"
)

// What the tests of the examples share. An example is what a reader copies
// first, so each is run as it stands, with its own component file and what it
// pins of others' packages, and has to print what its README shows.

func exampleFolder(language string) string { return "../../examples/" + language }

// startForExample runs a pair on the example's own component.
func startForExample(t *testing.T, language string) *sidecar.Pair {
	t.Helper()
	component, err := sidecar.FromFile("statestore",
		exampleFolder(language)+"/components/statestore.yaml")
	if err != nil {
		t.Fatal(err)
	}
	return sidecar.Start(t, component)
}

// where tells an app where daprd is, as the Dapr CLI does.
func where(pair *sidecar.Pair) []string {
	return []string{"DAPR_HTTP_PORT=" + pair.HTTP.Port(), "DAPR_GRPC_PORT=" + pair.GRPC.Port()}
}

// shown are the lines that the example's README shows below a command that
// begins like that.
func shown(t *testing.T, language, command string) []string {
	t.Helper()
	readme, err := os.ReadFile(exampleFolder(language) + "/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, after, found := strings.Cut(string(readme), "\n$ "+command)
	_, after, _ = strings.Cut(after, "\n")
	var lines []string
	for line := range strings.SplitSeq(after, "\n") {
		if strings.HasPrefix(line, "$ ") || strings.HasPrefix(line, "```") {
			break
		}
		lines = append(lines, line)
	}
	if !found || len(lines) == 0 {
		t.Fatalf("the README of %s shows nothing below %q", language, command)
	}
	return lines
}

// wantLines expects each line, in this order; others may come between.
func wantLines(t *testing.T, said string, lines ...string) {
	t.Helper()
	rest := strings.Split(said, "\n")
	for _, line := range lines {
		for len(rest) > 0 && rest[0] != line {
			rest = rest[1:]
		}
		if len(rest) == 0 {
			t.Fatalf("it did not say %q after what comes before; it said\n%s", line, said)
		}
		rest = rest[1:]
	}
}

// need skips a test whose program cannot be run here.
func need(t *testing.T, example, what, name string, args ...string) string {
	t.Helper()
	said, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		t.Skipf("SKIPPED: THE %s EXAMPLE WAS NOT RUN: it needs %s: %v\n%s", example, what, err, said)
	}
	return string(said)
}

// shell runs a program that has to succeed and returns what it printed.
func shell(t *testing.T, folder string, env []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), name, args...)
	cmd.Dir = folder
	cmd.Env = append(os.Environ(), env...)
	said, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", name, strings.Join(args, " "), err, said)
	}
	return string(said)
}
