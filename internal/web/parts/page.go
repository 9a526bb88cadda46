package parts

import "github.com/a-h/templ"

// PageHead holds the page's one h1.
type PageHead struct {
	Title   string
	Lede    string
	CountID string // id of the lede, when a search changes it
	Back    *Link
	Crumbs  []Link // the way here; the page itself is not in it
	Actions []Button
	Beside  templ.Component // what stands with the title; none: nil
}

// Link is words that lead somewhere.
type Link struct{ Label, Href string }

// Card is a panel with a heading of its own. Flush lets its children reach the
// edges: tables, Tasks.
type Card struct {
	Title, Note string
	ID          string
	Action      *Button
	Flush       bool
}

// Notice is a banner that stays.
type Notice struct {
	Tone  Tone // Info, Good, Warn or Bad
	Title string
	Words string
	Alert bool // said at once; only for what just happened
}

// Toast is said after something was done, with the way to undo it.
type Toast struct {
	Words string
	Undo  *ButtonForm // its button's label is "Undo" when empty
}

// Empty is a list with nothing in it: one sentence, one way on.
type Empty struct {
	Icon, Title, Words string
	Action             *Button
}

// Details is what can be opened.
type Details struct {
	Summary string
	Open    bool
}

// TaskState is how far one step is.
type TaskState string

// The states of a step. Next is the one to do now.
const (
	Later   TaskState = ""
	Next    TaskState = "next"
	Started TaskState = "started"
	Done    TaskState = "done"
	Blocked TaskState = "blocked"
)

// Tasks is a list of steps, each with its state in words.
type Tasks struct{ Steps []Task }

// Task is one step.
type Task struct {
	Label, Hint, Href string
	State             TaskState
	Words             string // instead of the state's own: "About 2 minutes"
}

// Facts is a list of what is known.
type Facts struct {
	List  []Fact
	Count bool // each is a number: it stands beside its label on every screen
}

// Fact is one line of it.
type Fact struct {
	Label, Value string
	Missing      string // shown when Value is empty: "Not given"
	Verb         string // what is pressed there; empty: "Change"
	Change       string // where it is changed; "" when it cannot be
}

// Timeline is what happened, newest first.
type Timeline struct {
	Label   string
	Entries []Entry
}

// Entry is one thing that happened.
type Entry struct {
	Icon      string
	Tone      Tone
	Words     string
	By        string // who
	When      string // "3 days ago"
	Exact     string // "Sat 21 Nov 2026, 2:14 pm, New York time"
	Timestamp string // for machines: RFC 3339
	Detail    string
}

// CopyBox is text to pass on. Without script it can still be selected.
type CopyBox struct {
	ID, Label, Value string
	Long             bool   // several lines
	For              string // the field that "Use it" fills in; none: there is no such button
}

// Menu is a button with further actions. It needs no script.
type Menu struct {
	ID     string // unique on the page
	Label  string // "More"
	Hidden string // "for Annie Noda"
	Items  []MenuItem
}

// MenuItem is a link, or with Post a form of its own.
type MenuItem struct {
	Label, Icon string
	Href        string
	Post        string
	Hidden      []Pair
	Danger      bool
	Apart       bool // a line stands above it
}

func (t Task) words() string {
	if t.Words != "" {
		return t.Words
	}
	switch t.State {
	case Next:
		return "Do this next"
	case Started:
		return "Started"
	case Done:
		return "Done"
	case Blocked:
		return "Cannot start yet"
	}
	return "To do"
}

func (n Notice) icon() string {
	switch n.Tone {
	case Good:
		return "circle-check-big"
	case Warn:
		return "triangle-alert"
	case Bad:
		return "circle-alert"
	}
	return "info"
}

func (n Notice) tone() string {
	if n.Tone == Plain || n.Tone == New {
		return string(Info)
	}
	return string(n.Tone)
}

func (t Toast) undo() ButtonForm {
	f := *t.Undo
	if f.Button.Label == "" {
		f.Button.Label = "Undo"
	}
	return f
}

func (f Fact) verb() string {
	if f.Verb == "" {
		return "Change"
	}
	return f.Verb
}
