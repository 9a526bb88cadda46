package bench

import (
	"slices"
	"testing"
	"time"
)

func TestTheLogSaysHowLongAnAnswerTook(t *testing.T) {
	t.Parallel()
	p := &program{log: new(takes)}
	for _, part := range []string{ // as it comes through a pipe: cut anywhere
		"  address   http://127.0.0.1\ntime=x level=INFO msg=request route=\"POST /people/se",
		"arch\" status=200 took=1.25ms reference=A\ntime=x level=INFO msg=request route=\"GET /people\" status=200 took=300µs reference=B\n",
		"time=x level=WARN msg=\"job failed\" kind=letter.carry\ntime=x route=\"POST /people/search\" took=2ms reference=C by=x\ntime=x route=\"POST /people/search\" took=9ms",
	} {
		if n, err := p.log.Write([]byte(part)); n != len(part) || err != nil {
			t.Fatal(n, err)
		}
	}
	want := []time.Duration{1250 * time.Microsecond, 2 * time.Millisecond}
	if got := p.inside("POST /people/search"); !slices.Equal(got, want) {
		t.Errorf("searches took %v, want %v", got, want)
	}
}

func TestAnUnsteadyMachineGivesNoVerdict(t *testing.T) {
	t.Parallel()
	for _, v := range []Verdict{Reached, Missed} {
		if got := unlessDrifting(v, 100, 120); got != Unsteady {
			t.Errorf("%s became %s although the raw line drifted", v, got)
		}
		if got := unlessDrifting(v, 100, 105); got != v {
			t.Errorf("%s became %s on a steady machine", v, got)
		}
	}
}
