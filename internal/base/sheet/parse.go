package sheet

import "strings"

// What is said of a row whose quotation marks do not pair.
const (
	problemOpen  = "A quotation mark in this row is opened and never closed. Please check the row."
	problemStray = "A quotation mark in this row is in an unexpected place. Please check the row."
)

const (
	sniffed = 30      // how many rows tell what stands between cells
	rereads = 8 << 20 // how many bytes are read again, in all, for marks never closed
)

// parser cuts text into rows. Text is not copied unless quotes are doubled.
type parser struct {
	text  string
	at    int // where the next row begins
	line  int // and its line
	delim byte
	cell  int // a quoted cell of more bytes than this was never closed
	most  int // cells beyond this many are not kept

	rereads int // how many bytes may yet be read again
	inside  int // how many quotation marks stood inside of bare cells
}

func newParser(text string, limits Limits) *parser {
	p := &parser{text: text, line: 1, delim: ',', cell: 4 * limits.Cell, most: limits.Columns + 1, rereads: rereads}
	if limits.Ours {
		return p
	}
	if rest, ok := strings.CutPrefix(text, "sep="); ok && rest != "" && strings.IndexByte(",;\t", rest[0]) >= 0 && (len(rest) == 1 || rest[1] == '\r' || rest[1] == '\n') {
		p.delim = rest[0] // a hint that Excel understands, not a row
		p.at = len("sep=x")
		p.endLine()
		return p
	}
	p.delim = p.sniff()
	return p
}

// sniff chooses the separator under which most of the first rows have as many
// cells as the header.
func (p *parser) sniff() byte {
	best, bestAgree, bestWidth := byte(','), 0.0, 1
	for _, delim := range []byte{',', ';', '\t'} {
		trial := *p
		trial.delim = delim
		width, same, rows := 0, 0, 0
		for rows < sniffed {
			row, more := trial.next()
			if !more {
				break
			}
			if blank(row.Cells) {
				continue
			}
			if width == 0 {
				width = len(row.Cells)
			}
			if len(row.Cells) == width && row.Problem == "" && trial.inside == 0 {
				same++
			}
			trial.inside = 0
			rows++
		}
		if width < 2 {
			continue
		}
		if agree := float64(same) / float64(rows); agree > bestAgree || agree == bestAgree && width > bestWidth {
			best, bestAgree, bestWidth = delim, agree, width
		}
	}
	return best
}

// next returns the next row. A quotation mark that is never closed would
// swallow all that follows, so then its line is read again, as if the marks
// were letters.
func (p *parser) next() (Row, bool) {
	if p.at >= len(p.text) {
		return Row{}, false
	}
	if c := p.text[p.at]; c == '\n' || c == '\r' { // a file may have a million of them
		empty := Row{Line: p.line}
		p.endLine()
		return empty, true
	}
	start := *p
	if p.rereads > 0 {
		row, ok := p.row(true)
		if ok {
			return row, true
		}
		start.rereads -= p.at - start.at
		*p = start
	}
	row, _ := p.row(false)
	row.Problem = problemOpen
	return row, true
}

func (p *parser) row(quotes bool) (row Row, ok bool) {
	row.Line = p.line
	for {
		cell, stray, ok := p.one(quotes)
		if !ok || stray && p.line != row.Line {
			return row, false // over several lines, a stray mark is an unclosed one
		}
		if stray {
			row.Problem = problemStray
		}
		if len(row.Cells) < p.most {
			row.Cells = append(row.Cells, cell)
		} else if row.Problem == "" && strings.TrimSpace(cell) != "" {
			row.Problem = tooWide(p.most - 1) // not blank, whatever the kept cells look like
		}
		if p.at < len(p.text) && p.text[p.at] == p.delim {
			p.at++
			continue
		}
		p.endLine()
		return row, true
	}
}

// one reads one cell and stops before what ends it.
func (p *parser) one(quotes bool) (cell string, stray, ok bool) {
	if quotes && p.at < len(p.text) && p.text[p.at] == '"' {
		return p.quoted()
	}
	return p.bare(), false, true
}

func (p *parser) bare() string {
	start := p.at
	for p.at < len(p.text) && p.text[p.at] != p.delim && p.text[p.at] != '\n' && p.text[p.at] != '\r' {
		p.at++
	}
	cell := p.text[start:p.at]
	p.inside += strings.Count(cell, `"`)
	return cell
}

func (p *parser) quoted() (cell string, stray, ok bool) {
	p.at++
	start, doubled := p.at, false
	for p.at < len(p.text) && p.at-start <= p.cell {
		switch c := p.text[p.at]; {
		case c == '"' && p.at+1 < len(p.text) && p.text[p.at+1] == '"':
			doubled = true
			p.at += 2
			continue
		case c == '"':
			cell = p.text[start:p.at]
			if doubled {
				cell = strings.ReplaceAll(cell, `""`, `"`)
			}
			p.at++
			rest := p.bare()
			return cell + rest, strings.TrimSpace(rest) != "", true
		case c == '\n' || c == '\r':
			p.endLine()
			continue
		}
		p.at++
	}
	return "", false, false
}

// endLine steps over the end of a line: \r\n, \n or \r.
func (p *parser) endLine() {
	if p.at < len(p.text) && p.text[p.at] == '\r' {
		p.at++
		if p.at < len(p.text) && p.text[p.at] == '\n' {
			p.at++
		}
		p.line++
		return
	}
	if p.at < len(p.text) && p.text[p.at] == '\n' {
		p.at++
		p.line++
	}
}
