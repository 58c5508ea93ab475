// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"fmt"
	"strconv"

	wire "github.com/dapr/dapr/pkg/proto/components/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
)

// A Method is one of the rpcs.
type Method int

const (
	getOne Method = iota
	setOne
	deleteOne
	bulkGet
	bulkSet
	bulkDelete
	transact
	methods
)

func (m Method) String() string {
	return [...]string{"Get", "Set", "Delete", "BulkGet", "BulkSet", "BulkDelete", "Transact"}[m]
}

// A call is what a client asks for. Parts of reads have no Value yet.
type call struct {
	method      Method
	group       *group
	parts       []Part
	etags       []string // of each part, as sent; empty for none
	consistency wire.StateOptions_StateConsistency
	concurrency wire.StateOptions_StateConcurrency // where an ETag decides, too
}

// A sighting is what a read returned of one key.
type sighting struct {
	data        []byte
	etag        *wire.Etag
	contentType string
	metadata    map[string]string
	err         string
}

// A store speaks to one socket as daprd does.
type store struct {
	conn       *grpc.ClientConn
	state      wire.StateStoreClient
	transacted wire.TransactionalStateStoreClient
}

func dial(socket string) (*store, error) {
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return nil, err
	}
	return &store{conn, wire.NewStateStoreClient(conn), wire.NewTransactionalStateStoreClient(conn)}, nil
}

func (s *store) init(ctx context.Context, instance string, properties map[string]string) error {
	_, err := s.state.Init(to(ctx, instance),
		&wire.InitRequest{Metadata: &wire.MetadataRequest{Properties: properties}})
	return err
}

func to(ctx context.Context, instance string) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "x-component-instance", instance)
}

// do returns one sighting for each part of a read.
func (s *store) do(ctx context.Context, c *call) ([]sighting, error) {
	ctx = to(ctx, c.group.instance)
	switch c.method {
	case getOne:
		reply, err := s.state.Get(ctx, c.getRequest(0))
		if err != nil {
			return nil, err
		}
		return []sighting{{reply.Data, reply.Etag, reply.ContentType, reply.Metadata, ""}}, nil
	case bulkGet:
		return s.bulkGet(ctx, c)
	case setOne:
		_, err := s.state.Set(ctx, c.setRequest(0))
		return nil, err
	case deleteOne:
		_, err := s.state.Delete(ctx, c.deleteRequest(0))
		return nil, err
	case bulkSet:
		request := &wire.BulkSetRequest{}
		for i := range c.parts {
			request.Items = append(request.Items, c.setRequest(i))
		}
		_, err := s.state.BulkSet(ctx, request)
		return nil, err
	case bulkDelete:
		request := &wire.BulkDeleteRequest{}
		for i := range c.parts {
			request.Items = append(request.Items, c.deleteRequest(i))
		}
		_, err := s.state.BulkDelete(ctx, request)
		return nil, err
	default:
		_, err := s.transacted.Transact(ctx, c.transaction())
		return nil, err
	}
}

func (s *store) bulkGet(ctx context.Context, c *call) ([]sighting, error) {
	request := &wire.BulkGetRequest{}
	for i := range c.parts {
		request.Items = append(request.Items, c.getRequest(i))
	}
	reply, err := s.state.BulkGet(ctx, request)
	if err != nil {
		return nil, err
	}
	var seen []sighting
	for i, item := range reply.Items {
		one := sighting{item.Data, item.Etag, item.ContentType, item.Metadata, item.Error}
		if i < len(request.Items) && item.Key != request.Items[i].Key {
			one.err = fmt.Sprintf("item %d is of %q, and not of %q", i, item.Key, request.Items[i].Key)
		}
		seen = append(seen, one)
	}
	return seen, nil
}

func (c *call) key(i int) string { return c.group.keys[c.parts[i].Key] }

// keys are those of some parts, in order.
func (c *call) keys(begin, end int) (keys []string) {
	for i := begin; i < end; i++ {
		keys = append(keys, c.key(i))
	}
	return keys
}

func (c *call) etag(i int) *wire.Etag {
	if c.etags[i] == "" {
		return nil
	}
	return &wire.Etag{Value: c.etags[i]}
}

func (c *call) options(i int) *wire.StateOptions {
	options := &wire.StateOptions{Concurrency: c.concurrency, Consistency: c.consistency}
	switch c.parts[i].Condition {
	case Always:
		options.Concurrency = wire.StateOptions_CONCURRENCY_LAST_WRITE
	case Absent:
		options.Concurrency = wire.StateOptions_CONCURRENCY_FIRST_WRITE
	}
	return options
}

func (c *call) getRequest(i int) *wire.GetRequest {
	return &wire.GetRequest{Key: c.key(i), Consistency: c.consistency}
}

func (c *call) setRequest(i int) *wire.SetRequest {
	part := c.parts[i]
	request := &wire.SetRequest{
		Key: c.key(i), Value: textOf(part.Value), ContentType: contentTypeOf(part.Value),
		Etag: c.etag(i), Options: c.options(i),
	}
	if part.TTL != 0 {
		request.Metadata = map[string]string{"ttlInSeconds": strconv.Itoa(int(part.TTL.Seconds()))}
	}
	return request
}

func (c *call) deleteRequest(i int) *wire.DeleteRequest {
	return &wire.DeleteRequest{Key: c.key(i), Etag: c.etag(i), Options: c.options(i)}
}

func (c *call) transaction() *wire.TransactionalStateRequest {
	request := &wire.TransactionalStateRequest{}
	for i, part := range c.parts {
		operation := &wire.TransactionalStateOperation{}
		if part.Action == Set {
			operation.Request = &wire.TransactionalStateOperation_Set{Set: c.setRequest(i)}
		} else {
			operation.Request = &wire.TransactionalStateOperation_Delete{Delete: c.deleteRequest(i)}
		}
		request.Operations = append(request.Operations, operation)
	}
	return request
}
