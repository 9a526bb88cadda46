package civil_test

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/base/civil"
)

// utc reads "2026-11-24 19:14" as UTC.
func utc(t *testing.T, s string) time.Time {
	t.Helper()
	at, err := time.Parse("2006-01-02 15:04", s)
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// plain shows no-break spaces as spaces, for tables people can read.
func plain(s string) string { return strings.ReplaceAll(s, "\u00a0", " ") }

func TestMomentsAreSaidInThePlacesOwnTime(t *testing.T) {
	t.Parallel()
	const now = "2026-11-25 12:00"
	for _, c := range []struct{ zone, at, want string }{
		{"America/New_York", "2026-11-24 19:14", "Tue 24 Nov, 2:14 pm, New York time"},
		{"America/New_York", "2026-11-24 17:00", "Tue 24 Nov, noon, New York time"},
		{"America/New_York", "2026-11-24 05:00", "Tue 24 Nov, midnight, New York time"},
		{"America/New_York", "2026-11-24 05:01", "Tue 24 Nov, 12:01 am, New York time"},
		{"America/New_York", "2026-11-24 17:01", "Tue 24 Nov, 12:01 pm, New York time"},
		{"America/New_York", "2027-01-01 04:59", "Thu 31 Dec, 11:59 pm, New York time"},
		{"America/New_York", "2027-01-01 05:01", "Fri 1 Jan 2027, 12:01 am, New York time"},
		{"Asia/Kolkata", "2026-11-24 19:14", "Wed 25 Nov, 12:44 am, Kolkata time"},
		// North: clocks go forward on 8 March and back on 1 November 2026.
		{"America/New_York", "2026-03-08 06:59", "Sun 8 Mar, 1:59 am, New York time"},
		{"America/New_York", "2026-03-08 07:00", "Sun 8 Mar, 3:00 am, New York time"},
		{"America/New_York", "2026-11-01 05:30", "Sun 1 Nov, 1:30 am, New York time"},
		{"America/New_York", "2026-11-01 06:30", "Sun 1 Nov, 1:30 am, New York time"},
		{"America/New_York", "2026-11-01 07:00", "Sun 1 Nov, 2:00 am, New York time"},
		// South: back on 5 April, forward on 4 October.
		{"Australia/Sydney", "2026-04-04 15:30", "Sun 5 Apr, 2:30 am, Sydney time"},
		{"Australia/Sydney", "2026-04-04 16:30", "Sun 5 Apr, 2:30 am, Sydney time"},
		{"Australia/Sydney", "2026-10-03 15:59", "Sun 4 Oct, 1:59 am, Sydney time"},
		{"Australia/Sydney", "2026-10-03 16:00", "Sun 4 Oct, 3:00 am, Sydney time"},
		// Phoenix never changes.
		{"America/Phoenix", "2026-03-08 10:00", "Sun 8 Mar, 3:00 am, Phoenix time"},
		{"America/Phoenix", "2026-11-01 10:00", "Sun 1 Nov, 3:00 am, Phoenix time"},
	} {
		got := civil.MomentZone(utc(t, now), utc(t, c.at), zone(t, c.zone))
		if plain(got) != c.want {
			t.Errorf("%s UTC: %q, want %q", c.at, got, c.want)
		}
	}
}

func TestTheHourStaysOnOneLine(t *testing.T) {
	t.Parallel()
	at := utc(t, "2026-11-24 19:14")
	if got, want := civil.Moment(at, at, civil.Zone{}), "Tue 24 Nov, 7:14\u00a0pm"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if got, want := plain(civil.Full(at, zone(t, "America/New_York"))), "Tue 24 Nov 2026, 2:14 pm, New York time"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestThePastIsCountedInDaysForAWeek(t *testing.T) {
	t.Parallel()
	ny := zone(t, "America/New_York")
	for _, c := range []struct{ now, at, want string }{
		{"2026-11-24 20:00", "2026-11-24 19:14", "today 2:14 pm"},
		{"2026-11-24 20:00", "2026-11-24 17:00", "today noon"},
		{"2026-11-24 05:30", "2026-11-24 04:30", "yesterday"},
		{"2026-11-24 20:00", "2026-11-21 19:14", "3 days ago"},
		{"2026-11-24 20:00", "2026-11-17 19:14", "7 days ago"},
		{"2026-11-24 20:00", "2026-11-16 19:14", "Mon 16 Nov"},
		{"2026-01-10 20:00", "2025-12-20 19:14", "Sat 20 Dec 2025"},
		{"2026-11-24 20:00", "2026-11-26 19:14", "Thu 26 Nov"}, // a clock that is ahead
		// Across a day of 23 and one of 25 hours.
		{"2026-03-09 03:30", "2026-03-08 05:30", "today 12:30 am"},
		{"2026-03-09 03:30", "2026-03-08 04:30", "yesterday"},
		{"2026-11-02 04:30", "2026-11-01 04:30", "today 12:30 am"},
		{"2026-11-02 05:30", "2026-11-01 04:30", "yesterday"},
	} {
		if got := plain(civil.Past(utc(t, c.now), utc(t, c.at), ny)); got != c.want {
			t.Errorf("at %s, of %s: %q, want %q", c.now, c.at, got, c.want)
		}
	}
}

func TestAppointmentsSayFromAndTo(t *testing.T) {
	t.Parallel()
	ny := zone(t, "America/New_York")
	for _, c := range []struct{ from, to, want string }{
		{"2026-11-24 14:00", "2026-11-24 14:50", "Tue 24 Nov, 9:00–9:50 am, New York time"},
		{"2026-11-24 16:30", "2026-11-24 17:20", "Tue 24 Nov, 11:30 am–12:20 pm, New York time"},
		{"2026-11-24 16:10", "2026-11-24 17:00", "Tue 24 Nov, 11:10 am–noon, New York time"},
		{"2026-11-24 17:00", "2026-11-24 17:50", "Tue 24 Nov, noon–12:50 pm, New York time"},
		{"2026-11-25 04:30", "2026-11-25 05:20", "Tue 24 Nov, 11:30 pm – Wed 25 Nov, 12:20 am, New York time"},
	} {
		if got := plain(civil.Span(utc(t, c.from), utc(t, c.from), utc(t, c.to), ny)); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}
