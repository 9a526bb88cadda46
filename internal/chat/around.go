package chat

import (
	"strings"
	"unicode/utf8"

	"icouch/internal/base/text"
)

// Piece is a piece of a message that was found: some of what was looked for, or
// what stands beside it.
type Piece struct {
	Words string
	Found bool
}

// near is how much is shown before what was found, and longest in all, in bytes.
const (
	near    = 40
	longest = 180
)

// around cuts the words around the first of those looked for, from the beginning
// of a word to the end of one, and marks all that are in it.
func around(body string, want []string) (all []Piece) {
	body = strings.Join(strings.Fields(body), " ")
	is := folding(body)
	first, found := is.find(want)
	from, to := cut(body, first)
	for i := from; i < to; {
		end := i + 1
		for end < to && found[end] == found[i] {
			end++
		}
		all = append(all, Piece{body[i:end], found[i]})
		i = end
	}
	if from > 0 {
		all = append([]Piece{{Words: "…"}}, all...)
	}
	if to < len(body) {
		all = append(all, Piece{Words: "…"})
	}
	return all
}

// cut says from where to where a text is shown. A word without an end is cut.
func cut(body string, first int) (from, to int) {
	if first > near {
		from = first - near
		if space := strings.LastIndexByte(body[:from+1], ' '); from-space <= near {
			from = space + 1
		}
		for !utf8.RuneStart(body[from]) {
			from++
		}
	}
	if len(body)-from <= longest {
		return from, len(body)
	}
	to = from + longest
	if space := strings.LastIndexByte(body[:to+1], ' '); space >= to-near {
		return from, space
	}
	for !utf8.RuneStart(body[to]) {
		to--
	}
	return from, to
}

// folded is a text as it is searched, with where each of its bytes comes from.
type folded struct {
	text     string
	from, to []int
}

// folding folds letter by letter: an accent that stands by itself belongs to the
// letter before it.
func folding(body string) (f folded) {
	var b strings.Builder
	for i, r := range body {
		one := text.FoldForSearch(string(r))
		end := i + utf8.RuneLen(r)
		b.WriteString(one)
		for range len(one) {
			f.from, f.to = append(f.from, i), append(f.to, end)
		}
		if one == "" && len(f.to) > 0 {
			f.to[len(f.to)-1] = end
		}
	}
	f.text = b.String()
	return f
}

// find says which bytes of the text as it was written belong to one of the words,
// and where the first word stands first.
func (f folded) find(want []string) (first int, found map[int]bool) {
	found = map[int]bool{}
	for n, w := range want {
		for i := 0; ; {
			at := strings.Index(f.text[i:], w)
			if at < 0 {
				break
			}
			at += i
			if n == 0 && i == 0 {
				first = f.from[at]
			}
			i = at + len(w)
			for k := f.from[at]; k < f.to[i-1]; k++ {
				found[k] = true
			}
		}
	}
	return first, found
}
