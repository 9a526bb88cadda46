package web

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/fault"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
)

// Files of messages. Without script they come in the message's own form. With
// script they come before it, in parts, to a program that says how far it has
// come. They go out under an address that no cookie is looked at for (GET
// /f/{pass}): whatever is in a file, it runs as nobody.

const (
	mostSent = chat.MostUnsent + formSize // by a form, with all its files
	mostPart = 4 << 20                    // at once, by script
)

// fileRule is how many files somebody may begin to send.
var fileRule = limit.Rule{Name: "file/account", Most: 300, Per: time.Hour}

// hears lets a page play what is attached, and record it. What was recorded and
// not sent is played from the page's own memory (blob:).
func hears(h http.Header) {
	const policy, permissions = "Content-Security-Policy", "Permissions-Policy"
	h.Set(policy, strings.Replace(h.Get(policy), "img-src 'self'; ", "img-src 'self'; media-src 'self' blob:; ", 1))
	h.Set(permissions, strings.Replace(h.Get(permissions), "microphone=()", "microphone=(self)", 1))
}

// readComposer reads a message's form, and takes in the files that are in it.
// What is wrong with them is wrong; the rest of the form is there all the same.
func (s *Site) readComposer(w http.ResponseWriter, r *http.Request, by access.Actor, c id.Conversation) (form url.Values, files []id.Attachment, wrong, err error) {
	if !manifold(r) {
		r.Body = http.MaxBytesReader(w, r.Body, formSize)
		form, err = typedIn(r)
	} else {
		unhurried(w, r)
		form, files, wrong, err = s.unpack(r, by, c)
		r.PostForm = form
	}
	if err != nil {
		return nil, nil, nil, err
	}
	var ticked []id.Attachment
	for _, v := range form["attachment"] {
		f, err := id.Parse[id.Attachment](v)
		if err != nil {
			return nil, nil, nil, errBadForm
		}
		ticked = append(ticked, f)
	}
	return form, append(ticked, files...), wrong, nil
}

// manifold reports whether a form has files.
func manifold(r *http.Request) bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && kind == "multipart/form-data"
}

// unpack reads a form with files. Nothing of it lies anywhere unsealed.
func (s *Site) unpack(r *http.Request, by access.Actor, c id.Conversation) (form url.Values, files []id.Attachment, wrong, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return nil, nil, nil, errBadForm
	}
	form = url.Values{}
	room := int64(formSize)
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return form, files, wrong, nil
		}
		if err != nil {
			return nil, nil, nil, unread(err)
		}
		switch {
		case p.FileName() == "" && p.FormName() == "files": // nothing was chosen
		case p.FileName() == "":
			n, err := field(form, p, room)
			if err != nil {
				return nil, nil, nil, unread(err)
			}
			room -= n
		case wrong != nil: // the rest is read, or the browser would hear no answer
		case len(files) == chat.MostFiles:
			wrong = chat.ErrManyFiles
		default:
			var f id.Attachment
			if f, wrong = s.takeFile(r, by, c, form.Get("message"), p); wrong == nil {
				files = append(files, f)
			} else if told, _ := problemsOf(wrong); told == nil {
				return nil, nil, nil, wrong
			}
		}
	}
}

// takeFile takes in a file of a message's form. The message's identifier comes
// before its files; without one, no message goes, and nothing is taken in.
func (s *Site) takeFile(r *http.Request, by access.Actor, c id.Conversation, message string, p *multipart.Part) (id.Attachment, error) {
	with, err := id.Parse[id.Message](message)
	if err != nil {
		return "", errBadForm
	}
	if err := s.Limits.Take(r.Context(), fileRule, by.Account().String()); err != nil {
		return "", err
	}
	f, err := s.Porter.Take(r.Context(), by, c, chat.Draft{Name: p.FileName(), With: with}, p)
	return f.ID, err
}

// fieldCost is what an empty field without a name takes of a form's room: each
// costs memory, whatever is in it.
const fieldCost = 200

// field reads one field of a form with files.
func field(form url.Values, p *multipart.Part, room int64) (n int64, err error) {
	n = fieldCost + int64(len(p.FormName()))
	if n > room {
		return 0, &http.MaxBytesError{Limit: formSize}
	}
	b, err := io.ReadAll(io.LimitReader(p, room-n+1))
	if err != nil {
		return 0, err
	}
	if n += int64(len(b)); n > room {
		return 0, &http.MaxBytesError{Limit: formSize}
	}
	form.Add(p.FormName(), string(b))
	return n, nil
}

// writtenIn reads what was written in a form, up to its first file.
func writtenIn(parts *multipart.Reader) (url.Values, error) {
	form, room := url.Values{}, int64(formSize)
	for {
		p, err := parts.NextPart()
		if errors.Is(err, io.EOF) || err == nil && p.FileName() != "" {
			return form, nil
		}
		if err != nil {
			return nil, err
		}
		n, err := field(form, p, room)
		if err != nil {
			return nil, err
		}
		room -= n
	}
}

// unread says whose mistake it is that a form could not be read.
func unread(err error) error {
	if _, tooLarge := errors.AsType[*http.MaxBytesError](err); tooLarge {
		return err
	}
	return errBadForm
}

// fileIn is the file that an address names.
func fileIn(r *http.Request) (c id.Conversation, f id.Attachment, err error) {
	if c, err = pathID[id.Conversation](r, "conversation"); err != nil {
		return c, f, err
	}
	f, err = pathID[id.Attachment](r, "file")
	return c, f, err
}

// came is what a page's script hears of an upload.
type came struct {
	Offset  int64  `json:"offset"`
	Whole   bool   `json:"whole"`
	Name    string `json:"name,omitempty"`
	Says    string `json:"says,omitempty"`
	Problem string `json:"problem,omitempty"`
	Again   bool   `json:"again,omitempty"` // nothing is wrong with the file: ask how far it has come
}

// tellScript says how far an upload has come, and what is wrong with it.
func (s *Site) tellScript(w http.ResponseWriter, a chat.Arrival, wrong error) error {
	is, status := came{Offset: a.Offset, Whole: a.Whole}, http.StatusOK
	if a.Whole {
		is.Name, is.Says = called(a.File), fileWords(a.File)
	}
	if wrong != nil {
		told, code := problemsOf(wrong)
		if told == nil || errors.Is(wrong, fault.NotFound) || errors.Is(wrong, fault.Forbidden) {
			return wrong
		}
		is.Problem, is.Again, status = told[0].Sentence, chat.AskAgain(wrong), code
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	return json.NewEncoder(w).Encode(is)
}

// POST /messages/{conversation}/files
func (s *Site) beginFile(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, err := pathID[id.Conversation](r, "conversation")
	if err != nil {
		return err
	}
	form, err := typedIn(r)
	if err != nil {
		return err
	}
	f, err := id.Parse[id.Attachment](form.Get("file"))
	size, wrong := strconv.ParseInt(form.Get("size"), 10, 64)
	if err != nil || wrong != nil {
		return errBadForm
	}
	if err := s.Limits.Take(r.Context(), fileRule, by.Account().String()); err != nil {
		return s.tellScript(w, chat.Arrival{}, err)
	}
	a, err := s.Porter.Begin(r.Context(), by, c, chat.Draft{ID: f, Name: form.Get("name"), Size: size})
	return s.tellScript(w, a, err)
}

// GET /messages/{conversation}/files/{file}/arrived
func (s *Site) fileArrived(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, f, err := fileIn(r)
	if err != nil {
		return err
	}
	a, err := s.Porter.Arrived(r.Context(), by, c, f)
	return s.tellScript(w, a, err)
}

// POST /messages/{conversation}/files/{file}/part
func (s *Site) appendFile(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, f, err := fileIn(r)
	if err != nil {
		return err
	}
	offset, err := strconv.ParseInt(r.URL.Query().Get("offset"), 10, 64)
	if err != nil {
		offset = -1 // where no upload stands
	}
	unhurried(w, r)
	a, err := s.Porter.Append(r.Context(), by, c, f, offset, r.Body)
	if r.Context().Err() != nil { // the connection broke, and nobody hears it
		return nil
	}
	return s.tellScript(w, a, err)
}

// POST /messages/{conversation}/files/{file}/removal
func (s *Site) dropFile(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	c, f, err := fileIn(r)
	if err != nil {
		return err
	}
	if err := s.Porter.Drop(r.Context(), by, c, f); err != nil {
		return err
	}
	if byScript(r) {
		w.WriteHeader(http.StatusNoContent)
		return nil
	}
	return see(w, r, conversationPath(c, "#end"))
}

// GET /messages/{conversation}/files/{file}
func (s *Site) openFile(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.leadToFile(w, r, by, false)
}

// GET /messages/{conversation}/files/{file}/preview
func (s *Site) previewFile(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	return s.leadToFile(w, r, by, true)
}

// leadToFile gives the browser the address under which a file is fetched.
func (s *Site) leadToFile(w http.ResponseWriter, r *http.Request, by access.Actor, small bool) error {
	c, f, err := fileIn(r)
	if err != nil {
		return err
	}
	var pass string
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		pass, err = chat.NewPass(tx, by, chat.Pass{Session: visitOf(r).token.Hash(), Conversation: c, File: f, Small: small})
		return err
	})
	if err != nil {
		return err
	}
	return see(w, r, "/f/"+pass)
}

// GET /f/{pass}
//
// No cookie is looked at: who asks is the session that the pass names, if it
// still is one, with what it may do at this moment.
func (s *Site) fetchFile(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	var p chat.Pass
	err := s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		p, err = chat.ReadPass(tx, r.PathValue("pass"))
		return err
	})
	if err != nil {
		return err
	}
	by, err := s.holder(r, p.Session)
	if err != nil {
		return err
	}
	var o chat.Opened
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		o, err = chat.Open(tx, by, p.Conversation, p.File, p.Small)
		return err
	})
	if errors.Is(err, fault.NotFound) {
		return chat.ErrPassOver
	}
	if err != nil {
		return err
	}
	f, err := s.Porter.Content(r.Context(), o)
	if err != nil {
		return fmt.Errorf("file %s: %w", p.File, err)
	}
	defer f.Close()
	visitOf(r).actor = by // as the log says it
	fileHeaders(w.Header(), o.File)
	http.ServeContent(unhurried(w, r), r, "", time.Time{}, f)
	return nil
}

// holder is whoever a session is, by the hash of its token.
func (s *Site) holder(r *http.Request, hash []byte) (access.Actor, error) {
	k := s.visitors.find(string(hash), s.DB.Clock())
	if k == nil {
		var err error
		if k, err = s.lookUpHash(r.Context(), hash); errors.Is(err, db.None) {
			return access.Guest(), chat.ErrPassOver
		} else if err != nil {
			return access.Guest(), err
		}
	}
	if !writers(k.actor) {
		return access.Guest(), chat.ErrPassOver
	}
	return k.actor, nil
}

// fileHeaders are what a file is sent with. A browser opens by itself only what
// we have made, and sound; all else it saves, and should it open it after all,
// it runs nothing and reaches nobody.
func fileHeaders(h http.Header, f chat.File) {
	kind, way := "application/octet-stream", "attachment"
	switch {
	case f.Shown():
		kind, way = string(f.Type), "inline"
	case f.Kind() == "PDF":
		kind = string(f.Type)
	}
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", mime.FormatMediaType(way, map[string]string{"filename": f.Name}))
	h.Set("Content-Security-Policy", "sandbox; default-src 'none'; frame-ancestors 'none'")
	h.Set("Cache-Control", "private, no-store")
	h.Del("Reporting-Endpoints")
}

// filePath is the address of a file of a message.
func (b bubble) filePath(f chat.File, rest string) string {
	return conversationPath(b.thread, "/files/"+f.ID.String()+rest)
}

// fileWords say what a file is, and how large.
// called is how a file is called where it is shown. A note that was spoken into
// the page is known by its length; the ending is for whoever saves it.
func called(f chat.File) string {
	if f.Sound() && strings.HasPrefix(f.Name, "Spoken note") {
		return strings.TrimSuffix(f.Name, filepath.Ext(f.Name))
	}
	return f.Name
}

func fileWords(f chat.File) string { return f.Kind() + ", " + bytesWords(f.Size) }

func bytesWords(n int64) string {
	switch {
	case n < 1000:
		return strconv.FormatInt(n, 10) + " bytes"
	case n < 1_000_000:
		return strconv.FormatInt((n+500)/1000, 10) + " KB"
	}
	return strconv.FormatFloat(float64(n)/1_000_000, 'f', 1, 64) + " MB"
}

// fileSays is what stands in a file's place while it cannot be opened.
func fileSays(f chat.File) string {
	switch f.Stage {
	case chat.Checking:
		return "Being checked for viruses"
	case chat.Copying:
		return "Being prepared"
	case chat.Held:
		return "Held back: a virus was found. The file was destroyed."
	case chat.Unreadable:
		return "This picture could not be read, and was not kept. It can be sent again as a JPEG."
	}
	return ""
}

// sends reports whether a file that waits can go with a message.
func sends(f chat.File) bool { return f.Stage != chat.Held && f.Stage != chat.Unreadable }

// fileIcon is the sign before a file's name.
func fileIcon(f chat.File) string {
	switch {
	case !sends(f):
		return "ban"
	case f.Kind() == "PDF" || strings.HasPrefix(f.Kind(), "Text"):
		return "file-text"
	}
	return "paperclip"
}

func (p ThreadPage) filesProblem() string { return p.Problems.For("files") }
