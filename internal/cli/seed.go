package cli

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/password"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/text"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/limit"
)

// Seed adds practices full of invented clients, through the verbs that
// practitioners use. Their letters are written and carried, and end here: no
// mail server is asked.
type Seed struct {
	config.Place `embed:""`
	Clients      int    `help:"How many clients, in all." default:"1000"`
	Practices    int    `help:"Over how many practices." default:"1"`
	Owner        string `help:"Who owns them. The second practice's owner is the same address with +2, and so on." default:"seed@example.com"`
	Random       uint64 `help:"Another number makes other people." default:"1"`
}

// sown is how many clients share a transaction.
const sown = 250

// Run is "icouch seed".
func (c *Seed) Run(ctx context.Context, o *Office) error {
	if c.Clients < 0 || c.Practices < 1 {
		return errors.New("--clients and --practices count things: give whole numbers from 1")
	}
	return o.work(ctx, c.Place, func(i *installation.Installation) error {
		if err := nothingWaits(ctx, i.DB); err != nil {
			return err
		}
		began := o.Clock()
		g := &gardener{o: o, db: i.DB, rand: rand.New(rand.NewPCG(c.Random, uint64(began.UnixNano())))}
		stop := g.post(ctx)
		defer func() { stop() }()
		phrase := password.Suggest()
		hash, err := (&account.Doorman{DB: i.DB, Limits: limit.Limiter{DB: i.DB}, Hasher: password.NewHasher(1, 1)}).Hash(ctx, phrase, password.Context{})
		if err != nil {
			return err
		}
		g.hash = hash
		for n := range c.Practices {
			share := c.Clients / c.Practices
			if n < c.Clients%c.Practices {
				share++
			}
			if err := g.practice(ctx, nth(c.Owner, n+1), n+1, share); err != nil {
				return err
			}
		}
		stop()
		stop = func() {}
		if err := g.welcome(ctx); err != nil {
			return err
		}
		took := o.Clock().Sub(began)
		o.say("%s in %s, in %s.", count(c.Clients, "client", "clients"), count(c.Practices, "practice", "practices"), took.Round(time.Millisecond))
		o.say("Sign in as %s with the passphrase: %s", c.Owner, phrase)
		return nil
	})
}

// nothingWaits keeps seed, which lets letters end here, from an installation
// where somebody waits for one.
func nothingWaits(ctx context.Context, d *db.DB) error {
	var waiting int64
	err := d.View(ctx, func(tx *db.Tx) (err error) {
		waiting, err = letter.Waiting(tx, access.Operator())
		return err
	})
	if err == nil && waiting > 0 {
		return errors.New("letters wait to be sent here, and seed would let them end: have them sent first, or use another data directory")
	}
	return err
}

// nth is the address of the nth owner.
func nth(owner string, n int) string {
	if n == 1 {
		return owner
	}
	name, domain, _ := strings.Cut(owner, "@")
	return fmt.Sprintf("%s+%d@%s", name, n, domain)
}

// gardener sows clients.
type gardener struct {
	o    *Office
	db   *db.DB
	rand *rand.Rand
	hash string // of everybody's passphrase
	box  pouch
	owed int // clients who are to have an account and whose letter has not come yet
}

// post carries letters into the pouch until the returned function is called.
func (g *gardener) post(ctx context.Context) (stop func()) {
	q := jobs.NewQueue(g.db, nil)
	(&letter.Courier{DB: g.db, Mail: &g.box, House: letter.House{Brand: "iCouch", Base: "http://seed.invalid", Host: "seed.invalid"}}).Register(q)
	ctx, end := context.WithCancel(ctx)
	done := make(chan struct{})
	go func() { defer close(done); q.Run(ctx) }()
	return func() {
		end()
		<-done
		var last sync.WaitGroup
		for range 16 { // together they share commits
			last.Go(func() { _, _ = q.RunDue(context.WithoutCancel(ctx)) })
		}
		last.Wait()
	}
}

// practice founds one and fills it.
func (g *gardener) practice(ctx context.Context, owner string, n, clients int) error {
	a, err := email.Parse(owner)
	if err != nil {
		return errors.New("--owner must be an e-mail address, like seed@example.com")
	}
	var by access.Actor
	err = g.db.Update(ctx, func(tx *db.Tx) error {
		who, err := account.Make(tx, access.Operator(), account.New{Name: g.name().Full(), Email: a, Zone: "America/New_York", Password: g.hash, Verified: true})
		if errors.Is(err, account.ErrTaken) {
			return fmt.Errorf("%s owns a practice here already: name another owner with --owner", owner)
		}
		if err != nil {
			return err
		}
		by, err = people.Found(tx, access.AsPerson(who), fmt.Sprintf("%s Counseling", pick(g.rand, lastNames)), "America/New_York")
		return err
	})
	if err != nil {
		return err
	}
	for done := 0; done < clients; done += sown {
		if err := g.sow(ctx, by, n, done, min(sown, clients-done)); err != nil {
			return err
		}
	}
	return nil
}

// sow adds some clients: most not invited, some without an address or consent,
// some invited, and of the invited before them some who have come.
func (g *gardener) sow(ctx context.Context, by access.Actor, n, from, many int) error {
	drafts := make([]people.Draft, many)
	for i := range drafts {
		drafts[i] = g.draft(n, from+i)
	}
	g.owed += many / 25
	came := g.box.take(g.owed)
	g.owed -= len(came)
	return g.db.Update(ctx, func(tx *db.Tx) error {
		for _, d := range drafts {
			if err := add(tx, by, d); err != nil {
				return err
			}
		}
		for _, l := range came {
			if _, err := people.SignUp(tx, access.Guest(), l, g.hash); err != nil {
				return err
			}
		}
		return nil
	})
}

// welcome lets those come whose letters were still under way: how many have an
// account must not depend on how fast the letters were.
func (g *gardener) welcome(ctx context.Context) error {
	came := g.box.take(g.owed)
	if len(came) == 0 {
		return nil
	}
	err := g.db.Update(ctx, func(tx *db.Tx) error {
		for _, l := range came {
			if _, err := people.SignUp(tx, access.Guest(), l, g.hash); err != nil {
				return err
			}
		}
		return nil
	})
	g.post(ctx)() // their practices are told
	return err
}

func add(tx *db.Tx, by access.Actor, d people.Draft) error {
	is, err := d.Read(civil.DateOf(tx.Now().Time, civil.Zone{}))
	if err != nil {
		return err
	}
	return people.Create(tx, by, id.New[id.Client](tx.Now().Time), is, d.Invite)
}

func (g *gardener) name() people.Name {
	return people.Name{First: pick(g.rand, firstNames), Last: pick(g.rand, lastNames)}
}

func (g *gardener) draft(n, i int) people.Draft {
	name := g.name()
	d := people.Draft{First: name.First, Last: name.Last, EmailConsent: g.rand.IntN(10) > 0}
	if g.rand.IntN(20) > 0 {
		d.Email = fmt.Sprintf("%s.%s.%d.%d@example.com", plain(name.First), plain(name.Last), n, i)
	}
	if g.rand.IntN(2) == 0 {
		d.Mobile = fmt.Sprintf("+1 212 555 %04d", g.rand.IntN(10000))
	}
	if g.rand.IntN(3) == 0 {
		d.Year, d.Month, d.Day = fmt.Sprint(1940+g.rand.IntN(65)), fmt.Sprint(1+g.rand.IntN(12)), fmt.Sprint(1+g.rand.IntN(28))
	}
	d.Invite = g.rand.IntN(8) == 0
	return d
}

func pick(r *rand.Rand, from []string) string { return from[r.IntN(len(from))] }

// plain is a name as it stands in an address.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if 'a' <= r && r <= 'z' {
			return r
		}
		return -1
	}, text.FoldForSearch(s))
}
