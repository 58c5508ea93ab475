// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"net/http"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// Errors that need the same circumstances, in the order in which these come.
type errorGroup struct {
	name    string
	errors  []appError
	pair    func(t *testing.T) *sidecar.Pair // of their own; nil: the one that most share
	prepare func(t *testing.T, p *sidecar.Pair)
	restore func(t *testing.T, p *sidecar.Pair)
}

func errorGroups() []errorGroup {
	return []errorGroup{
		{name: "Requests", errors: badRequests()},
		{name: "Requests without a key", errors: withoutKey()},
		{name: "Requests that are too large", errors: tooLargeForDaprd()},
		{
			name: "Requests that daprd's `--max-body-size` lets pass", errors: tooLargeForUs(), pair: withLenientDaprd,
		},
		{name: "Conflicts", errors: conflicts()},
		{name: "Transactions", errors: refusedTransactions()},
		{name: "Queries", errors: queries()},
		{name: "Room and time", errors: outOfRoom()},
		{name: "On a full disk", errors: outOfDisk(), pair: onSmallDisk},
		{name: "Damage", errors: damage()},
		{
			name: "After a restart of the store",
			errors: []appError{
				unavailable(away, "another process has the store",
					"…/stores/awaystore/LOCK is held by pid 77 on elsewhere; waited 0; nothing was opened; "+
						"stop that process, or use another folder"),
				unavailable(bare, "the store remembers nothing of the component",
					`component instance "barestore" is not configured here, and nothing is remembered of it; `+
						"nothing was read or written; restart daprd, or change its component, so that it sends Init"),
				unavailable(whole, "what the store remembers of the component cannot be read",
					`what was remembered of instance "wholestore" cannot be read: …; nothing was opened; `+
						"restart daprd or reload the component, which configures it anew"),
				{
					name: "the store's file is cut short", http: 500, code: "ERR_STATE_GET",
					grpc: codes.Internal, kind: daprsGet,
					text: "DataLoss desc = …/stores/tinystore/data.mdb is damaged: …; nothing was opened or changed; " +
						"restore it from a backup",
					provoke: getting(tiny, "a"),
				},
			},
			prepare: whileStopped(func(t *testing.T, p *sidecar.Pair) {
				t.Cleanup(p.Hold(t, away, "pid 77 on elsewhere"))
				p.Forget(t, bare)
				p.Garble(t, whole)
				p.CutShort(t, tiny)
			}),
		},
		{
			name: "After a restart of the store without the right key",
			errors: []appError{
				{
					name: "no configured key opens the store", http: http.StatusForbidden, code: "ERR_STATE_GET",
					grpc: codes.PermissionDenied, kind: ours + "PERMISSION_DENIED",
					text: "no configured key opens the store at …/stores/sealedstore; sealed for: store (…); " +
						"configured: store (…); configure one of the former; nothing was opened or changed",
					provoke: getting(shut, "a"),
				},
				unavailable(forgetful, "the key came with Init alone",
					`the key of component instance "forgetfulstore" came with its Init, as encryptionKey, and is not `+
						"remembered across a restart of the server; restart daprd, or change the component, so that "+
						"it sends Init again; or better, start `statecpp serve --key-file FILE` with that key; "+
						"nothing was read or written"),
			},
			prepare: func(t *testing.T, p *sidecar.Pair) {
				p.StopStore(t)
				p.ChangeKey(otherKey)
				p.StartStore(t)
				p.Await(t, "daprd reaches the store", func() error {
					_, err := p.HTTP.Get(shut, "a")
					if err != nil && strings.Contains(err.Error(), "key") {
						return nil
					}
					return err
				})
			},
		},
		{
			name: "While the store is away",
			errors: []appError{{
				name: "the store was stopped, or was killed during the call", http: 500, code: "ERR_STATE_GET",
				grpc: codes.Internal, kind: daprsGet, text: "code = Unavailable", provoke: getting(plain, "a"),
			}},
			prepare: func(t *testing.T, p *sidecar.Pair) { p.KillStore(t) },
			restore: func(t *testing.T, p *sidecar.Pair) {
				p.ChangeKey(sidecar.Key)
				p.RestartStore(t, cramped)
			},
		},
		{name: "When a sync fails", errors: failedSync(), pair: withFailingSync},
	}
}

func badRequests() []appError {
	long := strings.Repeat("k", 64<<10)
	return []appError{
		kitError("`ttlInSeconds` is no number of seconds", invalid,
			`metadata "ttlInSeconds" of "…" is "soon"; expected whole seconds up to 2147483647, 0 for no expiry, `+
				"or -1 for never, also where the component has a default; nothing was written",
			saving(plain, func(t *testing.T) sidecar.Item { return fresh(t, "a").TTL("soon") })),
		kitError("the key has more than 64 KiB", invalid,
			"the key has 65537 bytes; the limit is 65536; use a shorter one; nothing was read or written",
			saving(bare, func(t *testing.T) sidecar.Item { return sidecar.Item{Key: long + "k", Value: value("1")} })),
		kitError("the content type has more than 65,535 bytes", invalid,
			"the content type has 65536 bytes; the limit is 65535; use a shorter one; nothing was written",
			saving(plain, func(t *testing.T) sidecar.Item {
				item := fresh(t, "a")
				item.Metadata = map[string]string{"contentType": long}
				return item
			})),
		kitError("key, value and content type pass `maxValueSize`", tooLarge,
			`value of "…" is too large: key, value and content type take …; the limit maxValueSize is 1024; `+
				"nothing was written; keep it in parts under several keys",
			saving(cramped, large)),
		kitError("one item of a bulk save passes `maxValueSize`", tooLarge,
			`1 of 2 items were not written, the others were: value of "…" is too large: key, value and content type take …; `+
				"the limit maxValueSize is 1024; keep it in parts under several keys",
			func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
				other := fresh(t, "other")
				err := app.Save(cramped, large(t), other)
				wantValue(t, app, cramped, other.Key, "1")
				return err
			}),
		{
			name: "the key has in it what daprd separates its parts by: its own answer", http: http.StatusBadRequest, code: malformed,
			grpc: codes.InvalidArgument, kind: "dapr.io/DAPR_STATE_ILLEGAL_KEY", text: "'a||b' can't contain '||'",
			provoke: saving(plain, func(*testing.T) sidecar.Item { return sidecar.Item{Key: "a||b", Value: value("1")} }),
		},
		{
			name: "a bulk read of more keys than a reply has room for, even without values",
			http: http.StatusRequestEntityTooLarge, code: "ERR_STATE_BULK_GET",
			grpc: codes.ResourceExhausted, kind: ours + "TOO_LARGE",
			text: "the reply for 250000 keys would pass … bytes even without the values, and daprd receives at " +
				"most 4194304; read fewer keys at a time; nothing was returned",
			provoke: pastTheReply,
		},
		{
			name: "one item of a bulk read has no room in the reply: its `error`, beside the others' values",
			http: http.StatusOK, grpc: codes.OK,
			text:    "left out: with this item the reply would pass the limit of … bytes; read fewer keys at a time",
			provoke: pastTheRoomOfOne,
		},
	}
}

// withoutKey is for `keyPrefix: none`: with a prefix there is always a key.
func withoutKey() []appError {
	const text = "the key is empty; a key has at least one byte; nothing was read or written"
	nameless := sidecar.Item{Value: value("1")}
	return []appError{
		{
			name: "a save: daprd's own answer over HTTP", only: overHTTP,
			http: http.StatusBadRequest, code: malformed, text: `"key" is a required field`,
			provoke: saving(bare, func(*testing.T) sidecar.Item { return nameless }),
		},
		{
			name: "a save: daprd's own answer over gRPC", only: overGRPC,
			grpc: codes.InvalidArgument, kind: daprsSave, text: "state key cannot be empty",
			provoke: saving(bare, func(*testing.T) sidecar.Item { return nameless }),
		},
		{
			name: "a read: over HTTP daprd takes its path for another API's", only: overHTTP,
			http: http.StatusNotFound, code: "ERR_DIRECT_INVOKE", text: "failed getting app id",
			provoke: getting(bare, ""),
		},
		{
			name: "a read, with `keyPrefix: none`", only: overGRPC,
			grpc: invalid.grpc, kind: ours + invalid.kind, text: text, provoke: getting(bare, ""),
		},
		{
			name: "a delete, with `keyPrefix: none`", only: overGRPC,
			grpc: invalid.grpc, kind: ours + invalid.kind, text: text,
			provoke: func(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error { return app.Delete(bare, nameless) },
		},
		{
			name: "among the keys of a bulk read, with `keyPrefix: none`: its `error`, beside the others' values",
			http: http.StatusOK, grpc: codes.OK, text: text,
			provoke: func(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error { return bulkGetOne(app, bare, "") },
		},
		{
			name: "a transaction's operation, with `keyPrefix: none`", http: 500, code: transFailed,
			grpc: codes.Internal, kind: daprsTransaction, text: "transaction refused in operation 2 of 3: " + text,
			provoke: transacting(bare, func(*testing.T) sidecar.Operation { return sidecar.Upsert(nameless) }),
		},
	}
}

// What daprd answers without asking the store.
func tooLargeForDaprd() []appError {
	large := saving(plain, func(t *testing.T) sidecar.Item {
		return sidecar.Item{Key: key(t, "a"), Value: value("%q", strings.Repeat("v", 5<<20))}
	})
	return []appError{
		{
			name: "more than daprd's `--max-body-size`, 4 MiB: its own answer over HTTP", only: overHTTP,
			http: http.StatusBadRequest, code: malformed, text: "stream too large", provoke: large,
		},
		{
			name: "more than daprd's `--max-body-size`, 4 MiB: its own answer over gRPC", only: overGRPC,
			grpc: codes.ResourceExhausted, text: "received message larger than max (… vs. 4194304)", provoke: large,
		},
	}
}

func conflicts() []appError {
	mismatch := func(name, text string, provoke provocation) appError {
		return appError{name: name, http: http.StatusConflict, code: saveFailed,
			grpc: codes.Aborted, kind: daprsSave, text: "possible etag mismatch. error from state store: " + text, provoke: provoke}
	}
	const stale = `etag mismatch on "…": expected 0123456789abcdef, found …; nothing was written; read the item again and retry`
	deleting := mismatch("a delete with an ETag that is not the item's", stale, withStaleETag(remove))
	deleting.code, deleting.kind = "ERR_STATE_DELETE", daprsDelete
	bulkDeleting := mismatch("one item of a bulk delete has another ETag",
		`1 of 2 items were not written, the others were: etag mismatch on "…": expected 0123456789abcdef, found …; read the item again and retry`,
		withStaleETag(func(app sidecar.App, item sidecar.Item) error {
			return app.(*sidecar.GRPCApp).BulkDelete(plain, item, sidecar.Item{Key: item.Key + "-other"})
		}))
	bulkDeleting.only, bulkDeleting.kind = overGRPC, daprsBulkDelete
	return []appError{
		mismatch("a save with an ETag that is not the item's", stale, withStaleETag(save(plain))),
		mismatch("a save with an ETag that no store of ours issues",
			`etag mismatch on "…": expected "*", which is not one that this store issues (16 hexadecimal digits), `+
				"found …; nothing was written; read the item again and retry",
			withStaleETag(func(app sidecar.App, item sidecar.Item) error {
				item.ETag = "*"
				return app.Save(plain, item)
			})),
		mismatch("a save with an ETag, and there is no item",
			`etag mismatch on "…": expected 0123456789abcdef, found no item; nothing was written; read the item again and retry`,
			saving(plain, func(t *testing.T) sidecar.Item {
				return sidecar.Item{Key: key(t, "a"), Value: value("1"), ETag: staleETag}
			})),
		deleting,
		mismatch("a first-write, and there is an item",
			`first-write of "…" without an etag: expected no item, found …; nothing was written; to replace it, read it and give its etag`,
			twice(save(plain))),
		mismatch("one item of a bulk save has another ETag",
			`1 of 2 items were not written, the others were: etag mismatch on "…": expected 0123456789abcdef, found …; read the item again and retry`,
			withStaleETag(func(app sidecar.App, item sidecar.Item) error {
				return app.Save(plain, item, sidecar.Item{Key: item.Key + "-other", Value: value("1")})
			})),
		bulkDeleting,
		mismatch("one item of a bulk save has another ETag, and the component has `bulkMode: atomic`",
			`possible etag mismatch in operation 2 of 2: etag mismatch on "…": expected 0123456789abcdef, found …; `+
				"nothing was written; read the item again and retry",
			atomicallyWithStaleETag),
	}
}

func refusedTransactions() []appError {
	refused := func(name, text string, provoke provocation) appError {
		return appError{name: name, http: http.StatusInternalServerError, code: transFailed,
			grpc: codes.Internal, kind: daprsTransaction, text: text, provoke: provoke}
	}
	const mismatch = "possible etag mismatch in operation 2 of 3: etag mismatch on "
	return []appError{
		refused("an upsert with an ETag that is not the item's",
			mismatch+`"…": expected 0123456789abcdef, found …; nothing was written; read the item again and retry`,
			withStaleETagSecond(sidecar.Upsert)),
		refused("a delete with an ETag that is not the item's",
			mismatch+`"…": expected 0123456789abcdef, found …; nothing was written; read the item again and retry`,
			withStaleETagSecond(sidecar.Delete)),
		refused("a first-write, and there is an item",
			`possible etag mismatch in operation 2 of 3: first-write of "…" without an etag: expected no item, found …; `+
				"nothing was written; to replace it, read it and give its etag",
			func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
				item := fresh(t, "a")
				mustSave(t, app, plain, item)
				item.FirstWrite = true
				return secondOf(t, app, plain, sidecar.Upsert(item))
			}),
		refused("`ttlInSeconds` is no number of seconds",
			`transaction refused in operation 2 of 3: metadata "ttlInSeconds" of "…" is "soon"; expected whole seconds…; nothing was written`,
			transacting(plain, func(t *testing.T) sidecar.Operation { return sidecar.Upsert(fresh(t, "a").TTL("soon")) })),
		refused("key, value and content type pass `maxValueSize`",
			`transaction refused in operation 2 of 3: value of "…" is too large: key, value and content type take …; the limit maxValueSize is 1024; `+
				"nothing was written; keep it in parts under several keys",
			transacting(cramped, func(t *testing.T) sidecar.Operation { return sidecar.Upsert(large(t)) })),
		refused("the store is full", tinyIsFull, untilFull(tiny, transactTwo)),
		{
			name: "more operations than `maxTxnOps`: daprd's own answer, without asking the store",
			http: http.StatusBadRequest, code: "ERR_STATE_STORE_TOO_MANY_TRANSACTIONS",
			grpc: codes.InvalidArgument, kind: "dapr.io/DAPR_STATE_TOO_MANY_TRANSACTIONS",
			text: "the transaction contains 4 operations, which is more than what the state store supports: 3",
			provoke: func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
				one := sidecar.Upsert(fresh(t, "a"))
				return app.Transact(cramped, one, one, one, one)
			},
		},
	}
}

func queries() []appError {
	refused := func(name string, kind errorKind, text string, ask func(app sidecar.App) error) appError {
		return appError{name: name, http: kind.http, code: "ERR_STATECPP_" + kind.kind,
			grpc: kind.grpc, kind: ours + kind.kind, text: text,
			provoke: func(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error { return ask(app) }}
	}
	asking := func(store, query string) func(sidecar.App) error {
		return func(app sidecar.App) error {
			_, err := app.Query(store, query)
			return err
		}
	}
	return []appError{
		refused("the query is malformed", invalid,
			"the query is malformed at filter.OR[1].IN: …; correct it; nothing was read",
			asking(plain, `{"filter":{"OR":[{"EQ":{"a":1}},{"IN":{"a":[]}}]}}`)),
		refused("the page's token is another query's, or none", invalid,
			"the page's token is not one that this store gave for this filter, sort and prefix; begin again without a token; nothing was returned",
			asking(plain, `{"filter":{},"page":{"token":"3"}}`)),
		refused("the component has `queryRequirePrefix`, and the query no `keyPrefix`", invalid,
			"the component has queryRequirePrefix, and the query has no keyPrefix; give the metadata keyPrefix with the app's own, such as …",
			asking(whole, `{"filter":{}}`)),
		refused("the query would look at more records than `maxScan`", tooBroad,
			"the query would look at more than 1 records, which is the limit maxScan; bound it by a keyPrefix that holds fewer, or raise maxScan; nothing was returned",
			func(app sidecar.App) error {
				two := []sidecar.Item{{Key: "a", Value: value("1")}, {Key: "b", Value: value("1")}}
				if err := app.Save(cramped, two...); err != nil {
					return err
				}
				return asking(cramped, `{"filter":{}}`)(app)
			}),
		{
			name: "the component's `timeout` passed while the query looked", http: 500, code: "ERR_STATE_QUERY",
			grpc: codes.Internal, kind: daprsQuery,
			text: "code = DeadlineExceeded desc = the deadline passed when the query had looked at … records; " +
				"bound it by a keyPrefix, or raise the timeout; nothing was returned",
			provoke: func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
				mustSave(t, app, plain, many(50_000)...) // of 65,536 that may wait
				return asking(hurried, `{"filter":{"EQ":{"a":1}}}`)(app)
			},
		},
	}
}

const tinyIsFull = "the store is full: … bytes of maxSize 1048576 are in use; nothing was written; " +
	"raise maxSize or delete keys (deletes still work)"

func outOfRoom() []appError {
	return []appError{
		kitError("the store is full", storeFull, tinyIsFull, untilFull(tiny, sidecar.App.Save)),
		kitError("65,536 writes wait for the disk, or 256 MiB of them", tooMany,
			"items were not written, the others were: …the write queue is full: 65536 writes, … bytes wait for the disk; retry later",
			untilQueueIsFull),
		{
			name: "the component's `timeout` passed before the write was judged",
			http: http.StatusInternalServerError, code: saveFailed, grpc: codes.Internal, kind: daprsSave,
			text: "code = DeadlineExceeded desc = …the deadline passed before the write was judged; nothing was written; " +
				"retry, or give it more time",
			provoke: tooLateToBeJudged,
		},
	}
}

func damage() []appError {
	const text = "the record is damaged: …; it was not read as missing; restore the key from a backup, or overwrite or delete it without an etag"
	return []appError{
		{
			name: "the item's record is damaged on disk", http: 500, code: "ERR_STATE_GET",
			grpc: codes.Internal, kind: daprsGet, text: "code = DataLoss desc = " + text, provoke: damaged(getOne),
		},
		{
			name: "a damaged record among those of a bulk read: its `error`, beside the others' values",
			http: http.StatusOK, grpc: codes.OK, text: text,
			provoke: damaged(func(app sidecar.App, key string) error { return bulkGetOne(app, plain, key) }),
		},
		{
			name: "a query comes to a damaged record", http: 500, code: "ERR_STATE_QUERY",
			grpc: codes.Internal, kind: daprsQuery,
			text: `code = DataLoss desc = the query came to a damaged record, that of "…", and cannot tell whether it matches: ` +
				"the record is damaged: …; find it with `statecpp verify`, or bound the query by a keyPrefix that " +
				"leaves it out; nothing was returned",
			provoke: damaged(queryOne),
		},
	}
}

// --- Kinds of errors.

type errorKind struct {
	http int
	grpc codes.Code
	kind string
}

var (
	invalid   = errorKind{http.StatusBadRequest, codes.InvalidArgument, "INVALID_REQUEST"}
	tooLarge  = errorKind{http.StatusRequestEntityTooLarge, codes.InvalidArgument, "TOO_LARGE"}
	tooBroad  = errorKind{http.StatusUnprocessableEntity, codes.ResourceExhausted, "SCAN_LIMIT"}
	storeFull = errorKind{http.StatusInsufficientStorage, codes.ResourceExhausted, "STORE_FULL"}
	tooMany   = errorKind{http.StatusTooManyRequests, codes.ResourceExhausted, "TOO_MANY_REQUESTS"}
)

// kitError is what a save draws where the store says which status it deserves.
func kitError(name string, kind errorKind, text string, provoke provocation) appError {
	return appError{name: name, http: kind.http, code: saveFailed,
		grpc: kind.grpc, kind: ours + kind.kind, text: text, provoke: provoke}
}

// unavailable is what a read draws of a component that has no store just now.
func unavailable(component, name, text string) appError {
	return appError{name: name, http: http.StatusServiceUnavailable, code: "ERR_STATE_GET",
		grpc: codes.Unavailable, kind: ours + "UNAVAILABLE", text: text, provoke: getting(component, "a")}
}

func whileStopped(mischief func(t *testing.T, p *sidecar.Pair)) func(t *testing.T, p *sidecar.Pair) {
	return func(t *testing.T, p *sidecar.Pair) {
		p.StopStore(t)
		mischief(t, p)
		p.RestartStore(t, plain)
	}
}
