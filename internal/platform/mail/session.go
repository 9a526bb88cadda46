package mail

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/textproto"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/wneessen/go-mail/smtp"
)

// session is one connection to the server, greeted, encrypted and signed in.
type session struct {
	raw    net.Conn
	client *smtp.Client
	used   time.Time // when it was put back

	batch, wide, size bool // PIPELINING, SMTPUTF8, SIZE

	begun bool // some of the letter at hand has been sent
	left  bool // the last letter was left in the middle
	dead  bool // of no more use
}

// connect makes a session, or explains why there is none. Whatever goes wrong
// here is not the letter's fault, so no refusal is permanent.
func (s *SMTP) connect(ctx context.Context) (*session, error) {
	raw, err := s.o.Dial(ctx, "tcp", s.addr)
	if err != nil {
		return nil, &Refusal{Reason: Unreachable, cause: ended(ctx, err)}
	}
	stop := context.AfterFunc(ctx, func() { raw.Close() })
	c, err := s.enter(raw)
	if !stop() && err == nil {
		err = ctx.Err()
	}
	if err != nil {
		raw.Close()
		r := refusal(entering, err)
		if ctx.Err() != nil && r.Code == 0 {
			r.Reason, r.cause = Unreachable, ctx.Err()
		}
		return nil, r
	}
	return c, nil
}

// ended prefers the reason why a connection was closed over its being closed.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func (s *SMTP) enter(raw net.Conn) (*session, error) {
	conn := raw
	if s.implicit {
		conn = tls.Client(raw, s.tlsConfig())
	}
	client, err := smtp.NewClient(conn, s.host)
	if err != nil {
		return nil, err
	}
	if err := client.Hello(s.o.Hostname); err != nil {
		return nil, err
	}
	if err := s.encrypt(raw, client); err != nil {
		return nil, err
	}
	if err := s.signIn(client); err != nil {
		return nil, err
	}
	c := &session{raw: raw, client: client}
	c.batch, _ = client.Extension("PIPELINING")
	c.wide, _ = client.Extension("SMTPUTF8")
	c.size, _ = client.Extension("SIZE")
	return c, nil
}

// encrypt sees to it that nothing private is said in the clear. Plain is for
// this machine only, and "localhost" must really be it.
func (s *SMTP) encrypt(raw net.Conn, client *smtp.Client) error {
	if s.implicit {
		return nil
	}
	if s.near {
		if a, ok := raw.RemoteAddr().(*net.TCPAddr); !ok || !a.IP.IsLoopback() {
			return &Refusal{Reason: Insecure, cause: errors.New("the server is not on this machine")}
		}
		return nil
	}
	if ok, _ := client.Extension("STARTTLS"); !ok {
		return &Refusal{Reason: Insecure, cause: errors.New("the server offers no STARTTLS")}
	}
	err := client.StartTLS(s.tlsConfig())
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		return &Refusal{Reason: Insecure, Code: said.Code, Enhanced: enhancedCode(said.Msg)}
	}
	return err
}

func (s *SMTP) signIn(client *smtp.Client) error {
	if s.user == "" {
		return nil
	}
	_, offered := client.Extension("AUTH")
	ways := strings.Fields(strings.ToUpper(offered))
	var way smtp.Auth
	switch {
	case slices.Contains(ways, "PLAIN"):
		way = smtp.PlainAuth("", s.user, s.pass, s.host, s.near)
	case slices.Contains(ways, "LOGIN"):
		way = smtp.LoginAuth(s.user, s.pass, s.host, s.near)
	default:
		return &Refusal{Reason: SignInRefused, cause: errors.New("the server offers no PLAIN or LOGIN")}
	}
	err := client.Auth(way)
	if said, ok := errors.AsType[*textproto.Error](err); ok {
		r := answered(entering, said)
		if said.Code >= 500 {
			r.Reason = SignInRefused
		}
		return r
	}
	return err
}

// send hands over one letter. Afterwards dead, begun and left say how far it
// came.
func (c *session) send(ctx context.Context, l *letter) (Receipt, error) {
	c.begun = false
	if l.wide && !c.wide {
		return Receipt{}, &Refusal{Enhanced: "5.6.7", Permanent: true, Reason: OddAddress}
	}
	stop := context.AfterFunc(ctx, func() { c.raw.Close() })
	r, err := c.converse(l)
	if !stop() {
		c.dead = true // closed, or about to be
	}
	if refused, ok := errors.AsType[*Refusal](err); ok {
		if ctx.Err() != nil && refused.Code == 0 {
			refused.cause = ctx.Err()
		}
	}
	return r, err
}

// converse asks who it is from, who it is to and whether the letter may come,
// in one go where the server allows it; then hands it over. The first answer
// also tells whether a kept connection is still alive.
func (c *session) converse(l *letter) (Receipt, error) {
	from := "MAIL FROM:<" + l.from + ">"
	if c.size {
		from += " SIZE=" + strconv.Itoa(len(l.content))
	}
	if l.wide {
		from += " BODY=8BITMIME SMTPUTF8"
	}
	cmds := make([]command, 0, 4)
	if c.left {
		cmds = append(cmds, command{"RSET", 25, entering})
	}
	cmds = append(cmds,
		command{from, 25, naming},
		command{"RCPT TO:<" + l.to + ">", 25, asking},
		command{"DATA", 354, handing})
	c.left = true
	if err := c.ask(cmds...); err != nil {
		return Receipt{}, err
	}
	return c.hand(l.content)
}

// hand gives the letter away. From its last dot on nobody knows what became of
// it until the server answers.
func (c *session) hand(content []byte) (Receipt, error) {
	if bytes.Contains(content, []byte("\n.")) {
		content = bytes.ReplaceAll(content, []byte("\n."), []byte("\n.."))
	}
	if !bytes.HasSuffix(content, []byte("\r\n")) {
		content = append(content, "\r\n"...)
	}
	text := c.client.Text
	text.W.Write(append(content, ".\r\n"...)) // whole, and its error comes from Flush
	c.begun, c.left = true, false
	err := text.W.Flush()
	var r Receipt
	if err == nil {
		r, err = c.answer()
	}
	if err == nil {
		return r, nil
	}
	no := refusal(handing, err)
	no.Uncertain = no.Code == 0
	c.dead = c.dead || no.hungUp()
	return Receipt{}, no
}

func (c *session) answer() (Receipt, error) {
	code, said, err := c.client.Text.ReadResponse(2)
	if err != nil {
		return Receipt{}, err
	}
	return Receipt{Code: code, Enhanced: enhancedCode(said), Accepted: true}, nil
}

// command is a line for the server, and the answer that means yes.
type command struct {
	line string
	want int
	at   stage
}

// ask sends the commands and returns the first refusal.
func (c *session) ask(cmds ...command) error {
	if !c.batch {
		for _, cmd := range cmds {
			if err := c.exchange(cmd); err != nil {
				return err
			}
		}
		return nil
	}
	return c.exchange(cmds...)
}

// exchange sends all commands, then reads all answers.
func (c *session) exchange(cmds ...command) error {
	text := c.client.Text
	for _, cmd := range cmds {
		text.W.WriteString(cmd.line)
		text.W.WriteString("\r\n")
	}
	if err := text.W.Flush(); err != nil {
		c.dead = true
		return refusal(cmds[0].at, err)
	}
	var first *Refusal
	for _, cmd := range cmds {
		_, _, err := text.ReadResponse(cmd.want)
		if err == nil {
			// It would take a letter whose envelope it has refused: hang up
			// rather than send it an empty one.
			c.dead = c.dead || first != nil && cmd.want == 354
			continue
		}
		r := refusal(cmd.at, err)
		if first == nil {
			first = r
		}
		if r.hungUp() {
			c.dead = true
			break
		}
	}
	if first != nil {
		return first
	}
	return nil
}

// close says goodbye and does not wait for the answer.
func (c *session) close() {
	if !c.dead {
		c.client.Text.W.WriteString("QUIT\r\n")
		c.client.Text.W.Flush()
	}
	c.dead = true
	c.raw.Close()
}
