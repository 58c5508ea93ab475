// SPDX-License-Identifier: Apache-2.0

package dapr_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"testing"

	"google.golang.org/grpc/codes"

	"statecpp.dev/tests/dapr/sidecar"
)

// The rows of Dapr's documentation, with keys from 1 on.
var people = []string{
	`{"person":{"org":"Dev Ops","id":1036},"city":"Seattle","state":"WA"}`,
	`{"person":{"org":"Hardware","id":1028},"city":"Portland","state":"OR"}`,
	`{"person":{"org":"Finance","id":1071},"city":"Sacramento","state":"CA"}`,
	`{"person":{"org":"Dev Ops","id":1042},"city":"Spokane","state":"WA"}`,
	`{"person":{"org":"Hardware","id":1007},"city":"Los Angeles","state":"CA"}`,
	`{"person":{"org":"Finance","id":1094},"city":"Eugene","state":"OR"}`,
	`{"person":{"org":"Dev Ops","id":1015},"city":"San Francisco","state":"CA"}`,
	`{"person":{"org":"Hardware","id":1077},"city":"Redmond","state":"WA"}`,
	`{"person":{"org":"Finance","id":1002},"city":"San Diego","state":"CA"}`,
	`{"person":{"org":"Dev Ops","id":1054},"city":"New York","state":"NY"}`,
}

// A component of the test's own, since a query sees all of a store: once over
// HTTP and once over gRPC.
func overEachOfItsOwn(t *testing.T, component sidecar.Component, test func(t *testing.T, app sidecar.App)) {
	over := func(name string, of func(*sidecar.Pair) sidecar.App) {
		t.Run(name, func(t *testing.T) {
			component.Name = "people"
			test(t, of(sidecar.Start(t, component)))
		})
	}
	over("HTTP", func(pair *sidecar.Pair) sidecar.App { return pair.HTTP })
	over("gRPC", func(pair *sidecar.Pair) sidecar.App { return pair.GRPC })
}

func savePeople(t *testing.T, app sidecar.App) {
	t.Helper()
	var items []sidecar.Item
	for i, person := range people {
		items = append(items, sidecar.Item{Key: fmt.Sprint(i + 1), Value: []byte(person)})
	}
	mustSave(t, app, "people", items...)
}

func mustFind(t *testing.T, app sidecar.App, query string) sidecar.Found {
	t.Helper()
	found, err := app.Query("people", query)
	if err != nil {
		t.Fatalf("query %s: %v", query, err)
	}
	return found
}

func wantKeys(t *testing.T, found sidecar.Found, want ...string) {
	t.Helper()
	if !slices.Equal(found.Keys(), want) {
		t.Fatalf("found %v, want %v", found.Keys(), want)
	}
}

// Both results that Dapr's documentation shows, row by row.
func TestTheExamplesOfDaprsDocumentationAreAnswered(t *testing.T) {
	overEachOfItsOwn(t, sidecar.Component{}, func(t *testing.T, app sidecar.App) {
		savePeople(t, app)

		found := mustFind(t, app, `{
			"filter": {"EQ": {"state": "CA"}},
			"sort": [{"key": "person.id", "order": "DESC"}]}`)
		wantKeys(t, found, "3", "7", "5", "9")
		for _, row := range found.Rows {
			var n int
			if _, err := fmt.Sscan(row.Key, &n); err != nil || !sameJSON(row.Value, people[n-1]) {
				t.Errorf("row %q is %s", row.Key, row.Value)
			}
			if got := mustGet(t, app, "people", row.Key); got.ETag != row.ETag {
				t.Errorf("row %q has the ETag %q, and Get says %q", row.Key, row.ETag, got.ETag)
			}
		}

		const second = `{
			"filter": {"OR": [
				{"EQ": {"person.org": "Dev Ops"}},
				{"AND": [
					{"EQ": {"person.org": "Finance"}},
					{"IN": {"state": ["CA", "WA"]}}]}]},
			"sort": [{"key": "state", "order": "DESC"}, {"key": "person.id"}],
			"page": {"limit": 3, "token": %q}}`
		found = mustFind(t, app, fmt.Sprintf(second, ""))
		wantKeys(t, found, "1", "4", "10")
		if found.Token == "" {
			t.Fatal("there is more, and no token that leads to it")
		}
		found = mustFind(t, app, fmt.Sprintf(second, found.Token))
		wantKeys(t, found, "9", "7", "3")
		if found.Token != "" {
			t.Errorf("the last page has the token %q", found.Token)
		}
	})
}

// What daprd makes of numbers and of what HTML may not contain on its way.
func TestAQueryComparesWhatWasMeant(t *testing.T) {
	overEachOfItsOwn(t, sidecar.Component{}, func(t *testing.T, app sidecar.App) {
		mustSave(t, app, "people",
			sidecar.Item{Key: "a", Value: value(`{"text":"<a&b>","n":120000000000000000000}`)},
			sidecar.Item{Key: "b", Value: value(`{"text":"c","n":12}`)},
			sidecar.Item{Key: "c", Value: value(`{"n":"12"}`)})
		wantKeys(t, mustFind(t, app, `{"filter":{"EQ":{"text":"<a&b>"}}}`), "a")
		wantKeys(t, mustFind(t, app, `{"filter":{"GT":{"n":11.1}}}`), "a", "b")
		wantKeys(t, mustFind(t, app, `{"filter":{"EQ":{"n":120000000000000000000}}}`), "a")
		wantKeys(t, mustFind(t, app, `{"filter":{"NEQ":{"text":"c"}}}`), "a")
		wantKeys(t, mustFind(t, app, `{"filter":{"EQ":{"text":"none"}}}`))
		wantKeys(t, mustFind(t, app, `{"filter":{}}`), "a", "b", "c")
	})
}

// One value that is not JSON would be the end of daprd's whole answer.
func TestAQueryPassesOverWhatIsNotJSON(t *testing.T) {
	pair := sidecar.Start(t, sidecar.Component{Name: "people"})
	mustSave(t, pair.GRPC, "people",
		sidecar.Item{Key: "bytes", Value: []byte{0x01}},
		sidecar.Item{Key: "cut", Value: value(`{"a":1,"b":[`)},
		sidecar.Item{Key: "good", Value: value(`{"a":1,"b":[]}`)})
	for _, app := range []sidecar.App{pair.HTTP, pair.GRPC} {
		wantKeys(t, mustFind(t, app, `{"filter":{"EQ":{"a":1}}}`), "good")
		wantKeys(t, mustFind(t, app, `{"filter":{}}`), "good")
	}
}

func TestAQueryIsPagedWhileRowsComeAndGo(t *testing.T) {
	overEachOfItsOwn(t, sidecar.Component{}, func(t *testing.T, app sidecar.App) {
		savePeople(t, app)
		var seen []string
		token := ""
		for page := 0; ; page++ {
			found := mustFind(t, app, fmt.Sprintf(`{
				"sort": [{"key": "person.id"}],
				"page": {"limit": 3, "token": %q}}`, token))
			for _, key := range found.Keys() {
				if len(key) <= 2 {
					seen = append(seen, key)
				}
			}
			if token = found.Token; token == "" {
				break
			}
			mustSave(t, app, "people", sidecar.Item{
				Key: fmt.Sprintf("new-%d", page), Value: value(`{"person":{"id":%d}}`, 1000+30*page)})
			if page > 0 {
				mustDelete(t, app, "people", sidecar.Item{Key: fmt.Sprintf("new-%d", page-1)})
			}
		}
		if want := []string{"9", "5", "7", "2", "1", "4", "10", "3", "8", "6"}; !slices.Equal(seen, want) {
			t.Errorf("the pages have %v, want %v", seen, want)
		}
	})
}

// More than daprd can receive at once comes in pages, though no limit is asked.
func TestAQueryPastDaprsLimitIsCutIntoPages(t *testing.T) {
	overEachOfItsOwn(t, sidecar.Component{}, func(t *testing.T, app sidecar.App) {
		big, err := json.Marshal(map[string]string{"text": string(make([]byte, 200_000))})
		if err != nil {
			t.Fatal(err)
		}
		for _, key := range []string{"a", "b", "c", "d", "e"} {
			mustSave(t, app, "people", sidecar.Item{Key: key, Value: big})
		}
		first := mustFind(t, app, `{"filter":{}}`)
		if len(first.Rows) != 3 || first.Token == "" {
			t.Fatalf("the first page has %v and the token %q", first.Keys(), first.Token)
		}
		rest := mustFind(t, app, fmt.Sprintf(`{"filter":{},"page":{"token":%q}}`, first.Token))
		wantKeys(t, rest, "d", "e")
	})
}

func TestAMalformedQueryIsA400ThatNamesTheSpot(t *testing.T) {
	overEachOfItsOwn(t, sidecar.Component{}, func(t *testing.T, app sidecar.App) {
		for query, spot := range map[string]string{
			`{"filter":{"GT":{"a":true}}}`:                             "filter.GT",
			`{"filter":{"OR":[{"EQ":{"a":1}},{"IN":{"a":[]}}]}}`:       "filter.OR[1].IN",
			`{"filter":{"AND":[{"EQ":{"a":1}},{"EQ":{"b":{"c":1}}}]}}`: "filter.AND[1].EQ",
			`{"filter":{"EQ":{"":1}}}`:                                 "filter.EQ",
			`{"filter":{},"sort":[{"key":"a"},{"key":"b..c"}]}`:        "sort[1].key",
			`{"filter":{},"page":{"limit":-1}}`:                        "page.limit",
		} {
			_, err := app.Query("people", query)
			wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument, "malformed at "+spot, "nothing was read")
		}
		_, err := app.Query("people", `{"filter":{},"page":{"token":"3"}}`)
		wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument, "begin again without a token")
	})
}

// Without a prefix a query sees every app's rows; the app gives its own.
func TestAQueryCanBeBounded(t *testing.T) {
	component := sidecar.Component{}.With("queryRequirePrefix", "true").With("maxScan", "10")
	overEachOfItsOwn(t, component, func(t *testing.T, app sidecar.App) {
		savePeople(t, app)
		const all = `{"filter":{"EQ":{"state":"NY"}}}`
		_, err := app.Query("people", all)
		wantRefusal(t, err, http.StatusBadRequest, codes.InvalidArgument, "queryRequirePrefix", "keyPrefix")

		found, err := app.QueryBelow("people", "app1||", all)
		if err != nil {
			t.Fatal(err)
		}
		wantKeys(t, found, "10")
		if found, err = app.QueryBelow("people", "app2||", all); err != nil || len(found.Rows) != 0 {
			t.Errorf("another app's rows: %v, %v", found.Keys(), err)
		}

		mustSave(t, app, "people", sidecar.Item{Key: "11", Value: value("{}")})
		_, err = app.QueryBelow("people", "app1||", all)
		wantRefusal(t, err, http.StatusUnprocessableEntity, codes.ResourceExhausted, "maxScan", "10 records")
	})
}
