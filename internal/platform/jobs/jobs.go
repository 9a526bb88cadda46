// Package jobs does things later. A job is stored in the transaction that
// asks for it, so it exists exactly when the change that needs it does.
//
// A job carries identifiers, never names or notes: it looks the rest up when
// it runs. A job may run twice, so what it does must bear being done twice.
//
// A job whose process is killed comes again when its lease ends, for ever: a
// letter outlives however many restarts. Only where a job may itself be what
// kills the process, as one that opens a stranger's picture may, a kind says
// what is done instead once it was begun five times in a row and never came to
// an end: see OnLost. Such jobs are spread out after the first time, so that
// those that only happened to be under way do not go down with it again.
package jobs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs/jobsdb"
)

// SQL is this package's statements.
var SQL = db.Prepare(jobsdb.Prepare)

const (
	topic    = "jobs"
	lease    = 2 * time.Minute
	poll     = time.Second      // for jobs that another node enqueued, or that fall due
	slowest  = 30 * time.Minute // between two tries
	attempts = 100              // the last comes some two days after the first
	workers  = 16               // of a queue; one beside it has its own
	losses   = 5                // so often a job that may kill the process is begun in vain
	spread   = 10 * time.Minute // over which those come again that were under way when it was killed
	grace    = 8 * time.Second  // for jobs under way when the program goes down
)

// Longest is how long a job has; then its context ends.
const Longest = lease - 10*time.Second

type attemptKey struct{}

// Attempt is how often the job of this context has been begun: 1 the first time.
func Attempt(ctx context.Context) int64 {
	n, _ := ctx.Value(attemptKey{}).(int64)
	return n
}

// Kind names a sort of job and fixes the type of what it is about.
type Kind[T any] string

// Enqueue stores a job, to run once tx commits. While one with the same unique
// text waits to be begun, another is not added; an empty text is never equal.
// One already begun does not count: it may have read what tx is changing.
func (k Kind[T]) Enqueue(tx *db.Tx, unique string, about T) error {
	return k.EnqueueAt(tx, tx.Now(), unique, about)
}

// EnqueueAt is Enqueue for a job that runs no earlier than due.
func (k Kind[T]) EnqueueAt(tx *db.Tx, due at.Time, unique string, about T) error {
	payload, err := json.Marshal(about)
	if err != nil {
		return fmt.Errorf("jobs: %s: %w", k, err)
	}
	p := jobsdb.AddParams{ID: id.New[string](tx.Now().Time), Kind: string(k), About: string(payload), RunAt: &due}
	if unique != "" {
		u := string(k) + "/" + unique
		p.UniqueKey = &u
	}
	if err := SQL.In(tx).Add(tx, p); err != nil {
		return fmt.Errorf("jobs: %s: %w", k, err)
	}
	if !due.After(tx.Now().Time) {
		tx.Notify(topic)
	}
	return nil
}

// On tells q what to do with jobs of kind k. A kind that nobody does waits in
// the database for a program that does it.
func (k Kind[T]) On(q *Queue, do func(context.Context, T) error) {
	q.do[string(k)] = func(ctx context.Context, payload []byte) error {
		var about T
		if err := json.Unmarshal(payload, &about); err != nil {
			return fmt.Errorf("jobs: %s: %w", k, err)
		}
		return do(ctx, about)
	}
}

// OnLost tells q what to do instead with a job of kind k that was begun five times
// in a row and never came to an end, because the process was killed meanwhile.
// That, too, is told to who hears of failed attempts.
func (k Kind[T]) OnLost(q *Queue, giveUp func(context.Context, T) error) {
	q.lost[string(k)] = func(ctx context.Context, payload []byte) error {
		var about T
		if err := json.Unmarshal(payload, &about); err != nil {
			return fmt.Errorf("jobs: %s: %w", k, err)
		}
		return giveUp(ctx, about)
	}
}

var errLost = errors.New("jobs: given up: the program was killed each time this was under way")

// Queue runs stored jobs, on as many nodes as there are.
type Queue struct {
	db      *db.DB
	workers int
	do      map[string]func(context.Context, []byte) error
	lost    map[string]func(context.Context, []byte) error
	wake    chan struct{}
	fail    func(kind string, attempt int64, err error)
	aside   []*Queue
}

// NewQueue returns a queue that knows no kinds yet. Every failed attempt is
// told to failed, if there is one.
func NewQueue(d *db.DB, failed func(kind string, attempt int64, err error)) *Queue {
	q := newQueue(d, workers, failed)
	d.Watch(func(t string) {
		if t == topic || t == db.Everything {
			q.rouse()
		}
	})
	return q
}

// Aside returns a queue beside q for kinds that may take long, of which so many
// run at once: however many of them wait, they hold up no letter. It runs while q
// does. Call it before that.
func (q *Queue) Aside(workers int) *Queue {
	a := newQueue(q.db, workers, q.fail)
	q.aside = append(q.aside, a)
	return a
}

func newQueue(d *db.DB, workers int, failed func(kind string, attempt int64, err error)) *Queue {
	return &Queue{
		db: d, workers: workers, fail: failed, wake: make(chan struct{}, 1),
		do: map[string]func(context.Context, []byte) error{}, lost: map[string]func(context.Context, []byte) error{},
	}
}

func (q *Queue) rouse() {
	select {
	case q.wake <- struct{}{}:
	default: // already awake
	}
	for _, a := range q.aside {
		a.rouse()
	}
}

// outcome is what became of a job that was begun.
type outcome struct {
	job    jobsdb.ClaimRow
	failed error
}

// Run works until ctx ends, several jobs at a time, and waits for those begun.
// What has ended is settled and what comes next is claimed in one transaction:
// under load, one for many jobs.
func (q *Queue) Run(ctx context.Context) {
	var beside sync.WaitGroup
	defer beside.Wait()
	for _, a := range q.aside {
		beside.Go(func() { a.Run(ctx) })
	}
	ended := make(chan outcome, q.workers)
	tick := time.NewTicker(poll)
	defer tick.Stop()
	var done []outcome
	busy := 0
	for ctx.Err() == nil {
		for _, j := range q.turn(ctx, done, q.workers-busy) {
			busy++
			go func() {
				begun, end := lingering(ctx)
				defer end()
				ended <- q.attempt(begun, j)
			}()
		}
		done = done[:0]
		wake := q.wake
		if busy == q.workers {
			wake = nil // nobody could do it; the signal waits
		}
		select {
		case <-ctx.Done():
		case o := <-ended:
			done = gather(done, o, ended)
			busy -= len(done)
		case <-wake:
		case <-tick.C:
		}
	}
	q.turn(ctx, done, 0)
	for busy > 0 {
		done = gather(done[:0], <-ended, ended)
		busy -= len(done)
		q.turn(ctx, done, 0)
	}
}

// gather takes whatever else has ended.
func gather(done []outcome, first outcome, ended <-chan outcome) []outcome {
	done = append(done, first)
	for {
		select {
		case o := <-ended:
			done = append(done, o)
		default:
			return done
		}
	}
}

// turn settles what is done and claims at most so many jobs that are due.
func (q *Queue) turn(ctx context.Context, done []outcome, most int) (due []jobsdb.ClaimRow) {
	if len(done) == 0 && most == 0 {
		return nil
	}
	kept := context.WithoutCancel(ctx) // the program may be going down; what was done is noted all the same
	err := q.db.Maintain(kept, func(tx *db.Tx) (err error) {
		for _, o := range done {
			if err := settle(tx, o); err != nil {
				return err
			}
		}
		due, err = q.claim(tx, int32(most))
		return err
	})
	if err == nil {
		return due
	}
	if q.fail != nil {
		q.fail("claim", 0, err)
	}
	for _, o := range done { // one of them may be the reason: it comes again when its lease ends, and the others need not
		_ = q.db.Maintain(kept, func(tx *db.Tx) error { return settle(tx, o) })
	}
	return nil
}

// lingering is ctx for a job that has begun: when the program goes down, it has
// a little longer to come to its end.
func lingering(ctx context.Context) (context.Context, func()) {
	begun, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() { time.AfterFunc(grace, cancel) })
	return begun, func() { stop(); cancel() }
}

// RunDue runs every job that is due, one after the other, and returns how many
// succeeded.
func (q *Queue) RunDue(ctx context.Context) (done int, err error) {
	for {
		var due []jobsdb.ClaimRow
		err := q.db.Maintain(ctx, func(tx *db.Tx) (err error) { due, err = q.claim(tx, 100); return err })
		if err != nil {
			return done, err
		}
		if len(due) == 0 {
			n, err := q.runAside(ctx)
			done += n
			if err != nil || n == 0 {
				return done, err
			}
		}
		for _, j := range due {
			o := q.attempt(ctx, j)
			if err := q.db.Maintain(context.WithoutCancel(ctx), func(tx *db.Tx) error { return settle(tx, o) }); err != nil {
				return done, err
			}
			if o.failed == nil {
				done++
			}
		}
	}
}

func (q *Queue) runAside(ctx context.Context) (done int, err error) {
	for _, a := range q.aside {
		n, err := a.RunDue(ctx)
		done += n
		if err != nil {
			return done, err
		}
	}
	return done, nil
}

func (q *Queue) claim(tx *db.Tx, most int32) (due []jobsdb.ClaimRow, err error) {
	if most <= 0 || len(q.do) == 0 { // PostgreSQL has no list of nothing
		return nil, nil
	}
	kinds, err := json.Marshal(slices.Sorted(maps.Keys(q.do)))
	if err != nil {
		return nil, fmt.Errorf("jobs: claim: %w", err)
	}
	now := tx.Now()
	due, err = SQL.In(tx).Claim(tx, jobsdb.ClaimParams{LeaseUntil: now.Plus(lease).Ptr(), Now: &now, Kinds: string(kinds), Most: most})
	if err != nil {
		return nil, fmt.Errorf("jobs: claim: %w", err)
	}
	for _, j := range due {
		if q.lost[j.Kind] == nil || j.Lost < 2 {
			continue
		}
		until := now.Plus(lease + rand.N(spread))
		if err := SQL.In(tx).Lease(tx, jobsdb.LeaseParams{LeaseUntil: &until, ID: j.ID, Attempt: j.Attempt}); err != nil {
			return nil, fmt.Errorf("jobs: claim: %w", err)
		}
	}
	return due, nil
}

// attempt does one job.
func (q *Queue) attempt(ctx context.Context, j jobsdb.ClaimRow) outcome {
	failed := q.try(ctx, j)
	if failed != nil && q.fail != nil {
		q.fail(j.Kind, j.Attempt, failed)
	}
	return outcome{j, failed}
}

func (q *Queue) try(ctx context.Context, j jobsdb.ClaimRow) (err error) {
	defer func() {
		if p := recover(); p != nil { // what it says may hold anything: only its type is kept
			err = fmt.Errorf("jobs: %s panicked: %T", j.Kind, p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithValue(ctx, attemptKey{}, j.Attempt), Longest)
	defer cancel()
	if giveUp := q.lost[j.Kind]; giveUp != nil && j.Lost > losses {
		if q.fail != nil {
			q.fail(j.Kind, j.Attempt, errLost)
		}
		return giveUp(ctx, []byte(j.About))
	}
	return q.do[j.Kind](ctx, []byte(j.About))
}

// settle removes a job that is done, and puts off or gives up one that is not.
// The attempt number makes a worker whose lease ran out come too late.
func settle(tx *db.Tx, o outcome) (err error) {
	j := o.job
	if o.failed == nil {
		err = SQL.In(tx).Done(tx, jobsdb.DoneParams{ID: j.ID, Attempt: j.Attempt})
	} else {
		p := jobsdb.LaterParams{ID: j.ID, Attempt: j.Attempt, Error: o.failed.Error()}
		if j.Lost > losses {
			p.Lost = j.Lost // giving it up is what failed: that comes again, and not the job
		}
		if j.Attempt < attempts {
			again := tx.Now().Plus(pause(j.Attempt))
			p.RunAt = &again
		}
		err = SQL.In(tx).Later(tx, p)
	}
	if err != nil {
		return fmt.Errorf("jobs: settle %s: %w", j.ID, err)
	}
	return nil
}

// pause is how long to wait after so many tries: 2, 4, 8 … seconds, at most
// half an hour, and up to a fifth more so that not all come back at once.
func pause(attempt int64) time.Duration {
	d := min(time.Second<<min(attempt, 12), slowest)
	return d + rand.N(d/5)
}

// Waiting returns how many jobs there are, due or not.
func Waiting(tx *db.Tx) (int64, error) { return SQL.In(tx).Waiting(tx) }
