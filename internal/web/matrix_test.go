package web

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/account"
	"icouch/internal/base/at"
	"icouch/internal/base/civil"
	"icouch/internal/base/email"
	"icouch/internal/base/id"
	"icouch/internal/base/secret"
	"icouch/internal/chat"
	contacts "icouch/internal/contact"
	"icouch/internal/joint"
	"icouch/internal/letter"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/recovery"
	"icouch/internal/support"
	"icouch/internal/team"
	"icouch/internal/world"
)

// The matrix: every route, for everybody there is, for every client there is.
// Who may enter stands here a second time, in other words than in the routes,
// and is to be read as hard as they are.

// reviewed says of each route who may enter: a name of classes.
var reviewed = map[string]string{
	"GET /{$}":        "everyone",
	"GET /sign-in":    "everyone",
	"POST /sign-in":   "everyone",
	"POST /sign-out":  "everyone",
	"GET /forgot":     "everyone",
	"POST /forgot":    "everyone",
	"GET /sign-up":    "everyone",
	"POST /sign-up":   "everyone",
	"GET /help":       "everyone",
	"POST /help":      "everyone",
	"GET /crisis":     "everyone",
	"POST /csp":       "everyone",
	"GET /health":     "everyone",
	"GET /robots.txt": "everyone",
	"GET /join/lost":  "everyone",
	"POST /join/lost": "everyone",
	"GET /join/sent":  "everyone",

	"GET /reset/{link}":            "holders",
	"POST /reset/{link}":           "holders",
	"GET /confirm/{link}":          "holders",
	"POST /confirm/{link}":         "holders",
	"GET /email/{link}":            "holders",
	"POST /email/{link}":           "holders",
	"GET /email-back/{link}":       "holders",
	"POST /email-back/{link}":      "holders",
	"GET /verify/{link}":           "holders",
	"POST /verify/{link}":          "holders",
	"GET /choices/{link}":          "holders",
	"POST /choices/{link}":         "holders",
	"GET /join/{link}":             "holders",
	"POST /join/{link}":            "holders",
	"GET /join/{link}/sign-in":     "holders",
	"POST /join/{link}/sign-in":    "holders",
	"POST /join/{link}/acceptance": "holders",
	"POST /join/{link}/switch":     "holders",
	"POST /join/{link}/new-link":   "holders",

	"GET /welcome":                "persons",
	"POST /welcome":               "persons",
	"GET /dashboard":              "inside",
	"GET /places":                 "placed",
	"POST /switch":                "placed",
	"GET /practice/new":           "placed",
	"POST /practice/new":          "placed",
	"GET /settings":               "persons",
	"GET /settings/name":          "persons",
	"POST /settings/name":         "persons",
	"GET /settings/email":         "persons",
	"POST /settings/email":        "persons",
	"POST /settings/email/verify": "persons",
	"GET /settings/zone":          "persons",
	"POST /settings/zone":         "persons",
	"GET /settings/password":      "persons",
	"POST /settings/password":     "persons",

	// Second steps.
	"POST /people/{client}/vouch":               "inviters",
	"GET /vouched/{link}":                       "holders",
	"POST /vouched/{link}":                      "holders",
	"GET /sign-in/step":                         "everyone",
	"POST /sign-in/step":                        "everyone",
	"POST /sign-in/passkey":                     "everyone",
	"GET /settings/second-step":                 "persons",
	"GET /settings/security":                    "persons",
	"GET /settings/authenticator":               "persons",
	"POST /settings/authenticator":              "persons",
	"GET /settings/authenticator/removal":       "persons",
	"POST /settings/authenticator/removal":      "persons",
	"GET /settings/passkey":                     "persons",
	"POST /settings/passkey":                    "persons",
	"GET /settings/passkeys/{passkey}":          "holders of a passkey",
	"POST /settings/passkeys/{passkey}":         "holders of a passkey",
	"POST /settings/passkeys/{passkey}/removal": "holders of a passkey",
	"GET /settings/recovery-codes":              "persons",
	"POST /settings/recovery-codes":             "persons",
	"GET /settings/prove":                       "persons",
	"POST /settings/prove":                      "persons",

	"GET /settings/practice":                   "heads",
	"POST /settings/practice":                  "heads",
	"POST /settings/practice/step":             "heads",
	"GET /settings/practice/close":             "owners",
	"POST /settings/practice/close":            "owners",
	"POST /settings/practice/close/withdrawal": "owners",
	"POST /people/export":                      "heads",

	"POST /dashboard/steps": "members",
	"GET /people":           "members",
	"GET /people/stream":    "members",
	"GET /people/search":    "members",
	"POST /people/search":   "members",
	"GET /people/{client}":  "members",

	"GET /people/new":                             "inviters",
	"POST /people":                                "inviters",
	"GET /people/import":                          "inviters",
	"GET /people/import/example.csv":              "inviters",
	"POST /people/import/preview":                 "inviters",
	"POST /people/import":                         "inviters",
	"POST /people/invitations":                    "inviters",
	"POST /people/invitations/sent":               "inviters",
	"GET /people/{client}/edit":                   "inviters",
	"POST /people/{client}/edit":                  "inviters",
	"POST /people/{client}/consent":               "inviters",
	"GET /people/{client}/end":                    "inviters",
	"POST /people/{client}/end":                   "inviters",
	"POST /people/{client}/return":                "inviters",
	"GET /people/{client}/invitation":             "inviters",
	"GET /people/{client}/invitation/preview":     "inviters",
	"GET /people/{client}/invitation/link":        "inviters",
	"POST /people/{client}/invitation":            "inviters",
	"POST /people/{client}/invitation/sendings":   "inviters",
	"POST /people/{client}/invitation/preview":    "inviters",
	"POST /people/{client}/invitation/withdrawal": "inviters",
	"POST /people/{client}/invitation/link":       "inviters",

	// Where a person is signed in, and what they typed when it ended.
	"GET /settings/devices":                "persons",
	"POST /settings/devices/{session}/end": "persons",
	"POST /settings/devices/others/end":    "persons",
	"GET /settings/idle":                   "heads",
	"POST /settings/idle":                  "heads",
	"POST /session/stay":                   "persons",
	"POST /session/over":                   "persons",
	"GET /kept":                            "persons",
	"POST /kept/{form}/away":               "persons",
	// Who works in a practice, and whom they may see.
	"GET /settings/team":                               "heads",
	"GET /settings/team/new":                           "heads",
	"POST /settings/team":                              "heads",
	"POST /settings/team/sendings":                     "heads",
	"POST /settings/team/withdrawals":                  "heads",
	"GET /settings/team/emergencies":                   "heads",
	"GET /settings/team/{member}":                      "heads",
	"POST /settings/team/{member}/role":                "heads",
	"POST /settings/team/{member}/supervision":         "heads",
	"GET /settings/team/{member}/clients":              "heads",
	"POST /settings/team/{member}/clients":             "heads",
	"GET /settings/team/{member}/end":                  "heads",
	"POST /settings/team/{member}/end":                 "heads",
	"POST /settings/team/{member}/return":              "heads",
	"POST /settings/team/{member}/recovery":            "owners",
	"POST /settings/team/{member}/recovery/approval":   "owners",
	"POST /settings/team/{member}/recovery/withdrawal": "owners",
	"GET /recovered/{link}":                            "holders",
	"POST /recovered/{link}":                           "holders",
	"GET /team/{link}":                                 "holders",
	"POST /team/{link}":                                "holders",
	"GET /team/{link}/sign-in":                         "holders",
	"POST /team/{link}/sign-in":                        "holders",
	"POST /team/{link}/acceptance":                     "holders",
	"POST /team/{link}/switch":                         "holders",
	"POST /team/{link}/new-link":                       "holders",
	"GET /people/emergency":                            "breakers",
	"POST /people/emergency":                           "breakers",
	"POST /people/{client}/emergency/closing":          "breakers",
	"POST /people/{client}/team":                       "inviters",
	"POST /people/{client}/team/removal":               "inviters",
	"GET /settings/team/links":                         "heads",
	"POST /settings/team/links":                        "heads",

	// Who else matters to a client.
	"GET /people/{client}/contacts/new":                   "inviters",
	"POST /people/{client}/contacts":                      "inviters",
	"GET /people/{client}/contacts/{contact}":             "inviters",
	"POST /people/{client}/contacts/{contact}":            "inviters",
	"POST /people/{client}/contacts/{contact}/suspension": "inviters",
	"POST /people/{client}/contacts/{contact}/return":     "inviters",
	"POST /people/{client}/contacts/{contact}/end":        "inviters",

	"POST /people/{client}/contacts/{contact}/invitation":            "inviters",
	"POST /people/{client}/contacts/{contact}/invitation/sendings":   "inviters",
	"POST /people/{client}/contacts/{contact}/invitation/withdrawal": "inviters",

	"GET /people/{client}/age":  "inviters",
	"POST /people/{client}/age": "inviters",

	"GET /contact/{link}":             "holders",
	"POST /contact/{link}":            "holders",
	"GET /contact/{link}/sign-in":     "holders",
	"POST /contact/{link}/sign-in":    "holders",
	"POST /contact/{link}/acceptance": "holders",
	"POST /contact/{link}/switch":     "holders",
	"POST /contact/{link}/new-link":   "holders",
	"GET /access":                     "clients",
	"POST /access/endings":            "clients",

	// Who is looked after together.
	"GET /people/{client}/together/new":                          "inviters",
	"POST /people/{client}/together":                             "inviters",
	"GET /together":                                              "members",
	"GET /together/{joint}":                                      "members",
	"GET /together/{joint}/edit":                                 "inviters",
	"POST /together/{joint}/edit":                                "inviters",
	"POST /together/{joint}/practitioner":                        "heads",
	"GET /together/{joint}/closing":                              "inviters",
	"POST /together/{joint}/closing":                             "inviters",
	"POST /together/{joint}/return":                              "inviters",
	"GET /together/{joint}/people/new":                           "inviters",
	"POST /together/{joint}/people/new":                          "inviters",
	"POST /together/{joint}/people":                              "inviters",
	"GET /together/{joint}/people/{person}/leaving":              "inviters",
	"POST /together/{joint}/people/{person}/leaving":             "inviters",
	"POST /together/{joint}/people/{person}/return":              "inviters",
	"POST /together/{joint}/people/{person}/consents":            "inviters",
	"POST /together/{joint}/people/{person}/consents/withdrawal": "inviters",
	"GET /record/together":                                       "clients",
	"POST /record/together/withdrawals":                          "clients",

	// The trail.
	"GET /record/access":          "clients",
	"GET /people/{client}/access": "heads",
	"GET /settings/trail":         "heads",
	"POST /settings/trail/export": "heads",
	"GET /settings/trail/weeks":   "heads",
	"POST /settings/trail/weeks":  "owners",

	// What is written.
	"GET /messages":                                      "writers",
	"POST /messages":                                     "writers",
	"GET /messages/new":                                  "writers",
	"POST /messages/new":                                 "writers",
	"GET /messages/search":                               "writers",
	"POST /messages/search":                              "writers",
	"GET /messages/unread":                               "writers",
	"GET /messages/stream":                               "writers",
	"POST /messages/here":                                "writers",
	"GET /messages/{conversation}":                       "writers",
	"POST /messages/{conversation}":                      "writers",
	"GET /messages/{conversation}/stream":                "writers",
	"GET /messages/{conversation}/print":                 "writers",
	"POST /messages/{conversation}/read":                 "writers",
	"POST /messages/{conversation}/draft":                "writers",
	"POST /messages/{conversation}/typing":               "writers",
	"POST /messages/{conversation}/archive":              "writers",
	"GET /messages/{conversation}/{message}":             "writers",
	"POST /messages/{conversation}/{message}":            "writers",
	"POST /messages/{conversation}/{message}/removal":    "writers",
	"POST /people/{client}/message":                      "inviters",
	"POST /people/{client}/messages":                     "inviters",
	"POST /messages/{conversation}/files":                "writers",
	"GET /messages/{conversation}/files/{file}":          "writers",
	"GET /messages/{conversation}/files/{file}/preview":  "writers",
	"GET /messages/{conversation}/files/{file}/arrived":  "writers",
	"POST /messages/{conversation}/files/{file}/part":    "writers",
	"POST /messages/{conversation}/files/{file}/removal": "writers",
	"GET /f/{pass}":                                      "holders",
	"GET /settings/messages":                             "writers",
	"POST /settings/messages":                            "writers",
	"POST /settings/messages/away":                       "members",
	"POST /settings/messages/back":                       "members",
	"POST /settings/messages/reply-time":                 "heads",

	"GET /dev/mailbox":      "nobody", // this is not an installation for development
	"GET /dev/mailbox/{n}":  "nobody",
	"GET /dev/parts":        "nobody",
	"GET /dev/parts/people": "nobody",
	"GET /dev/parts/client": "nobody",
	"GET /dev/parts/door":   "nobody",
	"POST /hooks/bounces":   "nobody", // nobody here knows the key

	// Support, the letter it sends, and leaving.
	"GET /support":                                   "supporters",
	"POST /support/accounts":                         "supporters",
	"POST /support/requests":                         "supporters",
	"GET /support/requests/{request}":                "supporters",
	"POST /support/requests/{request}/approval":      "supporters",
	"POST /support/requests/{request}/withdrawal":    "supporters",
	"POST /support/recoveries":                       "supporters",
	"GET /support/recoveries/{recovery}":             "supporters",
	"POST /support/recoveries/{recovery}/approval":   "supporters",
	"POST /support/recoveries/{recovery}/withdrawal": "supporters",
	"POST /support/leaving":                          "supporters",
	"GET /convert/{link}":                            "holders",
	"POST /convert/{link}/confirmation":              "holders",
	"POST /convert/{link}/refusal":                   "holders",
	"GET /settings/leave":                            "persons",
	"POST /settings/leave":                           "persons",
	"GET /leaving":                                   "departing",
	"POST /leaving/keep":                             "departing",
}

// The cast. What each sees of the clients is reviewed here too.
var (
	guests  = []string{"a stranger", "a forged cookie", "halfway in"} // who has shown the password of an account and not its second step
	others  = []string{"Lea"}                                         // whose account is to be deleted: nobody, but for the page on which to keep it
	persons = []string{"Sam", "Mara", "Noor", "Ada", "Bill", "Skye", "Sue", "Vic", "Tom", "Bea", "Ines", "Theo", "Carla", "Dora", "Eve", "Pat", "Gus", "Will", "Greta", "Hal", "Nell", "Milo"}
	classes = map[string][]string{
		"everyone":             slices.Concat(guests, persons, others),
		"holders":              slices.Concat(guests, persons, others),
		"holders of a passkey": persons, // of a passkey of their own: see cells
		"persons":              persons,
		"inside":               without(persons, "Will"), // of whom a second step is asked first
		"placed":               without(persons, "Sam"),  // who is in support
		"supporters":           {"Sam"},
		"departing":            {"Lea"},
		"members":              {"Mara", "Noor", "Ada", "Bill", "Skye", "Sue", "Vic", "Tom", "Bea", "Ines"},
		"inviters":             {"Mara", "Noor", "Ada", "Sue", "Vic", "Tom", "Bea", "Ines"},
		"heads":                {"Mara", "Ada", "Ines"},
		"clients":              {"Theo", "Carla", "Dora"},
		"writers":              {"Mara", "Noor", "Ada", "Bill", "Skye", "Sue", "Vic", "Tom", "Bea", "Ines", "Theo", "Carla", "Dora"},
		"owners":               {"Mara", "Ines"},
		"breakers":             {"Noor", "Sue", "Vic", "Tom", "Bea"},
		"nobody":               {},
	}
	seen = map[string][]string{
		"Mara": {"Theo", "Lena", "Eve"}, // the owner sees the whole practice, and whose care has ended
		"Noor": {"Lena"},                // a practitioner those she looks after
		"Ada":  {"Theo", "Lena", "Eve"}, // the administrator
		"Bill": {"Theo", "Lena", "Eve"}, // the biller
		"Skye": {"Theo", "Lena", "Eve"}, // the scheduler
		"Sue":  {},                      // a supervisor who supervises nobody
		"Vic":  {"Lena"},                // a supervisor of Noor
		"Tom":  {"Theo"},                // in the care team of Theo
		"Bea":  {"Theo"},                // who has opened Theo in an emergency
		"Ines": {"Ida"},                 // the practice next door
	}
	// Theo and Lena are in a joint record, and Mara looks after it. Noor sees Lena,
	// Tom Theo, and Bea has opened him in an emergency: to them it is not there.
	seeJoint = []string{"Mara", "Ada", "Bill", "Skye"}
	// Who reads each conversation, and who wrote its first message.
	readers = map[string][]string{
		"Mara and Theo":     {"Mara", "Theo", "Tom", "Bea"}, // who is in the care team reads along; so does who opened him in an emergency
		"Theo and his team": {"Mara", "Theo", "Tom", "Bea"},
		"Mara and Noor":     {"Mara", "Noor"},
		"Ines and Dora":     {"Ines", "Dora"},
		"no conversation":   {},
	}
	wrote = map[string]string{"Mara and Theo": "Mara", "Theo and his team": "Theo", "Mara and Noor": "Noor", "Ines and Dora": "Ines"}
	// Whom each may write to first, of the clients.
	writesTo = map[string][]string{"Mara": {"Theo", "Eve"}, "Noor": {"Lena"}, "Tom": {"Theo"}, "Ines": {"Ida"}}
	// What a route about a member is asked of. Those of their own practice are the
	// ones they may do something about, the inactive one too.
	members = []string{"a colleague", "one who is inactive", "one next door", "one of a practice put away", "none"}
)

// matrix is a world with everybody in it.
type matrix struct {
	world   *world.World
	site    *served
	browser map[string]*browser
	address map[string]string
	client  map[string]string // path segments: clients, and what is none
	member  map[string]string // and members, but for colleagues: see askAt
	theirs  map[string]id.Client
	contact map[string]string // a contact of each client's
	talk    map[string]string // conversations
	message map[string]string // the first message of each
	file    map[string]string // a picture that was sent with it
	waits   map[string]string // a file that its author has not sent yet
	request string            // one that support was asked
	lost    string            // and one of who has lost every second step
	joint   string            // that Theo and Lena are in
	person  string            // Lena there

	accountOf map[string]string // of whom the trail speaks
	covered   int               // answers that showed somebody

	counted bool // whether looked is
	lines   int64
	looked  int // lines of the trail that tell of a look

	nothing map[string]string // what each is answered of what does not exist, by method
}

func newMatrix(t *testing.T) *matrix {
	t.Helper()
	w := world.New(t)
	m := &matrix{world: w, site: serve(t, w), nothing: map[string]string{}, browser: map[string]*browser{}, client: map[string]string{}, address: map[string]string{"Mara": "mara@practice.test", "Noor": "noor@practice.test", "Ines": "ines@nextdoor.test"}}
	m.site.Mailbox, m.site.BounceKey = nil, "a key that nobody here has"
	for name, role := range map[string]access.Role{"Ada": access.Administrator, "Bill": access.Biller, "Skye": access.Scheduler, "Sue": access.Supervisor} {
		m.address[name] = strings.ToLower(name) + "@practice.test"
		w.Colleague(t, name+" Stone", m.address[name], role)
	}
	vic, tom, bea := w.Colleague(t, "Vic Stone", "vic@practice.test", access.Supervisor), w.Colleague(t, "Tom Stone", "tom@practice.test", access.Practitioner), w.Colleague(t, "Bea Stone", "bea@practice.test", access.Practitioner)
	gus, will := w.Colleague(t, "Gus Stone", "gus@practice.test", access.Practitioner), w.Colleague(t, "Will Stone", "will@practice.test", access.Practitioner)
	for _, name := range []string{"Vic", "Tom", "Bea", "Gus", "Will"} {
		m.address[name] = strings.ToLower(name) + "@practice.test"
	}
	w.Update(t, func(tx *db.Tx) error {
		return errors.Join(team.Supervise(tx, w.Mara, vic.Practitioner(), []id.Practitioner{w.Noor.Practitioner()}),
			team.Include(tx, w.Mara, w.Theo, tom.Practitioner(), nil), team.Open(tx, bea, w.Theo, "He stood at the door and could not speak."))
	})
	lena := w.Client(t, w.Noor, people.Draft{First: "Lena", Last: "Marsh", Email: "lena@example.com", EmailConsent: true})
	ida := w.Client(t, w.Ines, people.Draft{First: "Ida", Last: "Brook", Email: "ida@example.com", EmailConsent: true})
	m.linked(t, w.Mara, w.Theo, "Theo Vance", "theo@example.com")
	m.joint, m.person = together(t, w, w.Mara, w.Theo, lena)
	m.theirs = map[string]id.Client{"Carla": m.linked(t, w.Mara, "", "Carla Fenn", "carla@example.com")}
	m.linked(t, w.Ines, "", "Dora Lake", "dora@example.com")
	eve := m.linked(t, w.Mara, "", "Eve Hill", "eve@example.com")
	w.Account(t, "Pat Moor", "pat@example.com")
	milo := m.linked(t, w.Mara, "", "Milo Dale", "milo@example.com")
	carla := m.theirs["Carla"]
	m.actsFor(t, carla, "Greta Fenn", "greta@example.com") // a guardian
	hal := m.actsFor(t, carla, "Hal Fenn", "hal@example.com")
	nell := m.actsFor(t, carla, "Nell Fenn", "nell@example.com")
	w.Account(t, "Sam Ford", "sam@help.test")
	m.address["Sam"] = "sam@help.test"
	w.Update(t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), addressed(t, "sam@help.test")) })
	m.request = wrongDoor(t, w, "wanda@example.com")
	m.lost = lostStep(t, w)
	lea := w.Account(t, "Lea Rush", "lea@example.com")
	for _, name := range []string{"Theo", "Carla", "Dora", "Eve", "Pat", "Lea", "Greta", "Hal", "Nell", "Milo"} {
		m.address[name] = strings.ToLower(name) + "@example.com"
	}
	m.accountOf = map[string]string{}
	for _, name := range slices.Concat(persons, others) {
		m.browser[name] = m.site.browser(t, w).as(m.address[name])
		k, err := m.site.lookUp(t.Context(), secret.ParseToken(m.browser[name].cookies[m.site.sessionCookie()]))
		if err != nil {
			t.Fatal(err)
		}
		m.accountOf[name] = k.actor.Account().String()
	}
	w.Update(t, func(tx *db.Tx) error { _, err := people.AskToLeave(tx, access.AsPerson(lea)); return err }) // in her session
	for _, name := range guests {
		m.browser[name] = m.site.browser(t, w)
	}
	m.browser["halfway in"].post("/sign-in", form("email", "mara@practice.test", "password", world.Password)).leads(t, stepPath)
	if err := w.DB.Exec(t.Context(), "UPDATE session SET strong = FALSE WHERE account_id = $1", will.Account().String()); err != nil { // no second step was shown in his
		t.Fatal(err)
	}
	m.browser["a forged cookie"].cookies[m.site.sessionCookie()] = strings.Repeat("A", 43)
	w.Update(t, func(tx *db.Tx) error {
		day, err := civil.ParseDate("2035-05-03")
		if err != nil {
			return err
		}
		return people.SetMinor(tx, w.Mara, milo, day, day)
	})
	w.Update(t, func(tx *db.Tx) error { return contacts.Suspend(tx, w.Mara, carla, hal) }) // in their sessions
	w.Update(t, func(tx *db.Tx) error { return contacts.End(tx, w.Mara, carla, nell) })
	w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, w.Mara, eve, at.Of(w.Now())) })                                          // in their session
	if err := w.DB.Exec(t.Context(), "UPDATE practitioner SET active = FALSE WHERE account_id = $1", gus.Account().String()); err != nil { // in his session
		t.Fatal(err)
	}
	otto := w.Account(t, "Otto Lake", "otto@away.test") // whose practice has been put away, with what was in it
	var away access.Actor
	w.Update(t, func(tx *db.Tx) (err error) {
		away, err = people.Found(tx, access.AsPerson(otto), "Put away", "Europe/London")
		return err
	})
	olive := w.Client(t, away, people.Draft{First: "Olive", Last: "Away"})
	if err := w.DB.Exec(t.Context(), "UPDATE practice SET put_away_at = 1 WHERE id = $1", away.Practice().String()); err != nil {
		t.Fatal(err)
	}
	m.member = map[string]string{"one who is inactive": gus.Practitioner().String(), "one next door": w.Ines.Practitioner().String(), "one of a practice put away": away.Practitioner().String(), "none": id.New[id.Practitioner](w.Now()).String()}
	m.client = map[string]string{"Theo": w.Theo.String(), "Lena": lena.String(), "Ida": ida.String(), "Eve": eve.String(), "put away": olive.String(), "unknown": id.New[id.Client](w.Now()).String(),
		"nonsense": "nobody", "one letter more": w.Theo.String() + "x", "a NUL": "%00", "SQL": "%27%20OR%201=1--", "a mark": "*", "a dot": "%2e", "long": strings.Repeat("0", 4000)}
	m.talks(t)
	w.RunJobs(t) // the pictures are copied
	m.contact = map[string]string{"Theo": noteContact(t, w, w.Mara, w.Theo, "Xenia Stern", "xenia@example.com").String(), "Lena": noteContact(t, w, w.Noor, lena, "Xenia Stern", "xenia@example.com").String(), "Ida": noteContact(t, w, w.Ines, ida, "Xenia Stern", "xenia@example.com").String(), "Eve": noteContact(t, w, w.Mara, eve, "Xenia Stern", "xenia@example.com").String()}
	return m
}

// talks has those who are in a conversation write its first message.
func (m *matrix) talks(t *testing.T) {
	t.Helper()
	w := m.world
	theo := access.AsClient(w.Mara.Practice(), id.Account(m.accountOf["Theo"]), w.Theo)
	dora := id.Client("")
	if err := w.DB.Row(t.Context(), "SELECT id FROM client WHERE account_id = $1", []any{m.accountOf["Dora"]}, &dora); err != nil {
		t.Fatal(err)
	}
	m.talk, m.message = map[string]string{"no conversation": id.New[id.Conversation](w.Now()).String()}, map[string]string{"no conversation": id.New[id.Message](w.Now()).String()}
	m.file, m.waits = map[string]string{}, map[string]string{}
	for name, talk := range map[string]struct {
		by access.Actor
		to chat.To
	}{"Mara and Theo": {w.Mara, chat.To{Client: w.Theo}}, "Theo and his team": {theo, chat.To{Team: true}}, "Mara and Noor": {w.Noor, chat.To{Member: w.Mara.Practitioner()}}, "Ines and Dora": {w.Ines, chat.To{Client: dora}}} {
		w.Update(t, func(tx *db.Tx) error {
			c, err := chat.Start(tx, talk.by, talk.to)
			if err != nil {
				return err
			}
			m.talk[name] = c.String()
			return nil
		})
		c, sent := id.Conversation(m.talk[name]), id.New[id.Attachment](w.Now())
		for f, content := range map[id.Attachment]io.Reader{sent: picture(t), id.New[id.Attachment](w.Now()): strings.NewReader("waits")} {
			if _, err := w.Porter.Take(t.Context(), talk.by, c, chat.Draft{ID: f, Name: "a file"}, content); err != nil {
				t.Fatal(err)
			}
			if f != sent {
				m.waits[name] = f.String()
			}
		}
		m.file[name] = sent.String()
		w.Update(t, func(tx *db.Tx) error {
			first, err := chat.Send(tx, talk.by, c, id.New[id.Message](w.Now()), "The first of "+name, sent)
			m.message[name] = first.ID.String()
			return err
		})
	}
}

// picture is a small one.
func picture(t testing.TB) io.Reader {
	t.Helper()
	var b bytes.Buffer
	if err := png.Encode(&b, image.NewGray(image.Rect(0, 0, 3, 2))); err != nil {
		t.Fatal(err)
	}
	return &b
}

// without is everybody but one.
func without(all []string, one string) []string {
	return slices.DeleteFunc(slices.Clone(all), func(name string) bool { return name == one })
}

// noteContact has by note somebody who may open all that can be given of a client's record.
func noteContact(t *testing.T, w *world.World, by access.Actor, c id.Client, name, to string) id.Contact {
	t.Helper()
	one := id.New[id.Contact](w.Now())
	w.Update(t, func(tx *db.Tx) error {
		d, err := contacts.Draft{Name: name, Relation: "parent", Email: to, Basis: "Parental responsibility", Rights: []string{"appointments", "invoices", "forms", "documents"}, Until: "2031-03-14"}.Read()
		if err != nil {
			return err
		}
		return contacts.Add(tx, by, c, one, d)
	})
	return one
}

// actsFor has somebody accept, with an account, to act for a client of Mara's.
func (m *matrix) actsFor(t *testing.T, c id.Client, name, address string) id.Contact {
	t.Helper()
	one := noteContact(t, m.world, m.world.Mara, c, name, address)
	m.world.Account(t, name, address)
	m.world.Update(t, func(tx *db.Tx) error { return contacts.Invite(tx, m.world.Mara, c, one) })
	m.world.RunJobs(t)
	m.world.Update(t, func(tx *db.Tx) error {
		_, err := contacts.Accept(tx, access.AsPerson(m.world.Who(t, address)), secret.ParseToken(m.world.Link(t, address, "/contact/")))
		return err
	})
	return one
}

// linked has a client of by's, made if there is none yet, accept with an account.
func (m *matrix) linked(t *testing.T, by access.Actor, c id.Client, name, address string) id.Client {
	t.Helper()
	first, last, _ := strings.Cut(name, " ")
	if c == "" {
		c = m.world.Client(t, by, people.Draft{First: first, Last: last, Email: address, EmailConsent: true})
	}
	who := m.world.Account(t, name, address)
	m.world.Update(t, func(tx *db.Tx) error {
		token, err := people.CopyLink(tx, by, c)
		if err != nil {
			return err
		}
		_, err = people.Accept(tx, access.AsPerson(who), token)
		return err
	})
	return c
}

// noRequest stands where support's request does, and is none.
const noRequest = "01900000-0000-7000-8000-000000000000"

// noRecovery stands where a request about a lost second step does, and is none.
const noRecovery = "01900000-0000-7000-8000-000000000001"

// noJoint and noPerson stand where a joint record and somebody in it do, and are none.
const (
	noJoint  = "01900000-0000-7000-8000-000000000003"
	noPerson = "01900000-0000-7000-8000-000000000004"
)

// together has by begin a joint record of two clients, and returns it and the
// place of the second in it.
func together(t *testing.T, w *world.World, by access.Actor, a, b id.Client) (joined, person string) {
	t.Helper()
	j := id.New[id.Joint](w.Now())
	w.Update(t, func(tx *db.Tx) error {
		if err := joint.Make(tx, by, j, a, joint.Details{Kind: joint.Couple, Name: "Theo Vance and Lena Marsh"}); err != nil {
			return err
		}
		return joint.Join(tx, by, j, b, civil.Date{})
	})
	w.View(t, func(tx *db.Tx) error {
		r, err := joint.Find(tx, by, j)
		for _, p := range r.People {
			if p.Client == b {
				person = p.ID.String()
			}
		}
		return err
	})
	return j.String(), person
}

// noContact stands where a contact of the client's does, and is none.
const noContact = "01900000-0000-7000-8000-000000000002"

// noTalk and noMessage stand where a conversation and a message do, and are none.
const noTalk, noMessage = "01900000-0000-7000-8000-000000000005", "01900000-0000-7000-8000-000000000006"

// noFile stands where a file of a message does, and is none.
const noFile = "01900000-0000-7000-8000-000000000007"

// path is a route's address for a client.
func path(pattern, client string) string {
	_, p, _ := strings.Cut(pattern, " ")
	p = strings.NewReplacer("{client}", client, "{member}", theirMember, "{link}", strings.Repeat("B", 43), "{request}", noRequest, "{recovery}", noRecovery, "{contact}", noContact, "{conversation}", noTalk, "{message}", noMessage, "{file}", noFile, "{pass}", strings.Repeat("B", 43), "{joint}", noJoint, "{person}", noPerson, "{n}", "1", "{passkey}", "0195a0b1-0000-7000-8000-000000000000", "{session}", "00000000-0000-7000-8000-000000000000", "{form}", "00000000-0000-7000-8000-000000000000", "{$}", "").Replace(p)
	if strings.Contains(p, "{") {
		panic("a test does not know what stands in " + pattern)
	}
	return p
}

// theirMember stands for a member of the asker's own practice: see askAt.
const theirMember = "THEIR-MEMBER"

func method(pattern string) string { m, _, _ := strings.Cut(pattern, " "); return m }

// tempting is a form that every POST would do something with.
func tempting(m *matrix) url.Values {
	return form("first", "Xavier", "last", "Intruder", "email", "x@intruder.test", "version", "1", "on", "2030-03-14", "practice", "Intruders", "zone", "Europe/London",
		"name", "Xavier Intruder", "show", "yes", "q", "vance", "note", "hello", "client", m.client["Theo"], "place", m.world.Mara.Practice().String()+"/",
		"happened", "something", "what", "sessions", "invitations", declined, "consent", "yes", "invite", "yes", "body", "From an intruder", "seq", "1", "letters", "off", "quiet-from", "1", "quiet-until", "2",
		"message", id.New[id.Message](m.world.Now()).String(), "away", id.New[id.Away](m.world.Now()).String(), "from", "2030-03-14", "until", "2030-03-20", "words", "Away", "reply-time", "soon", "file", id.New[id.Attachment](m.world.Now()).String(), "size", "5")
}

// state is all that a request could have changed, save when sessions were last used.
func state(t testing.TB, w *world.World) (all string) {
	t.Helper()
	err := w.DB.Row(t.Context(), `SELECT
		'accounts ' || COALESCE((SELECT string_agg(id || zone || password || COALESCE(CAST(verified_at AS TEXT), '') || COALESCE(CAST(deletion_at AS TEXT), ''), ' ' ORDER BY id) FROM account), '') ||
		' practices ' || COALESCE((SELECT string_agg(id || name || zone || CAST(steps_hidden AS TEXT) || founder_id || COALESCE(CAST(put_away_at AS TEXT), ''), ' ' ORDER BY id) FROM practice), '') ||
		' practitioners ' || COALESCE((SELECT string_agg(practice_id || id || account_id || role || CAST(active AS TEXT), ' ' ORDER BY id) FROM practitioner), '') ||
		' minors ' || COALESCE((SELECT string_agg(client_id || COALESCE(CAST(length(own_from) AS TEXT), '') || COALESCE(CAST(told_at AS TEXT), ''), ' ' ORDER BY client_id) FROM minor), '') ||
		' clients ' || COALESCE((SELECT string_agg(practice_id || id || practitioner_id || zone || CAST(email_consent AS TEXT) || COALESCE(account_id, '') || COALESCE(CAST(ends_at AS TEXT), '') || CAST(version AS TEXT), ' ' ORDER BY id) FROM client), '') ||
		' invitations ' || COALESCE((SELECT string_agg(id || state || COALESCE(CAST(asked_at AS TEXT), ''), ' ' ORDER BY id) FROM invitation), '') ||
		' conversions ' || COALESCE((SELECT string_agg(id || state, ' ' ORDER BY id) FROM conversion), '') || ' supporters ' || (SELECT CAST(COUNT(*) AS TEXT) FROM supporter) ||
		' recoveries ' || COALESCE((SELECT string_agg(id || state, ' ' ORDER BY id) FROM recovery), '') ||
		' contacts ' || COALESCE((SELECT string_agg(id || rights || CAST(version AS TEXT) || COALESCE(CAST(asked_at AS TEXT), ''), ' ' ORDER BY id) FROM contact), '') ||
		' contact-invitations ' || COALESCE((SELECT string_agg(id || state || COALESCE(CAST(asked_at AS TEXT), ''), ' ' ORDER BY id) FROM contact_invitation), '') ||
		' joints ' || COALESCE((SELECT string_agg(id || practitioner_id || CAST(version AS TEXT) || COALESCE(CAST(closes_at AS TEXT), ''), ' ' ORDER BY id) FROM joint), '') ||
		' in-joints ' || COALESCE((SELECT string_agg(id || COALESCE(CAST(ends_at AS TEXT), ''), ' ' ORDER BY id) FROM joint_person), '') ||
		' consents ' || COALESCE((SELECT string_agg(id || COALESCE(CAST(withdrawn_at AS TEXT), ''), ' ' ORDER BY id) FROM joint_consent), '') ||
		' conversations ' || COALESCE((SELECT string_agg(id || CAST(last_seq AS TEXT), ' ' ORDER BY id) FROM conversation), '') || ' before ' || (SELECT CAST(COUNT(*) AS TEXT) FROM message_before) ||
		' files ' || COALESCE((SELECT string_agg(id || state || COALESCE(message_id, ''), ' ' ORDER BY id) FROM attachment), '') ||
		' readings ' || COALESCE((SELECT string_agg(conversation_id || reader_id || CAST(seq AS TEXT) || CAST(archived_seq AS TEXT) || CAST(COALESCE(length(draft), 0) AS TEXT), ' ' ORDER BY conversation_id, reader_id) FROM reading), '') ||
		' chosen ' || (SELECT CAST(COUNT(*) AS TEXT) FROM chat_choice) || ' closed ' || (SELECT CAST(COUNT(*) AS TEXT) FROM chat_closed) || ' away ' || (SELECT CAST(COUNT(*) AS TEXT) FROM away) || ' replies ' || COALESCE((SELECT string_agg(reply_time, ' ' ORDER BY practice_id) FROM chat_practice), '') ||
		' letters ' || COALESCE((SELECT string_agg(id || state, ' ' ORDER BY id) FROM letter), '') ||
		' links ' || COALESCE((SELECT string_agg(id || COALESCE(CAST(ended_at AS TEXT), '') || COALESCE(CAST(used_at AS TEXT), ''), ' ' ORDER BY id) FROM account_link), '') ||
		' sign-ups ' || COALESCE((SELECT string_agg(id || COALESCE(CAST(used_at AS TEXT), ''), ' ' ORDER BY id) FROM sign_up), '') ||
		' sessions ' || COALESCE((SELECT string_agg(id || COALESCE(practice_id, '') || COALESCE(client_id, '') || CAST(ends_at AS TEXT), ' ' ORDER BY id) FROM session), '') ||
		' kept ' || (SELECT CAST(COUNT(*) AS TEXT) FROM kept_form) ||
		' devices ' || (SELECT CAST(COUNT(*) AS TEXT) FROM device) || ' jobs ' || (SELECT CAST(COUNT(*) AS TEXT) FROM job) ||
		' trail ' || (SELECT CAST(COUNT(*) AS TEXT) FROM audit WHERE action <> 'clients.seen') || ' declined ' || (SELECT CAST(COUNT(*) AS TEXT) FROM no_letters)`, nil, &all)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// same fails the test if anything has changed since.
func same(t *testing.T, w *world.World, was, what string) {
	t.Helper()
	is := state(t, w)
	if is == was {
		return
	}
	a, b := strings.Fields(was), strings.Fields(is)
	for i := range min(len(a), len(b)) {
		if a[i] != b[i] {
			t.Fatalf("%s changed something: %q became %q", what, a[max(0, i-1):min(len(a), i+2)], b[max(0, i-1):min(len(b), i+2)])
		}
	}
	t.Fatalf("%s changed something: there is more or less than before", what)
}

// cell is one field of the matrix.
type cell struct {
	route  route
	who    string
	client string // a key of matrix.client; empty: the route names none
	enters bool
}

func (c cell) String() string { return c.route.pattern + " as " + c.who + " of " + c.client }

// readOnly are the routes that find no client who was only opened in an emergency.
var readOnly = regexp.MustCompile(`^POST /people/\{client\}/(consent|return|age|message|messages|contacts/\{contact\}(/.+)?|invitation(/sendings|/withdrawal|/link)?)$`)

// ofAuthor are the routes about a file that is attached and not sent yet.
var ofAuthor = regexp.MustCompile(`/\{file\}/(arrived|part|removal)$`)

func (m *matrix) cells() (all []cell) {
	for _, rt := range routes {
		of := []string{""}
		if strings.Contains(rt.pattern, "{client}") {
			of = of[:0]
			for name := range m.client {
				of = append(of, name)
			}
			slices.Sort(of)
		}
		if strings.Contains(rt.pattern, "{member}") {
			of = members
		}
		if strings.Contains(rt.pattern, "{conversation}") {
			of = slices.Sorted(maps.Keys(readers))
		}
		for _, who := range slices.Concat(guests, persons, others) {
			enters := slices.Contains(classes[reviewed[rt.pattern]], who) && !strings.Contains(rt.pattern, "{passkey}") // nobody here has one
			for _, c := range of {
				may := c == "" || slices.Contains(seen[who], c) || c == "a colleague" || c == "one who is inactive" && who != "Ines"
				if some, talk := readers[c]; talk {
					may = slices.Contains(some, who) && (!strings.Contains(rt.pattern, "{message}") && !ofAuthor.MatchString(rt.pattern) || wrote[c] == who) // nobody changes another's words
				}
				if rt.pattern == "POST /people/{client}/message" {
					may = slices.Contains(writesTo[who], c)
				}
				if c == "one next door" && who == "Ines" {
					may = true // she herself
				}
				if strings.HasPrefix(rt.pattern, "POST /people/{client}/team") && slices.Contains([]string{"Vic", "Tom", "Bea"}, who) {
					may = false // who was given a client gives them to nobody else
				}
				if strings.Contains(rt.pattern, "{joint}") && !slices.Contains(seeJoint, who) {
					may = false
				}
				if who == "Bea" && readOnly.MatchString(rt.pattern) {
					may = false // what is opened in an emergency is read, not changed
				}
				all = append(all, cell{rt, who, c, enters && may})
			}
		}
	}
	return all
}

// ask sends a cell's request; twist may change it first.
func (m *matrix) ask(c cell, twist func(*http.Request)) answer {
	names := []string{noRequest, m.request, noRecovery, m.lost, noJoint, m.joint, noPerson, m.person}
	if other, ok := m.member[c.client]; ok {
		names = append(names, theirMember, other)
	}
	if one := m.contact[c.client]; one != "" {
		names = append(names, noContact, one)
	}
	if talk := m.talk[c.client]; talk != "" {
		names = append(names, noTalk, talk, noMessage, m.message[c.client])
		file := m.file[c.client]
		if ofAuthor.MatchString(c.route.pattern) {
			file = m.waits[c.client]
		}
		names = append(names, noFile, cmp.Or(file, noFile))
	}
	return m.askAt(c, strings.NewReplacer(names...).Replace(path(c.route.pattern, m.client[c.client])), twist)
}

func (m *matrix) askAt(c cell, at string, twist func(*http.Request)) answer {
	b := m.browser[c.who]
	member := m.world.Noor
	if c.who == "Ines" {
		member = m.world.Ines
	}
	at = strings.ReplaceAll(at, theirMember, member.Practitioner().String())
	var body string
	if method(c.route.pattern) == "POST" {
		body = tempting(m).Encode()
	}
	ctx, leave := context.WithCancel(b.t.Context())
	defer leave()
	r := httptest.NewRequestWithContext(ctx, method(c.route.pattern), world.Base+at, strings.NewReader(body))
	if body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	if twist != nil {
		twist(r)
	}
	rec := httptest.NewRecorder()
	before := m.looks()
	m.site.handler.ServeHTTP(brief{rec, leave}, r)
	a := answer{rec, rec.Body.String()}
	m.accounts(c, a, m.looks()-before)
	return a
}

// looks is how many lines of the trail tell of a look. It counts again only if
// there are more lines than when it last did.
func (m *matrix) looks() int {
	t := m.browser["Mara"].t
	t.Helper()
	lines := m.world.DB.Lines()
	if m.counted && lines == m.lines {
		return m.looked
	}
	m.counted, m.lines = true, lines
	if err := m.world.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen'", nil, &m.looked); err != nil {
		t.Fatal(err)
	}
	return m.looked
}

// accounts fails the test unless what an answer shows of somebody's record is in
// the trail, in one line.
func (m *matrix) accounts(c cell, a answer, looks int) {
	t := m.browser["Mara"].t
	t.Helper()
	if looks > 1 {
		t.Errorf("%s: one answer, and %d lines tell of a look", c, looks)
	}
	for name, marks := range clientMarks {
		if c.who == name || !strings.Contains(a.text, marks[0]) && !strings.Contains(a.text, marks[1]) {
			continue
		}
		m.covered++
		var action, who string
		var shown []byte
		err := m.world.DB.Row(t.Context(), "SELECT action, account_id, shown FROM audit WHERE practice_id = (SELECT practice_id FROM client WHERE id = $1) ORDER BY seq DESC LIMIT 1", []any{m.client[name]}, &action, &who, &shown)
		raw, err2 := id.Client(m.client[name]).Bytes()
		if err != nil || err2 != nil {
			t.Fatal(err, err2)
		}
		exported := action == "clients.exported" && looks == 0
		if who != m.accountOf[c.who] || !exported && (looks != 1 || !bytes.Contains(shown, raw[:])) {
			t.Errorf("%s: shows %s, and no line of the trail says so (%d looks; the newest is %s)", c, name, looks, action)
		}
	}
}

// plainly is all of an answer, save what differs each time.
func plainly(a answer) string {
	h := a.Header().Clone()
	nonce := nonceOf(a)
	lines := []string{fmt.Sprint(a.Code)}
	for _, name := range slices.Sorted(maps.Keys(h)) {
		lines = append(lines, name+": "+strings.Join(h[name], ", "))
	}
	all := strings.Join(lines, "\n") + "\n\n" + a.text
	if nonce != "" {
		all = strings.ReplaceAll(all, nonce, "NONCE")
	}
	return lasting(all)
}

// nonceOf is the one that the policy of an answer names.
func nonceOf(a answer) string {
	_, rest, _ := strings.Cut(a.Header().Get("Content-Security-Policy"), "'nonce-")
	n, _, _ := strings.Cut(rest, "'")
	return n
}

// nothingHere is how the site says that there is nothing, nothingMore how it does
// to a former client: at every address alike.
const (
	nothingHere = "We cannot find that page"
	nothingMore = "Your access has ended"
)

func isNothing(a answer) bool {
	return a.Code == http.StatusNotFound && (strings.Contains(a.text, nothingHere) || strings.Contains(a.text, nothingMore))
}

func asksToSignIn(a answer) bool {
	to := a.Header().Get("Location")
	return a.Code == http.StatusSeeOther && (to == "/sign-in" || strings.HasPrefix(to, "/sign-in?next="))
}

// asksToStay is how somebody whose account is to be deleted is turned away.
func asksToStay(a answer) bool {
	return a.Code == http.StatusSeeOther && a.Header().Get("Location") == "/leaving"
}

// asksForStep is how somebody is turned away who has shown no second step yet.
func asksForStep(a answer) bool {
	return a.Code == http.StatusSeeOther && strings.HasPrefix(a.Header().Get("Location"), "/settings/second-step")
}

// clientMarks are the signs by which a client is known on a page.
var clientMarks = map[string][]string{"Theo": {"Theo Vance", "theo@example.com"}, "Lena": {"Lena Marsh", "lena@example.com"}, "Ida": {"Ida Brook", "ida@example.com"}}

// judge fails the test unless an answer is what the matrix says.
func (m *matrix) judge(t *testing.T, c cell, a answer) {
	t.Helper()
	for name, marks := range clientMarks {
		for _, mark := range marks {
			if c.who != name && !slices.Contains(seen[c.who], name) && strings.Contains(a.text, mark) {
				t.Errorf("%s: shows %s, who is none of theirs", c, mark)
			}
		}
	}
	switch guest := slices.Contains(guests, c.who); {
	case a.Code >= 500:
		t.Errorf("%s: it broke, with %d", c, a.Code)
	case c.enters && (isNothing(a) || asksToSignIn(a)):
		t.Errorf("%s: turned away, with %d to %q", c, a.Code, a.Header().Get("Location"))
	case c.enters:
	case c.who == "Will" && method(c.route.pattern) == "GET" && reviewed[c.route.pattern] != "nobody" && !slices.Contains(classes[reviewed[c.route.pattern]], "Will"):
		if !asksForStep(a) {
			t.Errorf("%s: answers %d to %q, want the way to a second step", c, a.Code, a.Header().Get("Location"))
		}
	case c.who == "Lea" && method(c.route.pattern) == "GET" && reviewed[c.route.pattern] != "nobody":
		if !asksToStay(a) {
			t.Errorf("%s: answers %d to %q, want the way to the page on which to stay", c, a.Code, a.Header().Get("Location"))
		}
	case guest && method(c.route.pattern) == "GET" && reviewed[c.route.pattern] != "nobody":
		if !asksToSignIn(a) || a.text != "" && strings.Contains(a.text, "<main") {
			t.Errorf("%s: answers %d to %q, want to be asked to sign in", c, a.Code, a.Header().Get("Location"))
		}
	default:
		got := plainly(a)
		if got == m.nothing[c.who+method(c.route.pattern)] {
			return
		}
		if want := m.unknown(c); got != want {
			t.Errorf("%s: the answer differs from that for what does not exist: %s", c, difference(got, want))
		}
	}
}

// unknown is what the same person is answered of what does not exist, asked now
// and remembered.
func (m *matrix) unknown(c cell) string {
	is := plainly(m.askAt(c, "/no/such/page", nil))
	m.nothing[c.who+method(c.route.pattern)] = is
	return is
}

// difference shows where two answers part.
func difference(got, want string) string {
	i := 0
	for i < min(len(got), len(want)) && got[i] == want[i] {
		i++
	}
	near := func(s string) string { return s[max(0, i-60):min(len(s), i+120)] }
	return fmt.Sprintf("%q, want %q", near(got), near(want))
}

func TestMatrixEveryRouteHasItsReviewedLine(t *testing.T) {
	t.Parallel()
	known := map[string]bool{}
	for _, rt := range routes {
		known[rt.pattern] = true
		if _, ok := classes[reviewed[rt.pattern]]; !ok {
			t.Errorf("nobody has said here who may enter %s", rt.pattern)
		}
	}
	for pattern := range reviewed {
		if !known[pattern] {
			t.Errorf("%s is reviewed and is no route", pattern)
		}
	}
	for who := range seen {
		if !slices.Contains(classes["members"], who) {
			t.Errorf("%s is no member and sees clients", who)
		}
	}
}

// The mux is asked itself: what is registered beside the table was not reviewed.
func TestMatrixNothingElseIsRegistered(t *testing.T) {
	t.Parallel()
	var s Site
	var got []string
	index := reflect.ValueOf(s.mux(routes)).Elem().FieldByName("index")
	add := func(list reflect.Value) {
		for i := range list.Len() {
			got = append(got, list.Index(i).Elem().FieldByName("str").String())
		}
	}
	add(index.FieldByName("multis"))
	for segment := index.FieldByName("segments").MapRange(); segment.Next(); {
		add(segment.Value())
	}
	want := []string{"/", "GET /a/"}
	for _, rt := range routes {
		want = append(want, rt.pattern)
	}
	slices.Sort(got)
	slices.Sort(want)
	if got = slices.Compact(got); !slices.Equal(got, want) {
		t.Errorf("registered are %q, want %q", got, want)
	}
}

// Who cannot have a session is asked about at the rules themselves.
func TestMatrixWhoHasNoSessionEntersNowhere(t *testing.T) {
	t.Parallel()
	now := time.Date(2030, 3, 14, 13, 0, 0, 0, time.UTC)
	practice, who, client := id.New[id.Practice](now), id.New[id.Account](now), id.New[id.Client](now)
	for _, rt := range routes {
		class := reviewed[rt.pattern]
		open := class == "everyone" || class == "holders" || class == "nobody" // what the last answer is not the rule's
		for name, is := range map[string]access.Actor{"a link": access.ByLink(practice, client), "a job": access.Job(practice), "the operator": access.Operator(), "the operator at a practice": access.Operating(practice),
			"a client of nothing": access.AsClient(practice, "", client), "a member who is nobody": access.AsPractitioner(practice, "", "", access.Practitioner)} {
			if rt.enter(is) != open {
				t.Errorf("%s: %s enters: %t", rt.pattern, name, !open)
			}
		}
		_, p, _ := strings.Cut(rt.pattern, " ")
		own := p == "/welcome" || p == "/dashboard" || (strings.HasPrefix(p, "/settings") || strings.HasPrefix(p, "/session/") || strings.HasPrefix(p, "/kept")) && (class == "persons" || class == "holders of a passkey") // their own account's
		console := class == "supporters"
		if support := access.AsSupport(who); rt.enter(support) != (open || own || console) {
			t.Errorf("%s: support enters: %t", rt.pattern, rt.enter(support))
		}
	}
}

func TestMatrixEverybodyEntersWhereTheyMayAndNowhereElse(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	w := m.world
	for _, name := range []string{"Theo", "Lena"} { // the premise: there is somebody to see
		m.browser["Mara"].get("/people/"+m.client[name]).shows(t, 200, name)
	}
	m.browser["Ines"].get("/people/"+m.client["Ida"]).shows(t, 200, "Ida")
	m.browser["Theo"].get("/dashboard").shows(t, 200, "This is your private place")
	m.rules(t)
	cells, n := m.cells(), 0
	before := state(t, w)
	for _, c := range cells {
		if method(c.route.pattern) == "GET" || !c.enters {
			n++
			m.judge(t, c, m.ask(c, nil))
			if slices.Contains([]string{"", "Theo", "Lena", "Ida", "Eve", "unknown", "a colleague", "one next door"}, c.client) { // the rest are decoys themselves
				n += m.decoys(t, c)
			}
		}
	}
	same(t, w, before, "looking, or being turned away,")
	for _, c := range cells {
		if method(c.route.pattern) == "POST" && c.enters {
			n++
			m.judge(t, c, m.ask(c, nil))
			if leaves[c.route.pattern] && !slices.Contains(guests, c.who) {
				m.browser[c.who] = m.site.browser(t, w).as(m.address[c.who])
			}
		}
	}
	if same := state(t, w) == before; same {
		t.Error("whoever may enter changed nothing: the forms tempt nobody")
	}
	if m.covered < 80 {
		t.Errorf("only %d answers showed anybody: the trail was asked about nothing", m.covered)
	}
	if n < 20_000 {
		t.Errorf("only %d cells were asked", n)
	}
	t.Logf("%d requests for %d cells", n, len(cells))
}

// roles are what everybody is. Care of Eve has ended, Gus is no member any more,
// Hal's access is suspended and Nell's has ended: the session each still has is
// in no place. So has Milo, a minor who may sign in from a later day.
var roles = map[string]access.Role{"Mara": access.Owner, "Noor": access.Practitioner, "Ada": access.Administrator, "Bill": access.Biller, "Skye": access.Scheduler, "Sue": access.Supervisor,
	"Ines": access.Owner, "Vic": access.Supervisor, "Tom": access.Practitioner, "Bea": access.Practitioner, "Will": access.Waiting, "Theo": access.Client, "Carla": access.Client, "Dora": access.Client, "Eve": access.Person, "Gus": access.Person, "Greta": access.Contact, "Hal": access.Person, "Nell": access.Person, "Milo": access.Person, "Pat": access.Person, "Sam": access.Support, "Lea": access.Leaving}

// rules asks the rules by themselves: a verb that refuses too would hide one
// that is too wide.
func (m *matrix) rules(t *testing.T) {
	t.Helper()
	for _, who := range slices.Concat(guests, persons, others) {
		is := access.Guest()
		if token, ok := m.browser[who].cookies[m.site.sessionCookie()]; ok && !slices.Contains(guests, who) {
			k, err := m.site.lookUp(t.Context(), secret.ParseToken(token))
			if err != nil {
				t.Fatal(err)
			}
			is = k.actor
		}
		if is.Role() != roles[who] {
			t.Errorf("%s is %q, want %q", who, is.Role(), roles[who])
		}
		for _, rt := range routes {
			class := reviewed[rt.pattern]
			if want := class == "nobody" || slices.Contains(classes[class], who); rt.enter(is) != want {
				t.Errorf("%s: its rule lets %s enter: %t", rt.pattern, who, !want)
			}
		}
	}
}

// leaves are the routes that end a session.
var leaves = map[string]bool{"POST /sign-out": true, "POST /join/{link}/switch": true, "POST /session/over": true, "POST /team/{link}/switch": true, "POST /contact/{link}/switch": true}

// decoys asks a cell again, each time with something that other programs have
// fallen for, and sees the same decision. It returns how many there were.
func (m *matrix) decoys(t *testing.T, c cell) int {
	t.Helper()
	m.judge(t, c, m.ask(c, bait))
	if !slices.Contains([]string{"", "Theo", "a colleague"}, c.client) { // another client's address is read no other way
		return 1
	}
	for _, host := range []func(*http.Request){
		func(r *http.Request) { r.Host = "icouch.test.evil.example" },
		func(r *http.Request) { r.Header.Set("X-Forwarded-Host", "evil.example") },
	} {
		if a := m.ask(c, host); a.Code != http.StatusMisdirectedRequest || strings.Contains(a.text, "<") {
			t.Errorf("%s: by another host's name: %d", c, a.Code)
		}
	}
	n := 3
	p := path(c.route.pattern, m.client[c.client])
	if p == "/" {
		return n
	}
	for _, at := range []string{p + "/", "/" + p, "/." + p, "/%2e" + p, "/x/.." + p, "/%2e%2e" + p, p + "/%2e", p + "%2f"} {
		n++
		a := m.askAt(c, at, nil)
		if a.Code >= 500 {
			t.Errorf("%s, as %s: it broke, with %d", c, at, a.Code)
		}
		moved := a.Code == http.StatusMovedPermanently || a.Code == http.StatusTemporaryRedirect || a.Code == http.StatusPermanentRedirect
		if !c.enters && !isNothing(a) && !moved && !asksToSignIn(a) && !asksToStay(a) && !(c.who == "Will" && asksForStep(a)) {
			t.Errorf("%s, as %s: answers %d: %s", c, at, a.Code, clip(a.text))
		}
		if to := a.Header().Get("Location"); moved && (!strings.HasPrefix(to, "/") || strings.HasPrefix(to, "//")) {
			t.Errorf("%s, as %s: leads away, to %q", c, at, to)
		}
	}
	return n
}

// bait is all that a server behind something else might heed: other methods,
// other addresses, other people.
func bait(r *http.Request) {
	other := map[string]string{"GET": "POST", "POST": "GET"}[r.Method]
	for _, h := range []string{"X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"} {
		r.Header.Set(h, other)
	}
	for _, h := range []string{"X-Original-URL", "X-Rewrite-URL", "X-Forwarded-Path", "X-Forwarded-Prefix"} {
		r.Header.Set(h, "/dashboard")
	}
	for h, v := range map[string]string{"X-Forwarded-For": "127.0.0.1", "X-Real-IP": "127.0.0.1", "X-Forwarded-User": "mara@practice.test", "X-Remote-User": "mara@practice.test",
		"X-Role": "owner", "X-Practice-ID": "1", "Forwarded": "host=evil.example", "Authorization": "Basic bWFyYTptYXJh", "X-Requested-With": "XMLHttpRequest", "Accept": "application/json"} {
		r.Header.Set(h, v)
	}
	for name, value := range map[string]string{"role": "owner", "practice": "1", "account": "1", "admin": "true"} {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	r.URL.RawQuery = "_method=" + other + "&role=owner&practice_id=1&account_id=1&by=system&admin=true&as=support&client=1&practitioner=1"
}

func TestMatrixOtherMethodsDoNothing(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	before := state(t, m.world)
	for _, rt := range routes {
		for _, who := range []string{"a stranger", "Mara"} {
			for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "QUERY"} {
				c := cell{rt, who, "Theo", false}
				if a := m.ask(c, func(r *http.Request) { r.Method = method }); !isNothing(a) {
					t.Errorf("%s as %s by %s: answers %d", rt.pattern, who, method, a.Code)
				}
			}
			c := cell{rt, who, "Theo", slices.Contains(classes[reviewed[rt.pattern]], who)}
			if a := m.ask(c, func(r *http.Request) { r.Method = "HEAD" }); a.Code >= 500 || !c.enters && a.Code < 300 {
				t.Errorf("%s as %s by HEAD: answers %d", rt.pattern, who, a.Code)
			}
		}
	}
	same(t, m.world, before, "another method")
}

// fates is what the routes of each sort of link answer, by what became of the
// link: looking first, then pressing. The link of a stranger is nobody's who asks.
var fates = []struct{ route, state, want string }{
	{"/join/{link}", "live", "200 422"}, {"/join/{link}", "used", "410 410"}, {"/join/{link}", "superseded", "410 410"},
	{"/join/{link}", "withdrawn", "410 410"}, {"/join/{link}", "expired", "410 410"}, {"/join/{link}", "unknown", "404 404"},
	{"/join/{link}/sign-in", "live", "200 422"}, {"/join/{link}/sign-in", "used", "410 410"}, {"/join/{link}/sign-in", "superseded", "410 410"},
	{"/join/{link}/sign-in", "withdrawn", "410 410"}, {"/join/{link}/sign-in", "expired", "410 410"}, {"/join/{link}/sign-in", "unknown", "404 404"},
	{"/join/{link}/acceptance", "live", "- 303"}, {"/join/{link}/acceptance", "used", "- 303"}, {"/join/{link}/acceptance", "superseded", "- 303"},
	{"/join/{link}/acceptance", "withdrawn", "- 303"}, {"/join/{link}/acceptance", "expired", "- 303"}, {"/join/{link}/acceptance", "unknown", "- 303"},
	{"/join/{link}/switch", "live", "- 303"}, {"/join/{link}/switch", "used", "- 303"}, {"/join/{link}/switch", "superseded", "- 303"},
	{"/join/{link}/switch", "withdrawn", "- 303"}, {"/join/{link}/switch", "expired", "- 303"}, {"/join/{link}/switch", "unknown", "- 303"},
	{"/join/{link}/new-link", "live", "- 303"}, {"/join/{link}/new-link", "unknown", "- 303"},
	{"/vouched/{link}", "live", "200 422"}, {"/vouched/{link}", "used", "410 410"}, {"/vouched/{link}", "superseded", "410 410"},
	{"/vouched/{link}", "expired", "410 410"}, {"/vouched/{link}", "unknown", "404 404"},
	{"/team/{link}", "live", "200 422"}, {"/team/{link}", "used", "410 410"}, {"/team/{link}", "superseded", "410 410"},
	{"/team/{link}", "withdrawn", "410 410"}, {"/team/{link}", "expired", "410 410"}, {"/team/{link}", "unknown", "404 404"},
	{"/team/{link}/sign-in", "live", "200 422"}, {"/team/{link}/sign-in", "used", "410 410"}, {"/team/{link}/sign-in", "superseded", "410 410"},
	{"/team/{link}/sign-in", "withdrawn", "410 410"}, {"/team/{link}/sign-in", "expired", "410 410"}, {"/team/{link}/sign-in", "unknown", "404 404"},
	{"/team/{link}/acceptance", "live", "- 303"}, {"/team/{link}/acceptance", "used", "- 303"}, {"/team/{link}/acceptance", "unknown", "- 303"},
	{"/team/{link}/switch", "live", "- 303"}, {"/team/{link}/switch", "used", "- 303"}, {"/team/{link}/switch", "unknown", "- 303"},
	{"/team/{link}/new-link", "live", "- 303"}, {"/team/{link}/new-link", "unknown", "- 303"},
	{"/contact/{link}", "live", "200 422"}, {"/contact/{link}", "used", "410 410"}, {"/contact/{link}", "superseded", "410 410"},
	{"/contact/{link}", "withdrawn", "410 410"}, {"/contact/{link}", "expired", "410 410"}, {"/contact/{link}", "unknown", "404 404"},
	{"/contact/{link}/sign-in", "live", "200 422"}, {"/contact/{link}/sign-in", "used", "410 410"}, {"/contact/{link}/sign-in", "superseded", "410 410"},
	{"/contact/{link}/sign-in", "withdrawn", "410 410"}, {"/contact/{link}/sign-in", "expired", "410 410"}, {"/contact/{link}/sign-in", "unknown", "404 404"},
	{"/contact/{link}/acceptance", "live", "- 303"}, {"/contact/{link}/acceptance", "used", "- 303"}, {"/contact/{link}/acceptance", "unknown", "- 303"},
	{"/contact/{link}/switch", "live", "- 303"}, {"/contact/{link}/switch", "used", "- 303"}, {"/contact/{link}/switch", "unknown", "- 303"},
	{"/contact/{link}/new-link", "live", "- 303"}, {"/contact/{link}/new-link", "unknown", "- 303"},
	{"/reset/{link}", "live", "200 422"}, {"/reset/{link}", "used", "410 410"}, {"/reset/{link}", "superseded", "410 410"},
	{"/reset/{link}", "expired", "410 410"}, {"/reset/{link}", "unknown", "404 404"},
	{"/confirm/{link}", "live", "200 422"}, {"/confirm/{link}", "used", "410 410"}, {"/confirm/{link}", "expired", "410 410"}, {"/confirm/{link}", "unknown", "404 404"},
	{"/email/{link}", "live", "200 409"}, {"/email/{link}", "used", "410 410"}, {"/email/{link}", "superseded", "410 410"}, {"/email/{link}", "expired", "410 410"}, {"/email/{link}", "unknown", "404 404"},
	{"/verify/{link}", "live", "200 409"}, {"/verify/{link}", "used", "410 410"}, {"/verify/{link}", "superseded", "410 410"}, {"/verify/{link}", "expired", "410 410"}, {"/verify/{link}", "unknown", "404 404"},
	{"/email-back/{link}", "live", "200 -"}, {"/email-back/{link}", "used", "410 410"}, {"/email-back/{link}", "expired", "410 410"}, {"/email-back/{link}", "unknown", "404 404"},
	{"/recovered/{link}", "live", "200 422"}, {"/recovered/{link}", "used", "410 410"}, {"/recovered/{link}", "withdrawn", "410 410"},
	{"/recovered/{link}", "expired", "410 410"}, {"/recovered/{link}", "unknown", "404 404"},
	{"/choices/{link}", "live", "200 422"}, {"/choices/{link}", "unknown", "404 404"},
	{"/convert/{link}", "live", "200 -"}, {"/convert/{link}", "used", "410 -"}, {"/convert/{link}", "expired", "410 -"}, {"/convert/{link}", "unknown", "404 -"},
	{"/convert/{link}/confirmation", "live", "- 409"}, {"/convert/{link}/confirmation", "used", "- 410"}, {"/convert/{link}/confirmation", "expired", "- 410"}, {"/convert/{link}/confirmation", "unknown", "- 404"},
	{"/convert/{link}/refusal", "live", "- -"}, {"/convert/{link}/refusal", "used", "- 410"}, {"/convert/{link}/refusal", "expired", "- 410"}, {"/convert/{link}/refusal", "unknown", "- 404"},
}

// linkMaker makes links of each sort and brings them into a state.
type linkMaker struct {
	t *testing.T
	w *world.World
	n int

	helpers []id.Account // in support
}

// somebody new has an address of their own.
func (l *linkMaker) somebody(verified bool) (id.Account, email.Address) {
	l.n++
	a, err := email.Parse(fmt.Sprintf("zara%d@example.com", l.n))
	if err != nil {
		l.t.Fatal(err)
	}
	var who id.Account
	l.w.Update(l.t, func(tx *db.Tx) (err error) {
		who, err = account.Make(tx, access.Guest(), account.New{Name: "Zara Zwei", Email: a, Zone: "UTC", Password: "x", Verified: verified})
		return err
	})
	return who, a
}

// support is one of two in support.
func (l *linkMaker) support(i int) access.Actor {
	l.t.Helper()
	for len(l.helpers) <= i {
		who, a := l.somebody(true)
		l.w.Update(l.t, func(tx *db.Tx) error { return support.Appoint(tx, access.Operator(), a) })
		l.helpers = append(l.helpers, who)
	}
	return access.AsSupport(l.helpers[i])
}

// do runs a verb, sends what there is to send and returns the link in the letter.
func (l *linkMaker) do(to, sort string, verb func(*db.Tx) error) string {
	l.t.Helper()
	l.w.Update(l.t, verb)
	l.w.RunJobs(l.t)
	if sort == "" {
		return ""
	}
	return l.w.Link(l.t, to, sort)
}

func (l *linkMaker) join(state string) string {
	l.n++
	c := l.w.Client(l.t, l.w.Mara, people.Draft{First: "Zara", Last: "Zwei", Email: fmt.Sprintf("zara%d@example.com", l.n), EmailConsent: true})
	var token secret.Token
	l.w.Update(l.t, func(tx *db.Tx) (err error) {
		token, err = people.CopyLink(tx, l.w.Mara, c)
		return err
	})
	after := map[string]func(*db.Tx) error{
		"superseded": func(tx *db.Tx) (err error) { _, err = people.CopyLink(tx, l.w.Mara, c); return err },
		"withdrawn":  func(tx *db.Tx) error { return people.Withdraw(tx, l.w.Mara, c) },
		"used":       func(tx *db.Tx) error { _, err := people.SignUp(tx, access.Guest(), token, "x"); return err },
	}[state]
	if after != nil {
		l.w.Pass(2 * time.Minute)
		l.w.Update(l.t, after)
	}
	return token.Reveal()
}

func (l *linkMaker) team(state string) string {
	l.t.Helper()
	l.n++
	to := fmt.Sprintf("zara%d@example.com", l.n)
	a, err := email.Parse(to)
	if err != nil {
		l.t.Fatal(err)
	}
	link := l.do(to, "/team/", func(tx *db.Tx) error {
		return team.Invite(tx, l.w.Mara, team.Draft{Name: "Zara Zwei", Email: a, Role: access.Biller})
	})
	var open []team.Invited
	l.w.View(l.t, func(tx *db.Tx) (err error) { open, err = team.Invitations(tx, l.w.Mara); return err })
	open = slices.DeleteFunc(open, func(i team.Invited) bool { return i.Email != a })
	after := map[string]func(*db.Tx) error{
		"superseded": func(tx *db.Tx) error { return team.Resend(tx, l.w.Mara, open[0].ID) },
		"withdrawn":  func(tx *db.Tx) error { return team.Withdraw(tx, l.w.Mara, open[0].ID) },
		"used": func(tx *db.Tx) error {
			_, err := team.SignUp(tx, access.Guest(), secret.ParseToken(link), "x")
			return err
		},
	}[state]
	if after != nil {
		l.w.Pass(2 * time.Minute)
		l.do(to, "", after)
	}
	return link
}

func (l *linkMaker) contact(state string) string {
	l.t.Helper()
	l.n++
	to := fmt.Sprintf("zara%d@example.com", l.n)
	one := noteContact(l.t, l.w, l.w.Mara, l.w.Theo, "Zara Zwei", to)
	link := l.do(to, "/contact/", func(tx *db.Tx) error { return contacts.Invite(tx, l.w.Mara, l.w.Theo, one) })
	after := map[string]func(*db.Tx) error{
		"superseded": func(tx *db.Tx) error { return contacts.Resend(tx, l.w.Mara, l.w.Theo, one) },
		"withdrawn":  func(tx *db.Tx) error { return contacts.Withdraw(tx, l.w.Mara, l.w.Theo, one) },
		"used": func(tx *db.Tx) error {
			_, err := contacts.SignUp(tx, access.Guest(), secret.ParseToken(link), "x")
			return err
		},
	}[state]
	if after != nil {
		l.w.Pass(2 * time.Minute)
		l.do(to, "", after)
	}
	return link
}

func (l *linkMaker) make(route, state string) string {
	l.t.Helper()
	if state == "unknown" {
		return secret.NewToken().Reveal()
	}
	sort := route[:strings.Index(route, "{")]
	switch sort {
	case "/join/":
		return l.join(state)
	case "/team/":
		return l.team(state)
	case "/contact/":
		return l.contact(state)
	}
	who, a := l.somebody(sort != "/verify/")
	by, to := access.AsPerson(who), a.String()
	ask := func(tx *db.Tx) error { return account.AskReset(tx, access.Guest(), a) }
	var use func(*db.Tx, secret.Token) error
	switch sort {
	case "/reset/":
		use = func(tx *db.Tx, token secret.Token) error {
			_, err := account.Reset(tx, access.Guest(), token, "x")
			return err
		}
	case "/confirm/":
		l.n++
		fresh, _ := email.Parse(fmt.Sprintf("zara%d@example.com", l.n))
		to = fresh.String()
		ask = func(tx *db.Tx) error { return account.BeginSignUp(tx, access.Guest(), "Zara Zwei", fresh) }
		use = func(tx *db.Tx, token secret.Token) error {
			_, err := account.ConfirmSignUp(tx, access.Guest(), token, "x")
			return err
		}
	case "/verify/":
		ask = func(tx *db.Tx) error { return account.AskVerify(tx, by, who) }
		use = func(tx *db.Tx, token secret.Token) error { return account.ConfirmVerify(tx, by, token) }
	case "/email/", "/email-back/":
		l.n++
		fresh, _ := email.Parse(fmt.Sprintf("zara%d@example.com", l.n))
		ask, to = func(tx *db.Tx) error { return account.AskEmail(tx, by, fresh) }, fresh.String()
		use = func(tx *db.Tx, token secret.Token) error { return account.ConfirmEmail(tx, by, token) }
		if sort == "/email-back/" {
			there := secret.ParseToken(l.do(to, "/email/", ask))
			ask, to = func(tx *db.Tx) error { return account.ConfirmEmail(tx, by, there) }, a.String()
			use = func(tx *db.Tx, token secret.Token) error { return account.Revert(tx, access.Guest(), token) }
		}
	case "/vouched/":
		c := l.w.Client(l.t, l.w.Mara, people.Draft{First: "Zara", Last: "Zwei", Email: to, EmailConsent: true})
		l.w.Update(l.t, func(tx *db.Tx) error {
			token, err := people.CopyLink(tx, l.w.Mara, c)
			if err != nil {
				return err
			}
			_, err = people.Accept(tx, by, token)
			return err
		})
		ask = func(tx *db.Tx) error { return people.Vouch(tx, l.w.Mara, c) }
		use = func(tx *db.Tx, token secret.Token) error { return people.UseVouch(tx, by, token, who) }
	case "/recovered/": // of a colleague, by two in support
		l.w.Update(l.t, func(tx *db.Tx) error { _, err := people.Join(tx, l.w.Ines, who, access.Biller); return err })
		sam, sia := l.support(0), l.support(1)
		ask = func(tx *db.Tx) error {
			if err := recovery.AskFor(tx, sam, who, "because"); err != nil {
				return err
			}
			r, err := recovery.About(tx, sam, who)
			if err != nil {
				return err
			}
			return recovery.Approve(tx, sia, r.ID)
		}
		use = func(tx *db.Tx, token secret.Token) error { return recovery.Use(tx, by, token, who) }
		if state == "withdrawn" {
			link := l.do(to, sort, ask)
			l.do(to, "", func(tx *db.Tx) error {
				r, err := recovery.About(tx, sam, who)
				if err != nil {
					return err
				}
				return recovery.Withdraw(tx, sam, r.ID)
			})
			return link
		}
	case "/convert/":
		l.w.Update(l.t, func(tx *db.Tx) error { _, err := people.Found(tx, by, "Zara’s", "Europe/London"); return err })
		ask = func(tx *db.Tx) error { _, err := support.Ask(tx, access.Operator(), who, "because"); return err }
		use = func(tx *db.Tx, token secret.Token) error { return support.Decline(tx, access.Guest(), token) }
	case "/choices/":
		var token string
		l.w.View(l.t, func(tx *db.Tx) (err error) { token, err = letter.ChoicesToken(tx, access.Guest(), a); return err })
		return token
	}
	link := l.do(to, sort, ask)
	switch state {
	case "used":
		l.do(to, "", func(tx *db.Tx) error { return use(tx, secret.ParseToken(link)) })
	case "superseded":
		l.w.Pass(2 * time.Minute)
		l.do(to, "", ask)
	}
	return link
}

func TestMatrixEveryLinkInEveryState(t *testing.T) {
	t.Parallel()
	w := world.New(t)
	s := serve(t, w)
	l := &linkMaker{t: t, w: w}
	link := map[string]string{}
	for _, f := range fates { // what has to grow old first
		if f.state == "expired" {
			link[f.route+f.state] = l.make(f.route, f.state)
		}
	}
	w.Pass(30 * 24 * time.Hour)
	for _, f := range fates {
		if f.state != "expired" {
			link[f.route+f.state] = l.make(f.route, f.state)
		}
	}
	covered := map[string]bool{}
	before := state(t, w)
	for _, f := range fates {
		for _, who := range []string{"a stranger", "Mara"} {
			for i, method := range []string{"GET", "POST"} {
				covered[method+" "+f.route] = true
				want := strings.Fields(f.want)[i]
				if want == "-" {
					continue
				}
				b := s.browser(t, w)
				if who == "Mara" {
					if method == "POST" && (strings.HasPrefix(f.route, "/join/") || strings.HasPrefix(f.route, "/team/") || strings.HasPrefix(f.route, "/contact/")) {
						continue // what a signed-in person may do with a link is told in join_test.go
					}
					b.as("mara@practice.test")
					before = state(t, w)
				}
				at := strings.Replace(f.route, "{link}", link[f.route+f.state], 1)
				a := b.send(method, at, url.Values{"practice_id": {"1"}, "email": {"x@intruder.test"}})
				if got := fmt.Sprint(a.Code); got != want && !(who == "Mara" && strings.HasSuffix(f.route, "/sign-in") && got == "303") {
					t.Errorf("%s %s, %s, as %s: answers %s, want %s: %s", method, f.route, f.state, who, got, want, clip(a.text))
				}
				if f.state != "live" && (strings.Contains(a.text, "Zara") || strings.Contains(a.text, "zara")) {
					t.Errorf("%s %s, %s, as %s: shows whose it was", method, f.route, f.state, who)
				}
				if strings.Contains(a.Header().Get("Location"), "intruder") || method == "GET" && len(a.Header()["Set-Cookie"]) > 0 {
					t.Errorf("%s %s, %s: leads to %q, sets %q", method, f.route, f.state, a.Header().Get("Location"), a.Header()["Set-Cookie"])
				}
				if strings.HasSuffix(f.route, "/new-link") && f.state != "live" { // that somebody asked is in the trail
					before = state(t, w)
				}
				same(t, w, before, method+" "+f.route+", "+f.state+", as "+who)
			}
		}
	}
	for pattern, class := range reviewed {
		if class == "holders" && !covered[pattern] && pattern != "GET /f/{pass}" { // a pass in each state: files_test.go
			t.Errorf("%s was not asked with a link in each state", pattern)
		}
	}
	b := s.browser(t, w) // the premise: these links are good for something
	b.post("/reset/"+link["/reset/{link}live"], form("password", "a heron stands in the reeds")).leads(t, "/sign-in?said=reset")
	b.post("/join/"+link["/join/{link}live"], form("password", "a heron stands in the reeds")).leads(t, "/welcome")
}

// owned is who everything belongs to: what no form may say.
func owned(t *testing.T, w *world.World) map[string]bool {
	t.Helper()
	var all string
	err := w.DB.Row(t.Context(), `SELECT
		COALESCE((SELECT string_agg('practice ' || id || ' ' || founder_id, ';') FROM practice), '') || ';' ||
		COALESCE((SELECT string_agg('practitioner ' || practice_id || ' ' || id || ' ' || account_id || ' ' || role || CAST(active AS TEXT), ';') FROM practitioner), '') || ';' ||
		COALESCE((SELECT string_agg('client ' || practice_id || ' ' || id || ' ' || COALESCE(account_id, 'none') || COALESCE(CAST(linked_at AS TEXT), '') || CAST(created_at AS TEXT) || practitioner_id, ';') FROM client), '') || ';' ||
		COALESCE((SELECT string_agg('account ' || id || ' ' || COALESCE(CAST(verified_at AS TEXT), '') || CAST(created_at AS TEXT) || password, ';') FROM account), '') || ';' ||
		COALESCE((SELECT string_agg('invitation ' || practice_id || ' ' || id || ' ' || client_id || practitioner_id || CAST(created_at AS TEXT) || CAST(expires_at AS TEXT), ';') FROM invitation), '') || ';' ||
		COALESCE((SELECT string_agg('session ' || id || ' ' || account_id || COALESCE(practice_id, '') || COALESCE(client_id, '') || CAST(ends_at AS TEXT), ';') FROM session), '')`, nil, &all)
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for _, row := range strings.Split(all, ";") {
		rows[row] = true
	}
	return rows
}

// extra is every field of everything there is, as an intruder would fill it in.
func extra(m *matrix) url.Values {
	ines := m.world.Ines
	return form("practice_id", ines.Practice().String(), "PracticeID", ines.Practice().String(), "Practice", ines.Practice().String(), "account_id", ines.Account().String(), "account", ines.Account().String(),
		"Account", ines.Account().String(), "practitioner_id", ines.Practitioner().String(), "client_id", m.client["Ida"], "Client", m.client["Ida"], "role", "owner", "Role", "owner", "active", "false",
		"verified", "true", "verified_at", "2030-01-01", "Verified", "true", "password_hash", "x", "hash", "x", "linked_at", "2030-01-01", "LinkedAt", "2030-01-01", "ends_at", "2020-01-01", "EndsAt", "2020-01-01",
		"founder_id", ines.Account().String(), "created_at", "2020-01-01", "expires_at", "2099-01-01", "used_at", "2020-01-01", "seen_at", "2099-01-01", "state", "used", "token", "x", "token_hash", "x",
		"email_index", "x", "email_consent", "true", "steps_hidden", "true", "ordinal", "99", "by", "system", "actor", "owner", "admin", "1", "is_admin", "1", "client[account_id]", ines.Account().String(),
		"practice.id", ines.Practice().String(), "_method", "DELETE", "said", "saved")
}

func TestMatrixExtraFieldsChangeNothing(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	w := m.world
	made := 0
	for _, rt := range routes {
		if method(rt.pattern) == "GET" {
			continue
		}
		for _, who := range []string{"a stranger", "Theo", "Mara", "Noor", "Pat"} {
			c := cell{rt, who, "Theo", false}
			if who == "Noor" {
				c.client = "Lena"
			}
			f := extra(m)
			for name, value := range tempting(m) {
				f[name] = value
			}
			before := owned(t, w)
			a := m.ask(c, func(r *http.Request) {
				body := f.Encode()
				r.Body, r.ContentLength = io.NopCloser(strings.NewReader(body)), int64(len(body))
				r.URL.RawQuery = extra(m).Encode()
			})
			if a.Code >= 500 {
				t.Errorf("%s: it broke, with %d", c, a.Code)
			}
			after := owned(t, w)
			for row := range before {
				if !after[row] && !(leaves[rt.pattern] || rt.pattern == "POST /switch" || rt.pattern == "POST /practice/new") && !strings.HasPrefix(row, "session") {
					t.Errorf("%s: %q is gone, or is another's", c, row)
				}
			}
			for row := range after {
				if before[row] {
					continue
				}
				made++
				kind, rest, _ := strings.Cut(row, " ")
				practice, _, _ := strings.Cut(rest, " ")
				switch kind {
				case "client", "invitation":
					if !m.worksAt(t, who, practice, after) || kind == "client" && !strings.Contains(row, " none") {
						t.Errorf("%s: makes %q", c, row)
					}
				case "practice", "practitioner":
					if rt.pattern != "POST /practice/new" || strings.Contains(row, w.Ines.Account().String()) {
						t.Errorf("%s: makes %q", c, row)
					}
				case "account":
					t.Errorf("%s: makes %q", c, row)
				case "session":
					if strings.Contains(row, w.Ines.Account().String()) {
						t.Errorf("%s: makes a session of another's", c)
					}
				}
			}
			if !slices.Contains(guests, who) {
				m.browser[who] = m.site.browser(t, w).as(m.address[who])
			}
		}
	}
	if made < 5 {
		t.Errorf("the forms made only %d things", made)
	}
	for who := range m.address {
		m.account(t, who) // each has the address they had
	}
}

// account is somebody's, by their address.
func (m *matrix) account(t *testing.T, who string) (a id.Account) {
	t.Helper()
	address, err := email.Parse(m.address[who])
	if err != nil {
		t.Fatal(err)
	}
	m.world.View(t, func(tx *db.Tx) error {
		found, err := account.ByEmail(tx, access.Guest(), address)
		a = found.ID
		return err
	})
	return a
}

// worksAt reports whether somebody is a member of a practice, by what is owned.
func (m *matrix) worksAt(t *testing.T, who, practice string, rows map[string]bool) bool {
	t.Helper()
	if slices.Contains(guests, who) {
		return false
	}
	for row := range rows {
		if f := strings.Fields(row); len(f) > 3 && f[0] == "practitioner" && f[1] == practice && f[3] == m.account(t, who).String() {
			return true
		}
	}
	return false
}

func TestMatrixAVersionIsNotGuessed(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	w := m.world
	b := m.browser["Mara"]
	at := "/people/" + m.client["Theo"] + "/edit"
	version := regexp.MustCompile(`name="version" value="([0-9]+)"`).FindStringSubmatch(b.get(at).text)
	if version == nil {
		t.Fatal("the form has no version")
	}
	edit := func(pairs ...string) url.Values {
		f := form("first", "Theodor", "last", "Vance", "email", "theo@example.com", "consent", "yes")
		for name, value := range form(pairs...) {
			f[name] = value
		}
		return f
	}
	before := state(t, w)
	for _, v := range []string{"", "0", "-1", "99", "2147483648", "9223372036854775807", "9223372036854775808", "1e0", "0x1", " " + version[1], version[1] + ".0", version[1] + " OR 1=1", "null", "%"} {
		b.post(at, edit("version", v)).shows(t, http.StatusConflict, "Somebody else changed this record")
	}
	for _, p := range []string{w.Ines.Practitioner().String(), id.New[id.Practitioner](w.Now()).String(), "x"} {
		b.post(at, edit("version", version[1], "practitioner", p)).shows(t, http.StatusUnprocessableEntity)
	}
	same(t, w, before, "a version or a practitioner made up")
	hers := "/people/" + m.client["Lena"]
	m.browser["Noor"].post(hers+"/edit", url.Values{"first": {"Lena"}, "last": {"Marsh"}, "version": {"1"}, "practitioner": {w.Mara.Practitioner().String()}}).leads(t, hers+"?said=saved")
	m.browser["Noor"].get(hers).shows(t, 200, "Lena Marsh") // still hers: handing over is for who runs the practice
	b.post(at, edit("version", version[1])).leads(t, "/people/"+m.client["Theo"]+"?said=saved")
}

// Whoever confirms a sign-up has the name and address they signed up with.
func TestMatrixASignUpIsConfirmedAsItWasTyped(t *testing.T) {
	t.Parallel()
	m := newMatrix(t)
	w := m.world
	b := m.site.browser(t, w)
	f := extra(m)
	f.Set("name", "Nora New")
	f.Set("email", "nora@example.com")
	b.post("/sign-up", f).leads(t, "/sign-up?said=sent")
	w.RunJobs(t)
	f.Set("name", "Xavier Intruder")
	f.Set("email", "x@intruder.test")
	f.Set("password", "a heron stands in the reeds")
	b.post("/confirm/"+w.Link(t, "nora@example.com", "/confirm/"), f).leads(t, "/practice/new")
	b.get("/settings").shows(t, 200, "Nora New", "nora@example.com")
	b.get("/people").shows(t, 404, nothingHere)
	if len(w.Letters("x@intruder.test")) > 0 {
		t.Error("a letter went to the address of the second form")
	}
}
