package audit

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/syslog"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// A chain proves that nothing before its end was changed. It cannot prove where
// its end was: whoever has the database can cut lines off and set the rest to
// fit. So, every few minutes, where each chain is goes to a place that the
// database's administrator cannot write to: a file on another machine's disk, a
// log server, and once a week a letter to the owners. What is there is an anchor.
// Verify asks the chain for it.

// Anchor says where a chain was at a moment. It names no person.
type Anchor struct {
	Practice id.Practice
	Seq      int64
	Mac      []byte
	At       at.Time

	signature []byte
}

// anchorMark begins each anchor, wherever it is kept.
const anchorMark = "icouch-anchor-1"

// Word is the anchor without a space, which no letter breaks in two.
func (a Anchor) Word() string { return strings.ReplaceAll(a.String(), " ", ":") }

// String is the anchor as it is kept: one line.
func (a Anchor) String() string {
	return fmt.Sprintf("%s %s %d %x %d %x", anchorMark, a.Practice, a.Seq, a.Mac, a.At.UnixMicro(), a.signature)
}

func (a Anchor) sign(key *crypt.Key) ([]byte, error) {
	return key.Mac(fmt.Appendf(nil, "anchor\x00%s\x00%d\x00%x\x00%d", a.Practice, a.Seq, a.Mac, a.At.UnixMicro()))
}

// ParseAnchors reads what was kept: a file of anchors, what a log server wrote, or
// letters as they came. Of other lines it takes no notice. Anchors that cannot be
// read, such as one that was cut short when the machine fell over, are counted and
// left out.
func ParseAnchors(r io.Reader) (all []Anchor, unreadable int, err error) {
	text, err := io.ReadAll(r)
	if err != nil {
		return nil, 0, fmt.Errorf("audit: read anchors: %w", err)
	}
	whole := strings.NewReplacer("=\r\n", "", "=\n", "").Replace(string(text)) // how a letter breaks a long line
	for line := range strings.Lines(whole) {
		i := strings.Index(line, anchorMark)
		if i < 0 {
			continue
		}
		line, _, _ = strings.Cut(line[i:], "<") // the end of a paragraph of a letter
		a, ok := parseAnchor(strings.Fields(strings.ReplaceAll(line, ":", " ")))
		if !ok {
			unreadable++
			continue
		}
		all = append(all, a)
	}
	return all, unreadable, nil
}

func parseAnchor(f []string) (a Anchor, ok bool) {
	if len(f) != 6 || f[0] != anchorMark {
		return a, false
	}
	seq, err1 := strconv.ParseInt(f[2], 10, 64)
	mac, err2 := hex.DecodeString(f[3])
	us, err3 := strconv.ParseInt(f[4], 10, 64)
	signature, err4 := hex.DecodeString(f[5])
	if errors.Join(err1, err2, err3, err4) != nil {
		return a, false
	}
	return Anchor{id.Practice(f[1]), seq, mac, at.Of(time.UnixMicro(us)), signature}, true
}

// Ends returns where each chain is now.
func Ends(tx *db.Tx, by access.Actor) (all []Anchor, err error) {
	owners, err := keys.Owners(tx)
	if err != nil {
		return nil, err
	}
	for _, practice := range owners {
		a, err := end(tx, practice)
		if errors.Is(err, db.None) {
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, a)
	}
	return all, nil
}

// End returns where the chain of by's practice is now.
func End(tx *db.Tx, by access.Actor) (Anchor, error) { return end(tx, by.Practice()) }

func end(tx *db.Tx, practice id.Practice) (a Anchor, err error) {
	newest, err := SQL.In(tx).Newest(tx, practice)
	if err != nil {
		return a, fmt.Errorf("end of %s: %w", practice, err)
	}
	key, err := keys.Of(tx, practice)
	if err != nil {
		return a, err
	}
	a = Anchor{Practice: practice, Seq: newest.Seq, Mac: newest.Mac, At: tx.Now()}
	a.signature, err = a.sign(key)
	return a, err
}

// Place is where anchors are kept.
type Place interface {
	Put([]Anchor) error
}

// ParsePlace reads where anchors go: a file, "syslog:" for this machine's log,
// "syslog:/run/a/socket" for one that listens there, or "syslog://host:port" for
// another machine's.
func ParsePlace(text string) Place {
	if rest, ok := strings.CutPrefix(text, "syslog:"); ok {
		return logPlace(strings.TrimPrefix(rest, "//"))
	}
	return filePlace(text)
}

// filePlace is a file that lines are added to. It is opened each time, so that
// a disk that went away and came back is used again.
type filePlace string

func (p filePlace) Put(all []Anchor) (err error) {
	f, err := os.OpenFile(string(p), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return fmt.Errorf("anchors: %w", err)
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	var text strings.Builder
	if info, err := f.Stat(); err == nil && info.Size() > 0 {
		last := make([]byte, 1)
		if _, err := f.ReadAt(last, info.Size()-1); err == nil && last[0] != '\n' { // one was cut short
			text.WriteString("\n")
		}
	}
	for _, a := range all {
		text.WriteString(a.String() + "\n")
	}
	if _, err := f.WriteString(text.String()); err != nil {
		return fmt.Errorf("anchors: %w", err)
	}
	if err := f.Sync(); err != nil {
		return fmt.Errorf("anchors: %w", err)
	}
	return nil
}

// logPlace is a log server, or the socket of one, or, empty, this machine's.
type logPlace string

func (p logPlace) Put(all []Anchor) (err error) {
	network := ""
	switch {
	case strings.HasPrefix(string(p), "/"):
		network = "unixgram"
	case p != "":
		network = "udp"
	}
	w, err := syslog.Dial(network, string(p), syslog.LOG_AUTHPRIV|syslog.LOG_NOTICE, "icouch")
	if err != nil {
		return fmt.Errorf("anchors: %w", err)
	}
	defer func() { err = errors.Join(err, w.Close()) }()
	for _, a := range all {
		if err := w.Notice(a.String()); err != nil {
			return fmt.Errorf("anchors: %w", err)
		}
	}
	return nil
}

// How often anchors are put down: after so long, or so many lines.
const (
	anchorTime  = 5 * time.Minute
	anchorLines = 1000
	counted     = 2 * time.Second // how often the lines are counted
)

// Keeper puts anchors down, and has the database note where chains are, too.
type Keeper struct {
	DB     *db.DB
	Places []Place

	put   map[id.Practice]int64 // what was put down last
	lines int64
}

// Run works until ctx ends, and then once more. What goes wrong is told to
// failed: it keeps nobody from their work.
func (k *Keeper) Run(ctx context.Context, failed func(error)) {
	tick := time.NewTicker(counted)
	defer tick.Stop()
	waited := anchorTime // the first at once
	for over := false; !over; {
		if waited >= anchorTime || k.DB.Lines()-k.lines >= anchorLines {
			waited = 0
			if err := k.Anchor(context.WithoutCancel(ctx)); err != nil {
				failed(err)
			}
		}
		select {
		case <-ctx.Done():
			over = true
		case <-tick.C:
			waited += counted
		}
	}
	if err := k.Anchor(context.WithoutCancel(ctx)); err != nil {
		failed(err)
	}
}

// Anchor puts down where each chain is that has moved since the last time.
func (k *Keeper) Anchor(ctx context.Context) error {
	k.lines = k.DB.Lines()
	var all []Anchor
	err := k.DB.View(ctx, func(tx *db.Tx) (err error) {
		all, err = Ends(tx, access.Actor{})
		return err
	})
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(a Anchor) bool { return k.put[a.Practice] == a.Seq })
	if len(all) == 0 {
		return nil
	}
	if err := k.note(ctx, all); err != nil {
		return err
	}
	var wrong error
	for _, p := range k.Places {
		wrong = errors.Join(wrong, p.Put(all))
	}
	if wrong != nil { // all of them again the next time
		return wrong
	}
	if k.put == nil {
		k.put = map[id.Practice]int64{}
	}
	for _, a := range all {
		k.put[a.Practice] = a.Seq
	}
	return nil
}

// note has the database know where chains are: reads leave no note of it.
func (k *Keeper) note(ctx context.Context, all []Anchor) error {
	return k.DB.Maintain(ctx, func(tx *db.Tx) error {
		for _, a := range all {
			head, err := SQL.In(tx).Head(tx, a.Practice)
			if err == nil && head.Seq < a.Seq {
				err = SQL.In(tx).MoveHead(tx, auditdb.MoveHeadParams{Seq: a.Seq, Mac: a.Mac, PracticeID: a.Practice})
			}
			if err != nil && !errors.Is(err, db.None) {
				return fmt.Errorf("note the end of %s: %w", a.Practice, err)
			}
		}
		return nil
	})
}
