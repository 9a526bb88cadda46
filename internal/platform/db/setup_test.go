package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"icouch/internal/platform/crypt"
)

// engines are the databases of this run: a SQLite file and, when PGTEST holds
// an address with %s for the database's name, a new PostgreSQL database.
func engines(t testing.TB) map[string]string {
	all := map[string]string{"SQLite": liteURL(t)}
	for _, url := range postgres(t) {
		all["PostgreSQL"] = url
	}
	return all
}

func liteURL(t testing.TB) string { return filepath.Join(t.TempDir(), "icouch.db") }

// postgres is one new PostgreSQL database, or none where there is no server.
func postgres(t testing.TB) []string {
	pattern := os.Getenv("PGTEST")
	if pattern == "" {
		return nil
	}
	admin, err := sql.Open("pgx", fmt.Sprintf(pattern, "postgres"))
	if err != nil {
		t.Fatal(err)
	}
	name := "t_" + strings.ToLower(rand.Text())
	if _, err := admin.ExecContext(t.Context(), "CREATE DATABASE "+name); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		admin.ExecContext(context.Background(), "DROP DATABASE "+name+" WITH (FORCE)")
		admin.Close()
	})
	return []string{fmt.Sprintf(pattern, name)}
}

// open opens url with one table more, for the tests.
func open(t testing.TB, url string) *DB {
	t.Helper()
	d := reopen(t, url)
	if err := d.Exec(t.Context(), "CREATE TABLE IF NOT EXISTS stone (n BIGINT PRIMARY KEY, text TEXT NOT NULL)"); err != nil {
		t.Fatal(err)
	}
	return d
}

func reopen(t testing.TB, url string) *DB {
	t.Helper()
	ring, err := crypt.NewRing()
	if err != nil {
		t.Fatal(err)
	}
	d, err := Open(t.Context(), Config{URL: url, Clock: time.Now, Ring: ring})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { d.Close() })
	return d
}

var errNo = errors.New("no")

// put lays down a stone, and notifies.
func put(n int) func(*Tx) error {
	return func(tx *Tx) error {
		tx.Notify(fmt.Sprint("stone/", n))
		_, err := tx.sql.ExecContext(tx, "INSERT INTO stone (n, text) VALUES ($1, $2)", n, "a stone")
		return err
	}
}

// stones are the stones that lie there.
func stones(t testing.TB, d *DB) string {
	t.Helper()
	var all []string
	err := d.View(context.Background(), func(tx *Tx) error {
		rows, err := tx.sql.QueryContext(tx, "SELECT n FROM stone ORDER BY n")
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var n int
			if err := rows.Scan(&n); err != nil {
				return err
			}
			all = append(all, fmt.Sprint(n))
		}
		return rows.Err()
	})
	if err != nil {
		t.Error(err)
	}
	return strings.Join(all, " ")
}
