// SPDX-License-Identifier: Apache-2.0

package sidecar

import "testing"

func TestALogThatTellsOfAnItemIsNoticed(t *testing.T) {
	Item{Key: "k", Value: []byte(`{"card":"4000-1234"}`)}.json()
	Item{Key: "k", Value: []byte(`"by gRPC, as it is"`)}.proto()
	for _, bad := range []string{
		`level=warning msg="app||k is damaged"`,
		`level=warning msg="not JSON" value={"card":"4000-1234"}`,
		`level=warning msg="not JSON: {\"card\":\"4000-1234\"}"`,
		`level=info msg="got "by gRPC, as it is""`,
	} {
		if checkLog("level=info msg=ready\n"+bad+"\n") == nil {
			t.Errorf("passed: %s", bad)
		}
	}
	for _, good := range []string{"", `level=warning msg="a record of \"statestore\" is damaged"`} {
		if err := checkLog(good); err != nil {
			t.Error(err)
		}
	}
}
