package parts

import (
	"hash/fnv"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
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
	Detail string // a second line: "2 times"
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

func (a Avatar) initials() string {
	words := strings.FieldsFunc(a.Name, func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) })
	if len(words) == 0 {
		return "?"
	}
	first := initial(words[0])
	if len(words) == 1 {
		return first
	}
	return first + initial(words[len(words)-1])
}

func initial(word string) string {
	r, _ := utf8.DecodeRuneInString(word)
	return string(unicode.ToUpper(r))
}

func (a Avatar) tone() string {
	h := fnv.New32a()
	_, _ = h.Write([]byte(a.Name)) // a hash does not fail
	return "t" + strconv.Itoa(int(h.Sum32()%6))
}
