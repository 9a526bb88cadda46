package password_test

import (
	"errors"
	"fmt"
	"math"
	"runtime"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
	"pgregory.net/rapid"

	"icouch/internal/account/password"
	"icouch/internal/base/fault"
)

var annie = password.Context{Names: []string{"Annie Noda", "Calm Waters Practice", "iCouch", "annie.n+couch@example.com"}}

func TestT10_PasswordsAreJudgedByLengthAndByWhatAttackersTry(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pw      string
		minimum int
		want    error
	}{
		// Length.
		{"", 15, password.ErrShort},
		{"plum heron 42!", 15, password.ErrShort},               // 14
		{"plum heron 42!x", 15, nil},                            // 15
		{"plum hero", 10, password.ErrShort},                    // 9
		{"plum heron", 10, nil},                                 // 10
		{"plum heron", 15, password.ErrShort},                   // alone
		{"pflaume-über-öl", 15, nil},                            // 15, of more bytes
		{"u\u0308ber o\u0308l plum", 15, password.ErrShort},     // 13 when composed
		{"梅子 鷺鳥 河岸 石橋 燈火 雨", 15, nil},                           // any script
		{"🌊🍐🪑🐌🌵🎷🧦🚲🫖🪁🦔🥨🪴🧭🌙", 15, nil},                            // and emoji
		{" leading and trailing ", 15, nil},                     // spaces count
		{strings.Repeat("plum heron 42 ", 5) + "x", 15, nil},    // 71
		{unlike(200), 15, nil},                                  //
		{unlike(256), 15, nil},                                  //
		{unlike(257), 15, password.ErrLong},                     //
		{strings.Repeat("x", 1<<20), 15, password.ErrLong},      //
		{"only lower case letters", 15, nil},                    // no rules of composition
		{"ALL IN CAPITALS TOO", 15, nil},                        //
		{"904172835610394", 15, nil},                            // figures that follow nothing
		{"plum heron 42!\x00x", 15, password.ErrCharacters},     //
		{"plum heron\n42!xx", 15, password.ErrCharacters},       //
		{"plum heron\r42!xx", 15, password.ErrCharacters},       //
		{"plum heron\xff42!xx", 15, password.ErrCharacters},     //
		{"plum\theron\t42!x\x07", 15, nil},                      // all other characters
		{"aaaaaaaaaaaaaaa", 15, password.ErrPattern},            // patterns
		{"abcabcabcabcabc", 15, password.ErrPattern},            //
		{"passwordpassword", 15, password.ErrPattern},           //
		{"PassWordpassword", 15, password.ErrPattern},           //
		{"plumheplumheplum", 15, password.ErrPattern},           //
		{"123456789012345", 15, password.ErrPattern},            //
		{"543210987654321", 15, password.ErrPattern},            //
		{"abcdefghijklmno", 15, password.ErrPattern},            //
		{"zyxwvutsrqponml", 15, password.ErrPattern},            //
		{"qwertyuiopasdfgh", 15, password.ErrPattern},           //
		{"QWERTYuiop[]asdf", 15, password.ErrPattern},           //
		{"1qaz2wsx3edc4rfv", 15, password.ErrPattern},           //
		{"abc123abc123xyz", 15, password.ErrPattern},            //
		{"111222333444555", 15, password.ErrPattern},            //
		{"aabbaabbabababab", 15, password.ErrPattern},           //
		{"йцукенгшщзхъфыва", 15, password.ErrPattern},           //
		{"1234567890", 10, password.ErrPattern},                 //
		{"basketball", 10, password.ErrCommon},                  // the list
		{"BASKETBALL", 10, password.ErrCommon},                  //
		{"password1928374", 15, password.ErrCommon},             // and figures around it
		{"1928!password!374", 15, password.ErrCommon},           //
		{"sunshine!!2024!!", 15, password.ErrCommon},            //
		{"dragondragon1974", 15, password.ErrCommon},            //
		{"anniënoda annienoda", 15, password.ErrPersonal},       // names
		{"Annie Noda 1985!", 15, password.ErrPersonal},          //
		{"nodaannienoda12", 15, password.ErrPersonal},           //
		{"CalmWatersPractice", 15, password.ErrPersonal},        //
		{"icouch-icouch-12", 15, password.ErrPersonal},          //
		{"iCouch password 1", 15, password.ErrPersonal},         //
		{"annie.n+couch@example.com", 15, password.ErrPersonal}, //
		{"annie likes blue herons", 15, nil},                    // a name among words
		{"maroon-giver-oyster-carat", 15, nil},                  //
		{"correct horse battery staple plum", 15, nil},          //
		{"plum heron 42! pearplum heron 42! pear", 15, nil},     // long enough even once
	} {
		err := password.Check(c.pw, annie, c.minimum)
		if c.want == nil && err != nil || !errors.Is(err, c.want) && c.want != nil {
			t.Errorf("%.40q (%d): %v, want %v", c.pw, c.minimum, err, c.want)
		}
		if err != nil && !errors.Is(err, fault.Invalid) {
			t.Errorf("%.40q: not a sentence for the person: %v", c.pw, err)
		}
	}
}

// unlike returns n characters without a pattern.
func unlike(n int) string {
	var b strings.Builder
	for i := 0; b.Len() < n; i++ {
		fmt.Fprintf(&b, "%c%d", 'a'+i*7%26, i*i)
	}
	return b.String()[:n]
}

func TestARefusalSaysHowManyCharactersAreMissing(t *testing.T) {
	t.Parallel()
	sentence, _, ok := fault.As(password.Check("plum heron", annie, password.Min))
	if want := "Use at least 15 characters; this has 10. Several words in a row are easy to remember and hard to guess."; !ok || sentence != want {
		t.Errorf("%q, want %q", sentence, want)
	}
}

func TestNoSentenceBlamesOrRepeatsThePassword(t *testing.T) {
	t.Parallel()
	for _, pw := range []string{"basketball", "Annie Noda 1985!", "123456789012345", "short"} {
		if err := password.Check(pw, annie, 10); err == nil || strings.Contains(err.Error(), pw) || strings.Contains(strings.ToLower(err.Error()), "invalid") {
			t.Errorf("%q: %v", pw, err)
		}
	}
}

func TestSuggestionsAreGoodAndDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	words := map[string]bool{}
	for range 2000 {
		s := password.Suggest()
		if err := password.Check(s, annie, password.Min); err != nil || seen[s] || strings.Count(s, "-") != 4 || utf8.RuneCountInString(s) > 40 {
			t.Fatalf("%q: %v, or twice", s, err)
		}
		seen[s] = true
		for w := range strings.SplitSeq(s, "-") {
			words[w] = true
		}
	}
	// 10,000 draws from n words leave about n/e^(10000/n) out: of 2,048, 16.
	if bits := 5 * math.Log2(float64(len(words))); len(words) < 2048 || bits < 50 {
		t.Errorf("%d words: %.0f bits", len(words), bits)
	}
}

func TestNoPasswordMakesCheckPanic(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		about := password.Context{Names: rapid.SliceOfN(rapid.String(), 0, 4).Draw(t, "names")}
		pw := rapid.String().Draw(t, "pw")
		if err := password.Check(pw, about, 10); err != nil && !errors.Is(err, fault.Invalid) {
			t.Fatal(err)
		}
		if n := utf8.RuneCountInString(norm.NFC.String(pw)); n < 10 && password.Check(pw, about, 10) == nil {
			t.Fatalf("%q has %d characters", pw, n)
		}
	})
}

// 15 random letters are nothing attackers try: refusing them would be a lie.
func TestRandomPasswordsAreAccepted(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		r := rapid.SliceOfNDistinct(rapid.RuneFrom([]rune("abcdefghijklmnopqrstuvwxyz")), 15, 26, rapid.ID[rune]).Draw(t, "pw")
		if err := password.Check(string(r), annie, 15); err != nil && !errors.Is(err, password.ErrPattern) {
			t.Fatalf("%q: %v", string(r), err)
		}
	})
}

func TestTheListNeedsLessThanAMegabyte(t *testing.T) { //nolint:paralleltest // it measures the heap
	var before, after runtime.MemStats
	_ = password.Check("plum heron 42!x", annie, 15)
	runtime.GC()
	runtime.ReadMemStats(&before)
	list := password.ReadList()
	runtime.GC()
	runtime.ReadMemStats(&after)
	if list.Len() < 49_000 {
		t.Errorf("%d entries, want 49,000", list.Len())
	}
	if kept := int64(after.HeapAlloc) - int64(before.HeapAlloc); kept > 1<<20 {
		t.Errorf("the list keeps %d KiB", kept>>10)
	}
	runtime.KeepAlive(list)
}

func FuzzCheck(f *testing.F) {
	f.Add("plum heron 42!x", "Annie")
	f.Add("ﬁﬁﬁİı", "İ")
	f.Fuzz(func(t *testing.T, pw, name string) {
		_ = password.Check(pw, password.Context{Names: []string{name}}, 10)
	})
}

func BenchmarkCheck(b *testing.B) {
	for b.Loop() {
		if err := password.Check("maroon-giver-oyster-carat", annie, 15); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkReadList(b *testing.B) {
	for b.Loop() {
		password.ReadList()
	}
}
