package jobs_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/world"
)

type errand struct{ N int }

const dig jobs.Kind[errand] = "dig"

func enqueue(t *testing.T, w *world.World, unique string, n int) {
	t.Helper()
	err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return dig.Enqueue(tx, unique, errand{n}) })
	if err != nil {
		t.Fatal(err)
	}
}

func waiting(t *testing.T, w *world.World) (n int64) {
	t.Helper()
	w.View(t, func(tx *db.Tx) (err error) { n, err = jobs.Waiting(tx); return err })
	return n
}

func TestEachJobIsDoneByOneNode(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var mu sync.Mutex
	times := map[int]int{}
	var done, all sync.WaitGroup
	done.Add(40)
	ctx, stop := context.WithCancel(t.Context())
	for range 4 {
		q := jobs.NewQueue(w.DB, func(kind string, n int64, err error) { t.Error(kind, n, err) })
		dig.On(q, func(_ context.Context, e errand) error {
			mu.Lock()
			defer mu.Unlock()
			times[e.N]++
			done.Done()
			return nil
		})
		all.Go(func() { q.Run(ctx) })
	}
	for n := range 40 {
		enqueue(t, w, "", n)
	}
	done.Wait()
	stop()
	all.Wait()
	for n := range 40 {
		if times[n] != 1 {
			t.Errorf("job %d was done %d times", n, times[n])
		}
	}
	if n := waiting(t, w); n != 0 {
		t.Errorf("%d jobs are left", n)
	}
}

func TestAJobOutlivesItsNode(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "", 1)
	begun, never := make(chan struct{}), make(chan struct{})
	dead := jobs.NewQueue(w.DB, nil)
	dig.On(dead, func(context.Context, errand) error { close(begun); <-never; return nil })
	over := make(chan struct{})
	go func() { defer close(over); dead.RunDue(context.Background()) }()
	<-begun
	q := jobs.NewQueue(w.DB, nil)
	did := 0
	dig.On(q, func(context.Context, errand) error { did++; return nil })
	if n, err := q.RunDue(t.Context()); n != 0 || err != nil {
		t.Errorf("%d done while another has it, %v", n, err)
	}
	w.Pass(2*time.Minute + time.Second)
	if n, err := q.RunDue(t.Context()); n != 1 || did != 1 || err != nil {
		t.Errorf("%d done once the lease is over, %v", n, err)
	}
	close(never)
	<-over
}

// killed runs what is due in a program that is killed over the first of it.
func killed(w *world.World, suspect bool) {
	dead := jobs.NewQueue(w.DB, nil)
	dig.On(dead, func(context.Context, errand) error { runtime.Goexit(); return nil })
	if suspect {
		dig.OnLost(dead, func(context.Context, errand) error { return nil })
	}
	over := make(chan struct{})
	go func() { defer close(over); dead.RunDue(context.Background()) }()
	<-over
}

func TestAJobThatKillsTheProgramIsGivenUp(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "", 1)
	for range 5 {
		killed(w, true)
		w.Pass(13 * time.Minute)
	}
	var heard []string
	q := jobs.NewQueue(w.DB, func(kind string, n int64, err error) { heard = append(heard, fmt.Sprint(kind, n)) })
	dig.On(q, func(context.Context, errand) error { t.Error("begun a sixth time"); return nil })
	down, gave := errors.New("down"), 0
	dig.OnLost(q, func(context.Context, errand) error { gave++; e := down; down = nil; return e })
	for range 2 { // the first time, that fails: it is not begun again either
		if _, err := q.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Pass(13 * time.Minute)
	}
	if n := waiting(t, w); gave != 2 || n != 0 || len(heard) != 3 {
		t.Errorf("given up %d times, %d wait, heard %q", gave, n, heard)
	}
}

func TestALetterOutlivesHoweverManyKills(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "", 1)
	for range 200 {
		killed(w, false)
		w.Pass(13 * time.Minute)
	}
	q, did := jobs.NewQueue(w.DB, nil), 0 // no OnLost: it may not be what kills
	dig.On(q, func(context.Context, errand) error { did++; return nil })
	if _, err := q.RunDue(t.Context()); err != nil || did != 1 {
		t.Errorf("done %d times, %v", did, err)
	}
}

// An ordinary failure shows that the job does not kill.
func TestOnlyKillsInARowAreCounted(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "", 1)
	q, tries := jobs.NewQueue(w.DB, nil), 0
	dig.On(q, func(context.Context, errand) error { tries++; return errors.New("down") })
	dig.OnLost(q, func(context.Context, errand) error { t.Error("given up"); return nil })
	for range 3 {
		for range 4 {
			killed(w, true)
			w.Pass(13 * time.Minute)
		}
		if _, err := q.RunDue(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Pass(time.Hour)
	}
	if tries != 3 {
		t.Errorf("tried %d times", tries)
	}
}

func TestAPanicIsAFailureThatSaysNothing(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	var told []string
	q := jobs.NewQueue(w.DB, func(kind string, n int64, err error) { told = append(told, fmt.Sprint(kind, n, err)) })
	dig.On(q, func(context.Context, errand) error { panic("Theo Vance, theo@example.com") })
	enqueue(t, w, "", 1)
	if n, err := q.RunDue(t.Context()); n != 0 || err != nil {
		t.Error(n, err)
	}
	var stored string
	if err := w.DB.Row(t.Context(), "SELECT error FROM job", nil, &stored); err != nil {
		t.Fatal(err)
	}
	if len(told) != 1 || strings.Contains(told[0]+stored, "Theo") || !strings.Contains(stored, "panicked: string") {
		t.Errorf("told %q, stored %q", told, stored)
	}
}

func TestOneOfAKindWaitsAtATime(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "same", 1)
	enqueue(t, w, "same", 2)
	enqueue(t, w, "other", 3)
	enqueue(t, w, "", 4)
	enqueue(t, w, "", 4)
	if n := waiting(t, w); n != 4 {
		t.Errorf("%d jobs wait, want 4", n)
	}
	var did []int
	q := jobs.NewQueue(w.DB, nil)
	dig.On(q, func(ctx context.Context, e errand) error {
		if e.N == 1 && len(did) < 9 { // it has begun: what changes now needs another
			enqueue(t, w, "same", 5)
		}
		did = append(did, e.N)
		return nil
	})
	if n, err := q.RunDue(t.Context()); n != 5 || err != nil {
		t.Errorf("%d were done: %v, %v", n, did, err)
	}
}

func TestPausesGrowAndOneDayItIsGivenUp(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	tries := 0
	q := jobs.NewQueue(w.DB, nil)
	dig.On(q, func(context.Context, errand) error { tries++; return errors.New("down") })
	enqueue(t, w, "", 1)
	before := time.Duration(0)
	for n := 1; n <= 100; n++ {
		if _, err := q.RunDue(t.Context()); err != nil || tries != n {
			t.Fatalf("%d tries after %d rounds, %v", tries, n, err)
		}
		var next *int64
		if err := w.DB.Row(t.Context(), "SELECT run_at FROM job", nil, &next); err != nil {
			t.Fatal(err)
		}
		if n == 100 {
			if next != nil {
				t.Error("not given up after 100 tries")
			}
			break
		}
		pause := time.UnixMicro(*next).Sub(w.Now())
		least := min(time.Second<<min(n, 12), 30*time.Minute)
		if pause < least || pause > least+least/5 || n < 11 && pause <= before {
			t.Errorf("after %d tries a pause of %s, want about %s", n, pause, least)
		}
		before = pause
		w.Pass(pause)
	}
	w.Pass(1000 * time.Hour)
	if _, err := q.RunDue(t.Context()); err != nil || tries != 100 || waiting(t, w) != 1 {
		t.Errorf("%d tries, %v", tries, err)
	}
}

func TestASlowJobHoldsNobodyUp(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	q := jobs.NewQueue(w.DB, nil)
	goOn, slow := make(chan struct{}), make(chan struct{})
	var quick sync.WaitGroup
	quick.Add(40)
	dig.On(q, func(_ context.Context, e errand) error {
		if e.N == 0 {
			close(slow)
			<-goOn
			return nil
		}
		quick.Done()
		return nil
	})
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); q.Run(ctx) }()
	for n := range 41 {
		enqueue(t, w, "", n)
	}
	<-slow
	quick.Wait()
	stop() // shut down: the slow one is waited for
	select {
	case <-over:
		t.Error("stopped while a job was under way")
	case <-time.After(20 * time.Millisecond):
	}
	close(goOn)
	<-over
	if n := waiting(t, w); n != 0 {
		t.Errorf("%d jobs are left: what was done at the end was not noted", n)
	}
}

// However many slow jobs wait, a queue beside theirs does its own: of theirs so
// many run at once as was said.
func TestWhatTakesLongIsDoneBeside(t *testing.T) {
	t.Parallel()
	const mill jobs.Kind[errand] = "mill"
	w := world.New(t)
	q := jobs.NewQueue(w.DB, nil)
	var grinding, most atomic.Int64
	goOn, began := make(chan struct{}), make(chan struct{}, 40)
	var dug, ground sync.WaitGroup
	dug.Add(40)
	ground.Add(40)
	mill.On(q.Aside(2), func(ctx context.Context, _ errand) error {
		most.Store(max(most.Load(), grinding.Add(1)))
		began <- struct{}{}
		<-goOn
		grinding.Add(-1)
		ground.Done()
		if jobs.Attempt(ctx) != 1 {
			t.Errorf("it is tried for the %d. time", jobs.Attempt(ctx))
		}
		return nil
	})
	dig.On(q, func(context.Context, errand) error { dug.Done(); return nil })
	for n := range 40 {
		err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return mill.Enqueue(tx, "", errand{n}) })
		if err != nil {
			t.Fatal(err)
		}
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); q.Run(ctx) }()
	<-began
	<-began
	for n := range 40 {
		enqueue(t, w, "", n)
	}
	dug.Wait()
	close(goOn)
	ground.Wait()
	stop()
	<-over
	if n := waiting(t, w); n != 0 || most.Load() != 2 {
		t.Errorf("%d jobs are left; %d were under way at once, want 2", n, most.Load())
	}
}

// Whoever runs what is due runs what is beside, too, and what that asks for.
func TestWhatIsBesideIsDue(t *testing.T) {
	t.Parallel()
	const mill jobs.Kind[errand] = "mill"
	w := world.New(t)
	q, did := jobs.NewQueue(w.DB, nil), ""
	mill.On(q.Aside(1), func(context.Context, errand) error { did += "mill "; enqueue(t, w, "", 1); return nil })
	dig.On(q, func(context.Context, errand) error { did += "dig "; return nil })
	err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return mill.Enqueue(tx, "", errand{}) })
	if err != nil {
		t.Fatal(err)
	}
	if n, err := q.RunDue(t.Context()); n != 2 || err != nil || did != "mill dig " {
		t.Errorf("%d were done, %v: %s", n, err, did)
	}
}

// PostgreSQL keeps no text with a zero in it.
func TestAJobThatCannotBeSettledKeepsNoOtherFromIt(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	q := jobs.NewQueue(w.DB, nil)
	var all sync.WaitGroup
	all.Add(12)
	dig.On(q, func(_ context.Context, e errand) error {
		all.Done()
		all.Wait() // they end together, and are settled together
		if e.N == 0 {
			return errors.New("half\x00said")
		}
		return nil
	})
	for n := range 12 {
		enqueue(t, w, "", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); q.Run(ctx) }()
	all.Wait()
	stop()
	<-over
	if n := waiting(t, w); n != 1 {
		t.Errorf("%d jobs are left, want the one that could not be settled", n)
	}
}

func TestSixteenAreDoneAtATime(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	q := jobs.NewQueue(w.DB, nil)
	var mu sync.Mutex
	begun, at, most := 0, 0, 0
	var sixteen, all sync.WaitGroup
	sixteen.Add(16)
	all.Add(30)
	dig.On(q, func(_ context.Context, e errand) error {
		defer all.Done()
		mu.Lock()
		at++
		most = max(most, at)
		if begun++; begun <= 16 {
			sixteen.Done()
		}
		mu.Unlock()
		sixteen.Wait() // nobody is ready before sixteen have begun
		mu.Lock()
		at--
		mu.Unlock()
		return nil
	})
	for n := range 30 {
		enqueue(t, w, "", n)
	}
	ctx, stop := context.WithCancel(t.Context())
	over := make(chan struct{})
	go func() { defer close(over); q.Run(ctx) }()
	all.Wait()
	stop()
	<-over
	if most != 16 {
		t.Errorf("at most %d at a time, want 16", most)
	}
}

func TestAKindNobodyDoesWaits(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	enqueue(t, w, "", 1)
	if n := w.RunJobs(t); n != 0 || waiting(t, w) != 1 {
		t.Errorf("%d done, %d wait", n, waiting(t, w))
	}
}

func TestAJobIsUndoneWithItsTransaction(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	no := errors.New("no")
	err := w.DB.Maintain(t.Context(), func(tx *db.Tx) error { return errors.Join(dig.Enqueue(tx, "", errand{1}), no) })
	if !errors.Is(err, no) || waiting(t, w) != 0 {
		t.Errorf("%v, %d wait", err, waiting(t, w))
	}
}
