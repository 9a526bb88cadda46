package web

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/a-h/templ"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/base/sheet"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/web/parts"
)

// What people are told about a file.
var (
	errNoFile    = fault.On("file", fault.Invalid, "Choose a CSV file first.")
	errLostFile  = fault.On("file", fault.Invalid, "The file did not come through. Choose it again.")
	errImporting = fault.New(fault.Conflict, "This file was imported already, by another press of the button. Nothing was created twice.")
)

// ImportPage asks for a file.
type ImportPage struct{ Page }

// GET /people/import
func (s *Site) chooseImport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.showImport(w, r, by, http.StatusOK, nil)
}

func (s *Site) showImport(w http.ResponseWriter, r *http.Request, by access.Actor, status int, told []fault.Told) error {
	frame, err := s.frame(r, by, "Import clients", "/people")
	if err != nil {
		return err
	}
	p := ImportPage{frame}
	p.tell(told)
	return s.show(w, r, status, p.View())
}

// importHeader is the first line of the example.
var importHeader = []string{"First name", "Last name", "E-mail", "Mobile", "Date of birth", "Consents to Email Notifications", "Invite to iCouch"}

// GET /people/import/example.csv
func (s *Site) importExample(w http.ResponseWriter, _ *http.Request, _ access.Actor) error {
	return attach(w, "example.csv", importHeader, [][]string{
		{"Annie", "Noda", "annie.noda@example.com", "", "1984-03-25", "yes", "yes"},
		{"Vince", "Gill", "vince.gill@example.com", "+1 212 555 0100", "", "yes", "no"},
	})
}

// attach answers with a file.
func attach(w http.ResponseWriter, name string, header []string, rows [][]string) error {
	var b bytes.Buffer
	if err := sheet.Write(&b, header, rows); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "text/csv; charset=utf-8")
	w.Header().Set("Content-Disposition", `attachment; filename="`+name+`"`)
	_, _ = b.WriteTo(w) // fails only if the reader has gone
	return nil
}

// PlanPage says row by row what an import will do, or has done.
type PlanPage struct {
	Page
	plan people.Plan
	file string // the file itself, on its way to the next step
	key  string // of this import: it is done once
	done bool
}

// POST /people/import/preview saves nothing.
func (s *Site) previewImport(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	data, err := upload(r)
	var p PlanPage
	if err == nil {
		p, err = s.planImport(r, by, data)
	}
	if told, status := problemsOf(onFile(err)); told != nil {
		return s.showImport(w, r, by, status, told)
	}
	if err != nil {
		return err
	}
	p.key = id.New[id.Client](s.DB.Clock()).String()
	return s.show(w, r, http.StatusOK, p.View())
}

// upload returns the content of the file that was chosen.
func upload(r *http.Request) ([]byte, error) {
	f, _, err := r.FormFile("file")
	if errors.Is(err, http.ErrMissingFile) || errors.Is(err, http.ErrNotMultipart) {
		return nil, errNoFile
	}
	if err != nil {
		if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
			return nil, sheet.ErrTooBig
		}
		return nil, errLostFile
	}
	defer r.MultipartForm.RemoveAll()
	defer f.Close()
	data, err := io.ReadAll(f)
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	return data, nil
}

// onFile ties what is wrong with a file to its field.
func onFile(err error) error {
	if err == nil {
		return nil
	}
	return fault.At("file", err)
}

// importRows is how many clients a file may hold: they are created in one
// transaction, and everybody else waits for it.
const importRows = 1000

// A file may be one of ours: what the export put before a cell that looks like
// a formula, a telephone number for one, is taken away again.
func readList(data []byte) (sheet.Sheet, error) {
	return sheet.Read(data, sheet.Limits{MaybeOurs: true, Rows: importRows})
}

func (s *Site) planImport(r *http.Request, by access.Actor, data []byte) (p PlanPage, err error) {
	p.file = base64.RawURLEncoding.EncodeToString(data)
	list, err := readList(data)
	if err != nil {
		return p, err
	}
	err = s.DB.View(r.Context(), func(tx *db.Tx) error {
		p.plan, err = people.PlanImport(tx, by, list)
		return err
	})
	if err != nil {
		return p, err
	}
	p.Page, err = s.frame(r, by, "Import clients", "/people")
	return p, err
}

// imports has each import done once, however often its button is pressed.
var imports = limit.Rule{Name: "import", Most: 1, Per: 24 * time.Hour}

// POST /people/import
func (s *Site) importClients(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	data, err := base64.RawURLEncoding.DecodeString(form.Get("file"))
	if err != nil || len(data) == 0 {
		return s.showImport(w, r, by, http.StatusUnprocessableEntity, fault.Each(errLostFile))
	}
	p, err := s.planImport(r, by, data)
	if err == nil && p.plan.Create > 0 {
		err = s.importOnce(r, by, data, form.Get("key"), &p)
	}
	if told, status := problemsOf(onFile(err)); told != nil {
		return s.showImport(w, r, by, status, told)
	}
	if err != nil {
		return err
	}
	p.done, p.file = true, ""
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) importOnce(r *http.Request, by access.Actor, data []byte, key string, p *PlanPage) error {
	who := by.Practice().String() + " " + key
	err := s.Limits.Take(r.Context(), imports, who)
	if errors.Is(err, limit.ErrTooOften) {
		return errImporting
	}
	if err != nil {
		return err
	}
	list, err := readList(data)
	if err != nil {
		return err
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error {
		p.plan, err = people.Import(tx, by, list)
		return err
	})
	if err != nil { // nothing was done: it may be tried again
		return errors.Join(err, s.Limits.Forget(r.Context(), imports, who))
	}
	return nil
}

func (p PlanPage) lede() string {
	n := len(p.plan.Rows)
	if n == 1 {
		return "1 row was read. " + p.sums()
	}
	return thousands(n) + " rows were read. " + p.sums()
}

// sums add up to all rows.
func (p PlanPage) sums() string {
	will, would := "will be created", "will be left out"
	if p.done {
		will, would = "were created", "were left out"
	}
	if p.done && p.plan.Create == 1 {
		will = "was created"
	}
	if p.done && p.plan.Leave == 1 {
		would = "was left out"
	}
	s := thousands(p.plan.Create) + " " + will
	if p.plan.Invite > 0 {
		s += ", " + thousands(p.plan.Invite) + " of them invited"
	}
	return s + "; " + thousands(p.plan.Leave) + " " + would + "."
}

// notes are what to know about the file as a whole.
func (p PlanPage) notes() (all []string) {
	if p.plan.Note != "" {
		all = append(all, p.plan.Note)
	}
	if p.plan.Blank > 0 {
		all = append(all, "Empty rows, passed over: "+thousands(p.plan.Blank)+".")
	}
	if len(p.plan.Ignored) > 0 {
		all = append(all, "Columns that were not understood, and are not taken over: "+strings.Join(p.plan.Ignored, ", ")+".")
	}
	return all
}

func (p PlanPage) button() parts.Button {
	label := "Import " + thousands(p.plan.Create) + " clients"
	if p.plan.Create == 1 {
		label = "Import 1 client"
	}
	return parts.Button{Label: label, Kind: parts.Primary}
}

func (p PlanPage) table() parts.Table {
	t := parts.Table{ID: "plan", Caption: "What happens with each row", Columns: []parts.Column{
		{Label: "Name", Kind: parts.Main}, {Label: "E-mail", Kind: parts.Wide}, {Label: "What happens", Kind: parts.Line},
	}}
	for _, worth := range []func(people.Row) bool{isLeft, hasWords, isPlain} { // problems first
		for _, r := range p.plan.Rows {
			if worth(r) {
				t.Rows = append(t.Rows, p.row(r))
			}
		}
	}
	return t
}

func isLeft(r people.Row) bool   { return r.Fate == people.LeftOut }
func hasWords(r people.Row) bool { return r.Fate != people.LeftOut && r.Words != "" }
func isPlain(r people.Row) bool  { return r.Fate != people.LeftOut && r.Words == "" }

func (p PlanPage) row(r people.Row) parts.Row {
	state := parts.Status{Kind: parts.Active, Words: p.fate(r), Detail: r.Words}
	switch {
	case r.Fate == people.LeftOut:
		state.Kind = parts.Trouble
	case r.Words != "":
		state.Kind = parts.Waiting
	}
	name, initials := r.Name, ""
	if name == "" {
		name, initials = "No name", "?"
	}
	return parts.Row{Cells: []templ.Component{
		parts.Person{Name: name, Initials: initials, Mail: r.Email, Note: "Row " + thousands(r.Line)}.View(), parts.Words(r.Email).View(), state.View(),
	}}
}

func (p PlanPage) fate(r people.Row) string {
	switch {
	case !p.done:
		return string(r.Fate)
	case r.Fate == people.WillInvite:
		return "Created and invited"
	case r.Fate == people.WillCreate:
		return "Created"
	}
	return string(r.Fate)
}

// POST /people/export
//
// Whoever takes all names and addresses away shows first who they are.
func (s *Site) exportClients(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	if ok, err := s.proved(w, r, "/people"); !ok {
		return err
	}
	var header []string
	var rows [][]string
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error {
		is, err := s.readerIn(tx, by)
		if err != nil {
			return err
		}
		header, rows, err = people.Export(tx, by, is.Setting)
		return err
	})
	if err != nil {
		return err
	}
	return attach(w, "clients.csv", header, rows)
}

func (p PlanPage) backWords() string {
	if p.done {
		return "People"
	}
	return "Choose another file"
}

func (p PlanPage) backHref() string {
	if p.done {
		return "/people"
	}
	return "/people/import"
}

func (p PlanPage) doneWords() string {
	switch {
	case p.plan.Create == 0:
		return "Nothing was created: whoever is in this file is already among your clients, or is left out."
	case p.plan.Invite > 0:
		return "Imported. The letters are on their way."
	}
	return "Imported. Nothing was mailed."
}
