package audit

import (
	"errors"
	"fmt"
	"sync"

	"icouch/internal/access"
	"icouch/internal/audit/auditdb"
	"icouch/internal/base/id"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/keys"
)

// Scribe writes down what was looked at. A change writes its own line in its
// own transaction (Record); a look changes nothing, so its line is all there is
// to write, and it is on the disk before anything is shown.
//
// Looks that wait share one commit. Whoever comes first writes for all who came
// meanwhile, in their own goroutine: a lone reader waits for nobody and wakes
// nobody. Where there is one writer at a time, the end of each chain is
// remembered, and a line of another hand, at the place where ours would go, is
// what says that it has moved.
type Scribe struct {
	db *db.DB

	mu      sync.Mutex
	waiting []*line
	busy    bool // somebody writes

	heads map[id.Practice]head // whoever writes has them
}

// NewScribe returns the scribe of a database.
func NewScribe(d *db.DB) *Scribe { return &Scribe{db: d, heads: map[id.Practice]head{}} }

// head is the end of a chain, and what signs its next line.
type head struct {
	seq int64
	mac []byte
	key *crypt.Key
}

// line is what one request has to have written: a line, or, rarely, several.
type line struct {
	rows []auditdb.AddParams
	err  error
	turn chan bool // true: write, for yourself and whoever waits; false: it is done
}

// most is how many requests share a commit.
const most = 64

// Write puts a look on the disk. The reference is by which the request is found
// in the log. If it fails, nothing may be shown.
func (s *Scribe) Write(l *Look, reference string) error {
	if l.wrong != nil {
		return fmt.Errorf("audit a look: %w", l.wrong)
	}
	mine := &line{rows: make([]auditdb.AddParams, len(l.by))}
	for i, by := range l.by {
		mine.rows[i] = lookOf(by, l.seen[i], reference)
	}
	s.mu.Lock()
	s.waiting = append(s.waiting, mine)
	if s.busy {
		mine.turn = make(chan bool, 1)
		s.mu.Unlock()
		if !<-mine.turn {
			return mine.err
		}
		s.mu.Lock()
	}
	s.busy = true
	batch := s.waiting[:min(most, len(s.waiting))]
	s.waiting = s.waiting[len(batch):]
	s.mu.Unlock()

	for _, l := range batch {
		l.err = errLeft // unless it comes to its end
	}
	defer s.hand(mine, batch)
	s.write(batch)
	return mine.err
}

// errLeft says that whoever wrote for others did not come to the end of it.
var errLeft = errors.New("audit: a look was not written")

// hand tells the others of a batch what came of it, and has the next one write:
// nobody works for others after their own is done.
func (s *Scribe) hand(mine *line, batch []*line) {
	s.mu.Lock()
	var next *line
	if s.busy = len(s.waiting) > 0; s.busy {
		next = s.waiting[0]
	}
	s.mu.Unlock()
	if next != nil {
		next.turn <- true
	}
	for _, other := range batch {
		if other != mine {
			other.turn <- false
		}
	}
}

func lookOf(by access.Actor, seen []sight, reference string) auditdb.AddParams {
	practice := by.Practice()
	if practice == "" {
		practice = keys.Installation
	}
	row := auditdb.AddParams{PracticeID: practice, Role: string(by.Role()), AccountID: by.Account(), Action: string(Seen), Detail: reference}
	row.Shown, row.Subject = pack(seen)
	if len(seen) == 1 {
		row.ClientID = id.Of[id.Client](seen[0].client)
	}
	return row
}

// write writes a batch, or as much of it as can be.
func (s *Scribe) write(batch []*line) {
	err := s.commit(batch)
	if err == nil || len(batch) == 1 {
		for _, l := range batch {
			l.err = err
		}
		return
	}
	for i, l := range batch { // one practice's trouble is not another's
		l.err = s.commit(batch[i : i+1])
	}
}

// commit writes a batch in one transaction. What is remembered of the chains is
// forgotten if it fails: nobody knows then where they end.
func (s *Scribe) commit(batch []*line) error {
	if len(batch) == 1 && len(batch[0].rows) == 1 && s.db.OneWriter() {
		row := &batch[0].rows[0]
		if h, known := s.heads[row.PracticeID]; known {
			err := s.db.Journal(true, func(tx *db.Tx) error { return s.put(tx, row, h) })
			if !db.Taken(err) {
				return s.settled(err)
			}
			delete(s.heads, row.PracticeID) // a change has written since
		}
	}
	err := s.db.Journal(false, func(tx *db.Tx) error {
		var held map[id.Practice]bool
		if !s.db.OneWriter() { // another node may have written: hold each chain, and look
			held = map[id.Practice]bool{}
		}
		for _, l := range batch {
			for i := range l.rows {
				if err := s.add(tx, &l.rows[i], held); err != nil {
					return err
				}
			}
		}
		return nil
	})
	return s.settled(err)
}

func (s *Scribe) settled(err error) error {
	if err != nil {
		clear(s.heads)
	}
	return err
}

// remembered bounds how many chains' ends are.
const remembered = 4096

// add writes a row to its chain, in a transaction in which nobody else can.
func (s *Scribe) add(tx *db.Tx, row *auditdb.AddParams, held map[id.Practice]bool) error {
	h, known := s.heads[row.PracticeID]
	if held != nil {
		known = held[row.PracticeID]
		held[row.PracticeID] = true
	}
	if known {
		if err := s.put(tx, row, h); !s.db.OneWriter() || !db.Taken(err) {
			return err
		}
	}
	h, err := endOf(tx, row.PracticeID)
	if err != nil {
		return err
	}
	return s.put(tx, row, h)
}

// put writes a row after the end of its chain, and remembers it as the end.
func (s *Scribe) put(tx *db.Tx, row *auditdb.AddParams, end head) (err error) {
	row.At, row.Seq = tx.Now(), end.seq+1
	if row.Mac, err = sign(end.key, end.mac, *row); err != nil {
		return err
	}
	if err := SQL.In(tx).Add(tx, *row); err != nil {
		return fmt.Errorf("audit a look of %s: %w", row.PracticeID, err)
	}
	if len(s.heads) >= remembered {
		clear(s.heads)
	}
	s.heads[row.PracticeID] = head{row.Seq, row.Mac, end.key}
	tx.Audited()
	return nil
}

// endOf reads and holds the end of a chain.
func endOf(tx *db.Tx, practice id.Practice) (head, error) {
	key, err := keys.Of(tx, practice)
	if err != nil {
		return head{}, err
	}
	end, err := headOf(tx, practice)
	return head{end.Seq, end.Mac, key}, err
}
