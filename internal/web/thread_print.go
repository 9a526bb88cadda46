package web

import (
	"net/http"
	"strconv"

	"icouch/internal/access"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
)

// A conversation goes on paper in parts: of so many messages at most, or as many
// as hold so many bytes of text.
const (
	mostPrinted = 5_000
	mostOnPaper = 4 << 20
	readAtOnce  = 500 // read at once
)

// partOf reads a part of a conversation after a place, and says where the next
// begins, if there is one.
func partOf(tx *db.Tx, by access.Actor, c chat.Conversation, after int64) (all []chat.Message, next int64, err error) {
	for size := 0; after < c.Messages; {
		some, err := chat.After(tx, by, c, after, readAtOnce)
		if err != nil || len(some) == 0 {
			return all, 0, err
		}
		for _, m := range some {
			if len(all) == mostPrinted || size > mostOnPaper {
				return all, after, nil
			}
			all, size, after = append(all, m), size+len(m.Body), m.Seq
		}
	}
	return all, 0, nil
}

// GET /messages/{conversation}/print
func (s *Site) printConversation(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	after, _ := strconv.ParseInt(r.URL.Query().Get("after"), 10, 64)
	return s.showThread(w, r, by, ThreadPage{printed: true, after: max(0, after)}, nil)
}
