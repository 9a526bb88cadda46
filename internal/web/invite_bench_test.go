package web

import (
	"net/url"
	"strconv"
	"testing"

	"icouch/internal/base/id"
	"icouch/internal/world"
)

// BenchmarkInvite is the press of "Create" with both boxes ticked, and the
// letter behind it, without the network.
func BenchmarkInvite(b *testing.B) {
	w := world.New(b)
	mara := serve(b, w).browser(b, w).as("mara@practice.test")
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		n++
		mara.post("/people", url.Values{"id": {string(id.New[id.Client](w.Now()))}, "first": {"Client"}, "last": {strconv.Itoa(n)},
			"email": {"c" + strconv.Itoa(n) + "@example.com"}, "consent": {"yes"}, "invite": {"yes"}})
		if n%50 == 0 {
			w.RunJobs(b)
		}
	}
}
