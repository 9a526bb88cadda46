package e2e

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/target"
	"github.com/chromedp/chromedp"
)

// clamd is a scanner that says nothing before it is let, and then that it found
// something in whatever has the word.
type clamd struct {
	at  string
	let chan struct{}
}

const poison = "this stands for a virus"

func scanner(t *testing.T) *clamd {
	t.Helper()
	l, err := net.Listen("tcp", "localhost:0")
	if err != nil {
		t.Fatal(err)
	}
	c := &clamd{at: l.Addr().String(), let: make(chan struct{})}
	var all sync.WaitGroup
	t.Cleanup(func() { l.Close(); all.Wait() })
	all.Go(func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go c.talk(conn)
		}
	})
	return c
}

func (c *clamd) talk(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	command, err := in.ReadString(0)
	if err != nil {
		return
	}
	if command == "zVERSION\x00" {
		_, _ = io.WriteString(conn, "ClamAV 1.4.3/27000/Sat Mar 14 09:00:00 2026\x00")
		return
	}
	var all strings.Builder
	for size := uint32(1); size > 0; {
		if err := binary.Read(in, binary.BigEndian, &size); err != nil {
			return
		}
		if _, err := io.CopyN(&all, in, int64(size)); err != nil {
			return
		}
	}
	<-c.let
	verdict := "stream: OK\x00"
	if strings.Contains(all.String(), poison) {
		verdict = "stream: Eicar-Test-Signature FOUND\x00"
	}
	_, _ = io.WriteString(conn, verdict)
}

// stuck lets the first piece of a file through and no more; full answers as the
// program does that has no room on its disk.
const (
	stuck = `(() => { const f = window.fetch; window.fetch = (to, how) => /offset=[1-9]/.test(to) ? new Promise(() => {}) : f(to, how); return true })()`
	full  = `(() => { const f = window.fetch; window.fetch = (to, how) => to.endsWith('/files') && how?.method === 'POST' ? Promise.resolve(new Response(JSON.stringify({ offset: 0, whole: false, problem: 'There is no room for files at the moment. Your words can be sent without them. Please tell your practice, and try the file again later.' }), { status: 429, headers: { 'Content-Type': 'application/json' } })) : f(to, how); return true })()`
)

// TestWhatIsAttachedSaysHowItIs: on its way, without a connection, refused, too
// large, without room, checked, held back.
func TestWhatIsAttachedSaysHowItIs(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		c := scanner(t)
		p := serve(t, "--clamd", c.at)
		practitioner, client := p.two(t, width)
		parcels := `document.querySelector('[data-parcels]')`
		long := kept(t, "a long letter.txt", []byte(strings.Repeat("a long letter ", 100_000)))

		ask[bool](client, stuck)
		client.attaches("f-files", long)
		client.until("that it is under way", parcels+`.textContent.includes('524 KB of 1.4 MB')`)
		client.attaches("f-files", kept(t, "too large.mov", make([]byte, 26<<20)), kept(t, "empty.txt", nil), kept(t, "IMG_0042.jpg", nil))
		client.until("that three are refused", parcels+`.querySelectorAll('.bad').length === 3`)
		client.sees("A file can have up to 25 MB.", "This file is empty.")
		client.answered(422)
		client.seesSend("with four files")
		client.pictured(200, "messages-parcels")
		client.press("Remove a long letter.txt")
		for _, name := range []string{"too large.mov", "empty.txt", "IMG_0042.jpg"} {
			client.press("Remove " + name)
		}
		client.until("that all are out", parcels+`.children.length === 0`)

		client.open(client.path())
		ask[bool](client, full)
		client.attaches("f-files", long)
		client.until("that there is no room", parcels+`.textContent.includes('There is no room for files')`)
		client.fill("Message to "+miraName, "These words can go.")
		client.pictured(200, "messages-no-room")
		client.press("Send")
		practitioner.written(1)

		client.open(client.path())
		client.connected(false)
		client.attaches("f-files", kept(t, "train.txt", []byte("written on a train")))
		client.until("that it waits", parcels+`.textContent.includes('Waiting for the connection')`)
		client.pictured(200, "messages-no-connection")
		client.connected(true)
		client.until("that it is attached", parcels+`.querySelectorAll('[data-whole]').length === 1`)

		client.attaches("f-files", kept(t, "poisoned.txt", []byte(poison)))
		client.until("that both are attached", parcels+`.querySelectorAll('[data-whole]').length === 2`)
		client.says(miraName, "Two files.")
		practitioner.until("that they are checked", `document.getElementById('bubbles').textContent.includes('Being checked for viruses')`)
		practitioner.pictured(200, "messages-checked")
		close(c.let)
		for _, v := range []*visitor{practitioner, client} {
			v.until("that one is held back", `document.getElementById('bubbles').textContent.includes('Held back')`)
			v.until("that the other is there", `[...document.querySelectorAll('a.file')].some(a => a.textContent.includes('train.txt'))`)
		}
		practitioner.pictured(200, "messages-held")

		client.attaches("f-files", kept(t, "also poisoned.txt", []byte(poison)))
		client.until("that it is attached", parcels+`.querySelectorAll('[data-whole]').length === 1`)
		wait(t, "the scanner to have found it", func() bool {
			client.open(client.path())
			return ask[bool](client, parcels+`.textContent.includes('Held back')`)
		})
		client.pictured(200, "messages-held-parcel")
		client.press("Remove also poisoned.txt")
		client.until("that it is out", parcels+`.children.length === 0`)
	})
}

// microphone gives the visitor's browser a microphone, or says that it gets none.
func (v *visitor) microphone(setting browser.PermissionSetting) {
	v.t.Helper()
	is, err := chromedp.Call(v.ctx, target.GetTargetInfo, target.GetTargetInfoParams{})
	if err != nil {
		v.t.Fatal(err)
	}
	v.do(command(browser.SetPermission, browser.SetPermissionParams{Permission: &browser.PermissionDescriptor{Name: "microphone"}, Setting: setting, Origin: v.base, BrowserContextID: is.TargetInfo.BrowserContextID}))
}

// records waits until so many seconds are recorded.
func (v *visitor) records(seconds int) {
	v.t.Helper()
	v.until("that it records", fmt.Sprintf(`document.querySelector('[data-record-time]').textContent.match(/^Recording 0:(\d\d)$/)?.[1] >= %d`, seconds))
}

// lettingGo notes what the browser has been given to hold, and what it let go of.
const lettingGo = `(() => {
	window.tracks = []; window.made = new Set(); window.letGo = 0;
	const asks = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices), makes = URL.createObjectURL, lets = URL.revokeObjectURL;
	navigator.mediaDevices.getUserMedia = async what => { const s = await asks(what); window.tracks.push(...s.getTracks()); return s; };
	URL.createObjectURL = of => { const at = makes(of); window.made.add(at); return at; };
	URL.revokeObjectURL = at => { if (window.made.has(at)) window.letGo++; lets(at); };
	return true;
})()`

// seesSend wants Send in view as a whole, and nothing over it.
func (v *visitor) seesSend(when string) {
	v.t.Helper()
	v.until("the whole of Send, "+when, `(() => {
		const send = document.querySelector('.sendrow > .btn'), box = send.getBoundingClientRect();
		return [box.top + 1, box.bottom - 1].every(y => send.contains(document.elementFromPoint(box.x + box.width / 2, y)));
	})()`)
}

// TestANoteIsSpokenHeardAndSent: recorded by the browser itself, with its own
// microphone for tests, which beeps.
func TestANoteIsSpokenHeardAndSent(t *testing.T) {
	onBothScreens(t, func(t *testing.T, width int64) {
		p := serve(t)
		practitioner, client := p.two(t, width)
		client.press("Attach")
		client.microphone(browser.PermissionSettingDenied)
		client.press("Record")
		client.until("why it does not", `!document.querySelector('[data-record-says]').hidden`)
		client.sees("The microphone is not allowed for this page.")
		client.pictured(200, "messages-no-microphone")
		ask[bool](client, `(window.asked = navigator.mediaDevices.getUserMedia, navigator.mediaDevices.getUserMedia = () => Promise.reject(new DOMException('', 'NotFoundError')), true)`)
		client.press("Record")
		client.until("that there is none", `document.querySelector('[data-record-says]').textContent.includes('No microphone was found.')`)
		ask[bool](client, `(navigator.mediaDevices.getUserMedia = window.asked, true)`)

		client.microphone(browser.PermissionSettingGranted)
		ask[bool](client, lettingGo)
		ask[bool](client, `(window.starts = MediaRecorder.prototype.start, MediaRecorder.prototype.start = () => { throw new DOMException('', 'NotSupportedError') }, true)`)
		client.press("Record")
		client.until("that it cannot be used", `document.querySelector('[data-record-says]').textContent.includes('cannot be used at the moment')`)
		client.until("that the microphone is off", `tracks.length > 0 && tracks.every(t => t.readyState === 'ended')`)
		ask[bool](client, `(MediaRecorder.prototype.start = window.starts, true)`)

		client.press("Record")
		client.records(1)
		if !ask[bool](client, `document.querySelector('[data-record-says]').hidden`) {
			t.Error("what was wrong before is still said")
		}
		client.seesSend("while a note is recorded")
		client.pictured(200, "messages-recording")
		client.press("Delete")
		client.until("that it is thrown away", `document.querySelector('[data-record-away]').hidden`)
		if n := ask[int](client, `document.querySelectorAll('[data-parcel]').length`); n != 0 {
			t.Errorf("%d notes are attached that were thrown away", n)
		}

		client.press("Record")
		client.records(2)
		client.press("Stop")
		client.until("that it is attached", `document.querySelectorAll('[data-whole]').length === 1`)
		client.until("how long it is", `/^Spoken note, \d seconds$/.test(document.querySelector('[data-parcel] b').textContent)`)
		client.seesSend("with a note")
		client.press("Listen")
		client.until("that it plays", `document.querySelector('[data-listen]').textContent.startsWith('Pause')`)
		client.until("that it is over", `document.querySelector('[data-listen]').textContent.startsWith('Listen')`)
		client.pictured(200, "messages-spoken")

		client.press("Record") // and it is sent while it is being spoken
		client.records(1)
		client.says(miraName, "What I said.")
		practitioner.written(1)
		client.until("that what was sent is in view, and Attach closed", `(() => {
			const sent = document.querySelector('.bubble.mine:last-child .words'), box = sent?.getBoundingClientRect();
			return box && box.bottom <= document.querySelector('.composer').getBoundingClientRect().top && box.top >= 0 && !document.querySelector('.attach').open;
		})()`)
		client.until("that the browser has let go of both", `made.size === 2 && letGo === 2`)
		practitioner.until("two notes", `document.querySelectorAll('.sound audio').length === 2`)
		practitioner.press("Attach") // a page plays after somebody has pressed something
		heard := ask[string](practitioner, `new Promise(done => { const a = document.querySelector('.sound audio'); a.onended = () => done('heard ' + (a.currentTime > 1)); a.onerror = () => done('error ' + a.error.message); a.play().catch(e => done(String(e))) })`)
		if heard != "heard true" {
			t.Errorf("to the other side the note is: %s", heard)
		}
		practitioner.unbitten("a conversation with notes")
		client.unbitten("a conversation with notes")
		practitioner.check(200)
	})
}

// A note has its place before it is spoken: there is none beside ten files, and
// nobody takes it while somebody speaks.
func TestANoteHasItsPlaceBeforeItIsSpoken(t *testing.T) {
	t.Parallel()
	p := serve(t)
	_, client := p.two(t, phone)
	client.press("Attach")
	client.microphone(browser.PermissionSettingGranted)
	ask[bool](client, lettingGo)
	var ten []string
	for i := range 10 {
		ten = append(ten, kept(t, fmt.Sprintf("page %d.txt", i), []byte("a page")))
	}
	client.attaches("f-files", ten...)
	client.until("that ten are attached", `document.querySelectorAll('[data-whole]').length === 10`)
	client.press("Record")
	client.until("that there is no place", `document.querySelector('[data-record-says]').textContent.includes('up to 10 files, and this one has them')`)
	if n := ask[int](client, `tracks.length`); n != 0 {
		t.Errorf("the microphone was asked for %d times", n)
	}

	client.press("Remove page 3.txt")
	client.press("Record")
	client.records(1)
	client.attaches("f-files", kept(t, "late.txt", []byte("too late")))
	client.press("Stop")
	client.until("that the note is attached", `document.querySelectorAll('[data-whole]').length === 10 && document.querySelector('[data-listen]')`)
	if strings.Contains(client.text(), "late.txt") {
		t.Error("a file has taken the place of a note")
	}
	client.press("Remove Spoken note")
	client.until("that it is let go of", `made.size === 1 && letGo === 1`)
}
