package web

import (
	"sync/atomic"
	"testing"

	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/platform/db"
	"icouch/internal/world"
)

// BenchmarkSend is the press of "Send", eight at once.
func BenchmarkSend(b *testing.B) {
	w := world.New(b)
	w.Linked(b, w.Theo, "theo@example.com")
	s := serve(b, w)
	s.Messages = 1 << 40
	mara := s.browser(b, w).as("mara@practice.test")
	var c id.Conversation
	w.Update(b, func(tx *db.Tx) (err error) { c, err = chat.Start(tx, w.Mara, chat.To{Client: w.Theo}); return err })
	b.ReportAllocs()
	b.SetParallelism(4)
	var n atomic.Int64
	b.ResetTimer()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			n.Add(1)
			a := mara.post("/messages/"+string(c), form("message", id.New[id.Message](w.Now()).String(), "body", "It went better this week than the week before."))
			if a.Code != 303 {
				b.Errorf("%d", a.Code)
			}
		}
	})
}
