package web

import (
	"bufio"
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"icouch/internal/access"
	"icouch/internal/base/id"
	"icouch/internal/chat"
	"icouch/internal/people"
	"icouch/internal/platform/db"
	"icouch/internal/platform/limit"
	"icouch/internal/team"
	"icouch/internal/world"
)

// talking is a site on which Theo and Mara have a conversation.
type talking struct {
	*served
	w    *world.World
	mara *browser
	theo *browser
	at   string // the conversation's address
}

func newTalking(t *testing.T) *talking {
	t.Helper()
	w := world.New(t)
	w.Linked(t, w.Theo, "theo@example.com")
	s := serve(t, w)
	k := &talking{served: s, w: w, mara: s.browser(t, w).as(mara), theo: s.browser(t, w).as("theo@example.com")}
	a := k.mara.post("/people/"+w.Theo.String()+"/message", url.Values{})
	k.at = a.Header().Get("Location")
	if a.Code != http.StatusSeeOther || !strings.HasPrefix(k.at, "/messages/") {
		t.Fatalf("Secure Message leads to %q, with %d", k.at, a.Code)
	}
	return k
}

func (k *talking) message(body string) url.Values {
	return form("message", id.New[id.Message](k.w.Now()).String(), "body", body)
}

// A page knows which draft its message was made of, and that one goes with it.
func TestADraftThatWasChangedAndSentIsGone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	for _, s := range []struct{ begun, kept, left string }{
		{"I do not knwo", "I do not knwo", ""},
		{"Begun on another device", "I do not knwo", "Begun on another device"},
		{"Begun on another device", "", "Begun on another device"},
	} {
		k.theo.post(k.at+"/draft", form("body", s.begun)).leads(t, k.at+"#end")
		k.theo.get(k.at).shows(t, 200, `name="kept" value="`+s.begun+`"`, ">"+s.begun+"</textarea>")
		m := k.message("I know now.")
		m.Set("kept", s.kept)
		k.theo.post(k.at, m).leads(t, k.at+"#end")
		k.theo.get(k.at).shows(t, 200, `name="kept" value="`+s.left+`"`, ">"+s.left+"</textarea>")
	}
	k.theo.post(k.at+"/draft", form("body", strings.Repeat("x", mostKept))).leads(t, k.at+"#end")
	k.theo.get(k.at).shows(t, 200, `name="kept" value=""`, "xxx</textarea>") // a form has not room for everything
}

// As a form with files there is room for more letters that take several bytes.
func TestADraftComesInEitherShape(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	words := strings.Repeat("ж", 3*chat.Most)
	k.theo.filed(k.at+"/draft", form("body", words)).leads(t, k.at+"#end")
	k.theo.get(k.at).shows(t, 200, ">"+words+"</textarea>")
	k.theo.filed(k.at+"/draft", form("body", words+words)).shows(t, 413)
	page := id.New[id.Page](k.w.Now()).String()
	k.theo.filed(k.at+"/draft", form("body", "Newer", "page", page, "number", "2")).leads(t, k.at+"#end")
	k.theo.filed(k.at+"/draft", form("body", "Older", "page", page, "number", "1")).leads(t, k.at+"#end")
	k.theo.get(k.at).shows(t, 200, ">Newer</textarea>")
	k.theo.filed(k.at+"/draft", form("body", "x", "page", page, "number", "")).shows(t, 422, "could not be read")
	k.theo.filed(k.at+"/draft", form("body", "x", "page", "x", "number", "3")).shows(t, 422, "could not be read")
	k.theo.raw("POST", k.at+"/draft", "--b", "multipart/form-data; boundary=b").shows(t, 422, "could not be read")
}

func TestAnOldPageIsGivenAnIdentifierOfItsOwn(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	first := k.message("The first.")
	k.theo.post(k.at, first).leads(t, k.at+"#end")
	first.Set("body", "The second.")
	a := k.theo.post(k.at, first)
	a.shows(t, 409, "A message was sent from this page before", ">The second.</textarea>")
	a.lacks(t, `name="message" value="`+first.Get("message")+`"`)
	fresh := regexp.MustCompile(`name="message" value="([0-9a-f-]{36})"`).FindStringSubmatch(a.text)
	if fresh == nil {
		t.Fatal("the page has no identifier")
	}
	k.theo.post(k.at, form("message", fresh[1], "body", "The second.")).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "The first.", "The second.")
}

func TestThatSomebodyWentAwayIsNoMistakeOfOurs(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	ctx, leave := context.WithCancel(t.Context())
	leave()
	r := httptest.NewRequestWithContext(ctx, "GET", world.Base+k.at, http.NoBody)
	for name, value := range k.theo.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	k.handler.ServeHTTP(httptest.NewRecorder(), r)
	if log := k.log.String(); strings.Contains(log, "level=ERROR") || !strings.Contains(log, `route="GET /messages/{conversation}" gone=true took=`) {
		t.Errorf("the log says %s", log)
	}
}

func TestASecureMessageIsWrittenAndReadByFormsAlone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.get("/people").shows(t, 200, "Secure Message", k.w.Theo.String()+"/message")
	k.mara.get(k.at).shows(t, 200, "Write the first message", "Not for emergencies", "/crisis")
	k.mara.post(k.at, k.message("Hello Theo.\nSee https://icouch.example/walk, *really*.")).leads(t, k.at+"#end")
	k.theo.get("/dashboard").shows(t, 200, "1 unread", "There is one new message for you.", "Write a message").lacks(t, "nothing can be written")
	k.theo.get("/messages").shows(t, 200, "Mara Lindqvist", "Hello Theo. See", "1 unread")
	k.theo.get(k.at).shows(t, 200, "Hello Theo.", `href="https://icouch.example/walk" target="_blank" rel="noopener noreferrer nofollow ugc"`, "<strong>really</strong>", "Mark as read")
	k.theo.get("/messages").shows(t, 200, "1 unread") // looking changes nothing
	k.theo.post(k.at+"/read", form("seq", "1")).leads(t, k.at+"#end")
	k.theo.get("/messages").lacks(t, "unread")
	k.mara.get(k.at).shows(t, 200, "Seen ")
	k.mara.get("/dashboard").shows(t, 200, "Nothing needs you right now.")
	k.theo.post(k.at, k.message("I will.")).leads(t, k.at+"#end")
	k.mara.get("/dashboard").shows(t, 200, "There is one new message for you.").lacks(t, "Nothing needs you")
	k.mara.get(k.at).shows(t, 200, "I will.", "Theo Vance")
}

// Under words that were changed nothing says that they were seen, and whoever
// reads without script can say that they have read them.
func TestSeenStandsWithTheMessageThatWasSeen(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	stands := func(what string, want int) {
		t.Helper()
		page := k.mara.get(k.at).text
		items := strings.Split(page, `<li id="m-`)
		if n := strings.Count(page, `id="seen"`); n != min(1, want) || want > 0 && !strings.Contains(items[want], `data-of="m-`+strconv.Itoa(want)+`">Seen `) {
			t.Errorf("%s: “Seen” is there %d times, or not with message %d: %s", what, n, want, clip(strings.Join(items[1:], "\n")))
		}
	}
	k.mara.post(k.at, k.message("See you on Monday."))
	changed := k.message("Bring the diary.")
	k.mara.post(k.at, changed)
	stands("nothing is read", 0)
	k.theo.post(k.at+"/read", form("seq", "2", "change", "0"))
	stands("both are read", 2)
	k.theo.get(k.at).lacks(t, "Mark as read")
	k.mara.post(k.at+"/"+changed.Get("message"), form("body", "Bring the letter."))
	stands("the second is changed", 1)
	k.theo.get(k.at).shows(t, 200, "Bring the letter.", "Mark as read", `name="change" value="1"`)
	k.theo.post(k.at+"/read", form("seq", "2", "change", "none")).shows(t, 422, "could not be read")
	k.theo.post(k.at+"/read", form("seq", "2", "change", "1"))
	k.theo.get(k.at).lacks(t, "Mark as read")
	stands("it is read again", 2)
	k.theo.post(k.at, k.message("I will."))
	stands("it is answered", 2)
	k.mara.get(k.at+"/print").shows(t, 200, "Bring the letter.").lacks(t, "Seen ").lacks(t, "Take back").lacks(t, `id="seen"`)
}

// An open page hears at once that its last message was seen, also one that stood
// there when it was opened; and that it is not any more, as it is changed.
func TestSeenIsHeard(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	m := k.message("See you on Monday.")
	k.mara.post(k.at, m)
	h := k.listen(t, k.mara, k.at+"/stream?after=1-0", "")
	defer h.soon(20 * time.Second)()
	hears := func(want string) {
		t.Helper()
		if _, mark := h.next("seen"); !strings.Contains(mark, want) || want == "" && mark != "" {
			t.Errorf("she hears %q, want %q", mark, want)
		}
	}
	hears("")
	k.theo.post(k.at+"/read", form("seq", "1", "change", "0"))
	hears(`data-of="m-1">Seen `)
	k.mara.post(k.at+"/"+m.Get("message"), form("body", "See you on Tuesday."))
	hears("")
	k.theo.post(k.at+"/read", form("seq", "1", "change", "1"))
	hears(`data-of="m-1">Seen `)
}

func TestTheComposerSaysWithWhomOneWrites(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	at := func(to chat.To) (path string) {
		k.w.Update(t, func(tx *db.Tx) error {
			c, err := chat.Start(tx, k.w.Mara, to)
			path = conversationPath(c, "")
			return err
		})
		return path
	}
	k.w.Update(t, func(tx *db.Tx) error { return team.Include(tx, k.w.Mara, k.w.Theo, k.w.Noor.Practitioner(), nil) })
	together, colleague := at(chat.To{Client: k.w.Theo, Team: true}), at(chat.To{Member: k.w.Noor.Practitioner()})
	for _, c := range []struct {
		who      *browser
		at, says string
	}{
		{k.mara, k.at, "Write to Theo Vance"},
		{k.theo, k.at, "Write to Mara Lindqvist"},
		{k.mara, together, "Write to Theo Vance and the care team"},
		{k.theo, together, "Write to your care team"},
		{k.mara, colleague, "Write to Noor Haddad"},
	} {
		c.who.get(c.at).shows(t, 200, `placeholder="`+c.says+`"`, ">Message to ")
	}
}

// Words that come too late to change a message can go as a new one, before what
// was begun there.
func TestWordsThatComeTooLateForAChangeCanGoByThemselves(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	m := k.message("I am find.")
	k.theo.post(k.at, m)
	k.theo.post(k.at+"/draft", form("body", "And the"))
	k.w.Pass(chat.Regret)
	k.theo.post(k.at+"/"+m.Get("message"), form("body", "I am fine <now>.")).
		shows(t, 409, "This one is older, and stays as it is.", "press Send, and they go as a new message", ">I am fine &lt;now&gt;.\n\nAnd the</textarea>", "data-composer", "I am find.").
		lacks(t, "Change your message")
	k.theo.post(k.at+"/"+m.Get("message")+"/removal", nil).shows(t, 409, "This one is older.", ">And the</textarea>")
}

func TestAMessageThatCannotGoKeepsItsWords(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.post(k.at, k.message("  ")).shows(t, 422, "Write something first.")
	long := strings.Repeat("x", chat.Most+1)
	k.theo.post(k.at, k.message(long)).shows(t, 422, "There is a problem", long)
	k.theo.post(k.at, form("message", "none", "body", "x")).shows(t, 422, "could not be read")
	k.w.Update(t, func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) })
	k.mara.post(k.at, k.message("Too late, and not lost.")).shows(t, 409, "Too late, and not lost.", "cannot read messages any more")
}

// A former carer, whatever else they are here, is told why they cannot write.
func TestWhoHandedAClientOverIsToldWhyTheyCannotWrite(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.post(k.at, k.message("Until tomorrow."))
	k.w.Update(t, func(tx *db.Tx) error {
		return team.HandOver(tx, k.w.Mara, k.w.Mara.Practitioner(), k.w.Noor.Practitioner(), []id.Client{k.w.Theo})
	})
	k.mara.get(k.at).shows(t, 200, "Until tomorrow.", "You do not look after this client any more", "care team").lacks(t, "data-composer", "Mark as read", "begin a conversation of your own")
	k.mara.post(k.at, k.message("I keep thinking of you.")).shows(t, 409, "You do not look after this client any more", "What you wrote, to copy", "I keep thinking of you.")
	k.theo.get(k.at).shows(t, 200, "Mara Lindqvist does not look after you now").lacks(t, "I keep thinking")
}

func TestOnesOwnMessageIsChangedAndTakenBack(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	m := k.message("I am find.")
	k.theo.post(k.at, m)
	one := k.at + "/" + m.Get("message")
	k.theo.get(k.at).shows(t, 200, "Change", "Take back", "Take back this message?", "The practice keeps it in its records.", "Take it back")
	k.mara.get(k.at).lacks(t, "Take back")
	k.theo.get(one).shows(t, 200, "I am find.", "five minutes")
	k.theo.post(one, form("body", "I am fine.")).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "I am fine.", "Changed afterwards")
	k.theo.post(one+"/removal", nil).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "This message was taken back.").lacks(t, "I am fine.")
	k.theo.post(one+"/removal", nil).shows(t, 409, "taken back already")
	late := k.message("Too late")
	k.theo.post(k.at, late)
	k.w.Pass(6 * time.Minute)
	k.theo.post(k.at+"/"+late.Get("message"), form("body", "Not any more")).shows(t, 409, "five minutes", "Not any more")
}

func TestSettingsOfMessagesAreKept(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.theo.post("/settings/messages", form("letters", "off", "quiet-from", "22", "quiet-until", "7", "seen", "yes")).leads(t, "/settings/messages?said=saved")
	k.theo.get("/settings/messages").shows(t, 200, `value="off" checked`)
	k.theo.post("/settings/messages", form("letters", "hourly", "quiet-from", "22", "quiet-until", "7")).shows(t, 422, "Choose from the list.")
	k.mara.post("/settings/messages/reply-time", form("reply-time", "within one working day")).leads(t, "/settings/messages?said=saved")
	k.theo.get(k.at).shows(t, 200, "Answers usually come within one working day.")
	away := form("away", id.New[id.Away](k.w.Now()).String(), "from", "2030-03-14", "until", "2030-03-20", "words", "Back on the 21st.")
	k.mara.post("/settings/messages/away", form("away", away.Get("away"), "from", "2030-03-14", "until", "soon", "words", "Back on the 21st.")).shows(t, 422, "Choose a day.", "Back on the 21st.")
	k.mara.post("/settings/messages/away", away).leads(t, "/settings/messages?said=away")
	k.theo.post(k.at, k.message("Hello?"))
	k.theo.get(k.at).shows(t, 200, "Automatic answer", "Back on the 21st.")
	k.mara.post("/settings/messages/back", form("away", away.Get("away"))).leads(t, "/settings/messages?said=back")
}

func TestAConversationIsFoundPrintedAndPutAway(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.post(k.at, k.message("The river was high."))
	k.theo.post("/messages/search", form("q", "RIVER")).shows(t, 200, "One message contains", "The <mark>river</mark> was high.")
	k.theo.post("/messages/search", form("q", "tides")).shows(t, 200, "No message contains")
	k.theo.get("/messages/search").leads(t, "/messages")
	k.theo.get("/messages?q=river").shows(t, 200, "The river was high.").lacks(t, "One message contains") // it is the list: no word of a search stands in an address
	k.theo.get(k.at+"/print").shows(t, 200, "The river was high.", "All times are in").lacks(t, "data-composer")
	k.theo.post(k.at+"/archive", nil).leads(t, "/messages")
	k.theo.get("/messages").shows(t, 200, "Everything is archived", "Archived (1)").lacks(t, "The river was high.")
	k.theo.get("/messages?show=archived").shows(t, 200, "The river was high.")
	k.mara.post(k.at, k.message("And higher."))
	k.theo.get("/messages").shows(t, 200, "And higher.")
	k.mara.post(k.at, k.message("<script>lake</script>"))
	k.theo.post("/messages/search", form("q", "lake")).shows(t, 200, "&lt;script&gt;<mark>lake</mark>&lt;/script&gt;")
}

func TestWhoBeginsAConversationIsOfferedOnlyThoseWhoCanBeReached(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.w.Client(t, k.w.Mara, people.Draft{First: "Una", Last: "Reached"})
	k.mara.get("/messages/new").shows(t, 200, "Theo Vance", "Noor Haddad").lacks(t, "Una Reached")
	k.mara.post("/messages/new", form("q", "noor")).shows(t, 200, "Noor Haddad").lacks(t, "Theo Vance")
	k.theo.get("/messages/new").shows(t, 200, "Mara Lindqvist", "Your practitioner").lacks(t, "Noor Haddad")
	for _, who := range []access.Actor{k.w.Noor, k.w.Mara} { // a client has no use for a member's identifier, and is not told it
		k.theo.get("/messages/new").lacks(t, who.Practitioner().String())
		k.theo.post("/messages", form("member", who.Practitioner().String())).shows(t, 422, "Choose whom to write to.")
	}
	k.theo.post("/messages", form("partner", k.theo.partner())).leads(t, k.at)
	una := k.w.Client(t, k.w.Mara, people.Draft{First: "Una", Last: "Reads", Email: "una@example.com"})
	k.w.Linked(t, una, "una@example.com")
	hers := k.browser(t, k.w).as("una@example.com")
	if his := k.theo.partner(); his == hers.partner() || his != k.theo.partner() {
		t.Error("a handle is one client's, and the same on each page")
	}
	k.theo.post("/messages", form("partner", hers.partner())).shows(t, 422, "Choose whom to write to.")
	k.mara.post("/messages", form("partner", k.theo.partner())).shows(t, 422, "Choose whom to write to.")
	k.mara.post("/people/"+k.w.Theo.String()+"/messages", form("closed", "yes"))
	k.mara.get("/people/"+k.w.Theo.String()).shows(t, 200, "begins no conversations")
}

// Only a page on which a note can be spoken may ask for the microphone, and only
// such a page plays what lies in its own memory.
func TestOnlyAConversationMayAskForTheMicrophone(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	for page, wants := range map[string]bool{k.at: true, "/messages": false, "/dashboard": false, "/settings": false} {
		h := k.theo.get(page).Header()
		if got := strings.Contains(h.Get("Permissions-Policy"), "microphone=(self)"); got != wants {
			t.Errorf("%s may ask for the microphone: %t", page, got)
		}
		if got := strings.Contains(h.Get("Content-Security-Policy"), "media-src 'self' blob:;"); got != wants {
			t.Errorf("%s may play what was recorded: %t", page, got)
		}
	}
}

// partner is how a client's form names the first of those who can be written to.
func (b *browser) partner() string {
	b.t.Helper()
	m := regexp.MustCompile(`name="partner" value="([0-9a-f]{32,})"`).FindStringSubmatch(b.get("/messages/new").text)
	if m == nil {
		b.t.Fatal("nobody is offered")
	}
	return m[1]
}

// heard is a page's stream, as a browser hears it.
type heard struct {
	t     *testing.T
	lines *bufio.Scanner
	stop  context.CancelFunc
}

func (k *talking) listen(t *testing.T, b *browser, at string, last string) *heard {
	t.Helper()
	server := httptest.NewServer(k.handler)
	t.Cleanup(server.Close)
	ctx, stop := context.WithTimeout(t.Context(), 2*time.Minute) // what is not said by then never is
	t.Cleanup(stop)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, server.URL+at, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.Host = "icouch.test"
	r.Header.Set("Accept", "text/event-stream")
	if last != "" {
		r.Header.Set("Last-Event-ID", last)
	}
	for name, value := range b.cookies {
		r.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	a, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { a.Body.Close() })
	if a.StatusCode != http.StatusOK || a.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("the stream answers %d, %s", a.StatusCode, a.Header.Get("Content-Type"))
	}
	lines := bufio.NewScanner(a.Body)
	lines.Buffer(nil, 1<<20)
	return &heard{t, lines, stop}
}

// next is the next event of a kind: its place and its words. Others are passed over.
func (h *heard) next(kind string) (place, data string) {
	h.t.Helper()
	event := ""
	for h.lines.Scan() {
		switch line := h.lines.Text(); {
		case line == "":
			if event == kind {
				return place, data
			}
			place, data, event = "", "", ""
		case strings.HasPrefix(line, "id: "):
			place, _, _ = strings.Cut(line[4:], "-")
		case strings.HasPrefix(line, "event: "):
			event = line[7:]
		case strings.HasPrefix(line, "data: "):
			data += line[6:]
		}
	}
	h.t.Fatalf("the stream ended before it said %q: %v", kind, h.lines.Err())
	return "", ""
}

var bubbleIDs = regexp.MustCompile(`id="m-(\d+)"`)

func places(data string) (all []string) {
	for _, m := range bubbleIDs.FindAllStringSubmatch(data, -1) {
		all = append(all, m[1])
	}
	return all
}

func TestEdge19_AnOpenPageHearsWhatIsWrittenAndGoesOnWhereItWas(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.post(k.at, k.message("One"))
	h := k.listen(t, k.theo, k.at+"/stream?after=1", "")
	if _, n := h.next("unread"); n != "1" {
		t.Errorf("%q are unread, want 1", n)
	}
	k.mara.post(k.at, k.message("Two"))
	place, data := h.next("messages")
	if place != "2" || !strings.Contains(data, "Two") || strings.Contains(data, "One") {
		t.Errorf("it hears, at %s: %s", place, data)
	}
	k.theo.post(k.at+"/typing", nil)
	k.mara.post(k.at+"/typing", nil)
	if _, who := h.next("typing"); who != "Mara Lindqvist" {
		t.Errorf("%q is writing", who)
	}
	h.stop()
	for _, body := range []string{"Three", "Four", "Five"} { // asleep
		k.mara.post(k.at, k.message(body))
	}
	again := k.listen(t, k.theo, k.at+"/stream?after=1", "2") // the browser knows better than the page's address
	place, data = again.next("messages")
	if got := strings.Join(places(data), " "); place != "5" || got != "3 4 5" {
		t.Errorf("awake, it hears %q, up to %s", got, place)
	}
	again.next("unread") // as it came
	k.theo.post(k.at+"/read", form("seq", "5"))
	if _, n := again.next("unread"); n != "0" {
		t.Errorf("%q are unread after reading", n)
	}
}

// The page that is open has a heading for each day, and one only: whether what
// stands before a message was drawn by this stream, or by the page.
func TestADayHasOneHeading(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.w.Pass(15*time.Hour - 5*time.Minute) // towards midnight in New York
	k.mara, k.theo = k.browser(t, k.w).as(mara), k.browser(t, k.w).as("theo@example.com")
	k.mara.post(k.at, k.message("Before the page was open."))
	h := k.listen(t, k.theo, k.at+"/stream?after=1", "")
	h.next("unread")
	for i, want := range []int{0, 0, 1, 0} {
		if i == 2 {
			k.w.Pass(10 * time.Minute)
		}
		k.mara.post(k.at, k.message("Good night."))
		if _, data := h.next("messages"); strings.Count(data, `class="day"`) != want || !strings.Contains(data, "Good night.") {
			t.Errorf("with message %d come other headings than %d: %s", i, want, data)
		}
	}
}

func TestAnOpenPageHearsThatAMessageWasChanged(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	m := k.message("I am find.")
	k.mara.post(k.at, m)
	h := k.listen(t, k.theo, k.at+"/stream?after=1", "")
	h.next("unread")
	k.w.Pass(time.Second)
	k.mara.post(k.at+"/"+m.Get("message"), form("body", "I am fine."))
	if _, data := h.next("messages"); !strings.Contains(data, "I am fine.") {
		t.Errorf("it hears %s", data)
	}
}

func TestT06_AnOpenStreamEndsWithWhatOpenedIt(t *testing.T) {
	t.Parallel()
	for what, take := range map[string]func(*talking){
		"sign out": func(k *talking) { k.theo.post("/sign-out", nil) },
		"end of care": func(k *talking) {
			k.w.Update(k.mara.t.(*testing.T), func(tx *db.Tx) error { return people.EndCare(tx, k.w.Mara, k.w.Theo, tx.Now()) })
		},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			k := newTalking(t)
			h := k.listen(t, k.theo, k.at+"/stream?after=0", "")
			h.next("unread")
			take(k)
			h.next("over")
		})
	}
}

func TestT71_AStreamIsOneLookAndItsLineComesFirst(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.post(k.at, k.message("Seen by Theo."))
	looks := func() (n int) {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen' AND role = 'client'", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := looks()
	h := k.listen(t, k.theo, k.at+"/stream?after=0", "")
	h.next("messages")
	if n := looks() - before; n != 1 {
		t.Errorf("%d lines tell of it, want one", n)
	}
	k.mara.post(k.at, k.message("And this."))
	h.next("messages")
	if n := looks() - before; n != 1 {
		t.Errorf("%d lines, want one for the whole stream", n)
	}
}

func TestT71_WhoIsShownOnAnOpenListLaterIsNotedToo(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	h := k.listen(t, k.mara, "/messages/stream", "")
	h.next("unread")
	someone := k.w.Client(t, k.w.Mara, people.Draft{First: "Annie", Last: "Noda", Email: "annie@example.com", EmailConsent: true})
	annie := k.w.Linked(t, someone, "annie@example.com")
	looks := func() (n int) {
		if err := k.w.DB.Row(t.Context(), "SELECT COUNT(*) FROM audit WHERE action = 'clients.seen' AND role <> 'client'", nil, &n); err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := looks()
	k.w.Update(t, func(tx *db.Tx) error {
		c, err := chat.Start(tx, annie, chat.To{Member: k.w.Mara.Practitioner()})
		if err == nil {
			_, err = chat.Send(tx, annie, c, id.New[id.Message](k.w.Now()), "May I write to you?")
		}
		return err
	})
	for data := ""; !strings.Contains(data, "May I write to you?"); {
		_, data = h.next("list")
	}
	if n := looks() - before; n != 1 {
		t.Errorf("%d lines tell that she was seen, want one before her words went out", n)
	}
}

func TestWhatIsTypedIsNothingButWords(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	for _, evil := range []string{`<script>alert(1)</script>`, `<img src=x onerror=alert(1)>`, `javascript:alert(1)`, `https://a.example/"onmouseover="alert(1)`, `*<b>x</b>*`, `_<svg onload=alert(1)>_`,
		"data: x\n\nevent: over\ndata: y", "x\rdata: y\r\revent: over\rdata: z", `<li id="m-1">`, `{{ .Secret }}`, `https://user:pass@evil.example/`} {
		k.theo.post(k.at, k.message(evil)).leads(t, k.at+"#end")
	}
	k.theo.post(k.at, k.message("http://exa\u202emple.com")).shows(t, 422)
	page := k.mara.get(k.at)
	for _, never := range []string{"<script>alert", "<img src=x", "<b>x</b>", "<svg onload", `href="javascript:`, `"onmouseover`, `href="https://user:pass`} {
		page.lacks(t, never)
	}
	h := k.listen(t, k.mara, k.at+"/stream?after=0", "")
	_, data := h.next("messages")
	if strings.Contains(data, "<script>alert") || len(places(data)) != 11 {
		t.Errorf("the stream has %d messages: %s", len(places(data)), data)
	}
}

func TestSpans(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"plain":                            "plain",
		"see https://a.example/x?y=1.":     "see [https://a.example/x?y=1].",
		"(https://a.example/x)":            "([https://a.example/x])",
		"*strong* and _said_":              "{strong} and <said>",
		"2*3*4 and snake_case_name":        "2*3*4 and snake_case_name",
		"* a list":                         "* a list",
		"**":                               "**",
		"http://nodot":                     "http://nodot",
		"ftp://a.example":                  "ftp://a.example",
		"xhttps://a.example":               "xhttps://a.example",
		"https://a.example/\u202egpj":      "[https://a.example/]\u202egpj",
		"*not closed":                      "*not closed",
		"*a* *b*":                          "{a} {b}",
		"Über *grün* https://ü.example/ä!": "Über {grün} [https://ü.example/ä]!",
	} {
		var got strings.Builder
		for _, s := range spans(line) {
			switch {
			case s.Href != "":
				got.WriteString("[" + s.Href + "]")
			case s.Strong:
				got.WriteString("{" + s.Text + "}")
			case s.Stress:
				got.WriteString("<" + s.Text + ">")
			default:
				got.WriteString(s.Text)
			}
		}
		if got.String() != want {
			t.Errorf("%q is %q, want %q", line, got.String(), want)
		}
	}
}

func FuzzSpans(f *testing.F) {
	for _, s := range []string{"a *b* _c_ https://d.example/e", "*_*_", "https://", "**a**", "\xff*\xfe*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, line string) {
		var all strings.Builder
		for _, s := range spans(line) {
			if s.Href != "" && (s.Href != s.Text || !strings.HasPrefix(s.Href, "http")) {
				t.Fatalf("%q: a link to %q", line, s.Href)
			}
			mark := ""
			if s.Strong {
				mark = "*"
			} else if s.Stress {
				mark = "_"
			}
			all.WriteString(mark + s.Text + mark)
		}
		if all.String() != line {
			t.Fatalf("%q became %q", line, all.String())
		}
	})
}

// lacks fails the test if an answer has any of the words.
func (a answer) lacks(t testing.TB, words ...string) answer {
	t.Helper()
	for _, w := range words {
		if strings.Contains(a.text, w) {
			t.Errorf("the page says %q", w)
		}
	}
	return a
}

// Who sends very many waits, and loses nothing; what did not go is not counted.
func TestVeryManyMessagesOfOnePersonWait(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.Messages = 3
	m := k.message("One")
	k.theo.post(k.at, m).leads(t, k.at+"#end")
	k.theo.post(k.at+"/"+m.Get("message"), form("body", "One, changed")).leads(t, k.at+"#end")
	k.theo.post(k.at, k.message(" ")).shows(t, 422, "Write something first.")
	last := k.message("Two")
	k.theo.post(k.at, last).leads(t, k.at+"#end")
	held := k.message("Three, and not lost.")
	k.theo.post(k.at, held).shows(t, 429, "very many messages in a short time", "Three, and not lost.", held.Get("message"))
	k.theo.post(k.at+"/"+last.Get("message"), form("body", "Two, changed")).shows(t, 429, "very many messages", "Two, changed")
	k.theo.filed(k.at, k.message("With a file"), [2]string{"a.txt", "a"}).shows(t, 429, "very many messages", "With a file", "a.txt")
	k.mara.post(k.at, k.message("Another person’s")).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "One, changed", "Two").lacks(t, "Three, and not lost.")
	k.w.Pass(5 * time.Minute)
	k.theo.post(k.at, held).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "Three, and not lost.")
}

// Drafts and the like are written to the database or told to every server, and
// nobody makes it work without end. Each has a count of its own.
func TestWhatAPageSaysByItselfIsLimited(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.mara.post(k.at, k.message("One")).leads(t, k.at+"#end")
	var theo string
	k.w.View(t, func(tx *db.Tx) error { theo = mustBe(tx, "theo@example.com").String(); return nil })
	says := []struct {
		to    string
		what  url.Values
		count *counter
	}{{"/typing", nil, k.typings}, {"/read", form("seq", "1"), k.reads}, {"/draft", form("body", "Dear Mara"), k.drafts}}
	for _, s := range says {
		for range mostAsides - 1 {
			if err := s.count.take(theo); err != nil {
				t.Fatalf("%s: %v", s.to, err)
			}
		}
		k.theo.post(k.at+s.to, s.what).leads(t, k.at+"#end")
		if a := k.theo.post(k.at+s.to, s.what); a.Code != http.StatusTooManyRequests {
			t.Errorf("%s: one more is answered with %d", s.to, a.Code)
		}
		k.mara.post(k.at+s.to, s.what).leads(t, k.at+"#end")
	}
	k.theo.post(k.at, k.message("Words go all the same")).leads(t, k.at+"#end")
	k.w.Pass(messagesPer)
	for _, s := range says {
		k.theo.post(k.at+s.to, s.what).leads(t, k.at+"#end")
	}
}

// Somebody who types for an hour, on two devices at once, and pauses as often as
// a page can keep a draft, never meets it.
func TestWhoTypesForAnHourLosesNoDraft(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 3, 14, 9, 0, 0, 0, time.UTC)
	c := newCounter(func() time.Time { return now }, mostAsides, messagesPer)
	for range int(time.Hour / (1500 * time.Millisecond)) {
		for device := range 2 {
			if err := c.take("theo"); err != nil {
				t.Fatalf("at %s, device %d: %v", now.Format("15:04:05"), device, err)
			}
		}
		now = now.Add(1500 * time.Millisecond)
	}
}

// attachedSoFar has somebody have attached so many bytes today.
func (k *talking) attachedSoFar(t *testing.T, address string, n int64) {
	t.Helper()
	err := k.w.DB.Maintain(t.Context(), func(tx *db.Tx) error {
		return limit.Rule{Name: "file/bytes", Most: 2 << 30, Per: 24 * time.Hour}.TakeSome(tx, mustBe(tx, address).String(), n)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func TestVeryLargeFilesOfOnePersonWaitUntilTomorrow(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.attachedSoFar(t, "theo@example.com", 2<<30-10)
	begin := func(size string, want int) came {
		return heardOf(t, k.theo.post(k.at+"/files", form("file", id.New[id.Attachment](k.w.Now()).String(), "name", "a.txt", "size", size)), want)
	}
	k.theo.filed(k.at, k.message("Five letters"), [2]string{"a.txt", "aaaaa"}).leads(t, k.at+"#end")
	if is := begin("6", 429); !strings.Contains(is.Problem, "tomorrow") || is.Again {
		t.Errorf("the page’s script is told %+v", is)
	}
	k.theo.filed(k.at, k.message("Kept words"), [2]string{"six.txt", "aaaaaa"}).shows(t, 429, "Attach this file tomorrow", "Kept words").lacks(t, "six.txt")
	begin("-1000000000", 422)
	begin("5", 200) // what was refused was not counted, and what is less than nothing makes no room
	begin("1", 429)
	k.mara.filed(k.at, k.message("Hers"), [2]string{"b.txt", "bbbbbb"}).leads(t, k.at+"#end")
	k.w.Pass(24 * time.Hour)
	k.browser(t, k.w).as("theo@example.com").filed(k.at, k.message("Now it goes"), [2]string{"a.txt", "aaaaaa"}).leads(t, k.at+"#end")
}

// An answer that was lost is asked for again, and who presses twice sends once.
func TestAFileCountsOnce(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.attachedSoFar(t, "theo@example.com", 2<<30-10)
	f := form("file", id.New[id.Attachment](k.w.Now()).String(), "name", "a.txt", "size", "5")
	for range 3 {
		heardOf(t, k.theo.post(k.at+"/files", f), 200)
	}
	m := k.message("Pressed twice")
	for range 2 { // the first is the last for which there is room
		k.theo.filed(k.at, m, [2]string{"b.txt", "bbbbb"}).leads(t, k.at+"#end")
	}
	if n := len(filesIn.FindAllString(k.mara.get(k.at).text, -1)); n != 1 {
		t.Errorf("%d files are on the page, want one", n)
	}
	k.theo.filed(k.at, k.message("Kept words"), [2]string{"c.txt", "c"}).shows(t, 429, "Attach this file tomorrow", "Kept words")
}

// The second press brings nothing new, so that the limit of the day is nothing to it.
func TestASecondPressTakesAwayNoFileThatWaits(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	k.attachedSoFar(t, "theo@example.com", 2<<30-5)
	m := k.message(strings.Repeat("x", chat.Most+1)) // too long, so that the file waits
	for range 2 {
		k.theo.filed(k.at, m, [2]string{"lake.txt", "aaaaa"}).shows(t, 422, "lake.txt")
	}
	m.Set("body", "The lake")
	k.theo.filed(k.at, m, [2]string{"lake.txt", "aaaaa"}).leads(t, k.at+"#end")
	k.mara.get(k.at).shows(t, 200, "The lake", "lake.txt")
}

func TestVeryManyFilesOfOnePersonWait(t *testing.T) {
	t.Parallel()
	k := newTalking(t)
	var theo string
	k.w.View(t, func(tx *db.Tx) error { theo = mustBe(tx, "theo@example.com").String(); return nil })
	for range fileRule.Most {
		if err := k.Limits.Take(t.Context(), fileRule, theo); err != nil {
			t.Fatal(err)
		}
	}
	is := heardOf(t, k.theo.post(k.at+"/files", form("file", id.New[id.Attachment](k.w.Now()).String(), "name", "a.txt", "size", "5")), 429)
	if !strings.Contains(is.Problem, "too often") || is.Again {
		t.Errorf("the page’s script is told %+v", is)
	}
	k.theo.filed(k.at, k.message("Kept words"), [2]string{"a.txt", "a"}).shows(t, 429, "too often", "Kept words")
	k.mara.filed(k.at, k.message("Hers"), [2]string{"b.txt", "b"}).leads(t, k.at+"#end")
	k.w.Pass(time.Hour)
	k.browser(t, k.w).as("theo@example.com").filed(k.at, k.message("Now it goes"), [2]string{"a.txt", "a"}).leads(t, k.at+"#end")
}
