package people

import (
	"icouch/internal/access"
	"icouch/internal/base/civil"
)

// For returns the details as by may read them: what a role does not need it
// does not get. Every client that Find returns has gone through here, so that
// no page, form or file can show more.
func (d Details) For(by access.Actor) Details {
	if by.AtWork() && !by.May(access.SeePrivate) {
		d.Born, d.Address = civil.Date{}, ""
	}
	return d
}
