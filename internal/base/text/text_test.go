package text_test

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"

	"icouch/internal/base/fault"
	"icouch/internal/base/text"
)

func TestNamesAreKeptAsPeopleWriteThem(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Annie Noda":              "Annie Noda",
		"  Annie \u00a0 Noda\r\n": "Annie Noda",
		"Zoe\u0308 O’Brien-Łuk":   "Zoë O’Brien-Łuk",
		"רשידה":                   "רשידה",
		"محمد\u200cرضا":           "محمد\u200cرضا",
		"👩‍👩‍👧 family":            "👩‍👩‍👧 family",
		"🏴󠁧󠁢󠁥󠁮󠁧󠁿":                 "🏴󠁧󠁢󠁥󠁮󠁧󠁿",
		"李 小龍":                    "李 小龍",
		"":                        "",
		" \t ":                    "",
		"\u200b\u2800\u3164":      "",
		"<script>alert(1)":        "<script>alert(1)",
	} {
		got, err := text.Line(in, 40)
		if err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", in, got, err, want)
		}
	}
}

func TestWhatCannotBeSeenIsRefused(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]error{
		"An\x00nie": text.ErrHidden, "An\x1bnie": text.ErrHidden, "An\tnie": text.ErrHidden, "An\u0080nie": text.ErrHidden, "An\x7fnie": text.ErrHidden,
		"\u202eeinnA": text.ErrHidden, "An\u2066nie": text.ErrHidden, "An\u2069nie": text.ErrHidden, "An\ufffenie": text.ErrHidden,
		"An\nnie": text.ErrLines, "An\rnie": text.ErrLines, "An\u2028nie": text.ErrLines, "An\u2029nie": text.ErrLines, "An\u0085nie": text.ErrLines, "An\vnie": text.ErrLines,
		"An\xffnie": text.ErrUnreadable, "An\xed\xa0\x80nie": text.ErrUnreadable,
		strings.Repeat("é", 11): text.ErrLong, strings.Repeat("a", 1<<20): text.ErrLong,
	} {
		got, err := text.Line(in, 10)
		if got != "" || !errors.Is(err, want) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%.20q: %q, %v; want %v", in, got, err, want)
		}
	}
}

func TestTooLongSaysTheLimit(t *testing.T) {
	t.Parallel()
	_, err := text.Line(strings.Repeat("e\u0301", 12), 10)
	if sentence, _, ok := fault.As(err); !ok || sentence != "Please use at most 10 characters. This text has 12." {
		t.Errorf("%q", sentence)
	}
	if got, err := text.Line(strings.Repeat("e\u0301", 10), 10); err != nil || utf8.RuneCountInString(got) != 10 {
		t.Errorf("%q, %v", got, err)
	}
}

func TestNotesKeepTheirLines(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"one\r\ntwo\rthree\u2028four\n\n": "one\ntwo\nthree\nfour",
		"\n \n\tindented\n\n\tmore  \n ":  "\tindented\n\n\tmore",
		" \n\t ":                          "",
	} {
		if got, err := text.Block(in, 100); err != nil || got != want {
			t.Errorf("%q became %q, %v; want %q", in, got, err, want)
		}
	}
	for in, want := range map[string]error{"a\x00": text.ErrHidden, "a\u202eb": text.ErrHidden, "a\x0cb": text.ErrHidden, "\xff": text.ErrUnreadable, strings.Repeat("x\n", 51) + "x": text.ErrLong} {
		if _, err := text.Block(in, 100); !errors.Is(err, want) {
			t.Errorf("%.20q: %v, want %v", in, err, want)
		}
	}
}

func TestSearchFindsNamesTypedOnAnyKeyboard(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"Annie Noda": "annie noda", "ŁUKASZ": "lukasz", "Straße": "strasse", "STRAẞE": "strasse", "Đặng": "dang", "Søren": "soren",
		"Ærø": "aero", "Işıl İpek": "isil ipek", "Zoë": "zoe", "Zoe\u0308": "zoe", "O’Brien": "o'brien", "Ａｎｎ": "ann", "Ångström": "angstrom", "Ωμέγας": "ωμεγασ",
	} {
		if got := text.FoldForSearch(in); got != want {
			t.Errorf("%q folds to %q, want %q", in, got, want)
		}
	}
}

func TestTelephoneNumbersAreKeptAsTyped(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"  +1 (212) 555-0100 ": "+1 (212) 555-0100", "212.555.0100 x 12": "212.555.0100 x 12", "040/123456": "040/123456",
		"555-0100 ext. 4": "555-0100 ext. 4", "0212 5550100 EXT 7": "0212 5550100 EXT 7", "٠١٢٣٤٥": "٠١٢٣٤٥", "": "",
	} {
		if got, err := text.Phone(in); err != nil || got != want {
			t.Errorf("%q became %q, %v", in, got, err)
		}
	}
	for in, want := range map[string]error{
		"call me": text.ErrPhone, "1234": text.ErrPhoneDigits, "+123456789012345678901": text.ErrPhoneDigits, "x": text.ErrPhoneDigits, "123456 or 7": text.ErrPhone,
		"12345\n678": text.ErrPhone, "=12345678": text.ErrPhone, "123456x7x8": text.ErrPhone, strings.Repeat("1", 5000): text.ErrPhone,
	} {
		if got, err := text.Phone(in); err != want || got != "" {
			t.Errorf("%q: %q, %v; want %v", in, got, err, want)
		}
	}
}

func TestLettersHaveNoLinksButOurs(t *testing.T) {
	t.Parallel()
	const gone = "[link removed]"
	for in, want := range map[string]string{
		"Looking forward to seeing you, e.g. on Tuesday at 2 p.m. (room 1.4).": "Looking forward to seeing you, e.g. on Tuesday at 2 p.m. (room 1.4).",
		"See https://evil.test/x?y now":                                        "See " + gone + " now",
		"See HTTP://evil now.":                                                 "See " + gone + " now.",
		"(www.evil.test/a), and":                                               "(" + gone + "), and",
		"write to me@evil.com!":                                                "write to " + gone + "!",
		"write to me@evil.internal":                                            "write to " + gone,
		"evil.com":                                                             gone,
		"Evil.Co.Uk/path\nsecond  line":                                        gone + "\nsecond  line",
		"e\u200bvil.c\u00adom":                                                 gone,
		"evil。com and evil．com":                                                gone + " and " + gone,
		"mailto:someone tel:+123 javascript:":                                  gone + " " + gone + " " + gone + ":",
		"10.0.0.1/admin":                                                       gone,
		"пример.рф":                                                            gone,
		"<a href=\"https://evil.test\">x</a>":                                  "<a " + gone + ">",
		"It costs 4.50, or 3,20.":                                              "It costs 4.50, or 3,20.",
		"":                                                                     "",
	} {
		if got := text.StripLinks(in); got != want {
			t.Errorf("%q became %q, want %q", in, got, want)
		}
	}
}

// seeds are what fuzzing begins with.
var seeds = []string{"Annie", "e\u0301\u0301", "\u0958\u202a", "👩‍👩‍👧", "\r\n\t", "İıſßẞ", "a.com\u2003b@c.d", "\u1ffe\u0345ͅ", "+1 555 0100 x2", "ﬃ", "\xff"}

func FuzzLine(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, parse := range map[string]func(string, int) (string, error){"Line": text.Line, "Block": text.Block} {
			got, err := parse(s, 50)
			if err != nil {
				if got != "" || !errors.Is(err, fault.Invalid) {
					t.Fatalf("%s(%q) = %q, %v", name, s, got, err)
				}
				continue
			}
			again, err := parse(got, 50)
			if err != nil || again != got || !norm.NFC.IsNormalString(got) || utf8.RuneCountInString(got) > 50 || strings.ContainsAny(got, "\x00\r\u202e") {
				t.Fatalf("%s(%q) = %q, then %q, %v", name, s, got, again, err)
			}
		}
	})
}

func FuzzFoldForSearch(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := text.FoldForSearch(s)
		if twice := text.FoldForSearch(once); twice != once || !utf8.ValidString(once) {
			t.Fatalf("%q folds to %q, then %q", s, once, twice)
		}
	})
}

func FuzzStripLinks(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once := text.StripLinks(s)
		if twice := text.StripLinks(once); twice != once || strings.Contains(strings.ToLower(once), "://") {
			t.Fatalf("%q became %q, then %q", s, once, twice)
		}
	})
}

func FuzzPhone(f *testing.F) {
	for _, s := range seeds {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		once, err := text.Phone(s)
		if twice, err2 := text.Phone(once); err == nil && (err2 != nil || twice != once) {
			t.Fatalf("%q became %q, then %q, %v", s, once, twice, err2)
		}
	})
}

func BenchmarkFoldForSearch(b *testing.B) {
	for b.Loop() {
		text.FoldForSearch("Łukasz O’Brien")
		text.FoldForSearch("Annie Noda")
	}
}
