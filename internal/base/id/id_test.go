package id_test

import (
	"testing"
	"time"

	"icouch/internal/base/id"
)

func TestAnIdentifierIsInOrderOfTimeAndSaysWhenItWasMade(t *testing.T) {
	t.Parallel()
	at := time.Date(2030, 3, 14, 9, 0, 0, 123_000_000, time.UTC)
	first, later := id.New[id.Client](at), id.New[id.Client](at.Add(time.Millisecond))
	if first >= later {
		t.Errorf("%s was made before %s and sorts after it", first, later)
	}
	if got := first.Made(); !got.Equal(at) {
		t.Errorf("made at %v, want %v", got, at)
	}
	if got := id.Client("x").Made(); !got.IsZero() {
		t.Errorf("a text that is no identifier was made at %v", got)
	}
}

func TestOnlyIdentifiersComeInFromOutside(t *testing.T) {
	t.Parallel()
	good := id.New[id.Client](time.UnixMilli(0))
	if got, err := id.Parse[id.Client](good.String()); err != nil || got != good {
		t.Errorf("Parse(%s) = %s, %v", good, got, err)
	}
	for _, s := range []string{"", "1", "../../etc", good.String() + " ", good.String()[:35], "0194F3A0-0000-7000-8000-000000000000", "0194f3a0-0000-4000-8000-000000000000"} {
		if _, err := id.Parse[id.Client](s); err == nil {
			t.Errorf("%q was taken for an identifier", s)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("0194f3a0-0000-7000-8000-000000000000")
	f.Add("")
	f.Fuzz(func(t *testing.T, s string) {
		if got, err := id.Parse[id.Client](s); err == nil && got.String() != s {
			t.Errorf("%q came in as %q", s, got)
		}
	})
}
