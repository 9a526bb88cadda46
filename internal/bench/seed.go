package bench

import (
	"fmt"
	"path/filepath"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/account/factor"
	"icouch/internal/audit"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/contact"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/crypt"
	"icouch/internal/platform/db"
	"icouch/internal/platform/jobs"
	"icouch/internal/platform/keys"
	"icouch/internal/platform/limit"
	"icouch/internal/team"
)

// office is a practice to measure in: a signed-in owner and so many clients.
type office struct {
	owner   access.Actor
	session string
	links   []string // of invited clients, to sign up with
}

// open opens a data folder as the program does, before the program does.
func (r *run) open(data string) (*db.DB, error) {
	ring, err := crypt.OpenRing(filepath.Join(data, "root.key"))
	if err != nil {
		return nil, err
	}
	d, err := db.Open(r.ctx, db.Config{URL: filepath.Join(data, "icouch.db"), Clock: r.Now, Ring: ring,
		SQL: []db.Prepared{keys.SQL, jobs.SQL, limit.SQL, audit.SQL, letter.SQL, account.SQL, factor.SQL, people.SQL, team.SQL, contact.SQL, chat.SQL}})
	if err != nil {
		return nil, err
	}
	return d, keys.Install(r.ctx, d)
}

// furnish makes a practice with n clients, of whom so many hold a link.
func (r *run) furnish(data string, n, links int) (o office, err error) {
	d, err := r.open(data)
	if err != nil {
		return o, err
	}
	defer d.Close()
	err = d.Update(r.ctx, func(tx *db.Tx) error {
		who, err := account.Make(tx, access.Guest(), account.New{Name: "Mara Lindqvist", Email: address("mara", 0), Zone: "America/New_York", Password: "!", Verified: true})
		if err != nil {
			return err
		}
		if o.owner, err = people.Found(tx, access.AsPerson(who), "The Practice of Mara", "America/New_York"); err != nil {
			return err
		}
		token, err := account.Begin(tx, o.owner, who, account.Entry{Place: account.Place{Practice: o.owner.Practice()}, Terms: account.Anywhere, Strong: true})
		o.session = token.Reveal()
		return err
	})
	if err != nil {
		return o, err
	}
	const batch = 500
	for from := 0; from < n; from += batch {
		err := d.Update(r.ctx, func(tx *db.Tx) error {
			for i := from; i < min(from+batch, n); i++ {
				c := id.New[id.Client](tx.Now().Time)
				if err := people.Create(tx, o.owner, c, r.person(i), false); err != nil {
					return err
				}
				if len(o.links) < links {
					token, err := people.CopyLink(tx, o.owner, c)
					if err != nil {
						return err
					}
					o.links = append(o.links, token.Reveal())
				}
			}
			return nil
		})
		if err != nil {
			return o, err
		}
	}
	return o, nil
}

var (
	firsts = []string{"Annie", "Vince", "David", "Rashida", "Łukasz", "Noémie", "Tariq", "Ingrid", "Mei", "Óscar", "Priya", "Samuel", "Yara", "Henrik", "Chidi", "Aoife"}
	lasts  = []string{"Noda", "Gill", "Okafor", "Lindholm", "Duarte", "Haddad", "Kowalska", "Nguyen", "Petrov", "Silva", "Brandt", "Moreau", "Iyer", "Castellanos", "Walker", "Achebe"}
)

func (r *run) person(i int) people.Details {
	d := people.Draft{First: firsts[i%len(firsts)], Last: fmt.Sprintf("%s-%s", lasts[i/len(firsts)%len(lasts)], lasts[i/256%len(lasts)]),
		Email: address("client", i).String(), EmailConsent: i%7 != 0}
	details, err := d.Read(civil.DateOf(r.Now(), civil.Zone{}))
	if err != nil {
		panic(err) // the names above are fixed
	}
	return details
}

func address(name string, i int) email.Address {
	a, err := email.Parse(fmt.Sprintf("%s%d@example.com", name, i))
	if err != nil {
		panic(err) // so are these
	}
	return a
}
