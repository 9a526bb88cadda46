package cli

import (
	"context"
	"net/url"
	"time"

	"icouch/internal/access"
	"icouch/internal/letter"
	"icouch/internal/platform/config"
	"icouch/internal/platform/db"
	"icouch/internal/platform/installation"
)

// Letters is for an installation without a mail server: the operator hands over
// what it would have sent. A practice's own letters are not shown.
type Letters struct {
	config.Place `embed:""`
	Show         bool   `help:"Also open them, with the links in them. That is noted in the trail."`
	Listen       string `help:"Address the site is served at." default:"localhost:8080" env:"ICOUCH_LISTEN"`
	URL          string `help:"Address by which people reach the site, as serve is given it; the links begin with it." env:"ICOUCH_URL" placeholder:"URL"`
	Brand        string `help:"Name of the product, as letters say it." default:"iCouch" env:"ICOUCH_BRAND"`
}

// Run is "icouch letters".
func (c *Letters) Run(ctx context.Context, o *Office) error {
	return o.look(ctx, c.Place, func(i *installation.Installation) error {
		held, others, err := onHand(ctx, i.DB)
		if err != nil {
			return err
		}
		if c.Show && len(held) > 0 {
			return o.show(ctx, i.DB, c.house())
		}
		o.list(held, others)
		return nil
	})
}

func (c *Letters) house() letter.House {
	h := letter.House{Brand: c.Brand, Base: config.Site{Listen: c.Listen, URL: c.URL}.Base()}
	if u, err := url.Parse(h.Base); err == nil {
		h.Host = u.Hostname()
	}
	return h
}

// onHand returns the installation's own letters that wait, and how many there
// are of practices.
func onHand(ctx context.Context, d *db.DB) (held []letter.Held, others int, err error) {
	err = d.View(ctx, func(tx *db.Tx) (err error) {
		if held, err = letter.OnHand(tx, access.Operator()); err != nil {
			return err
		}
		all, err := letter.Waiting(tx, access.Operator())
		others = int(all) - len(held)
		return err
	})
	return held, others, err
}

func (o *Office) list(held []letter.Held, others int) {
	for _, l := range held {
		o.say("%s  %s", l.At.Format(time.DateTime), about(l.Kind))
	}
	o.say("%s.", count(len(held), "letter of the installation itself waits", "letters of the installation itself wait"))
	if others > 0 {
		o.say("%s, which nobody but the practice may open. It hands a link over by Copy link: on a client's page, and in Settings, People & roles.", count(others, "letter of a practice waits, too", "letters of practices wait, too"))
	}
	if len(held) > 0 {
		o.say("To read them, and hand over the links in them: icouch letters --show")
	}
}

func (o *Office) show(ctx context.Context, d *db.DB, h letter.House) error {
	var shown []letter.Shown
	err := d.Update(ctx, func(tx *db.Tx) (err error) {
		shown, err = letter.Read(tx, access.Operator(), h)
		return err
	})
	if err != nil {
		return err
	}
	for _, l := range shown {
		o.say("%s  %s\nTo: %s\nSubject: %s\n\n%s", l.At.Format(time.DateTime), about(l.Kind), l.To, l.Subject, l.Text)
		o.say("%s\n", "----")
	}
	o.say("%s. What was opened still waits to be sent. Give each link to the person it is for, and to nobody else: whoever has it can use it.", count(len(shown), "letter was opened", "letters were opened"))
	return nil
}

// about says what a letter is about.
func about(k letter.Kind) string {
	switch k {
	case letter.ConfirmMail:
		return "a practitioner signs up and confirms an address"
	case letter.HaveAccount:
		return "somebody signs up who has an account already"
	case letter.Reset:
		return "somebody chooses a new password"
	case letter.NewEmail:
		return "somebody confirms a new address"
	case letter.OldEmail:
		return "notice to an old address"
	case letter.Security:
		return "notice that something about the safety of an account has changed"
	case letter.Help:
		return "somebody asks for help"
	case letter.Repair:
		return "support puts an account right"
	case letter.Leave:
		return "somebody deletes their account, or keeps it"
	}
	return string(k)
}
