package web

import (
	"net/url"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A message is plain text. What is drawn of it beside its letters is little:
// addresses of the web become links, *stars* are strong and _bars_ are said
// with emphasis. Nothing else of what somebody types means anything.

// span is a piece of a message: words as they are, strong, said with emphasis,
// or a link.
type span struct {
	Text           string
	Strong, Stress bool
	Href           string
}

// spans takes a line apart.
func spans(line string) (all []span) {
	plain := 0
	flush := func(to int) {
		if to > plain {
			all = append(all, span{Text: line[plain:to]})
		}
	}
	for i := 0; i < len(line); {
		switch {
		case strings.HasPrefix(line[i:], "https://") || strings.HasPrefix(line[i:], "http://"):
			if !opens(line, i) {
				break
			}
			n := linkLength(line[i:])
			if n == 0 {
				break
			}
			flush(i)
			all = append(all, span{Text: line[i : i+n], Href: line[i : i+n]})
			i += n
			plain = i
			continue
		case line[i] == '*' || line[i] == '_':
			n := markLength(line, i)
			if n == 0 {
				break
			}
			flush(i)
			all = append(all, span{Text: line[i+1 : i+n-1], Strong: line[i] == '*', Stress: line[i] == '_'})
			i += n
			plain = i
			continue
		}
		i++
	}
	flush(len(line))
	return all
}

// opens reports whether something may begin at i: nothing of a word stands before it.
func opens(line string, i int) bool {
	return i == 0 || !wordy(lastRune(line[:i]))
}

func wordy(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func lastRune(s string) (r rune) {
	for _, r = range s[max(0, len(s)-4):] {
	}
	return r
}

// linkLength is how long the address is with which a text begins, or 0.
func linkLength(s string) int {
	n := strings.IndexFunc(s, func(r rune) bool {
		return unicode.IsSpace(r) || strings.ContainsRune("<>\"'`{}|\\^", r) || unicode.IsControl(r) || unicode.Is(unicode.Cf, r)
	})
	if n < 0 {
		n = len(s)
	}
	for n > 0 && strings.ContainsRune(".,;:!?)]*_", rune(s[n-1])) { // the sentence's, not the address's
		n--
	}
	u, err := url.Parse(s[:n])
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || !strings.Contains(u.Host, ".") || u.User != nil {
		return 0
	}
	return n
}

// markLength is how long the marked words are that begin at i, marks and all, or 0.
func markLength(line string, i int) int {
	mark := line[i]
	if !opens(line, i) || i+2 >= len(line) || line[i+1] == ' ' || line[i+1] == mark {
		return 0
	}
	end := strings.IndexByte(line[i+1:], mark)
	if end <= 0 || line[i+end] == ' ' {
		return 0
	}
	if after, size := utf8.DecodeRuneInString(line[i+end+2:]); size > 0 && wordy(after) {
		return 0
	}
	return end + 2
}
