// SPDX-License-Identifier: Apache-2.0

//go:build integration

package integration_test

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"fmt"
	"io"
	"reflect"
	"regexp"

	"github.com/dapr/dapr/tests/integration/framework/process/sqlite"
	"github.com/dapr/dapr/tests/integration/framework/process/workflow"
	"github.com/dapr/dapr/tests/integration/suite"

	"statecpp.dev/tests/dapr/sidecar"
)

// replaceDatabase has a case that looks into its database look into our store
// instead. What can be answered is how many rows there are, which is what the
// cases about purging ask.
func replaceDatabase(one suite.Case, pair *sidecar.Pair) {
	fields := reflect.ValueOf(one).Elem()
	for i := range fields.NumField() {
		field := fields.Field(i)
		if field.Kind() != reflect.Pointer || field.IsNil() {
			continue
		}
		var database *sqlite.SQLite
		switch value := exported(field).(type) {
		case *workflow.Workflow:
			database = value.DB()
		case *sqlite.SQLite:
			database = value
		default:
			continue
		}
		connection := reflect.ValueOf(database).Elem().FieldByName("conn")
		reflect.NewAt(connection.Type(), connection.Addr().UnsafePointer()).Elem().
			Set(reflect.ValueOf(sql.OpenDB(counter{pair: pair})))
	}
}

// A counter is a database that counts the records of a store, and makes no
// tables.
type counter struct {
	driver.Conn // of what database/sql may call, only what is written here
	pair        *sidecar.Pair
}

func (c counter) Connect(context.Context) (driver.Conn, error) { return c, nil }
func (c counter) Driver() driver.Driver                        { return nil }
func (c counter) Close() error                                 { return nil }

func (c counter) ExecContext(_ context.Context, statement string, _ []driver.NamedValue) (driver.Result, error) {
	if !regexp.MustCompile(`^\s*CREATE TABLE`).MatchString(statement) {
		return nil, fmt.Errorf("this database cannot do %q", statement)
	}
	return driver.ResultNoRows, nil
}

func (c counter) QueryContext(_ context.Context, query string, _ []driver.NamedValue) (driver.Rows, error) {
	if !regexp.MustCompile(`^SELECT COUNT\(\*\) FROM \w+$`).MatchString(query) {
		return nil, fmt.Errorf("this database cannot answer %q", query)
	}
	count, err := c.pair.CountRecords()
	return &oneRow{count: count}, err
}

type oneRow struct {
	count int64
	read  bool
}

func (r *oneRow) Columns() []string { return []string{"count"} }
func (r *oneRow) Close() error      { return nil }

func (r *oneRow) Next(row []driver.Value) error {
	if r.read {
		return io.EOF
	}
	r.read, row[0] = true, r.count
	return nil
}
