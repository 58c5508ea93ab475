// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"context"

	commonv1 "github.com/dapr/dapr/pkg/proto/common/v1"
	runtimev1 "github.com/dapr/dapr/pkg/proto/runtime/v1"
	"google.golang.org/genproto/googleapis/rpc/errdetails"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// GRPCApp speaks Dapr's gRPC API with the client generated from Dapr's proto.
type GRPCApp struct {
	address string
	conn    *grpc.ClientConn
	client  runtimev1.DaprClient
}

var _ App = (*GRPCApp)(nil)

func newGRPCApp(address string) (*GRPCApp, error) {
	conn, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()),
		// As large as anything may get in a test of just that: a workflow's
		// history, a request past the store's own limit.
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(128<<20), grpc.MaxCallSendMsgSize(128<<20)))
	if err != nil {
		return nil, err
	}
	return &GRPCApp{address, conn, runtimev1.NewDaprClient(conn)}, nil
}

// Port is what an SDK reads from DAPR_GRPC_PORT.
func (a *GRPCApp) Port() string { return portOf(a.address) }

// Conn is for what an App does not do; it ends with the pair's daprd.
func (a *GRPCApp) Conn() *grpc.ClientConn { return a.conn }

func (a *GRPCApp) Save(store string, items ...Item) error {
	return ask(a.client.SaveState, &runtimev1.SaveStateRequest{StoreName: store, States: protos(items)})
}

func (a *GRPCApp) Get(store, key string) (Got, error) { return a.GetWith(store, key, "") }

func (a *GRPCApp) GetWith(store, key string, consistency Consistency) (Got, error) {
	answer, err := answer(a.client.GetState, &runtimev1.GetStateRequest{
		StoreName: store, Key: key, Consistency: consistency.proto()})
	if err != nil {
		return Got{}, err
	}
	return Got{key, answer.GetData(), answer.GetEtag(), answer.GetMetadata()["ttlExpireTime"], ""}, nil
}

func (a *GRPCApp) BulkGet(store string, keys ...string) ([]Got, error) {
	answer, err := answer(a.client.GetBulkState, &runtimev1.GetBulkStateRequest{StoreName: store, Keys: keys})
	if err != nil {
		return nil, err
	}
	var got []Got
	for _, i := range answer.GetItems() {
		got = append(got, Got{i.GetKey(), i.GetData(), i.GetEtag(), i.GetMetadata()["ttlExpireTime"], i.GetError()})
	}
	return got, nil
}

func (a *GRPCApp) Delete(store string, item Item) error {
	one := item.proto()
	return ask(a.client.DeleteState, &runtimev1.DeleteStateRequest{
		StoreName: store, Key: one.GetKey(), Etag: one.GetEtag(),
		Options: one.GetOptions(), Metadata: one.GetMetadata()})
}

// BulkDelete exists over gRPC alone.
func (a *GRPCApp) BulkDelete(store string, items ...Item) error {
	return ask(a.client.DeleteBulkState, &runtimev1.DeleteBulkStateRequest{StoreName: store, States: protos(items)})
}

func (a *GRPCApp) Transact(store string, operations ...Operation) error {
	request := &runtimev1.ExecuteStateTransactionRequest{StoreName: store}
	for _, operation := range operations {
		name := "upsert"
		if operation.IsDelete {
			name = "delete"
		}
		request.Operations = append(request.Operations, &runtimev1.TransactionalStateOperation{
			OperationType: name, Request: operation.proto()})
	}
	return ask(a.client.ExecuteStateTransaction, request)
}

func (a *GRPCApp) Query(store, query string) (Found, error) { return a.QueryBelow(store, "", query) }

func (a *GRPCApp) QueryBelow(store, keyPrefix, query string) (Found, error) {
	request := &runtimev1.QueryStateRequest{StoreName: store, Query: query}
	if keyPrefix != "" {
		request.Metadata = map[string]string{"keyPrefix": keyPrefix}
	}
	page, err := answer(a.client.QueryStateAlpha1, request)
	if err != nil {
		return Found{}, err
	}
	found := Found{Token: page.GetToken()}
	for _, row := range page.GetResults() {
		found.Rows = append(found.Rows, Got{Key: row.GetKey(), Value: row.GetData(), ETag: row.GetEtag(), Error: row.GetError()})
	}
	return found, nil
}

// call is the shape of every method of the generated client.
type call[Q, A any] func(context.Context, *Q, ...grpc.CallOption) (*A, error)

// answer makes one call; any status but OK is a Refusal.
func answer[Q, A any](method call[Q, A], request *Q) (*A, error) {
	ctx, cancel := context.WithTimeout(context.Background(), requestLimit)
	defer cancel()
	answer, err := method(ctx, request)
	if err != nil {
		s := status.Convert(err)
		return nil, &Refusal{GRPC: s.Code(), Text: s.Message(), Message: s.Message(), Kind: kindOf(s)}
	}
	return answer, nil
}

func kindOf(s *status.Status) string {
	for _, detail := range s.Details() {
		if info, ok := detail.(*errdetails.ErrorInfo); ok {
			return info.GetDomain() + "/" + info.GetReason()
		}
	}
	return ""
}

// ask makes a call whose answer holds nothing.
func ask[Q, A any](method call[Q, A], request *Q) error {
	_, err := answer(method, request)
	return err
}

func (c Consistency) proto() commonv1.StateOptions_StateConsistency {
	switch c {
	case Eventual:
		return commonv1.StateOptions_CONSISTENCY_EVENTUAL
	case Strong:
		return commonv1.StateOptions_CONSISTENCY_STRONG
	default:
		return commonv1.StateOptions_CONSISTENCY_UNSPECIFIED
	}
}

func (i Item) proto() *commonv1.StateItem {
	keepConfidential(i.Value)
	one := &commonv1.StateItem{Key: i.Key, Value: i.Value, Metadata: i.Metadata}
	if i.ETag != "" {
		one.Etag = &commonv1.Etag{Value: i.ETag}
	}
	if i.FirstWrite || i.Consistency != "" {
		one.Options = &commonv1.StateOptions{Consistency: i.Consistency.proto()}
		if i.FirstWrite {
			one.Options.Concurrency = commonv1.StateOptions_CONCURRENCY_FIRST_WRITE
		}
	}
	return one
}

func protos(items []Item) []*commonv1.StateItem {
	var all []*commonv1.StateItem
	for _, item := range items {
		all = append(all, item.proto())
	}
	return all
}
