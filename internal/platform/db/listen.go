package db

import (
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/json"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
)

// Several programs may work on one PostgreSQL database. What one of them
// commits, the others hear of by NOTIFY, in the same transaction.

const channel = "icouch"

// most of a notification, in bytes: PostgreSQL takes 8,000.
const notificationSize = 7000

type notification struct {
	Node   string   `json:"n"`
	Topics []string `json:"t"`
}

func nodeName() string { return rand.Text() }

func (d *DB) tellOthers(ctx context.Context, stx *sql.Tx, topics []string) error {
	if len(topics) == 0 {
		return nil
	}
	b, err := json.Marshal(notification{d.node, topics})
	if err != nil {
		return fmt.Errorf("db: notify: %w", err)
	}
	if len(b) > notificationSize { // very much has changed: look at everything again
		if b, err = json.Marshal(notification{d.node, []string{Everything}}); err != nil {
			return fmt.Errorf("db: notify: %w", err)
		}
	}
	if _, err := stx.ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, string(b)); err != nil {
		return fmt.Errorf("db: notify: %w", err)
	}
	return nil
}

// Signal wakes whoever watches some topics, on every node, with nothing stored:
// somebody is typing, or is here. If it is lost, nobody is the poorer.
func (d *DB) Signal(ctx context.Context, topics ...string) error {
	d.tell(topics)
	if !d.postgres {
		return nil
	}
	for len(topics) > 0 {
		n := fitting(topics)
		b, err := json.Marshal(notification{d.node, topics[:n]})
		if err != nil {
			return fmt.Errorf("db: signal: %w", err)
		}
		if _, err := d.write.ExecContext(ctx, "SELECT pg_notify($1, $2)", channel, string(b)); err != nil {
			return fmt.Errorf("db: signal: %w", err)
		}
		topics = topics[n:]
	}
	return nil
}

// fitting is how many topics go into one notification: one at least.
func fitting(topics []string) (n int) {
	size := 100 // what stands around them
	for n < len(topics) && (n == 0 || size+len(topics[n])+3 <= notificationSize) {
		size += len(topics[n]) + 3
		n++
	}
	return n
}

// listen hears of other programs' commits until the database is closed.
func (d *DB) listen() {
	ctx, stop := context.WithCancel(context.Background())
	d.stop, d.stopped = stop, make(chan struct{})
	go func() {
		defer close(d.stopped)
		for wait := time.Duration(0); ctx.Err() == nil; wait = time.Second {
			select {
			case <-ctx.Done():
				return
			case <-time.After(wait):
			}
			d.hear(ctx)
		}
	}()
}

// hear listens on one connection for as long as it lasts.
func (d *DB) hear(ctx context.Context) {
	conn, err := pgx.Connect(ctx, d.URL)
	if err != nil {
		return
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if _, err := conn.Exec(ctx, "LISTEN "+channel); err != nil {
		return
	}
	d.tell([]string{Everything}) // something may have been said while nobody listened
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return
		}
		var said notification
		if json.Unmarshal([]byte(n.Payload), &said) == nil && said.Node != d.node {
			d.tell(said.Topics)
		}
	}
}
