// Package db runs functions inside transactions, on SQLite or PostgreSQL.
//
//	err := d.Update(ctx, func(tx *db.Tx) error {
//		return people.Invite(tx, by, client)
//	})
//
// Everything the function does through tx is kept if it returns nil and undone
// if it returns an error or panics. When Update has returned nil, it is on the
// disk. The function may be run again after a serialization failure, so it must
// touch nothing but tx: no mail, no HTTP.
package db

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"modernc.org/sqlite"

	"icouch/internal/base/at"
	"icouch/internal/platform/crypt"
)

// Config says which database to open and what its transactions carry.
type Config struct {
	URL   string           // a file path for SQLite, or postgres://…
	Clock func() time.Time // time.Now, except in tests
	Ring  *crypt.Ring
	SQL   []Prepared // the statements of every package that has some

	Existing bool // only a database that has our tables already: ErrEmpty otherwise
}

// ErrEmpty says that a database has none of our tables.
var ErrEmpty = errors.New("db: there are no tables")

// DB is one database: a pool to read with and a pool to write with. On SQLite
// the second has one connection, and transactions that wait for it share one
// commit; see lite_writer.go.
type DB struct {
	Config
	postgres    bool
	read, write pool
	watching    sync.RWMutex
	watchers    []func(topic string)
	writer      *writer       // SQLite only
	node        string        // tells this program's notifications from others'
	stop        func()        // ends the listener
	stopped     chan struct{} // closed when it has ended
	closing     sync.Once
	open        sync.RWMutex // PostgreSQL: held by each change under way
	lines       atomic.Int64 // of the trail, written since the start
	closed      bool
}

type pool struct {
	*sql.DB
	lite     bool
	prepared map[Prepared]any
}

// Pragmas go in the URL, so that every connection of the pool has them.
const pragmas = "?_time_format=sqlite&_dqs=0&_pragma=busy_timeout(10000)&_pragma=journal_mode(wal)" +
	"&_pragma=synchronous(full)&_pragma=foreign_keys(1)&_pragma=temp_store(memory)"

// writing are the writer's own. Its indexes are written all over: in 2 MB, the
// default, those of a large practice are read again for each change.
const writing = "&_txlock=immediate&_pragma=cache_size(-16000)"

// Open connects, migrates, and prepares every statement: a statement that this
// engine does not accept stops the program here, not in front of a client.
func Open(ctx context.Context, c Config) (d *DB, err error) {
	d = &DB{Config: c, postgres: IsPostgres(c.URL), node: nodeName()}
	if err := d.connect(); err != nil {
		return nil, fmt.Errorf("db: open: %w", err)
	}
	if err := d.expected(ctx); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	if err := d.migrate(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("db: migrate: %w", err), d.Close())
	}
	for _, p := range []*pool{&d.read, &d.write} {
		p.prepared, p.lite = map[Prepared]any{}, !d.postgres
		for _, s := range c.SQL {
			q, err := s.on(ctx, p)
			if err != nil {
				return nil, errors.Join(fmt.Errorf("db: prepare: %w", err), d.Close())
			}
			p.prepared[s] = q
		}
	}
	if d.postgres {
		d.listen()
		return d, nil
	}
	if d.writer, err = newWriter(ctx, d); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// IsPostgres reports whether url names a PostgreSQL database.
func IsPostgres(url string) bool { return strings.HasPrefix(url, "postgres") }

// Engine says, in a word, what the database is.
func (d *DB) Engine() string {
	if d.postgres {
		return "PostgreSQL"
	}
	return "SQLite"
}

func (d *DB) connect() (err error) {
	if d.postgres {
		d.write.DB, err = sql.Open("pgx", postgresURL(d.URL))
		if err == nil {
			d.write.SetMaxOpenConns(32)
			d.write.SetMaxIdleConns(32)
		}
		d.read.DB = d.write.DB
		return err
	}
	// Without this, closing any other descriptor of the file would drop its locks.
	if _, err = sqlite.OFDLocking(true); err != nil {
		return err
	}
	if d.write.DB, err = sql.Open("sqlite", "file:"+d.URL+pragmas+writing); err != nil {
		return err
	}
	d.write.SetMaxOpenConns(1)
	d.read.DB, err = sql.Open("sqlite", "file:"+d.URL+pragmas+"&_pragma=query_only(1)")
	if err == nil {
		d.read.SetMaxOpenConns(8)
		d.read.SetMaxIdleConns(8)
	}
	return err
}

// Plans are made for the values at hand; a generic plan of a filter that may
// be empty was 24 times slower.
func postgresURL(url string) string {
	sep := "?"
	if strings.Contains(url, "?") {
		sep = "&"
	}
	return url + sep + "plan_cache_mode=force_custom_plan"
}

// expected looks for our tables, where they are to be there already.
func (d *DB) expected(ctx context.Context) error {
	if !d.Existing {
		return nil
	}
	var tables int
	var err error
	if d.postgres {
		err = d.Row(ctx, "SELECT COUNT(*) FROM information_schema.tables WHERE table_name = 'practice_key' AND table_schema = ANY(current_schemas(false))", nil, &tables)
	} else {
		err = d.Row(ctx, "SELECT COUNT(*) FROM sqlite_master WHERE name = 'practice_key'", nil, &tables)
	}
	if err != nil {
		return fmt.Errorf("db: open: %w", err)
	}
	if tables == 0 {
		return ErrEmpty
	}
	return nil
}

//go:embed migrations/*.sql migrations/lite/*.sql
var migrations embed.FS

func (d *DB) migrate(ctx context.Context) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	dialect, opts := goose.DialectSQLite3, []goose.ProviderOption(nil)
	if d.postgres {
		l, err := lock.NewPostgresSessionLocker() // several nodes may start at once
		if err != nil {
			return err
		}
		dialect, opts = goose.DialectPostgres, append(opts, goose.WithSessionLocker(l))
	} else {
		dir = lite{dir}
	}
	p, err := goose.NewProvider(dialect, d.write.DB, dir, opts...)
	if err != nil {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// Close waits for the changes under way and closes the database.
func (d *DB) Close() (err error) {
	d.closing.Do(func() {
		if d.stop != nil {
			d.stop()
			<-d.stopped
		}
		if d.writer != nil {
			d.writer.close()
		}
		d.open.Lock()
		defer d.open.Unlock()
		d.closed = true
		err = errors.Join(d.read.Close(), d.write.Close())
	})
	return err
}

// Everything is the topic that says: whatever you remember may be stale. It is
// told after notifications from other nodes may have been missed.
const Everything = "*"

// Watch has fn told of every topic that a committed transaction named, on this
// node or another. fn must be quick: the committer waits for it.
func (d *DB) Watch(fn func(topic string)) {
	d.watching.Lock()
	defer d.watching.Unlock()
	d.watchers = append(d.watchers, fn)
}

func (d *DB) tell(topics []string) {
	if len(topics) == 0 {
		return
	}
	d.watching.RLock()
	defer d.watching.RUnlock()
	for _, topic := range topics {
		for _, w := range d.watchers {
			w(topic)
		}
	}
}

// constSQL is SQL fixed when the program was compiled. The type is unexported,
// so only a constant can become one: text put together at run time does not compile.
type constSQL string

// Exec runs one statement outside the application's own: tests and upkeep.
func (d *DB) Exec(ctx context.Context, query constSQL, args ...any) error {
	_, err := d.write.ExecContext(ctx, string(query), args...)
	return err
}

// Row runs one query outside the application's own and reads its first row
// into dest: tests and upkeep.
func (d *DB) Row(ctx context.Context, query constSQL, args []any, dest ...any) error {
	return d.read.QueryRowContext(ctx, string(query), args...).Scan(dest...)
}

// Intact asks the engine to check itself, and returns what it finds wrong.
func (d *DB) Intact(ctx context.Context) error {
	if d.postgres {
		return d.Exec(ctx, "SELECT 1")
	}
	var found string
	if err := d.Row(ctx, "PRAGMA integrity_check", nil, &found); err != nil {
		return fmt.Errorf("db: integrity check: %w", err)
	}
	if found != "ok" {
		return fmt.Errorf("db: integrity check: %s", found)
	}
	return nil
}

// ErrNoSnapshot says that this engine's copies are made by its own means.
var ErrNoSnapshot = errors.New("db: snapshots of PostgreSQL are made with pg_dump or its own backups")

// Snapshot writes a whole and consistent copy of the database to a new file
// while the program goes on working. SQLite only.
func (d *DB) Snapshot(ctx context.Context, file string) error {
	if d.postgres {
		return ErrNoSnapshot
	}
	// On a connection of its own: the readers may not write, not even another file.
	own, err := sql.Open("sqlite", "file:"+d.URL+pragmas)
	if err != nil {
		return fmt.Errorf("db: snapshot: %w", err)
	}
	_, err = own.ExecContext(ctx, "VACUUM INTO $1", file)
	if err = errors.Join(err, own.Close()); err != nil {
		return fmt.Errorf("db: snapshot: %w", err)
	}
	return nil
}

// None is what a query for one row returns when there is none.
var None = sql.ErrNoRows

// Taken reports whether err says that a unique value is already there.
func Taken(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23505"
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && (e.Code() == 2067 || e.Code() == 1555)
}

// Dangling reports whether err says that a row points at one that is not there.
func Dangling(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return e.Code == "23503"
	}
	e, ok := errors.AsType[*sqlite.Error](err)
	return ok && e.Code() == 787
}

// Unavailable reports whether err says that the database cannot be written or
// reached just now: full, locked, read-only, restarting.
func Unavailable(err error) bool {
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return strings.HasPrefix(e.Code, "53") || strings.HasPrefix(e.Code, "57") || strings.HasPrefix(e.Code, "08") || e.Code == "25006"
	}
	if e, ok := errors.AsType[*sqlite.Error](err); ok {
		switch e.Code() & 0xff {
		case 5, 6, 8, 10, 13, 14: // busy, locked, read-only, I/O, full, cannot open
			return true
		}
		return false
	}
	_, unconnected := errors.AsType[*pgconn.ConnectError](err)
	_, cut := errors.AsType[*net.OpError](err)
	return unconnected || cut || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, errClosed)
}

func worthAnotherTry(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	return ok && (e.Code == "40001" || e.Code == "40P01")
}

func (d *DB) now() at.Time { return at.Of(d.Clock()) }
