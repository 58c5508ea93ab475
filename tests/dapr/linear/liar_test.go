// SPDX-License-Identifier: Apache-2.0

package linear

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	wire "github.com/dapr/dapr/pkg/proto/components/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// A liar stands between the clients and a right store, and now and then answers
// what a wrong one would. Each lie is a kind of fault that the harness must see.
type liar struct {
	wire.UnimplementedStateStoreServer
	wire.UnimplementedTransactionalStateStoreServer
	state      wire.StateStoreClient
	transacted wire.TransactionalStateStoreClient

	lie   lie
	calls atomic.Int64

	mu     sync.Mutex
	former map[string]*wire.GetResponse // an answer of each key some time ago
}

type lie string

const (
	dropsWrites       lie = "acknowledges a Set that it drops"
	dropsDeletes      lie = "acknowledges a Delete that it drops"
	readsStale        lie = "answers a Get with what was there some time ago"
	readsNothing      lie = "answers a Get as if nothing were there"
	losesComparison   lie = "takes a Set with any ETag"
	losesFirstWrite   lie = "takes a first-write of what is there"
	tearsTransactions lie = "does the first half of a transaction"
	tearsBulkReads    lie = "reads the halves of a bulk at two moments"
	writesAndRefuses  lie = "does a Set and says that nothing was written"
	writesAndDisputes lie = "does a conditional Set and says that it conflicted"
	repeatsETags      lie = "gives the same ETag to many writes"
	answersEarly      lie = "acknowledges a Set some milliseconds before it is done"
	readsExpired      lie = "answers a Get with an item that has expired"
	swapsValues       lie = "answers a Get with another key's value"
	cutsValues        lie = "cuts off the end of a value"
	namesWrongETag    lie = "names in a conflict an ETag that was not there"
	writesTwice       lie = "does a Set again, a while later"
)

func (l *liar) lies(which lie, oneIn int64) bool {
	return l.lie == which && l.calls.Add(1)%oneIn == 0
}

// passOn lets the caller's words through: which component is meant.
func passOn(ctx context.Context) context.Context {
	md, _ := metadata.FromIncomingContext(ctx)
	return metadata.NewOutgoingContext(ctx, metadata.Pairs("x-component-instance", strings.Join(md["x-component-instance"], "")))
}

// later is for what is done when the caller has gone.
func later(ctx context.Context) context.Context { return context.WithoutCancel(passOn(ctx)) }

func (l *liar) Init(ctx context.Context, r *wire.InitRequest) (*wire.InitResponse, error) {
	return l.state.Init(passOn(ctx), r)
}

func (l *liar) Get(ctx context.Context, r *wire.GetRequest) (*wire.GetResponse, error) {
	reply, err := l.state.Get(passOn(ctx), r)
	if err != nil {
		return nil, err
	}
	l.shorten(reply.Etag)
	l.mu.Lock()
	defer l.mu.Unlock()
	former := l.former[r.Key]
	switch {
	case l.lies(readsStale, 20) && former != nil:
		return former, nil
	case l.lies(readsNothing, 50):
		return &wire.GetResponse{}, nil
	case l.lie == readsExpired && reply.Etag == nil && former.GetMetadata() != nil:
		return former, nil
	case l.lies(swapsValues, 50):
		for key, other := range l.former {
			if key != r.Key && other.Etag != nil {
				return other, nil
			}
		}
	case l.lies(cutsValues, 50) && len(reply.Data) > 0:
		reply.Data = reply.Data[:len(reply.Data)-1]
	}
	if l.calls.Load()%7 == 0 || former == nil {
		l.former[r.Key] = reply
	}
	return reply, nil
}

func (l *liar) BulkGet(ctx context.Context, r *wire.BulkGetRequest) (*wire.BulkGetResponse, error) {
	if !l.lies(tearsBulkReads, 2) || len(r.Items) < 2 {
		reply, err := l.state.BulkGet(passOn(ctx), r)
		for _, item := range reply.GetItems() {
			l.shorten(item.Etag)
		}
		return reply, err
	}
	whole := &wire.BulkGetResponse{}
	for half := range slices.Chunk(r.Items, (len(r.Items)+1)/2) {
		reply, err := l.state.BulkGet(passOn(ctx), &wire.BulkGetRequest{Items: half})
		if err != nil {
			return nil, err
		}
		whole.Items = append(whole.Items, reply.Items...)
		time.Sleep(10 * time.Millisecond)
	}
	return whole, nil
}

// shorten leaves so little of an ETag that others have the same.
func (l *liar) shorten(etag *wire.Etag) {
	if l.lie == repeatsETags && etag != nil {
		etag.Value = strings.Repeat("0", 14) + etag.Value[14:]
	}
}

func (l *liar) Set(ctx context.Context, r *wire.SetRequest) (*wire.SetResponse, error) {
	first := r.Etag == nil && r.GetOptions().GetConcurrency() == wire.StateOptions_CONCURRENCY_FIRST_WRITE
	conditional := r.Etag != nil || first
	switch {
	case !conditional && l.lies(dropsWrites, 50):
		return &wire.SetResponse{}, nil
	case r.Etag != nil && l.lies(losesComparison, 10):
		r.Etag, r.Options = nil, nil
	case first && l.lies(losesFirstWrite, 10):
		r.Options = nil
	case !conditional && l.lies(answersEarly, 10):
		go func() {
			time.Sleep(20 * time.Millisecond)
			_, _ = l.state.Set(later(ctx), r)
		}()
		return &wire.SetResponse{}, nil
	}
	reply, err := l.state.Set(passOn(ctx), r)
	switch {
	case err == nil && !conditional && l.lies(writesAndRefuses, 20):
		return nil, status.Error(codes.DeadlineExceeded, "the deadline passed before the write was judged; nothing was written")
	case err == nil && conditional && l.lies(writesAndDisputes, 10):
		return nil, status.Error(codes.FailedPrecondition, "etag mismatch")
	case err == nil && !conditional && l.lies(writesTwice, 20):
		go func() {
			time.Sleep(30 * time.Millisecond)
			_, _ = l.state.Set(later(ctx), r)
		}()
	case status.Code(err) == codes.FailedPrecondition && l.lies(namesWrongETag, 5):
		return nil, status.Error(codes.FailedPrecondition, wrongETag(err))
	}
	return reply, err
}

// wrongETag says in an error that no item was found, or some.
func wrongETag(err error) string {
	text := status.Convert(err).Message()
	if strings.Contains(text, "found no item") {
		return strings.Replace(text, "found no item", "found 0123456789abcdef", 1)
	}
	before, _, _ := strings.Cut(text, ", found ")
	return before + ", found no item; nothing was written"
}

func (l *liar) Delete(ctx context.Context, r *wire.DeleteRequest) (*wire.DeleteResponse, error) {
	if r.Etag == nil && l.lies(dropsDeletes, 10) {
		return &wire.DeleteResponse{}, nil
	}
	return l.state.Delete(passOn(ctx), r)
}

func (l *liar) BulkSet(ctx context.Context, r *wire.BulkSetRequest) (*wire.BulkSetResponse, error) {
	return l.state.BulkSet(passOn(ctx), r)
}

func (l *liar) BulkDelete(ctx context.Context, r *wire.BulkDeleteRequest) (*wire.BulkDeleteResponse, error) {
	return l.state.BulkDelete(passOn(ctx), r)
}

func (l *liar) Transact(ctx context.Context, r *wire.TransactionalStateRequest) (*wire.TransactionalStateResponse, error) {
	if len(r.Operations) > 1 && l.lies(tearsTransactions, 5) {
		r.Operations = r.Operations[:len(r.Operations)/2]
	}
	return l.transacted.Transact(passOn(ctx), r)
}

// serve runs a liar in front of a socket, until the test ends.
func (l *liar) serve(t *testing.T, socket string) string {
	t.Helper()
	conn, err := grpc.NewClient("unix:"+socket, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	folder, err := os.MkdirTemp("", "liar")
	if err != nil {
		t.Fatal(err)
	}
	ours := filepath.Join(folder, "cpp.sock")
	listener, err := net.Listen("unix", ours)
	if err != nil {
		t.Fatal(err)
	}
	l.state, l.transacted = wire.NewStateStoreClient(conn), wire.NewTransactionalStateStoreClient(conn)
	l.former = map[string]*wire.GetResponse{}
	server := grpc.NewServer()
	wire.RegisterStateStoreServer(server, l)
	wire.RegisterTransactionalStateStoreServer(server, l)
	go func() { _ = server.Serve(listener) }()
	t.Cleanup(func() {
		server.Stop()
		_ = conn.Close()
		_ = os.RemoveAll(folder)
	})
	return ours
}

func TestEveryLieIsFoundOut(t *testing.T) {
	for _, one := range []lie{
		dropsWrites, dropsDeletes, readsStale, readsNothing, losesComparison, losesFirstWrite, tearsTransactions,
		tearsBulkReads, writesAndRefuses, writesAndDisputes, repeatsETags, answersEarly, readsExpired, swapsValues,
		cutsValues, namesWrongETag, writesTwice,
	} {
		t.Run(string(one), func(t *testing.T) {
			plan := Plan{Name: string(one), Seed: Seed(t), Lives: 6, Quick: true}
			plan.Via = func(socket string) string { return (&liar{lie: one}).serve(t, socket) }
			for _, finding := range RunUntilFound(t, plan) {
				t.Log(finding)
			}
		})
	}
}

// The same way and no lie: what is found is not the way's fault.
func TestAnHonestProxyIsNotCalledALiar(t *testing.T) {
	plan := Plan{Name: "honest", Seed: Seed(t), Lives: 2, Drain: true, Quick: true}
	plan.Via = func(socket string) string { return (&liar{lie: "none"}).serve(t, socket) }
	for _, finding := range Run(t, plan) {
		t.Error(finding)
	}
}
