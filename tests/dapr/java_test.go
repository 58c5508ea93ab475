// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"strings"
	"testing"
)

// Maven keeps what it fetches in its own cache; what it compiles is beside the
// example, in a folder that git ignores.
func TestTheJavaExampleRuns(t *testing.T) {
	need(t, "JAVA", "a JDK of 17 or later", "javac", "--release", "17", "--version")
	need(t, "JAVA", "Maven", "mvn", "--version")
	pair := startForExample(t, "java")
	said := shell(t, exampleFolder("java"), where(pair),
		"mvn", "--batch-mode", "--quiet", "compile", "exec:java")
	said = strings.ReplaceAll(said, "\x1b[0m", "") // Maven's, terminal or not
	wantLines(t, said, shown(t, "java", "dapr run")...)
	wantMissing(t, pair.HTTP, "statestore", "order-1")
}
