package access_test

import (
	"flag"
	"os"
	"slices"
	"strings"
	"testing"

	"icouch/internal/access"
)

var update = flag.Bool("update", false, "write docs/roles.md anew")

const rolesPage = "../../docs/roles.md"

// roles is the page for practitioners: the one table of powers, in their words.
func roles() string {
	var b strings.Builder
	b.WriteString(`# Who may do what

Each member of a practice has one role. This table is made from the program itself (access.Powers), so it is what the program does.
`)
	b.WriteString("\n| |")
	for _, r := range access.WorkRoles {
		b.WriteString(" " + strings.ToUpper(string(r[:1])) + string(r[1:]) + " |")
	}
	b.WriteString("\n|---|" + strings.Repeat(":-:|", len(access.WorkRoles)) + "\n")
	for _, p := range access.Powers {
		b.WriteString("| " + p.Says + " |")
		for _, r := range access.WorkRoles {
			mark := ""
			if slices.Contains(p.By, r) {
				mark = "yes"
			}
			b.WriteString(" " + mark + " |")
		}
		b.WriteString("\n")
	}
	b.WriteString(`
Beyond the table:

- **Own clients.** Owners, practitioners and supervisors can look after clients. Practitioners and supervisors see those they look after, those whose care team they are in.
- **Supervisors** also see the clients of the members they supervise. An owner or an administrator says who that is.
- **Care team.** Who looks after a client, an owner or an administrator adds a colleague to that client's care team, with a last day if there is one. It counts from the colleague's next click on, and ends at the end of that day.
- **Emergency.** A practitioner or a supervisor can open a colleague's client with a reason, for an hour at most. The owners are told by e-mail at once, without the client's name, and they alone read the reason. The client is told by e-mail too, if they sign in here, and sees who it was. So is a contact who may see a part of the record just then, unless they want no e-mail; who only pays is not.
- **The last owner** stays an owner: a practice always has one who is active.
- **Inactive members** open nothing, from that moment on. Whoever has clients is made inactive only together with a colleague who takes them.
- **Clients** see their own record, whatever the roles of the practice. **Support** sees no client.
`)
	return b.String()
}

func TestThePageOfRolesSaysWhatTheTableSays(t *testing.T) {
	t.Parallel()
	want := roles()
	if *update {
		if err := os.WriteFile(rolesPage, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(rolesPage)
	if err != nil {
		t.Fatal(err)
	}
	if string(got) != want {
		t.Error("docs/roles.md is not what the program does any more: run make generate")
	}
}
