package sheet

import (
	"bufio"
	"fmt"
	"io"
	"strings"
	"unicode"
)

// Write writes a list as RFC 4180 has it, in UTF-8 with the mark at the
// beginning that Excel wants.
//
// A cell that a spreadsheet program would run as a formula gets an apostrophe
// in front: one that begins with = + - @, a tab or a line break, in full width
// too, and also behind spaces and quotation marks. Read takes it away again
// when told that the file is ours.
func Write(w io.Writer, header []string, rows [][]string) error {
	out := bufio.NewWriter(w)
	_, _ = out.WriteString("\ufeff") // a bufio.Writer keeps its error for Flush
	writeRow(out, header)
	for _, row := range rows {
		writeRow(out, row)
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("write sheet: %w", err)
	}
	return nil
}

func writeRow(out *bufio.Writer, row []string) {
	for i, c := range row {
		if i > 0 {
			_ = out.WriteByte(',')
		}
		c = guard(c)
		if c == "" && len(row) > 1 || c != "" && !needsQuotes(c) {
			_, _ = out.WriteString(c)
			continue
		}
		_ = out.WriteByte('"')
		_, _ = out.WriteString(strings.ReplaceAll(c, `"`, `""`))
		_ = out.WriteByte('"')
	}
	_, _ = out.WriteString("\r\n")
}

// needsQuotes: a semicolon and a tab too, for programs that cut there.
func needsQuotes(c string) bool {
	return strings.ContainsAny(c, ",;\t\"\r\n") || strings.TrimSpace(c) != c || strings.HasPrefix(c, "sep=")
}

func guard(c string) string {
	if dangerous(c) {
		return "'" + c
	}
	return c
}

// unguard undoes guard, and only that: a cell that began with an apostrophe of
// its own was either not dangerous, or got a second one.
func unguard(c string) string {
	if rest, ok := strings.CutPrefix(c, "'"); ok && dangerous(rest) {
		return rest
	}
	return c
}

func dangerous(c string) bool {
	// An apostrophe in front changes no answer here; unguard relies on it.
	if first := strings.TrimLeft(c, "'"); first != "" && strings.IndexByte("\t\r\n", first[0]) >= 0 {
		return true
	}
	c = strings.TrimLeftFunc(c, func(r rune) bool {
		return unicode.IsSpace(r) || unicode.In(r, unicode.Cf, unicode.Cc) || strings.ContainsRune("'\"`’‘“”", r)
	})
	for _, r := range c {
		return strings.ContainsRune("=+-@＝＋－＠﹦﹢﹣﹫−", r)
	}
	return false
}
