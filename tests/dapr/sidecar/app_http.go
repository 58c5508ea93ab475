// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// requestLimit is longer than any answer should take on a busy machine, and
// short enough for a hung store to fail its test rather than the whole run.
const requestLimit = 30 * time.Second

// HTTPApp speaks Dapr's HTTP API with plain net/http.
type HTTPApp struct {
	base   string
	client http.Client
}

var _ App = (*HTTPApp)(nil)

func newHTTPApp(address string) *HTTPApp {
	return &HTTPApp{base: "http://" + address, client: http.Client{Timeout: requestLimit}}
}

// Port is what an SDK reads from DAPR_HTTP_PORT.
func (a *HTTPApp) Port() string { return portOf(a.base) }

func portOf(address string) string { return address[strings.LastIndex(address, ":")+1:] }

func (a *HTTPApp) Save(store string, items ...Item) error {
	body := []map[string]any{}
	for _, item := range items {
		body = append(body, item.json())
	}
	_, _, err := a.Do(http.MethodPost, "/v1.0/state/"+store, body)
	return err
}

func (a *HTTPApp) Get(store, key string) (Got, error) { return a.GetWith(store, key, "") }

func (a *HTTPApp) GetWith(store, key string, consistency Consistency) (Got, error) {
	path := "/v1.0/state/" + store + "/" + url.PathEscape(key)
	if consistency != "" {
		path += "?consistency=" + string(consistency)
	}
	answer, body, err := a.Do(http.MethodGet, path, nil)
	if err != nil {
		return Got{}, err
	}
	got := Got{Key: key, Value: body, ETag: answer.Header.Get("ETag")}
	for name, values := range answer.Header {
		if strings.EqualFold(name, "metadata.ttlExpireTime") {
			got.ExpireTime = values[0]
		}
	}
	return got, nil
}

func (a *HTTPApp) BulkGet(store string, keys ...string) ([]Got, error) {
	_, body, err := a.Do(http.MethodPost, "/v1.0/state/"+store+"/bulk", map[string]any{"keys": keys})
	if err != nil {
		return nil, err
	}
	var items []struct {
		Key, ETag, Error string
		Data             json.RawMessage
		Metadata         map[string]string
	}
	if err := json.Unmarshal(body, &items); err != nil {
		return nil, fmt.Errorf("bulk get answered %q: %w", body, err)
	}
	var got []Got
	for _, i := range items {
		got = append(got, Got{i.Key, i.Data, i.ETag, i.Metadata["ttlExpireTime"], i.Error})
	}
	return got, nil
}

func (a *HTTPApp) Delete(store string, item Item) error {
	query := url.Values{}
	if item.FirstWrite {
		query.Set("concurrency", "first-write")
	}
	if item.Consistency != "" {
		query.Set("consistency", string(item.Consistency))
	}
	path := "/v1.0/state/" + store + "/" + url.PathEscape(item.Key) + "?" + query.Encode()
	header := http.Header{}
	if item.ETag != "" {
		header.Set("If-Match", item.ETag)
	}
	_, _, err := a.do(http.MethodDelete, path, header, nil)
	return err
}

func (a *HTTPApp) Transact(store string, operations ...Operation) error {
	steps := []map[string]any{}
	for _, operation := range operations {
		name := "upsert"
		if operation.IsDelete {
			name = "delete"
		}
		steps = append(steps, map[string]any{"operation": name, "request": operation.json()})
	}
	_, _, err := a.Do(http.MethodPost, "/v1.0/state/"+store+"/transaction", map[string]any{"operations": steps})
	return err
}

func (a *HTTPApp) Query(store, query string) (Found, error) { return a.QueryBelow(store, "", query) }

// QueryBelow sends the prefix of the keys as an app does, in the URL.
func (a *HTTPApp) QueryBelow(store, keyPrefix, query string) (Found, error) {
	path := "/v1.0-alpha1/state/" + store + "/query"
	if keyPrefix != "" {
		path += "?metadata.keyPrefix=" + url.QueryEscape(keyPrefix)
	}
	answer, body, err := a.Do(http.MethodPost, path, json.RawMessage(query))
	if err != nil || answer.StatusCode == http.StatusNoContent {
		return Found{}, err
	}
	var page struct {
		Results []struct {
			Key, ETag, Error string
			Data             json.RawMessage
		}
		Token string
	}
	if err := json.Unmarshal(body, &page); err != nil {
		return Found{}, fmt.Errorf("query answered %q: %w", body, err)
	}
	found := Found{Token: page.Token}
	for _, row := range page.Results {
		found.Rows = append(found.Rows, Got{Key: row.Key, Value: row.Data, ETag: row.ETag, Error: row.Error})
	}
	return found, nil
}

// Do sends one request and returns the answer and its body; any status but 200
// and 204 is a Refusal.
func (a *HTTPApp) Do(method, path string, body any) (*http.Response, []byte, error) {
	return a.do(method, path, nil, body)
}

func (a *HTTPApp) do(method, path string, header http.Header, body any) (*http.Response, []byte, error) {
	var content io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, nil, err
		}
		content = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, a.base+path, content)
	if err != nil {
		return nil, nil, err
	}
	if header != nil {
		request.Header = header
	}
	request.Header.Set("Content-Type", "application/json")
	answer, err := a.client.Do(request)
	if err != nil {
		return nil, nil, err
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return nil, nil, err
	}
	switch answer.StatusCode {
	case http.StatusOK, http.StatusNoContent:
		return answer, text, nil
	default:
		return answer, text, refusalOf(answer.StatusCode, text)
	}
}

func refusalOf(code int, body []byte) *Refusal {
	var said struct{ ErrorCode, Message string }
	if json.Unmarshal(body, &said) != nil {
		said.Message = string(body)
	}
	return &Refusal{HTTP: code, Text: string(body), Message: said.Message, Kind: said.ErrorCode}
}

// json is the item as the body of a save or of a transaction's step has it.
func (i Item) json() map[string]any {
	keepConfidential(i.Value)
	body := map[string]any{"key": i.Key}
	if i.Value != nil {
		body["value"] = json.RawMessage(i.Value)
	}
	if i.ETag != "" {
		body["etag"] = i.ETag
	}
	if i.Metadata != nil {
		body["metadata"] = i.Metadata
	}
	options := map[string]string{}
	if i.FirstWrite {
		options["concurrency"] = "first-write"
	}
	if i.Consistency != "" {
		options["consistency"] = string(i.Consistency)
	}
	if len(options) > 0 {
		body["options"] = options
	}
	return body
}
