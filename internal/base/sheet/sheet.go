// Package sheet reads lists from other programs, and writes ours for them, as
// comma-separated files (CSV).
//
// A list of clients comes out of many hands: with semicolons or tabs, in the
// encoding of an old Windows, with a quotation mark left open. It is read as
// far as it makes sense, and what does not is said, at its line: a row may be
// a problem, but none is lost. What we write opens in spreadsheet programs
// without running anything (see Write).
package sheet

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"icouch/internal/base/fault"
)

// Why a whole file is refused.
var (
	ErrNotCSV    = fault.New(fault.Invalid, "This does not look like a CSV file. In your spreadsheet program, choose “Save as” or “Download”, then “CSV”, and try again with that file.")
	ErrEmpty     = fault.New(fault.Invalid, "This file is empty. Choose a file whose first line names the columns.")
	ErrTooBig    = fault.New(fault.Invalid, "This file is too big. Split it into smaller ones and upload them one by one.")
	ErrTooMany   = fault.New(fault.Invalid, "This file has too many rows. Split it into smaller ones and upload them one by one.")
	ErrTooWide   = fault.New(fault.Invalid, "This file has too many columns. Keep only those you need and try again.")
	ErrNoColumns = fault.New(fault.Invalid, "The first line of this file does not name any columns. Add a line such as “Name, E-mail” at the top.")
)

// Limits bound what is read. A limit of zero is the usual one.
type Limits struct {
	Bytes   int // 2 MiB
	Rows    int // 5,000, without the header
	Columns int // 60
	Cell    int // 10,000 characters

	// Ours is for a file that Write made: it has commas, and what Write put
	// before dangerous cells is taken away again.
	Ours bool

	// MaybeOurs is for a file that may be one that Write made: what Write put
	// before dangerous cells is taken away, and any separator will do.
	MaybeOurs bool
}

// Sheet is a list that was read.
type Sheet struct {
	Header []string
	Rows   []Row
	Blanks int    // rows with nothing in them, which are not in Rows
	Note   string // a sentence on how the file was read, or empty
}

// Row is one row of the list.
type Row struct {
	Line    int // where it begins in the file, from 1
	Cells   []string
	Problem string // a sentence on what is wrong with it, or empty
}

func (l Limits) orUsual() Limits {
	for _, v := range []struct {
		limit *int
		usual int
	}{{&l.Bytes, 2 << 20}, {&l.Rows, 5000}, {&l.Columns, 60}, {&l.Cell, 10_000}} {
		if *v.limit <= 0 {
			*v.limit = v.usual
		}
	}
	return l
}

// Read reads a list. It fails only if the file as a whole is not one.
func Read(data []byte, limits Limits) (Sheet, error) {
	limits = limits.orUsual()
	if len(data) > limits.Bytes {
		return Sheet{}, fault.New(ErrTooBig, fmt.Sprintf("This file is bigger than %s. Split it into smaller ones and upload them one by one.", size(limits.Bytes)))
	}
	text, note, err := decode(data)
	if err != nil {
		return Sheet{}, err
	}
	s := Sheet{Note: note}
	p := newParser(text, limits)
	for {
		row, more := p.next()
		if !more {
			break
		}
		if err := s.add(row, limits); err != nil {
			return Sheet{}, err
		}
	}
	if s.Header == nil {
		return Sheet{}, ErrEmpty
	}
	return s, nil
}

// add takes in the next row: the header, a blank, or one to keep.
func (s *Sheet) add(row Row, limits Limits) error {
	if blank(row.Cells) && row.Problem == "" {
		s.Blanks++
		return nil
	}
	if limits.Ours || limits.MaybeOurs {
		for i, c := range row.Cells {
			row.Cells[i] = unguard(c)
		}
	}
	if s.Header == nil {
		return s.head(row, limits)
	}
	if len(s.Rows) == limits.Rows {
		return fault.New(ErrTooMany, fmt.Sprintf("This file has more than %s rows. Split it into smaller ones and upload them one by one.", thousands(limits.Rows)))
	}
	s.Rows = append(s.Rows, s.judge(row, limits))
	return nil
}

func (s *Sheet) head(row Row, limits Limits) error {
	if len(row.Cells) > limits.Columns {
		return fault.New(ErrTooWide, fmt.Sprintf("This file has more than %d columns. Keep only those you need and try again.", limits.Columns))
	}
	if row.Problem != "" || blank(row.Cells) {
		return ErrNoColumns
	}
	for i, c := range row.Cells {
		row.Cells[i] = strings.TrimSpace(c)
	}
	s.Header = row.Cells
	return nil
}

// judge says what is wrong with a row, and cuts what is beyond the limits.
func (s *Sheet) judge(row Row, limits Limits) Row {
	width := len(s.Header)
	for len(row.Cells) > width && strings.TrimSpace(row.Cells[len(row.Cells)-1]) == "" {
		row.Cells = row.Cells[:len(row.Cells)-1]
	}
	problem := ""
	if n := len(row.Cells); n != width {
		problem = fmt.Sprintf("This row has %s; the first line has %s.", cells(n), cells(width))
	}
	if len(row.Cells) > limits.Columns {
		problem = tooWide(limits.Columns)
		row.Cells = row.Cells[:limits.Columns:limits.Columns]
	}
	for i, c := range row.Cells {
		if len(c) > limits.Cell && utf8.RuneCountInString(c) > limits.Cell {
			problem = fmt.Sprintf("Column %d of this row has more than %s characters; the rest was left out.", i+1, thousands(limits.Cell))
			row.Cells[i] = string([]rune(c)[:limits.Cell])
		}
	}
	if row.Problem == "" {
		row.Problem = problem
	}
	return row
}

func tooWide(limit int) string {
	return fmt.Sprintf("This row has more than %d columns; the rest was left out.", limit)
}

func blank(cells []string) bool {
	for _, c := range cells {
		if strings.TrimSpace(c) != "" {
			return false
		}
	}
	return true
}

func cells(n int) string {
	if n == 1 {
		return "1 column"
	}
	return fmt.Sprintf("%d columns", n)
}

func size(n int) string {
	if n >= 1<<20 {
		return fmt.Sprintf("%d MB", n>>20)
	}
	return thousands(n) + " bytes"
}

func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%s,%03d", thousands(n/1000), n%1000)
}
