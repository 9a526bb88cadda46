package web

import (
	"net/http"

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

// line is one number: as people know it, and for whom it is.
type line struct{ Number, Dial, Words string }

// crisisLines are national numbers that stand for years. Add only one that you
// have looked up where it is published: a wrong one is worse than none.
var crisisLines = []country{
	{"United States and Canada", []line{
		{"988", "988", "Suicide and crisis line, call or text, day and night"},
		{"911", "911", "Somebody is in danger now"}}},
	{"United Kingdom", []line{
		{"116 123", "116123", "Samaritans, day and night, free"},
		{"111", "111", "NHS, for urgent help that is not an emergency"},
		{"999", "999", "Somebody is in danger now"}}},
	{"Ireland", []line{
		{"116 123", "116123", "Samaritans, day and night, free"},
		{"112", "112", "Somebody is in danger now"}}},
	{"Australia", []line{
		{"13 11 14", "131114", "Lifeline, day and night"},
		{"000", "000", "Somebody is in danger now"}}},
	{"New Zealand", []line{
		{"1737", "1737", "Talk to a counselor, call or text, day and night, free"},
		{"111", "111", "Somebody is in danger now"}}},
	{"Everywhere in the European Union", []line{
		{"112", "112", "Somebody is in danger now"}}},
}

// showCrisis is GET /crisis. It asks the database nothing, so that it is there
// when little else is.
func (s *Site) showCrisis(w http.ResponseWriter, r *http.Request, _ access.Actor) error {
	return s.show(w, r, http.StatusOK, CrisisPage{s.door(r, "Crisis help"), crisisLines}.View())
}
