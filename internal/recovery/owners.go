package recovery

import (
	"slices"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/at"
	"icouch/internal/base/id"
	"icouch/internal/people"
	"icouch/internal/platform/db"
)

// settled is how long somebody has been an owner before their word counts here:
// else one person makes a second owner of themself and is two at once.
const settled = 7 * 24 * time.Hour

// owners are the active owners among members whose word counts, but for some.
func owners(now at.Time, all []people.Practitioner, but ...id.Account) (some []people.Practitioner) {
	for _, p := range all {
		if p.Active && p.Role == access.Owner && !p.Since.Plus(settled).After(now.Time) && !slices.Contains(but, p.Account) {
			some = append(some, p)
		}
	}
	return some
}

// counts reports whether somebody is an owner whose word counts here.
func counts(tx *db.Tx, all []people.Practitioner, who id.Account) bool {
	return slices.ContainsFunc(owners(tx.Now(), all), func(p people.Practitioner) bool { return p.Account == who })
}
