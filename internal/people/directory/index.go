package directory

import (
	"iter"
	"slices"
	"strings"
)

// index finds whose name or address holds a text without looking at everybody.
// The clients stand in it by name, some to a leaf; a leaf knows which letters,
// pairs and triples of letters occur in it, so that most of them need not be
// read for most texts.
type index []*leaf

// A leaf is made of so many clients, and split when it has twice as many.
const leafful = 16

type leaf struct {
	entries []*entry // by name
	text    string   // all that is searched, one after the other
	grams   grams
}

func newIndex(sorted []*entry) index {
	x := make(index, 0, len(sorted)/leafful+1)
	for some := range slices.Chunk(sorted, leafful) {
		x = append(x, newLeaf(slices.Clone(some)))
	}
	return x
}

func newLeaf(entries []*entry) *leaf {
	l := &leaf{entries: entries}
	l.read()
	return l
}

// read makes the leaf's text, and what is known of it, anew.
func (l *leaf) read() {
	n := 0
	for _, e := range l.entries {
		n += len(e.fold)
	}
	var text strings.Builder
	text.Grow(n)
	for _, e := range l.entries {
		text.WriteString(e.fold)
	}
	l.text = text.String()
	l.grams = gramsOf(l.text)
}

// at returns which leaf an entry is in, or would be.
func (x index) at(e *entry) int {
	i, found := slices.BinarySearchFunc(x, e, func(l *leaf, e *entry) int { return byName(l.entries[0], e) })
	if !found && i > 0 {
		i--
	}
	return i
}

// with puts an entry in.
func (x index) with(e *entry) index {
	if len(x) == 0 {
		return newIndex([]*entry{e})
	}
	i := x.at(e)
	l := x[i]
	l.entries = with(l.entries, e, byName)
	if len(l.entries) > 2*leafful {
		rest := newLeaf(slices.Clone(l.entries[leafful:]))
		l.entries = slices.Clone(l.entries[:leafful])
		x = slices.Insert(x, i+1, rest)
	}
	l.read()
	return x
}

// without takes an entry out.
func (x index) without(e *entry) index {
	i := x.at(e)
	l := x[i]
	if l.entries = without(l.entries, e, byName); len(l.entries) == 0 {
		return slices.Delete(x, i, i+1)
	}
	l.read()
	return x
}

// find yields whose name or address holds the text, by name.
func (x index) find(needle string) iter.Seq[*entry] {
	wanted := wantedOf(needle)
	return func(yield func(*entry) bool) {
		if strings.Contains(needle, "\n") { // entries end in one: nothing typed goes across
			return
		}
		for _, l := range x {
			if l.grams.hold(wanted) && !l.find(needle, yield) {
				return
			}
		}
	}
}

// find yields the leaf's own, and reports whether more are wanted.
func (l *leaf) find(needle string, yield func(*entry) bool) bool {
	i, end := 0, 0 // the text before end has been looked at: it is that of the entries before i
	for {
		hit := strings.Index(l.text[end:], needle)
		if hit < 0 {
			return true
		}
		for hit += end; end <= hit; i++ {
			end += len(l.entries[i].fold)
		}
		if !yield(l.entries[i-1]) {
			return false
		}
	}
}

// grams is which letters (bytes, that is), pairs and triples occur in a text.
// Several share a bit: one that is not set does not occur, one that is may.
type grams [64]uint64

const gramBits = 12 // of 64 × 64

func gram(a, b, c byte) uint32 {
	return (uint32(a) | uint32(b)<<8 | uint32(c)<<16) * 0x9E3779B1 >> (32 - gramBits)
}

func gramsOf(s string) (g grams) {
	for h := range eachGram(s) {
		g[h/64] |= 1 << (h % 64)
	}
	return g
}

// wantedOf returns the grams of what is searched for.
func wantedOf(needle string) []uint32 {
	all := slices.Collect(eachGram(needle))
	slices.Reverse(all) // the last letters typed are those that tell most
	return all
}

func eachGram(s string) iter.Seq[uint32] {
	return func(yield func(uint32) bool) {
		for i := range len(s) {
			if !yield(gram(s[i], 0, 0)) ||
				i > 0 && !yield(gram(s[i-1], s[i], 0)) ||
				i > 1 && !yield(gram(s[i-2], s[i-1], s[i])) {
				return
			}
		}
	}
}

func (g *grams) hold(wanted []uint32) bool {
	for _, h := range wanted {
		if g[h/64]&(1<<(h%64)) == 0 {
			return false
		}
	}
	return true
}
