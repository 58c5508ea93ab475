// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"
	"strings"
	"sync"
)

// What the store must not print: names of keys and values of items. Every pair
// that is closed is looked at, so every test is a test of this, too, as far as
// its values are long enough to be recognised.
//
// Names of keys need not be long: daprd puts the app's name and "||" in front of
// them, which nothing else has in it.
const keySeparator = "||"

// Shorter values could be in a log by chance; of larger ones the beginning is
// looked for, and of the thousands that some tests write the first.
const (
	shortestValue = 12
	longestValue  = 64
	mostValues    = 2000
)

var values = struct {
	sync.Mutex
	kept map[string]bool
}{kept: map[string]bool{}}

func keepConfidential(value []byte) {
	values.Lock()
	defer values.Unlock()
	if len(value) >= shortestValue && len(values.kept) < mostValues {
		values.kept[string(value[:min(len(value), longestValue)])] = true
	}
}

// checkLog fails where `said`, which a store printed, tells of an item.
func checkLog(said string) error {
	for _, line := range strings.Split(said, "\n") {
		if strings.Contains(line, keySeparator) {
			return fmt.Errorf("the name of a key is in the store's log: %s", line)
		}
	}
	values.Lock()
	defer values.Unlock()
	for value := range values.kept {
		if strings.Contains(said, value) || strings.Contains(said, strings.ReplaceAll(value, `"`, `\"`)) {
			return fmt.Errorf("a value, %s, is in the store's log:\n%s", value, said)
		}
	}
	return nil
}
