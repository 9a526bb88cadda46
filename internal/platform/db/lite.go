package db

import (
	"io/fs"
	"slices"
	"strings"
	"testing/fstest"
)

// Everything is written once, in PostgreSQL's words. This file is the whole
// difference between the engines, save for how they commit.

// liteTypes turns a table into a STRICT SQLite table without a rowid.
var liteTypes = strings.NewReplacer(" instant", " INTEGER", " BIGINT", " INTEGER", " BOOLEAN", " INTEGER",
	" sealed", " BLOB", " BYTEA", " BLOB", "\n);", "\n) STRICT, WITHOUT ROWID;")

// liteStatement drops the phrases SQLite does not need: it has one writer.
func liteStatement(query string) string {
	query = strings.ReplaceAll(query, "FOR UPDATE SKIP LOCKED", "")
	return strings.ReplaceAll(query, "FOR UPDATE", "")
}

// lite shows the migrations as SQLite wants them: without those meant for
// PostgreSQL alone, and with those in the folder lite, which are SQLite's own.
type lite struct{ fs.FS }

func (l lite) Open(name string) (fs.File, error) {
	if !strings.HasSuffix(name, ".sql") {
		return l.FS.Open(name)
	}
	if b, err := fs.ReadFile(l.FS, "lite/"+name); err == nil {
		return fstest.MapFS{name: {Data: b}}.Open(name)
	}
	b, err := fs.ReadFile(l.FS, name)
	if err != nil {
		return nil, err
	}
	return fstest.MapFS{name: {Data: []byte(liteTypes.Replace(string(b)))}}.Open(name)
}

func (l lite) Glob(pattern string) (names []string, err error) {
	all, err := fs.Glob(l.FS, pattern)
	if err != nil {
		return nil, err
	}
	for _, n := range all {
		if !strings.HasSuffix(n, ".postgres.sql") {
			names = append(names, n)
		}
	}
	own, err := fs.Glob(l.FS, "lite/"+pattern)
	for _, n := range own {
		names = append(names, strings.TrimPrefix(n, "lite/"))
	}
	slices.Sort(names)
	return names, err
}
