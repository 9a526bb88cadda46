package web

import (
	"net/http"
	"strings"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/civil"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/web/parts"
)

// sessionRoutes are where a person is signed in, how long that lasts, and what
// they typed when it ended.
var sessionRoutes = []route{
	{pattern: "GET /settings/devices", enter: signedIn, do: (*Site).showDevices},
	{pattern: "POST /settings/devices/{session}/end", enter: signedIn, do: (*Site).endDevice},
	{pattern: "POST /settings/devices/others/end", enter: signedIn, do: (*Site).endOthers},
	{pattern: "GET /settings/idle", enter: practiceHeads, do: (*Site).showIdle},
	{pattern: "POST /settings/idle", enter: practiceHeads, do: (*Site).setIdle},
	{pattern: "POST /session/stay", enter: signedIn, do: (*Site).stay},
	{pattern: "POST /session/over", enter: signedIn, do: (*Site).signOutIdle},
	{pattern: "GET /kept", enter: signedIn, do: (*Site).showKept},
	{pattern: "POST /kept/{form}/away", enter: signedIn, do: (*Site).dropKept},
}

// DevicesPage is where a person is signed in.
type DevicesPage struct {
	Page
	Notice *parts.Notice
	Lines  []DeviceLine
}

// DeviceLine is one browser.
type DeviceLine struct {
	ID, Browser, Note string
	Here              bool
}

// others reports whether a person is signed in anywhere else.
func (p DevicesPage) others() bool { return len(p.Lines) > 1 }

var saidAtDevices = map[string]*parts.Notice{
	"ended":  {Tone: parts.Good, Words: "That device is signed out."},
	"others": {Tone: parts.Good, Words: "You are signed out everywhere else."},
	"gone":   {Tone: parts.Info, Words: account.ErrNotSignedInThere.Public},
}

// showDevices is GET /settings/devices.
func (s *Site) showDevices(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	page, who, err := s.settings(r, by)
	if err != nil {
		return err
	}
	var all []account.Device
	var places []people.Place
	err = s.DB.View(r.Context(), func(tx *db.Tx) (err error) {
		if all, err = account.Devices(tx, by, visitOf(r).token, s.from(r)); err != nil {
			return err
		}
		places, err = people.Places(tx, by)
		return err
	})
	if err != nil {
		return err
	}
	zone := zoneHere(r, who)
	p := DevicesPage{Page: page, Notice: saidAtDevices[r.URL.Query().Get("said")]}
	for _, d := range all {
		p.Lines = append(p.Lines, s.deviceLine(d, places, zone))
	}
	return s.show(w, r, http.StatusOK, p.View())
}

func (s *Site) deviceLine(d account.Device, places []people.Place, zone civil.Zone) DeviceLine {
	l := DeviceLine{ID: d.ID.String(), Browser: d.Browser, Here: d.Here}
	if l.Browser == "" {
		l.Browser = "An unknown browser"
	}
	now := s.DB.Clock()
	notes := []string{"Last used " + civil.Past(now, d.SeenAt.Time, zone), "signed in " + civil.Past(now, d.BeganAt.Time, zone)}
	switch {
	case d.Here:
		notes = notes[1:]
		notes[0] = "Signed in " + civil.Past(now, d.BeganAt.Time, zone)
	case d.Near:
		notes = append(notes, "from the network you are using now")
	default:
		notes = append(notes, "from another network")
	}
	for _, p := range places {
		if p.Place == d.Place {
			notes = append(notes, placeLabel(p))
		}
	}
	l.Note = strings.Join(notes, " · ")
	return l
}

// endDevice is POST /settings/devices/{session}/end.
func (s *Site) endDevice(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	session, err := pathID[id.Session](r, "session")
	if err != nil {
		return err
	}
	if session == visitOf(r).session.ID {
		return s.signOut(w, r, by)
	}
	err = s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.EndDevice(tx, by, session) })
	if told, _ := problemsOf(err); told != nil {
		return see(w, r, "/settings/devices?said=gone")
	}
	if err != nil {
		return err
	}
	return see(w, r, "/settings/devices?said=ended")
}

// endOthers is POST /settings/devices/others/end.
func (s *Site) endOthers(w http.ResponseWriter, r *http.Request, by access.Actor) error {
	err := s.DB.Update(r.Context(), func(tx *db.Tx) error { return account.EndOthers(tx, by, visitOf(r).token) })
	if err != nil {
		return err
	}
	return see(w, r, "/settings/devices?said=others")
}
