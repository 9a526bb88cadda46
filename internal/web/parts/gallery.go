package parts

import "github.com/a-h/templ"

// sample is what the gallery shows; tests replace its words by hostile ones.
type sample struct {
	word  func(string) string // every word a person wrote goes through it
	shell Shell
}

func plainSample() sample {
	return newSample(func(s string) string { return s })
}

func newSample(word func(string) string) sample {
	return sample{word: word, shell: Shell{
		Brand: word("iCouch"), Title: "Parts", Person: word("Mara Lind"),
		Nav: []NavLink{
			{Label: "Dashboard", Href: "/dashboard", Icon: "layout-dashboard"},
			{Label: "People", Href: "/people", Icon: "users", Current: true},
			{Label: "Calendar", Href: "/calendar", Icon: "calendar"},
			{Label: "Messaging", Href: "/messaging", Icon: "message-circle", Count: 3, Counted: "unread"},
			{Label: "Money", Href: "/money", Icon: "receipt", Break: true},
			{Label: "Settings", Href: "/settings", Icon: "settings", Break: true, InMore: true},
		},
	}}
}

// first is the shell of a practice that has only what is built first.
func (s sample) first() Shell {
	sh := s.shell
	sh.Title = "People"
	sh.Nav = []NavLink{sh.Nav[0], sh.Nav[1], sh.Nav[5]}
	return sh
}

func (s sample) client() Shell {
	sh := s.shell
	sh.Title, sh.Person, sh.Leave = "Dashboard", s.word("Annie Noda"), "https://www.weather.gov/"
	sh.Nav = []NavLink{
		{Label: "Dashboard", Href: "/", Icon: "layout-dashboard", Current: true},
		{Label: "Settings", Href: "/settings", Icon: "settings"},
	}
	sh.Places = []Place{
		{Value: "p1", Label: s.word("Annie Noda at Harbor Practice"), Current: true},
		{Value: "p2", Label: s.word("David at Harbor Practice")},
	}
	sh.Toast = &Toast{Words: "Your settings are saved."}
	return sh
}

func (s sample) door() Shell {
	return Shell{
		Brand: s.word("iCouch"), Title: "Sign up", Problems: s.problems()[1:2],
		Picture: Picture{
			Words: "A quiet place to keep in touch with your practice.",
			Points: []Point{
				{"shield-check", "What you write is encrypted"},
				{"lock", "E-mails never say why you are here"},
				{"heart", "It costs you nothing"},
			},
		},
	}
}

func (s sample) problems() Problems {
	return Problems{
		{Name: "name", Words: s.word("Enter your name")},
		{Name: "password", Words: "Use 15 characters or more"},
		{Words: s.word("This link can be used until Tue 8 Dec")},
	}
}

// people is the table with each state of the Contact column.
func (s sample) people() Table {
	row := func(id, name, mail, note string, state Status, act Button, can ...string) Row {
		act.Hidden, act.Small = s.word(name), true
		cells := []templ.Component{
			Person{Name: s.word(name), Href: "/people/" + id, Note: s.word(note), Mail: s.word(mail)}.View(),
			Words(s.word(mail)).View(), state.View(), ButtonForm{Action: "/people/" + id + "/invitation", Button: act}.View(),
			s.menu(id, name).View(),
		}
		return Row{ID: "row-" + id, Cells: cells, Pick: &Pick{Value: id, Label: "Choose " + s.word(name), Can: can}}
	}
	invite := Button{Label: "Invite", Kind: Soft, Icon: "send"}
	resend := Button{Label: "Re-Send", Kind: Quiet, Icon: "rotate-cw"}
	write := Button{Label: "Secure Message", Kind: Quiet, Icon: "lock"}
	check := Button{Label: "Check the address", Kind: Soft, Icon: "mail-x"}
	return Table{
		ID: "people", Caption: "People", Say: "6 people",
		Columns: []Column{
			{Label: "Name", Kind: Main}, {Label: "E-mail", Kind: Wide}, {Label: "Status"},
			{Label: "Contact", Kind: Act}, {Label: "More", Kind: Corner, Quiet: true},
		},
		Rows: []Row{
			row("1", "Annie Noda", "annie.noda@example.com", "Added today", Status{Words: "Not invited"}, invite, "invite"),
			row("2", "David", "david@example.org", "No appointment yet", Status{Kind: Waiting, Words: "Sent Tue 24 Nov, 2:14\u00a0pm", Detail: "2 times"}, resend, "invite"),
			row("3", "Rashida", "rashida@example.net", "First appointment Mon 30 Nov, 10:00\u00a0am", Status{Kind: Trouble, Words: "Came back: no such mailbox"}, check),
			row("4", "Vince Gill", "vince.gill@example.com", "Next appointment Tue 24 Nov, 9:00\u00a0am", Status{Kind: Active, Words: "Has an account"}, write, "message"),
			row("5", "Noor", "", "", Status{Words: "No e-mail address"}, Button{Label: "Invite", Kind: Soft, Icon: "send", Disabled: true}),
			row("6", "Theo", "theo@example.com", "", Status{Kind: Ended, Words: "Care ended 3 March 2026"}, write, "message"),
		},
		Bulk: &Bulk{ID: "bulk", Action: "/people/deeds", Name: "client", Buttons: []Button{
			{Label: "Invite", Kind: Soft, Icon: "send", Small: true, Applies: "invite", Name: "deed", Value: "invite"},
			{Label: "Message", Kind: Soft, Icon: "lock", Small: true, Applies: "message", Name: "deed", Value: "message"},
			{Label: "Archive", Kind: Ghost, Icon: "archive", Small: true, Name: "deed", Value: "archive"},
		}},
		More: &ShowMore{Href: "/people?after=6", Words: "6 of 18 shown"},
	}
}

func (s sample) menu(id, name string) Menu {
	return Menu{ID: "menu-" + id, Label: "More", Hidden: "for " + s.word(name), Items: []MenuItem{
		{Label: "Open", Icon: "user", Href: "/people/" + id},
		{Label: "Edit", Icon: "pencil", Href: "/people/" + id + "/edit"},
		{Label: "Archive", Icon: "archive", Post: "/people/" + id + "/archive", Danger: true, Apart: true},
	}}
}

func (s sample) segments() Segments {
	return Segments{Label: "Show", Links: []Segment{
		{Label: "Everyone", Href: "/people", Count: "18", Current: true},
		{Label: "Active", Href: "/people?show=active", Count: "9"},
		{Label: "Invited", Href: "/people?show=invited", Count: "5"},
		{Label: "Needs attention", Href: "/people?show=attention", Count: "4"},
	}}
}

func (s sample) steps() Tasks {
	return Tasks{Steps: []Task{
		{Label: "Confirm your e-mail", State: Done, Href: "/steps/1"},
		{Label: "Add your first client", Hint: "You choose when to invite them.", State: Next, Href: "/people/new"},
		{Label: "Set your hours", State: Started, Href: "/steps/3", Words: "Started, 2 days to go"},
		{Label: "Invite a colleague", Href: "/steps/4"},
		{Label: "Set up banking", State: Blocked, Hint: "Needs your hours first."},
	}}
}

func (s sample) facts() Facts {
	return Facts{List: []Fact{
		{Label: "Name", Value: s.word("Annie Noda"), Change: "/change"},
		{Label: "E-mail", Value: s.word("annie.noda@example.com"), Change: "/change"},
		{Label: "Telephone", Missing: "Not given", Change: "/change"},
		{Label: "Record number", Value: "1042"},
	}}
}

func (s sample) numbers() Facts {
	return Facts{Count: true, List: []Fact{{Label: "Exports", Value: "2"}, {Label: s.word("Views of a record with the reader’s own last name"), Value: "1,482"}}}
}

func (s sample) timeline() Timeline {
	return Timeline{Label: "Invitation", Entries: []Entry{
		{Icon: "circle-check-big", Tone: Good, Words: "Account created", When: "Today, 9:02\u00a0am", Timestamp: "2026-11-25T14:02:00Z", Exact: "Wed 25 Nov 2026, 9:02 am, New York time"},
		{Icon: "mail-check", Words: "Delivered", When: "yesterday", By: s.word("annie.noda@example.com")},
		{Icon: "mail-x", Tone: Bad, Words: "Came back: no such mailbox", When: "3 days ago", Detail: s.word("The address has been put right since.")},
		{Icon: "send", Tone: New, Words: "Invited", When: "3 days ago", By: s.word("Mara Lind")},
	}}
}

func (s sample) zones() Select {
	return Select{Name: "zone", Label: "Time zone", Prompt: "Choose a time zone", GuessZone: true, Options: []Option{
		{"America/New_York", "New York time", "America"}, {"America/Los_Angeles", "Los Angeles time", "America"},
		{"Europe/London", "London time", "Europe"}, {"UTC", "UTC", "Other"},
	}}
}

func (s sample) modes(name, problem string) Choices {
	return Choices{Name: name, Legend: "How will you meet?", Value: "video", Problem: problem, Options: []Choice{
		{Value: "video", Label: "Secure Video"}, {Value: "person", Label: "In Person", Hint: s.word("12 Harbor Street")},
		{Value: "phone", Label: "Telephone", Hint: "No number is known yet.", Disabled: true},
	}}
}
