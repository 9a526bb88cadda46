package support_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"icouch/internal/access"
	"icouch/internal/base/secret"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/support"
)

// model is what a request ought to be, told in a few lines.
type model struct {
	state   support.State // "" : none yet
	asker   int           // 0 Sam, 1 Sia
	since   time.Time
	clients int
	asks    []time.Time
	gone    bool // converted: there is no practice to convert any more
}

func (m *model) now(t time.Time) support.State {
	if (m.state == support.Asked || m.state == support.Confirmed) && !t.Before(m.since.Add(7*24*time.Hour)) {
		return support.Expired
	}
	return m.state
}

func (m *model) open(t time.Time) bool {
	s := m.now(t)
	return s == support.Asked || s == support.Confirmed
}

// often reports whether the holder has been asked as often as may be in a day.
func (m *model) often(t time.Time) bool {
	n := 0
	for _, asked := range m.asks {
		if asked.After(t.Add(-24 * time.Hour)) {
			n++
		}
	}
	return n >= 3
}

// old reports whether the practice is too old to be a mistake.
func old(t, founded time.Time) bool { return t.After(founded.Add(30 * 24 * time.Hour)) }

// Whatever is pressed in whatever order, a request is where the model says, and
// Theo's practice is put away exactly when it is done.
func TestARequestGoesItsWay(t *testing.T) {
	t.Parallel()
	w, n := newWrong(t), 0
	supporters := []access.Actor{w.sam, w.sia}
	rapid.Check(t, func(rt *rapid.T) {
		n++
		w.mistake(t, fmt.Sprintf("theo%d@example.com", n))
		founded := w.Now()
		m, link := model{}, secret.NewToken()
		for range rapid.IntRange(1, 14).Draw(rt, "steps") {
			now := w.Now()
			fits := m.clients == 0 && !m.gone && !old(now, founded)
			var err error
			var want bool
			step := rapid.SampledFrom([]string{"ask", "confirm", "approve", "decline", "withdraw", "wait", "client"}).Draw(rt, "step")
			who := rapid.IntRange(0, 1).Draw(rt, "who")
			switch step {
			case "ask":
				err = w.change(t, func(tx *db.Tx) (err error) {
					asked, err := support.Ask(tx, supporters[who], w.theo, "because")
					if err == nil {
						w.asked = asked
					}
					return err
				})
				if want = fits && !m.open(now) && !m.often(now); want {
					m.state, m.asker, m.since = support.Asked, who, now
					m.asks = append(m.asks, now)
					w.RunJobs(t)
					link = secret.ParseToken(w.Link(t, w.mail, "/convert/"))
				}
			case "confirm":
				_, err = w.confirm(t, link)
				if want = fits && m.now(now) == support.Asked; want {
					m.state = support.Confirmed
				}
			case "approve":
				err = w.change(t, func(tx *db.Tx) error { return support.Approve(tx, supporters[who], w.asked) })
				if want = fits && m.now(now) == support.Confirmed && who != m.asker; want {
					m.state, m.gone = support.Done, true
				}
			case "decline":
				err = w.change(t, func(tx *db.Tx) error { return support.Decline(tx, access.Guest(), link) })
				if want = m.open(now); want {
					m.state = support.Declined
				}
			case "withdraw":
				err = w.change(t, func(tx *db.Tx) error { return support.Withdraw(tx, supporters[who], w.asked) })
				if want = m.open(now); want {
					m.state = support.Withdrawn
				}
			case "wait":
				w.Pass(time.Duration(rapid.IntRange(1, 9).Draw(rt, "days")) * 24 * time.Hour)
				want = true
			case "client":
				if want = true; !m.gone {
					w.Client(t, w.founder, people.Draft{First: "Nils", Last: "Oakes"})
					m.clients++
				}
			}
			if (err == nil) != want {
				rt.Fatalf("%s by %d: %v, want it to work: %t (%+v)", step, who, err, want, m)
			}
			if m.state != "" {
				if is := w.request(t).State; is != m.now(w.Now()) {
					rt.Fatalf("after %s the request is %s, want %s", step, is, m.now(w.Now()))
				}
			}
			work := len(w.places(t)) == 1 && w.places(t)[0].Work
			if work == m.gone {
				rt.Fatalf("after %s Theo has his practice: %t", step, work)
			}
		}
	})
}
