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
	Seen   string // who has seen it, where it is one's own newest that somebody has
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

func anchorOf(seq int64) string { return "m-" + strconv.FormatInt(seq, 10) }

func (b bubble) anchor() string { return anchorOf(b.Seq) }
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
	if m.May(tx.Now()) && t.chat.Writes && !t.printed {
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

// sight is what is said of who has seen one's own messages: with the newest of
// them that somebody has seen as it stands.
type sight struct {
	seq   int64 // which; 0: none
	words string
}

func (s sight) anchor() string { return anchorOf(s.seq) }

func (t *teller) sight(tx *db.Tx) (sight, error) {
	seq, all, err := chat.LastSeen(tx, t.chat)
	if err != nil || seq == 0 {
		return sight{}, err
	}
	if t.chat.Kind != chat.WithTeam {
		return sight{seq, seenAt(tx.Now(), all[0].At, t.zone)}, nil
	}
	var who []string
	for _, s := range all {
		name, err := t.names.Author(tx, t.by, t.chat, chat.Message{Author: s.Reader, SentAt: s.At})
		if err != nil {
			return sight{}, err
		}
		who = append(who, name)
	}
	return sight{seq, "Seen by " + join(who)}, nil
}

func seenAt(now, when at.Time, z civil.Zone) string {
	if when.IsZero() {
		return "Seen"
	}
	return "Seen " + civil.Moment(now.Time, when.Time, z)
}

// stands puts a sight to its message, if that is among these.
func (s sight) stands(lines []bubble) {
	for i := range lines {
		if lines[i].Seq == s.seq {
			lines[i].Seen = s.words
		}
	}
}
