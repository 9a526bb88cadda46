package audit

import (
	"context"
	"encoding/binary"
	"errors"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/id"
)

// Seen is what the trail says of a request that showed somebody's record.
const Seen Action = "clients.seen"

// Part is how much of a client's record was shown. The names are part of the
// stored record: add to them, never change them.
type Part string

// The parts, the most first: what was shown twice is told once, as the most.
const (
	Whole   Part = "record"   // all that is noted, and how their invitation fares
	Listed  Part = "list"     // a line in the list: name, e-mail, how their invitation fares
	File    Part = "file"     // what was attached to what was written
	Written Part = "messages" // what was written to or by them
	Excerpt Part = "excerpt"  // the first words of the newest of it, in the list of conversations
	Trail   Part = "trail"    // who was at their record
	Joint   Part = "joint"    // what a joint record has of them: the name, since when, what they agreed to
	Named   Part = "name"     // the name alone
)

// parts and whys are how the trail writes a part and a right, each in a byte.
var (
	parts = []struct {
		part Part
		code byte
	}{{Whole, 'r'}, {Listed, 'l'}, {File, 'f'}, {Written, 'w'}, {Excerpt, 'x'}, {Trail, 't'}, {Joint, 'j'}, {Named, 'n'}}
	whys = []struct {
		why  access.Why
		code byte
	}{{access.Unknown, '-'}, {access.Self, 'm'}, {access.Care, 'c'}, {access.CareTeam, 't'}, {access.Supervision, 's'},
		{access.Office, 'o'}, {access.ByEmergency, 'e'}, {access.Acting, 'k'}, {access.Together, 'j'}}
)

// IsPart reports whether a word names a part, and no action.
func IsPart(word string) bool {
	for _, c := range parts {
		if string(c.part) == word {
			return true
		}
	}
	return false
}

// Sight is one client whose record was shown.
type Sight struct {
	Client id.Client
	Part   Part
	Why    access.Why
}

// sight is the same as it is written.
type sight struct {
	client    [16]byte
	part, why byte
}

// Look is what one request has shown, or is about to. Verbs that hand a
// client's data out add to it (Saw); the door has it written before the first
// byte of its answer (Scribe). It belongs to one goroutine.
type Look struct {
	by    []access.Actor
	seen  [][]sight // by each of them
	wrong error     // why it cannot be written; then nothing may be shown
}

type lookKey struct{}

// Looking returns a context in which Saw adds to l.
func Looking(ctx context.Context, l *Look) context.Context {
	return context.WithValue(ctx, lookKey{}, l)
}

// Saw notes that by is given a part of a client's record, as far as somebody
// looks: what the program reads for itself is shown to nobody, and opening a
// link leaves no mark (docs/adr/0006).
func Saw(ctx context.Context, by access.Actor, part Part, client id.Client, why access.Why) {
	l, looks := ctx.Value(lookKey{}).(*Look)
	if !looks || unseeing(by) {
		return
	}
	l.add(l.of(by), part, client, why)
}

// SawEach is Saw for many at once, each of them once.
func SawEach(ctx context.Context, by access.Actor, part Part, n int, each func(int) (id.Client, access.Why)) {
	l, looks := ctx.Value(lookKey{}).(*Look)
	if !looks || n == 0 || unseeing(by) {
		return
	}
	i := l.of(by)
	l.seen[i] = slices.Grow(l.seen[i], n)
	for k := range n {
		client, why := each(k)
		l.add(i, part, client, why)
	}
}

func unseeing(by access.Actor) bool {
	return by.Role() == access.System || by.Role() == access.Shell || by.Role() == access.Link
}

// of is where the sights of an actor are.
func (l *Look) of(by access.Actor) int {
	for i, a := range l.by {
		if a.Practice() == by.Practice() && a.Account() == by.Account() && a.Role() == by.Role() {
			return i
		}
	}
	l.by, l.seen = append(l.by, by), append(l.seen, nil)
	return len(l.by) - 1
}

// few is how many sights are looked through for one that is there already. A
// long list has each client once, and one noted twice is told once by whoever reads.
const few = 8

func (l *Look) add(i int, part Part, client id.Client, why access.Why) {
	raw, err := client.Bytes()
	if err != nil {
		l.wrong = errors.Join(l.wrong, err)
		return
	}
	s := sight{raw, codeOfPart(part), codeOfWhy(why)}
	if len(l.seen[i]) < few {
		for j, was := range l.seen[i] {
			if was.client == raw {
				if rank(s.part) > rank(was.part) {
					s.part = was.part
				}
				if s.why == codeOfWhy(access.Unknown) { // not said: the one noted already
					s.why = was.why
				}
				l.seen[i][j] = s
				return
			}
		}
	}
	l.seen[i] = append(l.seen[i], s)
}

// Empty reports whether nothing was seen.
func (l *Look) Empty() bool { return len(l.by) == 0 && l.wrong == nil }

// Forget is for an answer that shows nothing of what was read for it.
func (l *Look) Forget() { *l = Look{} }

func codeOfPart(p Part) byte {
	for _, c := range parts {
		if c.part == p {
			return c.code
		}
	}
	return 'r'
}

func codeOfWhy(w access.Why) byte {
	for _, c := range whys {
		if c.why == w {
			return c.code
		}
	}
	return '-'
}

// rank is lower for a part that holds more.
func rank(code byte) int {
	for i, c := range parts {
		if c.code == code {
			return i
		}
	}
	return 0
}

// pack writes sights in groups: the part, the right, how many, and who. Fifty
// clients of one list are one group of 803 bytes.
func pack(all []sight) (packed []byte, subject string) {
	packed = make([]byte, 0, 8+16*len(all))
	var done [256]bool // by place in the groups so far: there are few
	var groups []sight
	for _, s := range all {
		if !slices.ContainsFunc(groups, func(g sight) bool { return g.part == s.part && g.why == s.why }) {
			groups = append(groups, sight{part: s.part, why: s.why})
		}
	}
	var names []string
	for _, g := range groups {
		n := 0
		for i := range all {
			if all[i].part == g.part && all[i].why == g.why {
				n++
			}
		}
		packed = append(packed, g.part, g.why)
		packed = binary.AppendUvarint(packed, uint64(n))
		for i := range all {
			if all[i].part == g.part && all[i].why == g.why {
				packed = append(packed, all[i].client[:]...)
			}
		}
		if !done[g.part] {
			done[g.part] = true
			names = append(names, string(parts[rank(g.part)].part))
		}
	}
	return packed, strings.Join(names, " ")
}

// errShown says that a line's list of who was shown cannot be read.
var errShown = errors.New("audit: a line does not say whom it showed")

// unpack reads what pack wrote.
func unpack(b []byte) (all []Sight, err error) {
	for len(b) > 0 {
		if len(b) < 3 {
			return nil, errShown
		}
		s := Sight{Part: parts[rank(b[0])].part}
		for _, c := range whys {
			if c.code == b[1] {
				s.Why = c.why
			}
		}
		n, length := binary.Uvarint(b[2:])
		if length <= 0 || n > uint64(len(b))/16 || uint64(len(b)-2-length) < 16*n {
			return nil, errShown
		}
		b = b[2+length:]
		for range n {
			s.Client = id.Of[id.Client]([16]byte(b[:16]))
			all = append(all, s)
			b = b[16:]
		}
	}
	return all, nil
}
