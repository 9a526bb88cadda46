package web

import (
	"net/url"
	"strings"

	"icouch/internal/base/civil"
	"icouch/internal/people"
	"icouch/internal/web/parts"
)

// clientForm is the form for a client, new or known already.
type clientForm struct {
	people.Draft
	problems parts.Problems
	zone     string // the practice's, in words
	reader   reader
}

// draft reads what was typed.
func draft(v url.Values) people.Draft {
	return people.Draft{First: v.Get("first"), Last: v.Get("last"), Preferred: v.Get("preferred"), Email: v.Get("email"), Mobile: v.Get("mobile"),
		Address: v.Get("address"), Year: v.Get("born-year"), Month: v.Get("born-month"), Day: v.Get("born-day"), Zone: v.Get("zone"),
		Practitioner: v.Get("practitioner"), EmailConsent: v.Get("consent") == "yes", Invite: v.Get("invite") == "yes"}
}

// today is the day it is for whoever reads.
func (is reader) today() civil.Date { return civil.DateOf(is.Now.Time, is.Zone) }

// zones are the choices of a time zone.
func (f clientForm) zones() parts.Select {
	return parts.Select{Name: "zone", Label: "Time zone", Value: f.Zone, Problem: f.problems.For("zone"), Prompt: "The practice’s: " + f.zone, Options: zoneOptions(f.Zone)}
}

// carers are the choices of who looks after the client. Where there is no
// choice there is no field.
func (f clientForm) carers() *parts.Select {
	s := parts.Select{Name: "practitioner", Label: "Practitioner", Value: f.Practitioner, Problem: f.problems.For("practitioner")}
	for _, p := range f.reader.carers {
		if p.CaresForClients() || p.ID.String() == f.Practitioner {
			s.Options = append(s.Options, parts.Option{Value: p.ID.String(), Label: p.Name})
		}
	}
	if len(s.Options) == 0 {
		return nil
	}
	switch only := s.Options[0].Value; {
	case len(s.Options) > 1 && s.Value == "":
		s.Prompt = "Choose who looks after them"
	case len(s.Options) == 1 && only == f.reader.by.Practitioner().String():
		return nil
	case len(s.Options) == 1:
		s.Value = only
	}
	return &s
}

// born is the three boxes; a month as "03" is the same as "3".
func (f clientForm) born() parts.BirthDate {
	return parts.BirthDate{Name: "born", Legend: "Date of birth", Month: strings.TrimLeft(f.Month, "0"), Day: f.Day, Year: f.Year, Optional: true, Problem: f.problems.For("born")}
}

// opened reports whether the fields that few use are in sight.
func (f clientForm) opened() bool {
	return f.Address+f.Year+f.Month+f.Day+f.problems.For("born")+f.problems.For("address") != ""
}
