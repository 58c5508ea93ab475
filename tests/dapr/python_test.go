// SPDX-License-Identifier: Apache-2.0

package dapr_test

import "testing"

// What it depends on is kept beside it, in a folder that git ignores.
func TestThePythonExampleRuns(t *testing.T) {
	const newEnough = "import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))"
	need(t, "PYTHON", "Python 3.10 or later with venv", "python3", "-c", newEnough)
	pair := startForExample(t, "python")

	folder := exampleFolder("python")
	shell(t, folder, nil, "python3", "-m", "venv", ".venv")
	shell(t, folder, nil, ".venv/bin/pip", "install", "--quiet", "--require-hashes",
		"--disable-pip-version-check", "-r", "requirements.txt")
	said := shell(t, folder, where(pair), ".venv/bin/python", "app.py")
	wantLines(t, said, shown(t, "python", "dapr run")...)
	wantMissing(t, pair.HTTP, "statestore", "order-1")
}
