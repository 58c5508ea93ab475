// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"context"
	"encoding/json"
	"testing"

	componentsv1 "github.com/dapr/dapr/pkg/proto/components/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// Row is the value that the store has under exactly that key, and "" where it
// has none. The question goes past daprd, which would add a prefix, to the
// store's socket, in daprd's words.
func (p *Pair) Row(t testing.TB, component, key string) string {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+p.Socket(), grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	ctx, cancel := context.WithTimeout(t.Context(), requestLimit)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "x-component-instance", component)
	answer, err := componentsv1.NewStateStoreClient(conn).Get(ctx, &componentsv1.GetRequest{Key: key})
	if err != nil {
		t.Fatalf("get of the row %q of %s: %v", key, component, err)
	}
	return string(answer.GetData())
}

// CountRecords is how many records the store holds, expired ones included. It
// reads every one of them, and fails where one is damaged or there is no store.
func (p *Pair) CountRecords() (int64, error) {
	binary, err := StoreBinary()
	if err != nil {
		return 0, err
	}
	text, err := run(p.folder, binary, "verify", "--data-root", p.DataRoot(), "--json", "--quiet")
	if err != nil {
		return 0, err
	}
	var report struct{ Records int64 }
	err = json.Unmarshal([]byte(text), &report)
	return report.Records, err
}
