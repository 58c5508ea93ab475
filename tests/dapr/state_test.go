// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"bytes"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

func TestASavedValueIsReadBack(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		for name, want := range map[string]string{
			"object":  `{"city":"Shanghai","n":[1,2.5,null,true],"nested":{"a":"<&>"}}`,
			"string":  `"hello world"`,
			"number":  `42`,
			"bool":    `false`,
			"list":    `[]`,
			"unicode": `"中文 🙂 \u0000"`,
			"empty":   `""`,
		} {
			mustSave(t, app, plain, sidecar.Item{Key: key(t, name), Value: value("%s", want)})
			wantValue(t, app, plain, key(t, name), want)
		}
	})
}

func TestAMissingKeyIsEmptyAndNoError(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		wantMissing(t, app, plain, key(t, "never written"))
	})
	t.Run("HTTP says 204 and sends no ETag", func(t *testing.T) {
		answer := getRaw(t, key(t, "never written"))
		if answer.StatusCode != http.StatusNoContent || answer.Header.Values("ETag") != nil {
			t.Fatalf("got %s with ETag %q", answer.Status, answer.Header.Values("ETag"))
		}
	})
}

// Workflows store zero bytes and read their presence from the ETag.
func TestAnEmptyValueIsNotAMissingKey(t *testing.T) {
	app := shared(t).GRPC
	mustSave(t, app, plain, sidecar.Item{Key: key(t, "a"), Value: []byte{}})

	got := mustGet(t, app, plain, key(t, "a"))
	if len(got.Value) != 0 || got.ETag == "" {
		t.Fatalf("got %q with ETag %q, want no bytes and an ETag", got.Value, got.ETag)
	}
	wantConflict(t, app.Save(plain, sidecar.Item{Key: key(t, "a"), Value: value("1"), FirstWrite: true}))

	// HTTP cannot say it: daprd answers 204 for any empty value.
	if answer := getRaw(t, key(t, "a")); answer.StatusCode != http.StatusNoContent {
		t.Fatalf("over HTTP: got %s, want 204", answer.Status)
	}
}

func TestEveryByteOfABinaryValueIsKept(t *testing.T) {
	app := shared(t).GRPC
	want := make([]byte, 64<<10)
	for i := range want {
		want[i] = byte(i)
	}
	mustSave(t, app, plain, sidecar.Item{Key: key(t, "a"), Value: want})

	if got := mustGet(t, app, plain, key(t, "a")); !bytes.Equal(got.Value, want) {
		t.Fatalf("got %d bytes back, not the %d that were saved", len(got.Value), len(want))
	}
}

func TestAnyKeyWillDo(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		for i, name := range []string{
			"with spaces and 'quotes\"",
			"ключ-键-🔑",
			"percent%20and%00",
			"DROP TABLE state; --",
			"under_score.and|one|bar",
			strings.Repeat("long", 1000), // LMDB itself stops at 511 bytes
		} {
			name, want := key(t, name), string(value("%d", i))
			mustSave(t, app, plain, sidecar.Item{Key: name, Value: []byte(want)})
			wantValue(t, app, plain, name, want)
		}
	})
}

// daprd joins the app's id and its key with two bars, so it keeps them from us.
func TestAKeyWithTwoBarsIsRefusedByDaprd(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		err := app.Save(plain, sidecar.Item{Key: "a||b", Value: value("1")})
		wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument, "||")
	})
}

func TestASaveReplacesTheValueAndTheETag(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		seen := map[string]bool{}
		for _, want := range []string{"1", "2", "2"} { // the ETag changes with equal bytes too
			mustSave(t, app, plain, sidecar.Item{Key: key(t, "a"), Value: []byte(want)})
			etag := wantValue(t, app, plain, key(t, "a"), want)
			if seen[etag] {
				t.Fatalf("ETag %q came back", etag)
			}
			seen[etag] = true
		}
	})
}

func TestADeletedKeyIsMissing(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		mustSave(t, app, plain, sidecar.Item{Key: key(t, "a"), Value: value("1")})
		before := wantValue(t, app, plain, key(t, "a"), "1")
		mustDelete(t, app, plain, sidecar.Item{Key: key(t, "a")})
		wantMissing(t, app, plain, key(t, "a"))

		mustSave(t, app, plain, sidecar.Item{Key: key(t, "a"), Value: value("1")})
		if wantValue(t, app, plain, key(t, "a"), "1") == before {
			t.Fatalf("the ETag %q of a deleted key came back with the key", before)
		}
	})
}

func TestDeletingAMissingKeySucceeds(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		mustDelete(t, app, plain, sidecar.Item{Key: key(t, "never written")})
	})
}

func TestEitherConsistencyIsAccepted(t *testing.T) {
	overEach(t, func(t *testing.T, app sidecar.App) {
		for _, consistency := range []sidecar.Consistency{sidecar.Eventual, sidecar.Strong} {
			name := key(t, string(consistency))
			mustSave(t, app, plain, sidecar.Item{Key: name, Value: value("1"), Consistency: consistency})
			got, err := app.GetWith(plain, name, consistency)
			if err != nil || string(got.Value) != "1" {
				t.Fatalf("%s get: %q, %v", consistency, got.Value, err)
			}
			mustDelete(t, app, plain, sidecar.Item{Key: name, Consistency: consistency})
			wantMissing(t, app, plain, name)
		}
	})
}

func TestWhatOneProtocolWritesTheOtherReads(t *testing.T) {
	pair := shared(t)
	mustSave(t, pair.HTTP, plain, sidecar.Item{Key: key(t, "a"), Value: value(`{"by":"HTTP"}`)})
	etag := wantValue(t, pair.GRPC, plain, key(t, "a"), `{"by":"HTTP"}`)
	mustSave(t, pair.GRPC, plain, sidecar.Item{Key: key(t, "a"), Value: value(`{"by":"gRPC"}`), ETag: etag})
	wantValue(t, pair.HTTP, plain, key(t, "a"), `{"by":"gRPC"}`)
}

// getRaw reads a key over HTTP and returns the whole answer, headers included.
func getRaw(t *testing.T, key string) *http.Response {
	t.Helper()
	path := "/v1.0/state/" + plain + "/" + url.PathEscape(key)
	answer, _, err := shared(t).HTTP.Do(http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return answer
}
