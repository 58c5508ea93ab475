// SPDX-License-Identifier: Apache-2.0

// Package sabotage has the whole harness find mistakes that statecpp itself makes:
// those of engine/fail_point.h that clients can see. STATECPP_BIN must be built with
// fail points, as `./dev test asan` builds it.
package sabotage

import (
	"testing"

	"statecpp.dev/tests/dapr/linear"
)

func TestEveryPlantedMistakeIsFound(t *testing.T) {
	for _, name := range []string{
		"answer-before-the-commit", "keep-the-deleted", "lose-updates", "reuse-etags", "show-the-expired",
		"tear-transactions",
	} {
		t.Run(name, func(t *testing.T) {
			for _, finding := range linear.RunUntilFound(t, linear.Plan{
				Name: name, Seed: linear.Seed(t), Lives: 10, Quick: true, Sabotage: name,
			}) {
				t.Log(finding)
			}
		})
	}
}

// The same program without one: what is found is not the build's fault.
func TestWithoutAMistakeNothingIsFound(t *testing.T) {
	for _, finding := range linear.Run(t, linear.Plan{
		Name: "no mistake", Seed: linear.Seed(t), Lives: 2, Drain: true, Quick: true,
	}) {
		t.Error(finding)
	}
}
