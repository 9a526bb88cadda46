package parts

import (
	"context"
	"io"
	"strings"
	"unicode"

	"github.com/a-h/templ"
)

// StatusKind is the shape before the words.
type StatusKind string

// None is an empty ring, Waiting half full, Active full, Trouble a diamond,
// Ended a line.
const (
	None    StatusKind = ""
	Waiting StatusKind = "waiting"
	Active  StatusKind = "active"
	Trouble StatusKind = "problem"
	Ended   StatusKind = "ended"
)

// Status is a state in words, with a shape before it.
type Status struct {
	Kind   StatusKind
	Words  string
	Detail string  // a second line: "2 times"
	Mend   Drawing // after the words: what would put it right; nil for nothing
}

// View makes a component of the state.
func (s Status) View() templ.Component { return s }

// Render draws the state.
func (s Status) Render(_ context.Context, w io.Writer) error { return Render(w, s) }

// Draw draws the state.
func (s Status) Draw(p *Pen) {
	p.Put(`<span`)
	p.Class("status", string(s.Kind))
	p.Put(`><span>`)
	unbroken(p, s.Words)
	p.Put(` `)
	if s.Detail != "" {
		p.Put(`<small>`)
		unbroken(p, s.Detail)
		p.Put(`</small>`)
	}
	if s.Mend != nil {
		s.Mend.Draw(p)
	}
	p.Put(`</span></span>`)
}

// unbroken writes words with "e-mail" in one piece: a narrow column breaks a line
// at the hyphen. The hyphen stays the one of the keyboard, and the line is kept by
// style: with another sign, whoever looks for "e-mail" on the page finds nothing,
// and what is copied is spelled differently.
func unbroken(p *Pen, words string) {
	for {
		before, after, found := strings.Cut(words, "e-mail")
		p.Text(before)
		if !found {
			return
		}
		p.Put(`<span class="keep">e-mail</span>`)
		words = after
	}
}

// Tone is the meaning of a colour; words always say the same.
type Tone string

// Plain says nothing; New is clay, for what is new or unread.
const (
	Plain Tone = ""
	New   Tone = "new"
	Info  Tone = "info"
	Good  Tone = "good"
	Warn  Tone = "warn"
	Bad   Tone = "bad"
)

// Tag is one word about a thing.
type Tag struct {
	Words string
	Tone  Tone
}

// Count is a number in clay. Words are what is said instead: "3 unread".
type Count struct {
	N     int
	Words string
}

// Avatar is a person's initials on a tone that stays theirs. It is decoration:
// the name stands beside it.
type Avatar struct{ Name string }

// View makes a component of the initials.
func (a Avatar) View() templ.Component { return a }

// Render draws the initials.
func (a Avatar) Render(_ context.Context, w io.Writer) error { return Render(w, a) }

// Draw draws the initials.
func (a Avatar) Draw(p *Pen) {
	p.Put(`<span`)
	p.Class("avatar", a.tone())
	p.Put(` aria-hidden="true">`)
	p.Text(a.initials())
	p.Put(`</span>`)
}

// initials are the first letters of the first word and of the last.
func (a Avatar) initials() string {
	var first, last string
	within := false
	for _, r := range a.Name {
		letter := unicode.IsLetter(r) || unicode.IsMark(r)
		if letter && !within {
			last = string(unicode.ToUpper(r))
			if first == "" {
				first, last = last, ""
			}
		}
		within = letter
	}
	if first == "" {
		return "?"
	}
	return first + last
}

var tones = [...]string{"t0", "t1", "t2", "t3", "t4", "t5"}

// tone is a hash of the name (FNV-1a): the same on every page.
func (a Avatar) tone() string {
	h := uint32(2166136261)
	for i := range len(a.Name) {
		h = (h ^ uint32(a.Name[i])) * 16777619
	}
	return tones[h%uint32(len(tones))]
}
