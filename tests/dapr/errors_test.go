// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"sync"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// An appError is one row of docs/errors.md: something goes wrong, really, and
// this is what an app receives for it.
type appError struct {
	name string

	http int        // status over HTTP
	code string     // errorCode over HTTP
	grpc codes.Code // code over gRPC
	kind string     // domain/reason of the ErrorInfo over gRPC, "" for none

	// Ours of the text, and the remedy in it, with … for what differs each time.
	text string

	provoke func(t *testing.T, p *sidecar.Pair, app sidecar.App) error
	only    protocol // empty: over each
}

type protocol string

const (
	overHTTP protocol = "HTTP"
	overGRPC protocol = "gRPC"
)

// Components that err in ways of their own.
const (
	bare  = "barestore"   // keys come as they are
	whole = "wholestore"  // bulk writes hold whole or not at all
	hasty = "hastystore"  // a write has 10 ms
	tiny  = "tinystore"   // a full one
	away  = "awaystore"   // its trouble begins when the store is restarted
	shut  = "sealedstore" // sealed, in either run

	forgetful = "forgetfulstore" // its key is in its Init alone
	hurried   = "hurriedstore"   // statestore's folder, and 10 ms for a call
)

const (
	ours        = "statecpp/STATECPP_"
	saveFailed  = "ERR_STATE_SAVE"
	transFailed = "ERR_STATE_TRANSACTION"
	malformed   = "ERR_MALFORMED_REQUEST"
	// daprd's own, where the store's error has none.
	daprsGet         = "dapr.io/ERR_STATE_GET"
	daprsSave        = "dapr.io/ERR_STATE_SAVE"
	daprsDelete      = "dapr.io/ERR_STATE_DELETE"
	daprsBulkDelete  = "dapr.io/ERR_STATE_BULK_DELETE"
	daprsTransaction = "dapr.io/ERR_STATE_TRANSACTION"
	daprsQuery       = "dapr.io/DAPR_STATE_QUERY_FAILED"
)

const forgetfulsKey = "0102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f20"

const staleETag = "0123456789abcdef"

func TestErrorsAsTheAppSeesThem(t *testing.T) {
	shared := sidecar.Start(t, errorComponents()...)
	for _, group := range errorGroups() {
		t.Run(group.name, func(t *testing.T) {
			pair := shared
			if group.pair != nil {
				pair = group.pair(t)
			}
			if group.prepare != nil {
				group.prepare(t, pair)
			}
			for _, one := range group.errors {
				t.Run(one.name, func(t *testing.T) { one.checkOverEach(t, pair) })
			}
			if group.restore != nil {
				group.restore(t, pair)
			}
		})
	}
}

func errorComponents() []sidecar.Component {
	return []sidecar.Component{
		{Name: plain},
		sidecar.Component{Name: cramped}.
			With("maxValueSize", fmt.Sprint(crampedLimit)).With("maxTxnOps", fmt.Sprint(crampedOps)).
			With("maxScan", "1"),
		sidecar.Component{Name: bare}.With("keyPrefix", "none"),
		sidecar.Component{Name: whole}.With("bulkMode", "atomic").With("queryRequirePrefix", "true"),
		sidecar.Component{Name: hasty}.With("bulkMode", "atomic").With("timeout", "10ms"),
		sidecar.Component{Name: hurried}.With("dataDir", plain).With("timeout", "10ms"),
		sidecar.Component{Name: tiny}.With("maxSize", "1Mi"),
		{Name: away},
		sealed(shut),
		sealed(forgetful).WithSecret(ownKey, forgetfulsKey),
	}
}

func (e appError) checkOverEach(t *testing.T, pair *sidecar.Pair) {
	if e.only != overGRPC {
		t.Run("HTTP", func(t *testing.T) { e.check(t, e.provoke(t, pair, pair.HTTP)) })
	}
	if e.only != overHTTP {
		t.Run("gRPC", func(t *testing.T) { e.check(t, e.provoke(t, pair, pair.GRPC)) })
	}
}

func (e appError) check(t *testing.T, err error) {
	t.Helper()
	var no *sidecar.Refusal
	if !errors.As(err, &no) {
		t.Fatalf("got %v, want a refusal", err)
	}
	if no.HTTP != 0 && (no.HTTP != e.http || no.Kind != e.code) {
		t.Errorf("over HTTP the app gets %d %s, want %d %s", no.HTTP, no.Kind, e.http, e.code)
	}
	if no.HTTP == 0 && (no.GRPC != e.grpc || no.Kind != e.kind) {
		t.Errorf("over gRPC the app gets %s %q, want %s %q", no.GRPC, no.Kind, e.grpc, e.kind)
	}
	rest := no.Message
	for _, piece := range strings.Split(e.text, "…") {
		before, after, found := strings.Cut(rest, piece)
		if !found {
			t.Errorf("the text does not say %q, behind %q:\n%s", piece, before, no.Message)
			return
		}
		rest = after
	}
	t.Logf("%s", no.Message)
}

// --- How each is provoked.

type provocation = func(*testing.T, *sidecar.Pair, sidecar.App) error

// withStaleETag makes an item, and hands it over with another ETag than its own.
func withStaleETag(try func(sidecar.App, sidecar.Item) error) provocation {
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		item := sidecar.Item{Key: key(t, "a"), Value: value("1")}
		mustSave(t, app, plain, item)
		before := wantValue(t, app, plain, item.Key, "1")
		item.Value, item.ETag = value("2"), staleETag
		err := try(app, item)
		if after := wantValue(t, app, plain, item.Key, "1"); after != before {
			t.Errorf("a refused write changed the ETag from %q to %q", before, after)
		}
		// What an app needs to see who is behind.
		if err != nil && !strings.Contains(err.Error(), "found "+before) {
			t.Errorf("the refusal does not name the version that is there, %s: %v", before, err)
		}
		return err
	}
}

// atomicallyWithStaleETag saves two items of which neither may be written.
func atomicallyWithStaleETag(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
	item, other := fresh(t, "a"), fresh(t, "other")
	mustSave(t, app, whole, item)
	item.Value, item.ETag = value("2"), staleETag
	err := app.Save(whole, other, item)
	wantMissing(t, app, whole, other.Key)
	wantValue(t, app, whole, item.Key, "1")
	return err
}

// twice does the same a second time.
func twice(try func(app sidecar.App, item sidecar.Item) error) provocation {
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		item := sidecar.Item{Key: key(t, "a"), Value: value("1"), FirstWrite: true}
		if err := try(app, item); err != nil {
			t.Fatal(err)
		}
		return try(app, item)
	}
}

// saving saves one item.
func saving(store string, item func(t *testing.T) sidecar.Item) provocation {
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		return app.Save(store, item(t))
	}
}

// fresh is an item that nothing is wrong with.
func fresh(t *testing.T, name string) sidecar.Item {
	return sidecar.Item{Key: key(t, name), Value: value("1")}
}

func save(store string) func(sidecar.App, sidecar.Item) error {
	return func(app sidecar.App, item sidecar.Item) error { return app.Save(store, item) }
}

func remove(app sidecar.App, item sidecar.Item) error { return app.Delete(plain, item) }

func getting(store, key string) provocation {
	return func(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		_, err := app.Get(store, key)
		return err
	}
}

// damaged asks for an item whose record was changed on disk, and then mends it
// as the error says.
func damaged(ask func(app sidecar.App, key string) error) provocation {
	return func(t *testing.T, pair *sidecar.Pair, app sidecar.App) error {
		item := sidecar.Item{Key: key(t, "a"), Value: value("%q", rand.Text()+strings.Repeat(rand.Text(), 2<<10))}
		pair.Damage(t, plain, func() { mustSave(t, app, plain, item) })
		err := ask(app, item.Key)
		mustDelete(t, app, plain, sidecar.Item{Key: item.Key})
		return err
	}
}

func getOne(app sidecar.App, key string) error {
	_, err := app.Get(plain, key)
	return err
}

// bulkGetOne returns the item's own error as if it were the call's.
func bulkGetOne(app sidecar.App, store, key string) error {
	got, err := app.BulkGet(store, key)
	if err != nil || len(got) != 1 || got[0].Error == "" {
		return err
	}
	return itemError(app, got[0])
}

func queryOne(app sidecar.App, key string) error {
	_, err := app.QueryBelow(plain, "app1||"+key, `{"filter":{"EQ":{"a":1}}}`)
	return err
}

func itemError(app sidecar.App, got sidecar.Got) error {
	if _, ok := app.(*sidecar.HTTPApp); ok {
		return &sidecar.Refusal{HTTP: 200, Text: got.Error, Message: got.Error}
	}
	return &sidecar.Refusal{Text: got.Error, Message: got.Error}
}

// pastTheRoomOfOne reads two items of which a reply takes one.
func pastTheRoomOfOne(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
	kept := value("%q", bytes.Repeat([]byte("v"), 3<<20))
	a, b := sidecar.Item{Key: key(t, "a"), Value: kept}, sidecar.Item{Key: key(t, "b"), Value: kept}
	mustSave(t, app, plain, a)
	mustSave(t, app, plain, b)
	got, err := app.BulkGet(plain, a.Key, b.Key)
	if err != nil || len(got) != 2 || !bytes.Equal(got[0].Value, kept) {
		t.Fatalf("%d items, %v; the first was to come whole", len(got), err)
	}
	return itemError(app, got[1])
}

// secondOf has the operation be the second of three, of which no other happens.
func secondOf(t *testing.T, app sidecar.App, store string, operation sidecar.Operation) error {
	other := fresh(t, "other")
	err := app.Transact(store, sidecar.Upsert(other), operation, sidecar.Upsert(fresh(t, "third")))
	wantMissing(t, app, store, other.Key)
	return err
}

func transacting(store string, operation func(t *testing.T) sidecar.Operation) provocation {
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		return secondOf(t, app, store, operation(t))
	}
}

// withStaleETagSecond does as withStaleETag, in the second step of three.
func withStaleETagSecond(step func(sidecar.Item) sidecar.Operation) provocation {
	return func(t *testing.T, pair *sidecar.Pair, app sidecar.App) error {
		return withStaleETag(func(app sidecar.App, item sidecar.Item) error {
			return secondOf(t, app, plain, step(item))
		})(t, pair, app)
	}
}

func large(t *testing.T) sidecar.Item {
	return sidecar.Item{Key: key(t, "a"), Value: value("%q", bytes.Repeat([]byte("v"), crampedLimit))}
}

// untilFull writes to a store of a few MiB until it is refused. Deletes still
// work in it, so that the next finds room.
func untilFull(store string, write func(app sidecar.App, store string, items ...sidecar.Item) error) provocation {
	kept := value("%q", bytes.Repeat([]byte("v"), 256<<10))
	return func(t *testing.T, _ *sidecar.Pair, app sidecar.App) error {
		for i := range 256 {
			item := sidecar.Item{Key: fmt.Sprint("full-", i), Value: kept}
			if err := write(app, store, item); err != nil {
				wantMissing(t, app, store, item.Key)
				return err
			}
			defer mustDelete(t, app, store, item)
		}
		return nil
	}
}

// transactTwo writes an item of some size with a second of none to speak of.
func transactTwo(app sidecar.App, store string, items ...sidecar.Item) error {
	other := sidecar.Upsert(sidecar.Item{Key: "small", Value: value("1")})
	return app.Transact(store, sidecar.Upsert(items[0]), other)
}

// many are items whose request is just below the 4 MiB that daprd takes.
func many(n int) []sidecar.Item {
	items := make([]sidecar.Item, n)
	for i := range items {
		items[i] = sidecar.Item{Key: fmt.Sprint(i), Value: value("1")}
	}
	return items
}

// untilQueueIsFull saves more at a time than may wait for the disk. How fast
// that is done differs, so it is tried until one of the savers is refused.
func untilQueueIsFull(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error {
	var refusal error
	for range 10 {
		var group sync.WaitGroup
		refusals := make([]error, 2)
		for i := range refusals {
			group.Go(func() { refusals[i] = app.Save(plain, many(120_000)...) })
		}
		group.Wait()
		if refusal = errors.Join(refusals...); refusal != nil {
			break
		}
	}
	return refusal
}

func tooLateToBeJudged(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error {
	return app.Save(hasty, many(100_000)...)
}

func pastTheReply(_ *testing.T, _ *sidecar.Pair, app sidecar.App) error {
	keys := make([]string, 250_000)
	for i := range keys {
		keys[i] = fmt.Sprintf("m%06d", i)
	}
	_, err := app.BulkGet(plain, keys...)
	return err
}

// --- The page.

const errorsPage = "../../docs/errors.md"

// The page is what the test expects, so that it stays true: run this with
// STATECPP_UPDATE_DOCS=1 to write it.
func TestThePageOfErrorsIsWhatIsTested(t *testing.T) {
	const begin, end = "<!-- errors -->\n", "<!-- end of errors -->"
	page, err := os.ReadFile(errorsPage)
	if err != nil {
		t.Fatal(err)
	}
	head, rest, begins := strings.Cut(string(page), begin)
	_, tail, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place for the errors", errorsPage)
	}
	want := head + begin + errorTables() + end + tail
	if want == string(page) {
		return
	}
	if os.Getenv("STATECPP_UPDATE_DOCS") == "" {
		t.Fatalf("%s is not what is tested; run this test with STATECPP_UPDATE_DOCS=1", errorsPage)
	}
	if err := os.WriteFile(errorsPage, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func errorTables() string {
	var b strings.Builder
	for _, group := range errorGroups() {
		fmt.Fprintf(&b, "\n### %s\n\n| what happened | HTTP | gRPC | text |\n|---|---|---|---|\n", group.name)
		for _, e := range group.errors {
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", e.name,
				e.cell(overHTTP, fmt.Sprint(e.http), e.code), e.cell(overGRPC, e.grpc.String(), e.kind),
				strings.NewReplacer("|", `\|`, "<", "&lt;").Replace(e.text))
		}
	}
	return b.String() + "\n"
}

// cell is the outcome over one protocol, as the page has it.
func (e appError) cell(over protocol, status, kind string) string {
	switch {
	case e.only != "" && e.only != over:
		return "–"
	case kind == "":
		return status
	default:
		return fmt.Sprintf("%s `%s`", status, kind)
	}
}
