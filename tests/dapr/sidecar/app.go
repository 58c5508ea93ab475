// SPDX-License-Identifier: Apache-2.0

package sidecar

import (
	"fmt"

	"google.golang.org/grpc/codes"
)

// An App asks for state as an application does. Both of Dapr's protocols are
// here; most tests run over each.
//
// Values are JSON, because HTTP carries nothing else; the gRPC app sends and
// receives them as plain bytes.
type App interface {
	Save(store string, items ...Item) error
	Get(store, key string) (Got, error)
	GetWith(store, key string, consistency Consistency) (Got, error)
	BulkGet(store string, keys ...string) ([]Got, error)
	Delete(store string, item Item) error
	Transact(store string, operations ...Operation) error
	Query(store, query string) (Found, error)
	QueryBelow(store, keyPrefix, query string) (Found, error)
}

// An Item is one thing to save or delete. Zero fields are not sent.
type Item struct {
	Key         string
	Value       []byte
	ETag        string
	FirstWrite  bool
	Consistency Consistency
	Metadata    map[string]string
}

// TTL returns the item with a time to live, in the words of the metadata.
func (i Item) TTL(seconds string) Item {
	i.Metadata = map[string]string{"ttlInSeconds": seconds}
	return i
}

// Consistency is what a request asks for; empty for nothing.
type Consistency string

const (
	Eventual Consistency = "eventual"
	Strong   Consistency = "strong"
)

// An Operation is one step of a transaction: an upsert, or a delete.
type Operation struct {
	Item
	IsDelete bool
}

// Upsert and Delete are the two steps of a transaction.
func Upsert(item Item) Operation { return Operation{Item: item} }
func Delete(item Item) Operation { return Operation{Item: item, IsDelete: true} }

// Got is what a read returned for one key. A missing key has neither value nor
// ETag; over HTTP an empty value cannot be told from it.
type Got struct {
	Key        string
	Value      []byte
	ETag       string
	ExpireTime string // metadata ttlExpireTime, "" when there was none
	Error      string // only in a bulk read
}

// Found is one page of a query's rows.
type Found struct {
	Rows  []Got
	Token string
}

// Keys are those of the rows, in order.
func (f Found) Keys() []string {
	keys := []string{}
	for _, row := range f.Rows {
		keys = append(keys, row.Key)
	}
	return keys
}

// A Refusal is daprd's answer when it, or the store behind it, said no.
type Refusal struct {
	HTTP    int        // status, or 0 over gRPC
	GRPC    codes.Code // code, or OK over HTTP
	Text    string     // everything that the app gets to read
	Message string     // of that, the sentence for people

	// What a program can tell errors apart by: daprd's errorCode over HTTP; over
	// gRPC the domain and the reason of the google.rpc.ErrorInfo, "domain/reason".
	Kind string
}

func (r *Refusal) Error() string {
	if r.HTTP != 0 {
		return fmt.Sprintf("HTTP %d: %s", r.HTTP, r.Text)
	}
	return fmt.Sprintf("gRPC %s: %s", r.GRPC, r.Text)
}
