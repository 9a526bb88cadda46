package web

import (
	"net/http"
	"slices"
	"strings"

	"icouch/internal/access"
	"icouch/internal/base/civil"
)

// CrisisPage is numbers to call, and nothing else.
type CrisisPage struct {
	Page
	Countries []country
}

type country struct {
	Name    string
	Regions string // as browsers name them, behind the language
	Lines   []line
}

// line is one number: whose it is, as people know it, and what else to know.
type line struct {
	Whose, Number, Dial string
	Words               string
	Text                bool // takes text messages, too
}

// call is what its button says, with the number on one line.
func (l line) call() string {
	return "Call\u00a0" + strings.ReplaceAll(l.Number, " ", "\u00a0") + " · " + l.Whose
}

// crisisLines are national numbers that stand for years. Add only one that you
// have looked up where it is published: a wrong one is worse than none.
var crisisLines = []country{
	{"United States and Canada", "US CA", []line{
		{"Suicide and crisis line", "988", "988", "Day and night.", true},
		{"In danger now", "911", "911", "", false}}},
	{"United Kingdom", "GB", []line{
		{"Samaritans", "116 123", "116123", "Day and night, free.", false},
		{"NHS", "111", "111", "For urgent help that is not an emergency.", false},
		{"In danger now", "999", "999", "", false}}},
	{"Ireland", "IE", []line{
		{"Samaritans", "116 123", "116123", "Day and night, free.", false},
		{"In danger now", "112", "112", "", false}}},
	{"Australia", "AU", []line{
		{"Lifeline", "13 11 14", "131114", "Day and night.", false},
		{"In danger now", "000", "000", "", false}}},
	{"New Zealand", "NZ", []line{
		{"Talk to a counselor", "1737", "1737", "Day and night, free.", true},
		{"In danger now", "111", "111", "", false}}},
	{"Everywhere in the European Union", "AT BE BG CY CZ DE DK EE ES FI FR GR HR HU IT LT LU LV MT NL PL PT RO SE SI SK", []line{
		{"In danger now", "112", "112", "", false}}},
}

// crisisFor are all lines, first those of the country that a browser says it is
// set to: "en-IE, en;q=0.8" is Ireland. It is a guess, so that none is left out.
func crisisFor(languages string) []country {
	all := slices.Clone(crisisLines)
	for tag := range strings.SplitSeq(languages, ",") {
		tag, _, _ = strings.Cut(strings.TrimSpace(tag), ";")
		_, region, _ := strings.Cut(tag, "-")
		at := slices.IndexFunc(all, func(c country) bool { return slices.Contains(strings.Fields(c.Regions), strings.ToUpper(region)) })
		if at >= 0 {
			here := all[at]
			return slices.Insert(slices.Delete(all, at, at+1), 0, here)
		}
	}
	return all
}

// showCrisis is GET /crisis. It asks the database nothing, so that it is there
// when little else is.
func (s *Site) showCrisis(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return s.show(w, r, http.StatusOK, CrisisPage{s.door(r, "Crisis help"), crisisFor(r.Header.Get("Accept-Language"))}.View())
}

// crisis is the line of the reader's own country, or where their time zone does
// not tell which that is, of the practice's.
func (p ThreadPage) crisis() (l line, known bool) { return crisisAt(p.reader.Zone, p.reader.there) }

// crisisAt is the first line of the country of the first of these time zones
// that tells one.
func crisisAt(zones ...civil.Zone) (l line, known bool) {
	for _, z := range zones {
		if l, known = crisisIn(z.String()); known {
			return l, true
		}
	}
	return l, false
}

func crisisIn(zone string) (l line, known bool) {
	at := -1
	for i, prefixes := range []string{"America/ US/ Canada/ Pacific/Honolulu", "Europe/London Europe/Belfast", "Europe/Dublin", "Australia/", "Pacific/Auckland Pacific/Chatham", "Europe/"} {
		for _, prefix := range strings.Fields(prefixes) {
			if at < 0 && strings.HasPrefix(zone, prefix) {
				at = i
			}
		}
	}
	if at < 0 || strings.HasPrefix(zone, "America/") && !northAmerican(zone) {
		return l, false
	}
	return crisisLines[at].Lines[0], true
}

// need is what stands where somebody may be most alone: the number of their
// country, or where it is not known, the way to all of them.
type need struct {
	line
	known bool
}

func needAt(zones ...civil.Zone) *need {
	l, known := crisisAt(zones...)
	return &need{l, known}
}

// northAmerican reports whether a zone of the Americas is of the United States
// or Canada: their cities are many, and these are not theirs.
func northAmerican(zone string) bool {
	for _, elsewhere := range []string{"Argentina", "Mexico", "Bogota", "Lima", "Caracas", "Santiago", "Sao_Paulo", "Bahia", "Manaus", "Fortaleza", "Recife", "Havana", "Jamaica", "Panama", "Costa_Rica",
		"Guatemala", "El_Salvador", "Managua", "Tegucigalpa", "La_Paz", "Asuncion", "Montevideo", "Guayaquil", "Cancun", "Monterrey", "Tijuana", "Hermosillo", "Chihuahua", "Mazatlan", "Merida", "Santo_Domingo", "Port-au-Prince", "Guyana", "Paramaribo", "Cayenne", "Nuuk"} {
		if strings.HasSuffix(zone, elsewhere) || strings.Contains(zone, "/"+elsewhere+"/") {
			return false
		}
	}
	return true
}
