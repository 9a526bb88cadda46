package web

import (
	"strconv"
	"strings"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
)

// bubble is a message as it is drawn.
type bubble struct {
	chat.Message
	Who    string
	Day    string // above it, where another day begins; empty: the same
	Clock  string
	Full   string // the whole time, with its zone
	Until  int64  // until when it can be changed, in seconds of Unix; 0: it cannot
	thread id.Conversation
	print  bool // on paper a file is a name
}

func (b bubble) lines() []string {
	if b.Body == "" {
		return nil
	}
	return strings.Split(b.Body, "\n")
}

func (b bubble) anchor() string { return "m-" + strconv.FormatInt(b.Seq, 10) }
func (b bubble) path(rest string) string {
	return conversationPath(b.thread, "/"+b.ID.String()+rest)
}

// until is a moment as a script reads it.
func until(seconds int64) string { return time.Unix(seconds, 0).UTC().Format(time.RFC3339) }

// teller draws messages for one reader.
type teller struct {
	names chat.Names
	by    access.Actor
	chat  chat.Conversation
	zone  civil.Zone
	day   civil.Date // of the last one drawn

	printed bool
}

func (t *teller) bubble(tx *db.Tx, m chat.Message) (b bubble, err error) {
	b = bubble{Message: m, Clock: civil.Clock(m.SentAt.Time, t.zone), Full: civil.Full(m.SentAt.Time, t.zone), thread: t.chat.ID, print: t.printed}
	if b.Who, err = t.names.Author(tx, t.by, t.chat, m); err != nil {
		return b, err
	}
	if day := civil.DateOf(m.SentAt.Time, t.zone); day != t.day {
		b.Day, t.day = civil.Day(tx.Now().Time, m.SentAt.Time, t.zone), day
	}
	if m.May(tx.Now()) && t.chat.Writes {
		b.Until = m.SentAt.Add(chat.Regret).Unix()
	}
	return b, nil
}

func (t *teller) bubbles(tx *db.Tx, all []chat.Message) (lines []bubble, err error) {
	for _, m := range all {
		b, err := t.bubble(tx, m)
		if err != nil {
			return nil, err
		}
		lines = append(lines, b)
	}
	return lines, nil
}

// seenWords says how far the others have read one's own newest message.
func (t *teller) seenWords(tx *db.Tx, newestOfMine int64) (string, error) {
	if newestOfMine == 0 {
		return "", nil
	}
	all, err := chat.SeenBy(tx, t.chat)
	if err != nil {
		return "", err
	}
	var who []string
	var last at.Time
	for _, s := range all {
		if s.Seq < newestOfMine {
			continue
		}
		name, err := t.names.Author(tx, t.by, t.chat, chat.Message{Author: s.Reader, SentAt: s.At})
		if err != nil {
			return "", err
		}
		who = append(who, name)
		if s.At.After(last.Time) {
			last = s.At
		}
	}
	switch {
	case len(who) == 0:
		return "", nil
	case t.chat.Kind == chat.WithTeam:
		return "Seen by " + join(who), nil
	}
	return "Seen " + civil.Moment(tx.Now().Time, last.Time, t.zone), nil
}

func newestMine(lines []bubble) (seq int64) {
	for _, b := range lines {
		if b.Mine {
			seq = b.Seq
		}
	}
	return seq
}
