package web

import (
	"net/url"
	"testing"

	"icouch/internal/world"
)

// What a request for a new password leaves behind is the same for an address
// that has an account and for one that has none: the answer is given before
// anybody has looked.
func TestAskingForAPasswordDoesTheSameWorkForEveryAddress(t *testing.T) {
	t.Parallel()
	left := func(address string) (jobs, letters, lines int) {
		w := world.New(t)
		b := serve(t, w).browser(t, w)
		count := func() (j, l, a int) {
			for _, q := range []struct {
				to *int
				do func(*int) error
			}{
				{&j, func(n *int) error { return w.DB.Row(t.Context(), "SELECT COUNT(*) FROM job", nil, n) }},
				{&l, func(n *int) error { return w.DB.Row(t.Context(), "SELECT COUNT(*) FROM letter", nil, n) }},
				{&a, func(n *int) error { return w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit", nil, n) }},
			} {
				if err := q.do(q.to); err != nil {
					t.Fatal(err)
				}
			}
			return j, l, a
		}
		j0, l0, a0 := count()
		b.post("/forgot", url.Values{"email": {address}}).leads(t, "/forgot?said=sent")
		j1, l1, a1 := count()
		return j1 - j0, l1 - l0, a1 - a0
	}
	kj, kl, ka := left("mara@practice.test")
	uj, ul, ua := left("nobody@practice.test")
	if kj != uj || kl != ul || ka != ua || kj != 1 || kl != 0 || ka != 1 {
		t.Errorf("a known address leaves %d jobs, %d letters, %d lines; an unknown one %d, %d, %d", kj, kl, ka, uj, ul, ua)
	}
	w := world.New(t)
	b := serve(t, w).browser(t, w)
	b.post("/forgot", url.Values{"email": {"mara@practice.test"}})
	b.post("/forgot", url.Values{"email": {"nobody@practice.test"}})
	w.RunJobs(t)
	if n := len(w.Letters("mara@practice.test")); n != 1 || len(w.Mail.Sent()) != 1 {
		t.Errorf("%d letters to who has an account, %d in all; want one", n, len(w.Mail.Sent()))
	}
}
