package text

import (
	"net/netip"
	"strings"
	"unicode"

	"golang.org/x/net/idna"
	"golang.org/x/net/publicsuffix"
	"golang.org/x/text/unicode/norm"
)

// linkRemoved stands where a link was.
const linkRemoved = "[link removed]"

// StripLinks takes out whatever a mail program would turn into a link, and
// says so in its place: a letter of ours has one button, which is ours. When
// in doubt ("see you.me too") it takes out too much.
func StripLinks(s string) string {
	var out strings.Builder
	for s != "" {
		end := strings.IndexFunc(s, unicode.IsSpace)
		if end < 0 {
			end = len(s)
		}
		out.WriteString(stripWord(s[:end]))
		space := strings.IndexFunc(s[end:], func(r rune) bool { return !unicode.IsSpace(r) })
		if space < 0 {
			space = len(s) - end
		}
		out.WriteString(s[end : end+space])
		s = s[end+space:]
	}
	return out.String()
}

// stripWord replaces the part of a word between its outer punctuation.
func stripWord(w string) string {
	if w == "" || !links(w) {
		return w
	}
	core := strings.TrimLeft(w, "([{<\"'“‘«")
	open := w[:len(w)-len(core)]
	core = strings.TrimRight(core, ".,;:!?)]}>\"'”’»…")
	shut := w[len(open)+len(core):]
	if !links(open + linkRemoved + shut) {
		return open + linkRemoved + shut
	}
	return linkRemoved
}

// schemes are what programs open without asking for "//".
var schemes = []string{"mailto:", "tel:", "sms:", "data:", "javascript:", "file:", "callto:", "facetime:", "skype:", "magnet:"}

// links reports whether a mail program would make a link of something in w.
func links(w string) bool {
	w = plain(w)
	if strings.Contains(w, "://") || strings.Contains(w, "www.") {
		return true
	}
	for _, scheme := range schemes {
		if strings.Contains(w, scheme) {
			return true
		}
	}
	if strings.IndexByte(w, '.') < 0 {
		return false
	}
	mail := strings.Contains(w, "@")
	for run := range strings.FieldsFuncSeq(w, func(r rune) bool { return !inDomain(r) }) {
		run = strings.Trim(run, ".-")
		if domain(run) || mail && strings.Contains(run, ".") {
			return true
		}
	}
	return false
}

// plain returns w as a program reads it that looks through disguises.
func plain(w string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case unicode.Is(unicode.Cf, r):
			return -1
		case r == '。' || r == '．' || r == '｡':
			return '.'
		}
		return r
	}, strings.ToLower(norm.NFKC.String(w)))
}

func inDomain(r rune) bool {
	return r == '.' || r == '-' || r == '_' || unicode.In(r, unicode.L, unicode.M, unicode.N)
}

// domain reports whether s ends as the names on the Internet do.
func domain(s string) bool {
	last := strings.LastIndexByte(s, '.')
	if last < 1 {
		return false
	}
	if _, err := netip.ParseAddr(s); err == nil {
		return true
	}
	top, err := idna.Punycode.ToASCII(s[last+1:])
	if err != nil {
		return false
	}
	_, known := publicsuffix.PublicSuffix("x." + top)
	return known
}
