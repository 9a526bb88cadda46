package sheet_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"icouch/internal/base/fault"
	"icouch/internal/base/sheet"
)

func read(t *testing.T, text string, limits sheet.Limits) sheet.Sheet {
	t.Helper()
	s, err := sheet.Read([]byte(text), limits)
	if err != nil {
		t.Fatalf("%.60q: %v", text, err)
	}
	return s
}

func TestListsOfManyHandsAreRead(t *testing.T) {
	t.Parallel()
	want := sheet.Sheet{
		Header: []string{"Name", "E-mail"},
		Rows:   []sheet.Row{{Line: 2, Cells: []string{"Annie Noda", "annie@example.com"}}, {Line: 3, Cells: []string{"Zoë, \"Z\"", "zoe@example.com"}}},
	}
	plain := "Name,E-mail\r\nAnnie Noda,annie@example.com\r\n\"Zoë, \"\"Z\"\"\",zoe@example.com\r\n"
	for name, text := range map[string]string{
		"plain":            plain,
		"with a BOM":       "\ufeff" + plain,
		"without last end": strings.TrimSuffix(plain, "\r\n"),
		"Unix":             strings.ReplaceAll(plain, "\r\n", "\n"),
		"old Mac":          strings.ReplaceAll(plain, "\r\n", "\r"),
		"DOS":              plain + "\x1a",
		"semicolons":       "Name;E-mail\nAnnie Noda;annie@example.com\n\"Zoë, \"\"Z\"\"\";zoe@example.com",
		"tabs":             "Name\t E-mail \nAnnie Noda\tannie@example.com\n\"Zoë, \"\"Z\"\"\"\tzoe@example.com",
		"UTF-16 LE":        utf16Text(plain, false),
		"UTF-16 BE":        utf16Text(plain, true),
	} {
		if diff := cmp.Diff(want, read(t, text, sheet.Limits{})); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func utf16Text(s string, bigEndian bool) string {
	var b bytes.Buffer
	for _, u := range utf16.Encode([]rune("\ufeff" + s)) {
		if bigEndian {
			b.Write([]byte{byte(u >> 8), byte(u)})
		} else {
			b.Write([]byte{byte(u), byte(u >> 8)})
		}
	}
	return b.String()
}

func TestOldWindowsFilesAreReadAndSaidSo(t *testing.T) {
	t.Parallel()
	s := read(t, "Name;City\nZo\xeb;K\xf6ln \x80", sheet.Limits{})
	if s.Rows[0].Cells[0] != "Zoë" || s.Rows[0].Cells[1] != "Köln €" || !strings.Contains(s.Note, "Windows-1252") {
		t.Errorf("%+v", s)
	}
}

func TestAHintForExcelIsNotARow(t *testing.T) {
	t.Parallel()
	s := read(t, "sep=;\r\na,b;c\r\n1,2;3\r\n", sheet.Limits{})
	if diff := cmp.Diff(sheet.Sheet{Header: []string{"a,b", "c"}, Rows: []sheet.Row{{Line: 3, Cells: []string{"1,2", "3"}}}}, s); diff != "" {
		t.Error(diff)
	}
}

func TestRowsThatDoNotFitAreKeptWithTheirProblem(t *testing.T) {
	t.Parallel()
	s := read(t, "a,b,c\n1,2\n\n1,2,3,4\n1,2,3,,\n,,\n\"two\nlines\",2,3\n1,\"x\"y,3\n1,\"never,3\n4,5,6\n", sheet.Limits{})
	want := sheet.Sheet{
		Header: []string{"a", "b", "c"},
		Blanks: 2,
		Rows: []sheet.Row{
			{2, []string{"1", "2"}, "This row has 2 columns; the first line has 3 columns."},
			{4, []string{"1", "2", "3", "4"}, "This row has 4 columns; the first line has 3 columns."},
			{5, []string{"1", "2", "3"}, ""},
			{7, []string{"two\nlines", "2", "3"}, ""},
			{9, []string{"1", "xy", "3"}, "A quotation mark in this row is in an unexpected place. Please check the row."},
			{10, []string{"1", "\"never", "3"}, "A quotation mark in this row is opened and never closed. Please check the row."},
			{11, []string{"4", "5", "6"}, ""},
		},
	}
	if diff := cmp.Diff(want, s); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatIsNoListIsRefusedWithASentence(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]error{
		"":                                  sheet.ErrEmpty,
		"\n\n  \n,,\n":                      sheet.ErrEmpty,
		"\ufeff":                            sheet.ErrEmpty,
		"PK\x03\x04xl/workbook":             sheet.ErrNotCSV,
		"%PDF-1.7":                          sheet.ErrNotCSV,
		"\x89PNG\r\n":                       sheet.ErrNotCSV,
		"Name\nA\x00nnie":                   sheet.ErrNotCSV,
		"\x01\x02\x03\x04\x05\xff":          sheet.ErrNotCSV,
		strings.Repeat("a", 2<<20+1):        sheet.ErrTooBig,
		"a\n" + strings.Repeat("b\n", 5001): sheet.ErrTooMany,
		strings.Repeat(",a", 60):            sheet.ErrTooWide,
		"\"a\nb":                            sheet.ErrNoColumns,
	} {
		if _, err := sheet.Read([]byte(text), sheet.Limits{}); !errors.Is(err, want) || !errors.Is(err, fault.Invalid) {
			t.Errorf("%.20q: %v, want %v", text, err, want)
		}
	}
	if _, err := sheet.Read([]byte("a\n"+strings.Repeat("b\n", 5001)), sheet.Limits{}); err == nil || !strings.Contains(err.Error(), "5,000 rows") {
		t.Errorf("the limit is not said: %v", err)
	}
	if s := read(t, "a\n"+strings.Repeat("b\n", 5000), sheet.Limits{}); len(s.Rows) != 5000 {
		t.Errorf("%d rows", len(s.Rows))
	}
}

func TestWhatIsBeyondALimitIsCutAndSaid(t *testing.T) {
	t.Parallel()
	s := read(t, "a,b\n1,"+strings.Repeat("é", 11)+"\n"+strings.Repeat("x,", 99)+"x\n", sheet.Limits{Columns: 3, Cell: 10})
	if got := s.Rows[0]; got.Cells[1] != strings.Repeat("é", 10) || !strings.Contains(got.Problem, "Column 2") {
		t.Errorf("%+v", got)
	}
	if far := read(t, "a,b\n,,,,,,,x\n", sheet.Limits{Columns: 3}); len(far.Rows) != 1 || far.Rows[0].Problem == "" {
		t.Errorf("a row with something far to the right was lost: %+v", far)
	}
	if got := s.Rows[1]; len(got.Cells) != 3 || !strings.Contains(got.Problem, "more than 3 columns") {
		t.Errorf("%+v", got)
	}
}

// The law of an import: every row that went in is a row, or a blank, and a
// row that could not be understood says so.
func TestNoRowIsLost(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		delim := rapid.SampledFrom([]string{",", ";", "\t"}).Draw(t, "delim")
		end := rapid.SampledFrom([]string{"\n", "\r\n", "\r"}).Draw(t, "end")
		width := rapid.IntRange(2, 5).Draw(t, "width")
		cell := rapid.OneOf(rapid.StringMatching(`[a-zé0-9 ]{1,6}`), rapid.StringMatching(`[a-z,;\t\n"'é=]{0,8}`))
		want := [][]string{}
		text := "head1" + strings.Repeat(delim+"head", width-1) + end
		blanks, ragged := 0, 0
		for range rapid.IntRange(0, 20).Draw(t, "rows") {
			n := width
			switch rapid.IntRange(0, 5).Draw(t, "kind") {
			case 0:
				blanks++
				text += end
				continue
			case 1:
				n = rapid.SampledFrom([]int{1, width + 1, width + 2}).Draw(t, "n")
				ragged++
			}
			row := rapid.SliceOfN(cell, n, n).Draw(t, "row")
			row[0], row[n-1] = "r"+row[0], row[n-1]+"e" // neither blank nor shortened
			want = append(want, row)
			for i, c := range row {
				if i > 0 {
					text += delim
				}
				text += `"` + strings.ReplaceAll(c, `"`, `""`) + `"`
			}
			text += end
		}
		s, err := sheet.Read([]byte(text), sheet.Limits{})
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		if delim != "," && len(s.Header) != width && ragged > 0 {
			return // too few good rows to tell the separator; the fuzz test has the rest
		}
		problems := 0
		for i, r := range s.Rows {
			if r.Problem != "" {
				problems++
			}
			if i < len(want) && !cmp.Equal(r.Cells, want[i]) {
				t.Fatalf("%q: row %d is %q, want %q", text, i, r.Cells, want[i])
			}
		}
		if len(s.Rows) != len(want) || s.Blanks != blanks || problems != ragged {
			t.Fatalf("%q: %d rows, %d blanks, %d problems; want %d, %d, %d", text, len(s.Rows), s.Blanks, problems, len(want), blanks, ragged)
		}
	})
}

func TestWhatWeWriteComesBackTheSame(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		cell := rapid.OneOf(rapid.String(), rapid.StringMatching(`['"=+@＝\-\t\r\n ,;a-]{0,6}`)).Filter(func(s string) bool {
			return !strings.ContainsAny(s, "\x00\x01\x02\x03\x04\x05\x06\x07\x08\x0e\x0f\x10\x11\x12\x13\x14\x15\x16\x17\x18\x19\x1a\x1b\x1c\x1d\x1e\x1f")
		})
		width := rapid.IntRange(1, 5).Draw(t, "width")
		rows := [][]string{}
		for range rapid.IntRange(0, 8).Draw(t, "rows") {
			row := rapid.SliceOfN(cell, width, width).Draw(t, "row")
			row[0] = "r" + row[0]
			if rapid.Bool().Draw(t, "formula first") {
				row[0] = "=" + row[0]
			}
			rows = append(rows, row)
		}
		header := make([]string, width)
		for i := range header {
			header[i] = fmt.Sprint("Column ", i)
		}
		var out bytes.Buffer
		if err := sheet.Write(&out, header, rows); err != nil {
			t.Fatal(err)
		}
		s, err := sheet.Read(out.Bytes(), sheet.Limits{Ours: true})
		if err != nil {
			t.Fatal(err)
		}
		got := [][]string{}
		for _, r := range s.Rows {
			got = append(got, r.Cells)
		}
		if diff := cmp.Diff(rows, got); diff != "" || !cmp.Equal(s.Header, header) {
			t.Fatalf("%q (-want +got):\n%s", out.String(), diff)
		}
	})
}

func TestT23_NothingWeWriteRunsAsAFormula(t *testing.T) {
	t.Parallel()
	cells := []string{"=1+1", "+1 212 555 0100", "-5", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "  =1", "\"=1", "'=1", "' \"=1", "＝1", "＋1", "－1", "＠A", "\u00a0=1", "\u200b=1", "\ufeff=1", "“=1"}
	var out bytes.Buffer
	if err := sheet.Write(&out, []string{"=cmd"}, [][]string{cells, {"safe", "a=b", "it's", "'quoted'", "O’Brien", "ann@example.com", "2026-11-25"}}); err != nil {
		t.Fatal(err)
	}
	r := csv.NewReader(strings.NewReader(strings.TrimPrefix(out.String(), "\ufeff")))
	r.FieldsPerRecord = -1
	rows, err := r.ReadAll() // an independent reader
	if err != nil {
		t.Fatal(err)
	}
	if rows[0][0] != "'=cmd" {
		t.Errorf("the header has %q", rows[0][0])
	}
	for i, c := range rows[1] {
		if want := "'" + strings.ReplaceAll(cells[i], "\r\n", "\n"); c != want {
			t.Errorf("%q was written as %q", cells[i], c)
		}
	}
	if diff := cmp.Diff([]string{"safe", "a=b", "it's", "'quoted'", "O’Brien", "ann@example.com", "2026-11-25"}, rows[2]); diff != "" {
		t.Error("harmless cells were changed:", diff)
	}
}

func TestWriteLooksAsRFC4180HasIt(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if err := sheet.Write(&out, []string{"Name", "Note"}, [][]string{{"Annie", "a \"b\"\nc"}, {"", ""}}); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "\ufeffName,Note\r\nAnnie,\"a \"\"b\"\"\nc\"\r\n,\r\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := sheet.Write(broken{}, nil, nil); !errors.Is(err, errBroken) {
		t.Errorf("a full disk was not noticed: %v", err)
	}
}

var errBroken = errors.New("disk full")

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errBroken }

// hostile are files made to take long or to need much memory.
var hostile = map[string]string{
	"commas":           strings.Repeat(",", 2<<20),
	"rows of commas":   "a,b\n" + strings.Repeat(strings.Repeat(",", 400)+"x\n", 4999),
	"empty lines":      "a,b\n" + strings.Repeat("\n", 2<<20-4),
	"open quotes":      "a,b\n" + strings.Repeat("\"x,"+strings.Repeat("y", 400)+"\n", 4999),
	"quoted then open": "a,b\n" + strings.Repeat("\"\n\",", 2<<18-4) + "\"",
	"doubled quotes":   "a,b\n\"" + strings.Repeat("\"\"", 1<<20-10) + "\"",
}

func TestHostileFilesNeedLittle(t *testing.T) { //nolint:paralleltest // it measures the heap
	for name, text := range hostile {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		start := time.Now()
		s, err := sheet.Read([]byte(text), sheet.Limits{})
		took := time.Since(start)
		runtime.GC()
		runtime.ReadMemStats(&after)
		t.Logf("%s: %d rows, %v, %s, %d KiB kept, %d KiB allocated", name, len(s.Rows), err, took.Round(time.Millisecond), (int64(after.HeapAlloc)-int64(before.HeapAlloc))>>10, (after.TotalAlloc-before.TotalAlloc)>>10)
		if grown := after.TotalAlloc - before.TotalAlloc; grown > 64<<20 {
			t.Errorf("%s: %d MiB", name, grown>>20)
		}
		runtime.KeepAlive(s)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"a,b\n1,2\n", "a;b\r\n\"x\";\"y\n", "sep=\t\na\tb", "\xff\xfea\x00,\x00", "a\n\"b\"\"c\" d\n\n\n,", "Name\nZo\xeb\n\"\"\"\n", "\xff\xfe\n0"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := sheet.Read(data, sheet.Limits{Rows: 100, Columns: 10, Cell: 20})
		if err != nil {
			if !errors.Is(err, fault.Invalid) {
				t.Fatalf("%q: %v", data, err)
			}
			return
		}
		last := 0
		for _, r := range s.Rows {
			if r.Line <= last || len(r.Cells) > 10 || len(r.Cells) == 0 || len(r.Cells) != len(s.Header) && r.Problem == "" {
				t.Fatalf("%q: %+v of %+v", data, r, s)
			}
			last = r.Line
		}
		// Each line of the file is in a row, in a blank, or in a cell of several lines.
		wide := bytes.HasPrefix(data, []byte("\xff\xfe")) || bytes.HasPrefix(data, []byte("\xfe\xff")) // two bytes a letter: no byte is a line's end
		if s.Note == "" && !wide && !bytes.ContainsAny(data, "\"\r") && !bytes.HasPrefix(bytes.TrimPrefix(data, []byte("\ufeff")), []byte("sep=")) {
			lines := strings.Count(strings.TrimSuffix(strings.TrimSuffix(string(data), "\x1a"), "\n"), "\n") + 1
			if got := 1 + len(s.Rows) + s.Blanks; got != lines {
				t.Fatalf("%q: %d of %d lines", data, got, lines)
			}
		}
	})
}
