// Package bench measures what the product promises, against the limits of the
// machine, in the same run.
//
// The program under test is the real one, started as a process of its own with
// a real database and a real mail server beside it, so its processor time can
// be told from that of whoever presses the buttons. Each promise stands beside
// a raw line: what the machine does when nothing but the unavoidable is done.
// The raw lines are measured before and after; if they drift by more than a
// tenth, the run is unsteady and gives no verdict.
package bench

import (
	"context"
	"fmt"
	"io"
	"runtime"
	"runtime/metrics"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// Options say what to measure.
type Options struct {
	Only    []string      // names of measurements; empty: all
	For     time.Duration // how long each pass takes
	Rounds  int           // passes of each; the median counts
	Clients []int         // sizes of the practice whose list is opened
	Hold    time.Duration // for how long very many pages are held open
	Version string
	Program string // the program's own file
	Now     func() time.Time
}

// Row is one line of the result.
type Row struct {
	Name    string
	Raw     string // the raw limit beside it
	Ours    string
	Ratio   string
	Goal    string
	Verdict Verdict
}

// Verdict says whether a goal was reached.
type Verdict string

// The verdicts.
const (
	Reached  Verdict = "reached"
	Missed   Verdict = "MISSED"
	Unsteady Verdict = "unsteady"
	Shown    Verdict = "" // a figure without a goal
)

// run is one run of the benchmark.
type run struct {
	Options
	ctx  context.Context
	dir  string // a folder of its own
	rows []Row
	out  io.Writer
}

// measurement is one thing that can be measured.
type measurement struct {
	name string
	do   func(*run) error
	asks bool // only if it is named
}

var measurements = []measurement{
	{name: "start", do: (*run).start},
	{name: "invite", do: (*run).invite},
	{name: "people", do: (*run).people},
	{name: "signup", do: (*run).signUp},
	{name: "messages", do: (*run).messages},
	{name: "hold", do: (*run).hold, asks: true},
}

// Names are the measurements there are.
func Names() (names []string) {
	for _, m := range measurements {
		names = append(names, m.name)
	}
	return names
}

// Run measures, writes the table to out, and reports whether every goal was
// reached. The folder dir must be empty and on the disk that is to be measured.
func Run(ctx context.Context, o Options, dir string, out io.Writer) (bool, error) {
	r := &run{Options: o, ctx: ctx, dir: dir, out: out}
	fmt.Fprintf(out, "icouch %s · %s · SQLite, synchronous=FULL · %d cores (GOMAXPROCS here %d), GOGC %s · %d rounds of %s\n", o.Version, runtime.Version(), runtime.NumCPU(), runtime.GOMAXPROCS(0), gogc(), o.Rounds, o.For)
	for _, m := range measurements {
		if (len(o.Only) > 0 || m.asks) && !slices.Contains(o.Only, m.name) {
			continue
		}
		before := len(r.rows)
		if err := m.do(r); err != nil {
			return false, fmt.Errorf("%s: %w", m.name, err)
		}
		r.print(r.rows[before:])
	}
	ok := true
	for _, row := range r.rows {
		ok = ok && row.Verdict != Missed
	}
	return ok, nil
}

// gogc is the collector's setting, which the program under test inherits.
func gogc() string {
	s := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(s)
	return fmt.Sprint(s[0].Value.Uint64())
}

func (r *run) print(rows []Row) {
	w := tabwriter.NewWriter(r.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "what\traw\tours\tratio\tgoal\t")
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join([]string{row.Name, row.Raw, row.Ours, row.Ratio, row.Goal, string(row.Verdict)}, "\t"))
	}
	w.Flush()
	fmt.Fprintln(r.out)
}

func (r *run) add(row Row) { r.rows = append(r.rows, row) }

// judge says whether a figure reached its goal.
func judge(reached bool) Verdict {
	if reached {
		return Reached
	}
	return Missed
}

// unlessDrifting withholds a verdict, a good one too, when the machine was not
// steady.
func unlessDrifting(v Verdict, first, last float64) Verdict {
	if drift(first, last) > 0.10 {
		return Unsteady
	}
	return v
}

func drift(first, last float64) float64 { return max(first, last)/min(first, last) - 1 }

func median(of []float64) float64 {
	s := slices.Sorted(slices.Values(of))
	return s[len(s)/2]
}

// percentile of durations, in order of size.
func percentile(of []time.Duration, p float64) time.Duration {
	if len(of) == 0 {
		return 0
	}
	s := slices.Sorted(slices.Values(of))
	return s[min(int(float64(len(s))*p), len(s)-1)]
}

func ms(d time.Duration) string { return fmt.Sprintf("%.2f ms", float64(d.Microseconds())/1000) }
