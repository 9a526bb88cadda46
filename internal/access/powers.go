package access

import "slices"

// Power is something a member of a practice may do because of their role.
type Power string

// The powers. What each means, and who has it, stands in Powers, and nowhere else.
const (
	OpenPeople     Power = "open-people"
	SeeEveryone    Power = "see-everyone"
	SeePrivate     Power = "see-private"
	Invite         Power = "invite"
	Export         Power = "export"
	Break          Power = "break-glass"
	AssignCare     Power = "assign-care"
	ManageMembers  Power = "manage-members"
	MakeOwners     Power = "make-owners"
	ChangePractice Power = "change-practice"
	ReadTrail      Power = "read-trail"
	ReviewTrail    Power = "review-trail"
	ReadReasons    Power = "read-reasons"
	Vouch          Power = "vouch"
	Recover        Power = "recover"
	Close          Power = "close-practice"
)

// Held is one power: what it lets somebody do, in the words of a practice, and
// the roles that have it.
type Held struct {
	Power Power
	Says  string
	By    []Role
}

// Powers is who may do what. The table in the documentation is made from it.
var Powers = []Held{
	{OpenPeople, "Open the list of clients", []Role{Owner, Administrator, Practitioner, Supervisor, Scheduler, Biller}},
	{SeeEveryone, "See every client’s name and how to reach them, not only their own clients’", []Role{Owner, Administrator, Scheduler, Biller}},
	{SeePrivate, "See a client’s date of birth and postal address", []Role{Owner, Administrator, Practitioner, Supervisor, Biller}},
	{Invite, "Add clients, change their details, invite them, end their care and take it back", []Role{Owner, Administrator, Practitioner, Supervisor}},
	{Vouch, "Vouch for a client who has lost every way to sign in", []Role{Owner, Administrator, Practitioner, Supervisor}},
	{Break, "Open a colleague’s client in an emergency: with a reason, for an hour at most, and the owners, the client and who may see the record for them are told", []Role{Practitioner, Supervisor}},
	{Export, "Take the list of clients away as a file", []Role{Owner, Administrator}},
	{AssignCare, "Choose who looks after a client or a joint record, who is in the care team, and hand over a caseload", []Role{Owner, Administrator}},
	{ManageMembers, "Invite colleagues, give roles, make a member inactive", []Role{Owner, Administrator}},
	{MakeOwners, "Make somebody an owner, or an owner something else", []Role{Owner}},
	{Recover, "Say that a colleague has lost every way to sign in, and approve it: two owners, one after the other", []Role{Owner}},
	{ChangePractice, "Change the practice’s name, time zone and rules", []Role{Owner, Administrator}},
	{Close, "Close the practice on a day at least 30 days ahead, and take that back until then", []Role{Owner}},
	{ReadTrail, "Read who did and saw what in the practice, and take that away as a file", []Role{Owner, Administrator}},
	{ReviewTrail, "Sign that the weekly digest was reviewed", []Role{Owner}},
	{ReadReasons, "Read why a colleague’s client was opened in an emergency", []Role{Owner}},
}

// WorkRoles are the roles of a practice's members, those with the most to do first.
var WorkRoles = []Role{Owner, Administrator, Practitioner, Supervisor, Scheduler, Biller}

// May reports whether a has a power: as a member of a practice, at work there.
func (a Actor) May(p Power) bool {
	if !a.AtWork() {
		return false
	}
	for i := range Powers {
		if Powers[i].Power == p {
			return slices.Contains(Powers[i].By, a.role)
		}
	}
	return false
}

// Has reports whether a member with this role has a power.
func (r Role) Has(p Power) bool { return Actor{role: r, practitioner: "?"}.May(p) }
