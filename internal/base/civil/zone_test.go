package civil_test

import (
	"strings"
	"testing"
	"time"

	"icouch/internal/base/civil"
)

func zone(t *testing.T, name string) civil.Zone {
	t.Helper()
	z, err := civil.ParseZone(name)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return z
}

func TestZonesAreNamedByCity(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][3]string{
		"America/New_York":               {"America", "New York", "New York time"},
		"America/Indiana/Knox":           {"America", "Knox, Indiana", "Knox time"},
		"America/Argentina/Buenos_Aires": {"America", "Buenos Aires, Argentina", "Buenos Aires time"},
		"America/St_Johns":               {"America", "St. John’s", "St. John’s time"},
		"America/Port-au-Prince":         {"America", "Port-au-Prince", "Port-au-Prince time"},
		"Indian/Mauritius":               {"Indian Ocean", "Mauritius", "Mauritius time"},
		"UTC":                            {"No place", "UTC", "UTC"},
	} {
		z := zone(t, name)
		if got := [3]string{z.Region(), z.Label(), z.ZoneCity()}; got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
}

func TestOldNamesOfZonesAreUnderstood(t *testing.T) {
	t.Parallel()
	for old, today := range map[string]string{
		"Asia/Calcutta": "Asia/Kolkata", "US/Eastern": "America/New_York", "Europe/Kiev": "Europe/Kyiv",
		"Etc/UTC": "UTC", "Asia/Saigon": "Asia/Ho_Chi_Minh", "EST5EDT": "America/New_York", "GMT": "UTC",
	} {
		if got := zone(t, old).String(); got != today {
			t.Errorf("%s: %s, want %s", old, got, today)
		}
	}
}

func TestWhatIsNoZoneIsRefused(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"", "Local", "local", "America", "../../etc/passwd", "america/new_york", "America/New_York\x00", "Mars/Olympus", "zone.tab"} {
		if z, err := civil.ParseZone(name); err != civil.ErrZone {
			t.Errorf("%q: %s, %v; want it refused", name, z, err)
		}
	}
}

func TestTheListOfZonesIsWholeAndInOrder(t *testing.T) {
	t.Parallel()
	groups := civil.Zones()
	if groups[0].Name != "Often used" || groups[0].Zones[0].City() != "New York" {
		t.Errorf("first comes %s, %s", groups[0].Name, groups[0].Zones[0].City())
	}
	seen := map[string]bool{}
	for _, g := range groups[1:] {
		for _, z := range g.Zones {
			if seen[z.String()] || z.Region() != g.Name || z.Label() == "" || strings.Contains(z.Label(), "_") {
				t.Errorf("%s is twice, misplaced or without a name", z)
			}
			seen[z.String()] = true
			if again := zone(t, z.String()); again != z || z.Load().String() != z.String() {
				t.Errorf("%s is not itself", z)
			}
		}
	}
	if len(seen) < 400 {
		t.Errorf("%d zones", len(seen))
	}
	for _, z := range groups[0].Zones {
		if !seen[z.String()] {
			t.Errorf("%s is only in the first group", z)
		}
	}
}

func TestNoZoneIsUTC(t *testing.T) {
	t.Parallel()
	var none civil.Zone
	if none.String() != "UTC" || none.Load() == time.Local && time.Local.String() != "UTC" {
		t.Errorf("the zero zone is %s", none)
	}
}

func FuzzParseZone(f *testing.F) {
	f.Add("Europe/London")
	f.Add("Etc/GMT+0")
	f.Fuzz(func(t *testing.T, s string) {
		z, err := civil.ParseZone(s)
		if err == nil && zone(t, z.String()) != z {
			t.Fatalf("%q became %s", s, z)
		}
	})
}
