package civil_test

import (
	"errors"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/base/civil"
	"icouch/internal/base/fault"
)

func date(t *testing.T, iso string) civil.Date {
	t.Helper()
	d, err := civil.ParseDate(iso)
	if err != nil || d.IsZero() {
		t.Fatalf("the test's own date %q: %v", iso, err)
	}
	return d
}

func TestThreeBoxesGiveADateOrSayWhatIsWrong(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		year, month, day, want string
		err                    error
	}{
		{"1984", "3", "27", "1984-03-27", nil},
		{" 1984 ", "03", "07", "1984-03-07", nil},
		{"1984", "March", "7", "1984-03-07", nil},
		{"1984", "sept", "7", "1984-09-07", nil},
		{"2024", "2", "29", "2024-02-29", nil},
		{"2023", "2", "29", "", civil.ErrNoSuchDate},
		{"1900", "2", "29", "", civil.ErrNoSuchDate},
		{"1984", "13", "1", "", civil.ErrNoSuchDate},
		{"1984", "0", "1", "", civil.ErrNoSuchDate},
		{"1984", "4", "31", "", civil.ErrNoSuchDate},
		{"1984", "4", "-1", "", civil.ErrNoSuchDate},
		{"1984", "4", "+1", "", civil.ErrNoSuchDate},
		{"19840", "4", "1", "", civil.ErrNoSuchDate},
		{"84", "4", "1", "", civil.ErrShortYear},
		{"1984", "", "1", "", civil.ErrDateParts},
		{"0000", "1", "1", "", civil.ErrNoSuchDate},
		{"", " ", "", "", nil},
	} {
		d, err := civil.ParseBoxes(c.year, c.month, c.day)
		if d.String() != c.want || !errors.Is(err, c.err) && err != c.err {
			t.Errorf("ParseBoxes(%q, %q, %q) = %q, %v; want %q, %v", c.year, c.month, c.day, d, err, c.want, c.err)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%v is not a sentence for the person", err)
		}
	}
}

func TestADateOfBirthIsBelievable(t *testing.T) {
	t.Parallel()
	today := date(t, "2026-11-25")
	for iso, want := range map[string]error{
		"2026-11-25": nil, "2026-11-26": civil.ErrBirthFuture, "1890-01-01": nil, "1889-12-31": civil.ErrBirthEarly, "": nil,
	} {
		d, err := civil.ParseDate(iso)
		if err != nil {
			t.Fatal(err)
		}
		if got := civil.CheckBirth(d, today); got != want {
			t.Errorf("born %q: %v, want %v", iso, got, want)
		}
	}
}

func TestAgeChangesOnTheBirthday(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		born, today string
		want        int
	}{
		{"1984-03-27", "2026-03-26", 41}, {"1984-03-27", "2026-03-27", 42},
		{"2008-02-29", "2026-02-28", 17}, {"2008-02-29", "2026-03-01", 18},
		{"2026-12-01", "2026-11-25", 0},
	} {
		if got := date(t, c.born).Age(date(t, c.today)); got != c.want {
			t.Errorf("born %s, on %s: %d, want %d", c.born, c.today, got, c.want)
		}
	}
}

func TestDatesGoOutAndComeBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		first, _ := civil.NewDate(1, time.January, 1)
		d := first.AddDays(rapid.IntRange(0, 3_652_058).Draw(t, "days"))
		again, err := civil.ParseDate(d.String())
		if err != nil || again != d {
			t.Fatalf("%s came back as %s, %v", d, again, err)
		}
		n := rapid.IntRange(0, 40000).Draw(t, "n")
		if later := d.AddDays(n); d.DaysUntil(later) != n || later.Compare(d) != min(n, 1) {
			t.Fatalf("%s + %d = %s", d, n, later)
		}
	})
}

// A date of birth off by one day is what comes of storing it as an instant.
func TestADateIsTheSameInEveryZone(t *testing.T) {
	t.Parallel()
	born := date(t, "1984-03-27")
	for _, g := range civil.Zones() {
		for _, z := range g.Zones {
			at := time.Date(born.Year(), born.Month(), born.Day(), 12, 0, 0, 0, z.Load())
			if got := civil.DateOf(at, z); got != born {
				t.Errorf("%s: %s", z, got)
			}
		}
	}
}

func FuzzParseDate(f *testing.F) {
	for _, s := range []string{"1984-03-27", "", "0000-00-00", "9999-12-31", "１９８４-03-27"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, err := civil.ParseDate(s)
		if err != nil {
			return
		}
		if again, err := civil.ParseDate(d.String()); err != nil || again != d {
			t.Fatalf("%q: %s came back as %s, %v", s, d, again, err)
		}
		_, _ = civil.ParseBoxes(s, s, s)
	})
}
