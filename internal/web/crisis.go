package web

import (
	"net/http"
	"strings"

	"icouch/internal/access"
)

// CrisisPage is numbers to call, and nothing else.
type CrisisPage struct {
	Page
	Countries []country
}

type country struct {
	Name  string
	Lines []line
}

// line is one number: whose it is, as people know it, and what else to know.
type line struct {
	Whose, Number, Dial string
	Words               string
	Text                bool // takes text messages, too
}

// crisisLines are national numbers that stand for years. Add only one that you
// have looked up where it is published: a wrong one is worse than none.
var crisisLines = []country{
	{"United States and Canada", []line{
		{"Suicide and crisis line", "988", "988", "Day and night.", true},
		{"In danger now", "911", "911", "", false}}},
	{"United Kingdom", []line{
		{"Samaritans", "116 123", "116123", "Day and night, free.", false},
		{"NHS", "111", "111", "For urgent help that is not an emergency.", false},
		{"In danger now", "999", "999", "", false}}},
	{"Ireland", []line{
		{"Samaritans", "116 123", "116123", "Day and night, free.", false},
		{"In danger now", "112", "112", "", false}}},
	{"Australia", []line{
		{"Lifeline", "13 11 14", "131114", "Day and night.", false},
		{"In danger now", "000", "000", "", false}}},
	{"New Zealand", []line{
		{"Talk to a counselor", "1737", "1737", "Day and night, free.", true},
		{"In danger now", "111", "111", "", false}}},
	{"Everywhere in the European Union", []line{
		{"In danger now", "112", "112", "", false}}},
}

// showCrisis is GET /crisis. It asks the database nothing, so that it is there
// when little else is.
func (s *Site) showCrisis(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return s.show(w, r, http.StatusOK, CrisisPage{s.door(r, "Crisis help"), crisisLines}.View())
}

// crisis is the line of the reader's own country, where it is known.
func (p ThreadPage) crisis() (l line, known bool) {
	zone := p.reader.Zone.String()
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
