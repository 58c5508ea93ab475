// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"encoding/json"
	"os"
	"strconv"
	"time"

	"statecpp.dev/tests/dapr/sidecar"
)

// appendToLedger adds a line of one run to the file that STATECPP_PROVE_LEDGER
// names, if any.
func appendToLedger(plan Plan, figures map[string]int64, findings []Finding, took time.Duration) error {
	path := os.Getenv("STATECPP_PROVE_LEDGER")
	if path == "" || plan.Via != nil {
		return nil
	}
	wrong := map[Kind]int{Lost: 0, Torn: 0, False: 0}
	for _, finding := range findings {
		wrong[finding.Kind]++
	}
	part := "plain, "
	if sidecar.Sealed() {
		part = "sealed, "
	}
	line, err := json.Marshal(struct {
		Harness string           `json:"harness"`
		Part    string           `json:"part"`
		Seed    string           `json:"seed"`
		Counts  map[string]int64 `json:"counts"`
		Wrong   map[Kind]int     `json:"wrong"`
		Seconds float64          `json:"seconds"`
	}{"linear", part + plan.Name, strconv.FormatUint(plan.Seed, 10), figures, wrong,
		float64(took.Milliseconds()) / 1000})
	if err != nil {
		return err
	}
	file, err := os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	_, err = file.Write(append(line, '\n'))
	if closed := file.Close(); err == nil {
		err = closed
	}
	return err
}
