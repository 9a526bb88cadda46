// Package internal holds no code, only tests of the whole: the map of who may
// import whom, what only some may call, and the canaries. To add a package, add
// its line here first.
package internal

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const here = "icouch/internal/"

// mayImport lists, for each package, what else of ours it may import. "base"
// stands for everything under internal/base, and so on. A generated package
// (…db) is its feature's own: nobody else may import it.
var mayImport = map[string]string{
	"base/at":     "",
	"base/civil":  "base/fault",
	"base/email":  "base/fault",
	"base/fault":  "",
	"base/id":     "",
	"base/secret": "",
	"base/sheet":  "base/fault",
	"base/text":   "base/fault",

	"platform/blob":         "base platform/crypt",
	"platform/config":       "base platform/blob platform/mail platform/scan",
	"platform/crypt":        "base",
	"platform/db":           "base platform/crypt",
	"platform/jobs":         "base platform/db",
	"platform/keys":         "base platform/crypt platform/db",
	"platform/limit":        "base platform/db platform/keys",
	"platform/installation": "base platform/config platform/crypt platform/db platform/keys",
	"platform/mail":         "base",
	"platform/media":        "base",
	"platform/media/heic":   "platform/media",
	"platform/scan":         "",
	"platform/mail/dsn":     "base platform/mail",
	"platform/mail/sink":    "base platform/mail",

	"access":           "base",
	"audit":            "base platform/crypt platform/db platform/keys access",
	"letter":           "base platform/crypt platform/db platform/jobs platform/keys platform/mail platform/mail/dsn access audit",
	"account":          "base platform/crypt platform/db platform/jobs platform/keys platform/limit access audit letter account/password",
	"account/factor":   "base platform/crypt platform/db platform/keys access audit letter account",
	"account/password": "base",
	"people":           "base platform/crypt platform/db platform/jobs platform/keys platform/mail access audit letter account account/factor",
	"people/directory": "base platform/db access audit people",
	"team":             "base platform/crypt platform/db platform/jobs platform/keys access audit letter account people",
	"chat":             "base platform/blob platform/crypt platform/db platform/jobs platform/keys platform/limit platform/media platform/scan access audit letter account people",
	"recovery":         "base platform/crypt platform/db platform/keys access audit letter account people support",
	"contact":          "base platform/crypt platform/db platform/jobs platform/keys access audit letter account people",
	"joint":            "base platform/crypt platform/db platform/keys access account audit letter people",
	"trail":            "base platform/db platform/keys access account audit letter people",
	"support":          "base platform/crypt platform/db platform/keys access audit letter account people",

	"web":        features + " web/assets web/parts platform/db platform/limit platform/jobs platform/mail platform/mail/dsn platform/mail/sink",
	"web/assets": "",
	"web/parts":  "base web/assets",
	"cli":        features + " platform platform/mail/dsn platform/mail/sink web bench",
	"bench":      features + " platform platform/mail/sink web",
	"world":      features + " platform",
}

const features = "base access audit letter account account/factor account/password people people/directory team contact joint support trail recovery chat"

// only lists what is not ours, and who may import it. "…" at the end stands for
// a whole tree.
var only = map[string]string{
	"net/http":                            "web web/assets web/parts cli bench",
	"net/http/...":                        "web cli bench",
	"github.com/a-h/templ":                "web web/parts",
	"database/sql":                        "platform/db world bench", // bench: the raw line beside ours
	"database/sql/driver":                 "base/at base/id platform/db platform/crypt",
	"github.com/jackc/...":                "platform/db",
	"modernc.org/...":                     "platform/db bench",
	"github.com/pressly/...":              "platform/db",
	"github.com/tink-crypto/...":          "platform/crypt",
	"crypto/aes":                          "platform/crypt", // pieces of files
	"crypto/cipher":                       "platform/crypt",
	"crypto/des":                          "",
	"crypto/rc4":                          "",
	"crypto/md5":                          "",
	"crypto/sha1":                         "",
	"crypto/hmac":                         "platform/crypt",
	"crypto/rsa":                          "platform/mail",            // DKIM
	"crypto/ed25519":                      "platform/mail",            // DKIM
	"crypto/ecdsa":                        "platform/mail/sink bench", // their certificates
	"crypto/subtle":                       "account/password web",     // web: the key of a mail server
	"golang.org/x/crypto/...":             "account/password bench",
	"filippo.io/age/...":                  "platform/crypt cli",
	"math/rand":                           "",
	"math/rand/v2":                        "platform/jobs bench cli", // so that not all come back at once; for secrets it is never right
	"net":                                 "platform/db platform/mail platform/mail/sink platform/config platform/scan web cli bench",
	"net/smtp":                            "",
	"os/exec":                             "bench platform/media", // the program under test; itself, to open HEIC
	"unsafe":                              "",
	"plugin":                              "",
	"C":                                   "",
	"text/template":                       "",
	"html/template":                       "",
	"testing":                             "world",
	"log":                                 "platform/mail/sink", // what net/smtp servers want, thrown away
	"github.com/prometheus/...":           "web cli",
	"github.com/alecthomas/kong":          "cli platform/config",
	"github.com/chromedp/...":             "",
	"github.com/emersion/go-msgauth/dkim": "platform/mail",
	"github.com/go-webauthn/...":          "account/factor",
	"github.com/pquerna/...":              "account/factor",
	"github.com/boombuler/...":            "web",
	"github.com/minio/...":                "platform/blob",
	"github.com/gen2brain/...":            "platform/media/heic",
	"github.com/gabriel-vasile/...":       "platform/media",
	"golang.org/x/image/...":              "platform/media",
	"image":                               "platform/media platform/media/heic",
	"image/...":                           "platform/media",
}

// calls lists what only some may call, and who. A name without a package is a
// method, whatever it is called on.
var calls = map[string]string{
	"Audited":  "audit",                                                                           // says that the trail knows of a change
	"Journal":  "platform/db audit",                                                               // lines of the trail alone; see docs/adr/0009
	"Maintain": "platform/db platform/jobs platform/limit platform/keys account audit trail chat", // changes that leave no trail; see maintained

	"access.AsPractitioner": "people team world",
	"access.AsClient":       "people world world",
	"access.AsContact":      "people contact",
	"access.AsWaiting":      "people support",
	"access.AsPerson":       "account account/factor people team contact recovery web world cli bench", // cli: the demo's people
	"access.AsLeaving":      "people",
	"access.AsSupport":      "support",
	"access.ByLink":         "people team contact",
	"access.Job":            "letter account people people/directory team contact joint support trail recovery chat",
	"access.Operator":       "account cli world", // account: hides an operator's practice from its trail
	"access.Operating":      "cli world",

	"time.Now":     "web cli bench", // all others ask the transaction; web: see timed
	"time.Since":   "web cli bench",
	"time.Until":   "",
	"time.Sleep":   "bench",
	"os.Getenv":    "platform/config world",
	"os.LookupEnv": "platform/config world",
	"os.Environ":   "platform/config bench",
	"os.Setenv":    "",
	"os.Exit":      "cli platform/media/heic",

	"context.TODO": "",

	// Each of these would let a person's text through as markup.
	"templ.Raw":              "",
	"templ.SafeURL":          "web/parts", // the address of an icon of ours
	"templ.SafeCSS":          "",
	"templ.SafeCSSProperty":  "",
	"templ.JSUnsafeFuncCall": "",
	"templ.JSExpression":     "",
	"templ.ComponentScript":  "",
}

// maintained lists the functions that may call Maintain, where a package has
// others that must not.
var maintained = map[string]string{
	"platform/keys": "Install rewrap",
	"account":       "Seen Sweep DueToGo",
	"audit":         "note",
	"trail":         "index",
	"chat":          "Read KeepDraft Register note finish Drop settle copy Sweep",
}

// timed lists the files of web that may look at the clock: how long a request
// took, and how long a browser may take to read, is no business of the database's.
var timed = []string{"web/guard.go", "web/stream.go", "web/unhurried.go", "web/wire.go"}

// nobody lists what acts for no one yet, with the reason.
var nobody = map[string]string{
	"account.Ended":              "whose form it is that came with an ended session; nothing is told",
	"people.TermsOf":             "how long a session lasts, for who is just signing in",
	"platform/jobs.Enqueue":      "the verb that asks for a job has an actor",
	"platform/jobs.Waiting":      "a number, for whoever watches the installation",
	"platform/keys.New":          "a step of people.Found, which has an actor",
	"platform/keys.Record":       "the caller's actor has chosen the practice",
	"platform/keys.MakeRecord":   "the caller's actor has chosen the practice",
	"platform/keys.RenewRecords": "a step of chat.RenewKeys, which has an actor",
	"platform/limit.Take":        "the caller counts who it is; nothing of a practice is read",
	"platform/limit.TakeSome":    "the caller counts who it is; nothing of a practice is read",
	"platform/jobs.EnqueueAt":    "the verb that asks for a job has an actor",
	"chat.ReadPass":              "it says who asks: the door finds the actor of the session that it names",
	"chat.LastSeen":              "the conversation was found by its reader",
	"chat.SeenBy":                "the conversation was found by its reader",
	"chat.PlaceOf":               "the conversation was found by its reader",
	"chat.Company":               "the conversation was found by its reader",
	"platform/keys.Of":           "the caller's actor has chosen the practice",
	"platform/keys.Owners":       "upkeep: who has a key",
	"platform/keys.Renew":        "a step of people.Reseal, which has an actor",
	"account.Lookup":             "it is where actors come from",
	"account.LookupHash":         "it is where actors come from",
	"people.Enter":               "it is where actors come from: it has the session",
	"support.Enter":              "it is where actors come from: it has the session",
}

// anybodys lists the queries that touch a practice's rows and do not name the
// practice, with the reason.
var anybodys = map[string]string{
	"keys.Owners":             "upkeep: every key is wrapped anew",
	"audit.Chains":            "Verify looks at every chain",
	"letter.ByID":             "a report from another mail server knows the letter's identifier alone",
	"letter.Waiting":          "a number, for whoever watches the installation",
	"people.Memberships":      "where a person works: found by their own account",
	"people.Standing":         "where a person works: found by their own account, numbers only",
	"people.Positions":        "where a person works: found by their own account",
	"people.RecordsOfAccount": "where a person is a client: found by their own account",
	"people.UseVouch":         "found by a token's hash",
	"people.VouchByToken":     "found by a token's hash",
	"account.EndVouches":      "a new password or address ends what any practice vouched for",
	"people.Claim":            "found by a token's hash",
	"people.ByToken":          "found by a token's hash",
	"people.ByAddress":        "found by the blind index of a typed address",
	"account.TakeOver":        "wherever a person works: found by their own account",
	"account.Works":           "wherever a person works: found by their own account",
	"people.LiveByAddress":    "found by the blind index of a typed address",
	"account.EndRecoveries":   "found by whose account it is",
	"recovery.ByToken":        "found by a token's hash",
	"recovery.Use":            "found by a token's hash",
	"recovery.Reseal":         "upkeep: the key is the installation's",
	"people.ActingOfAccount":  "for whom a person acts: found by their own account",
	"contact.Claim":           "found by a token's hash",
	"contact.ByToken":         "found by a token's hash",
	"contact.ByAddress":       "found by the blind index of a typed address",
	"people.UntoldMinors":     "the clock comes for every practice alike",
	"contact.EndingOfAge":     "the clock comes for every practice alike",
	"contact.Begun":           "the clock comes for every practice alike",
	"contact.Ended":           "the clock comes for every practice alike",
	"team.Claim":              "found by a token's hash",
	"team.ByToken":            "found by a token's hash",
	"team.ByAddress":          "found by the blind index of a typed address",
	"chat.DropStale":          "the clock comes for every practice alike",
	"chat.Kept":               "upkeep: the names of files, to find those that no row has",
}

func TestImports(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	eachFile(t, func(pkg, file string, f *ast.File) {
		seen[pkg] = true
		allowed, known := mayImport[pkg]
		if !known {
			t.Errorf("%s is not on the map", pkg)
			return
		}
		for _, spec := range f.Imports {
			imp, _ := strconv.Unquote(spec.Path.Value)
			dep, ours := strings.CutPrefix(imp, here)
			switch {
			case ours && generated(dep) && path.Dir(dep) != pkg:
				t.Errorf("%s must not import %s: its SQL is another's", pkg, dep)
			case ours && !generated(dep) && !has(allowed, dep):
				t.Errorf("%s must not import %s", file, dep)
			case spec.Name != nil && spec.Name.Name == ".":
				t.Errorf("%s imports %s without its name", file, imp)
			}
			for theirs, who := range only {
				prefix, tree := strings.CutSuffix(theirs, "...")
				if (imp == theirs || tree && strings.HasPrefix(imp, prefix)) && !has(who, pkg) {
					t.Errorf("%s must not import %s; only %q may", file, imp, who)
				}
			}
		}
	})
	for _, must := range []string{"base/id", "platform/db", "access", "audit", "people", "web", "world"} {
		if !seen[must] {
			t.Errorf("%s was not looked at: the test looks in the wrong place", must)
		}
	}
}

// TestVerbsTakeAnActor: nothing reads or writes a practice's data without being
// told on whose behalf.
func TestVerbsTakeAnActor(t *testing.T) {
	t.Parallel()
	used, verbs := map[string]bool{}, 0
	eachFile(t, func(pkg, file string, f *ast.File) {
		if pkg == "world" || pkg == "platform/db" {
			return
		}
		for _, d := range f.Decls {
			fn, ok := d.(*ast.FuncDecl)
			if !ok || !fn.Name.IsExported() || !takes(fn, "*db.Tx") {
				continue
			}
			verbs++
			if takes(fn, "access.Actor") {
				continue
			}
			name := pkg + "." + fn.Name.Name
			used[name] = true
			if nobody[name] == "" {
				t.Errorf("%s takes a transaction but no actor", name)
			}
		}
	})
	everyLineUsed(t, "nobody", nobody, used)
	if verbs < 60 {
		t.Errorf("only %d verbs were looked at", verbs)
	}
}

// TestVerbsOpenNoTransaction: on SQLite one inside another would wait for itself.
func TestVerbsOpenNoTransaction(t *testing.T) {
	t.Parallel()
	eachFile(t, func(pkg, file string, f *ast.File) {
		ast.Inspect(f, func(n ast.Node) bool {
			var ft *ast.FuncType
			var body *ast.BlockStmt
			switch fn := n.(type) {
			case *ast.FuncDecl:
				ft, body = fn.Type, fn.Body
			case *ast.FuncLit:
				ft, body = fn.Type, fn.Body
			}
			if ft == nil || body == nil || !typed(ft, "*db.Tx") {
				return true
			}
			ast.Inspect(body, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok {
					return true
				}
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && slices.Contains([]string{"Update", "View", "Maintain"}, s.Sel.Name) && strings.HasSuffix(types.ExprString(s.X), "DB") {
					t.Errorf("%s opens a transaction inside another: %s", file, types.ExprString(s))
				}
				return true
			})
			return true
		})
	})
}

func TestCalls(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	eachFile(t, func(pkg, file string, f *ast.File) {
		for _, d := range f.Decls {
			within := ""
			if fn, ok := d.(*ast.FuncDecl); ok {
				within = fn.Name.Name
			}
			ast.Inspect(d, func(n ast.Node) bool {
				sel, ok := n.(*ast.SelectorExpr)
				if !ok {
					return true
				}
				full := types.ExprString(sel)
				for name, who := range calls {
					method := !strings.Contains(name, ".")
					if full != name && !(method && sel.Sel.Name == name) {
						continue
					}
					used[name] = true
					in, some := maintained[pkg]
					switch {
					case !has(who, pkg):
						t.Errorf("%s must not call %s; only %q may", file, full, who)
					case name == "Maintain" && some && !has(in, within):
						t.Errorf("%s: %s must not call %s; only %q may", file, within, full, in)
					case pkg == "web" && strings.HasPrefix(name, "time.") && !slices.Contains(timed, file):
						t.Errorf("%s must not call %s; only %s may", file, full, timed)
					}
				}
				return true
			})
		}
	})
	for _, must := range []string{"Audited", "Maintain", "access.AsClient", "access.Job", "time.Now", "os.Getenv"} {
		if !used[must] {
			t.Errorf("%s is called nowhere: the test looks for the wrong name", must)
		}
	}
}

// TestEveryPackageSaysWhatItIs: a package comment, on each.
func TestEveryPackageSaysWhatItIs(t *testing.T) {
	t.Parallel()
	said := map[string]bool{}
	eachFile(t, func(pkg, _ string, f *ast.File) {
		words := f.Doc.Text()
		said[pkg] = said[pkg] || strings.HasPrefix(words, "Package "+f.Name.Name+" ")
	})
	for pkg, ok := range said {
		if !ok {
			t.Errorf("%s has no package comment that begins with its name", pkg)
		}
	}
}

// TestNothingChangesBehindAnybodysBack: no init, and no package variable that
// is assigned to, whose address is taken, or that is made to be changed.
func TestNothingChangesBehindAnybodysBack(t *testing.T) {
	t.Parallel()
	lists := map[string]map[string]bool{} // the variables of each package
	eachFile(t, func(pkg, file string, f *ast.File) {
		if lists[pkg] == nil {
			lists[pkg] = map[string]bool{}
		}
		for _, spec := range variables(f) {
			for _, name := range spec.Names {
				lists[pkg][name.Name] = true
			}
			made := ""
			if spec.Type != nil {
				made = types.ExprString(spec.Type)
			}
			for _, v := range spec.Values {
				made += " " + types.ExprString(v)
			}
			if m := mutable.FindString(made); m != "" {
				t.Errorf("%s: %s is a package variable made to be changed (%s)", file, spec.Names[0], m)
			}
		}
	})
	eachFile(t, func(pkg, file string, f *ast.File) {
		own := map[any]bool{}
		for _, spec := range variables(f) {
			own[spec] = true
		}
		changed := func(e ast.Expr) {
			x := root(e)
			if x != nil && lists[pkg][x.Name] && (x.Obj == nil || own[x.Obj.Decl]) {
				t.Errorf("%s: the package variable %s is changed", file, x.Name)
			}
			if s, ok := e.(*ast.SelectorExpr); ok && x != nil && x.Obj == nil && imported(f, x.Name) {
				t.Errorf("%s: another package's variable %s is changed", file, types.ExprString(s))
			}
		}
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Name.Name == "init" && n.Recv == nil {
					t.Errorf("%s has an init", file)
				}
			case *ast.AssignStmt:
				if n.Tok != token.DEFINE {
					for _, e := range n.Lhs {
						changed(e)
					}
				}
			case *ast.IncDecStmt:
				changed(n.X)
			case *ast.UnaryExpr:
				if n.Op == token.AND {
					if _, lit := n.X.(*ast.CompositeLit); !lit {
						changed(n.X)
					}
				}
			}
			return true
		})
	})
}

// mutable are the types that exist to be changed. A sync.Pool of empty buffers
// and a sync.OnceValue hold nothing that anybody can see change.
var mutable = regexp.MustCompile(`sync\.(Mutex|RWMutex|Map|Once|WaitGroup)\b|atomic\.\w+|make\(|new\(`)

func variables(f *ast.File) (specs []*ast.ValueSpec) {
	for _, d := range f.Decls {
		if g, ok := d.(*ast.GenDecl); ok && g.Tok == token.VAR {
			for _, s := range g.Specs {
				specs = append(specs, s.(*ast.ValueSpec))
			}
		}
	}
	return specs
}

// root is the variable that e is a part of.
func root(e ast.Expr) *ast.Ident {
	for {
		switch x := e.(type) {
		case *ast.Ident:
			return x
		case *ast.SelectorExpr:
			e = x.X
		case *ast.IndexExpr:
			e = x.X
		case *ast.ParenExpr:
			e = x.X
		default:
			return nil // through a pointer or a call: not the variable itself
		}
	}
}

func imported(f *ast.File, name string) bool {
	for _, spec := range f.Imports {
		imp, _ := strconv.Unquote(spec.Path.Value)
		if spec.Name != nil && spec.Name.Name == name || spec.Name == nil && path.Base(imp) == name {
			return true
		}
	}
	return false
}

// TestTestsNeitherSleepNorSkip: a test that waits for luck is flaky, one that
// is skipped is not there. (rapid's rt.Skip draws another case.)
func TestTestsNeitherSleepNorSkip(t *testing.T) {
	t.Parallel()
	looked := map[string]int{}
	look := func(_, file, text string) {
		looked[strings.Split(strings.TrimPrefix(file, "../"), "/")[0]]++
		f, err := parser.ParseFile(token.NewFileSet(), file, text, 0)
		if err != nil {
			t.Error(err)
			return
		}
		ast.Inspect(f, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				s, ok := call.Fun.(*ast.SelectorExpr)
				if ok && (types.ExprString(s) == "time.Sleep" || slices.Contains([]string{"Skip", "Skipf", "SkipNow"}, s.Sel.Name) && !slices.Contains([]string{"q", "rt"}, types.ExprString(s.X))) {
					t.Errorf("%s calls %s", file, types.ExprString(s))
				}
			}
			return true
		})
	}
	walk(t, "_test.go", look)
	for _, tree := range []string{"../cmd", "../e2e"} {
		walkTree(t, tree, "_test.go", look)
	}
	if len(looked) < 8 || looked["cmd"] == 0 || looked["e2e"] == 0 {
		t.Errorf("only these were looked at: %v", looked)
	}
}

// What the race detector leaves out is run without it.
func TestNoTestIsLeftOut(t *testing.T) {
	t.Parallel()
	makefile, err := os.ReadFile("../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(`(?s)\nsteps = ([^\n]+)\$\$\nstepping = ([^\n]+)\n`).FindStringSubmatch(string(makefile))
	if found == nil {
		t.Fatal("the Makefile names no steps")
	}
	steps, n := regexp.MustCompile(found[1]+"$"), 0
	look := func(_, file, text string) {
		for _, name := range regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)`).FindAllStringSubmatch(text, -1) {
			if !steps.MatchString(name[1]) {
				continue
			}
			n++
			if !slices.ContainsFunc(strings.Fields(found[2]), func(p string) bool {
				tree, whole := strings.CutSuffix(strings.TrimPrefix(strings.TrimPrefix(p, "./internal"), "/"), "/...")
				return path.Dir(file) == tree || path.Dir(file) == "." && tree == "" || whole && strings.HasPrefix(file, tree+"/")
			}) {
				t.Errorf("%s in %s is run nowhere: its package is not among those that step", name[1], file)
			}
		}
	}
	walk(t, "_test.go", look)
	walkTree(t, "../cmd", "_test.go", look)
	if n < 10 {
		t.Errorf("%d tests step", n)
	}
}

// The markup of pages: what could run, or look like anything but our own, is
// not in it. See the policy that web sends with each page.
var (
	forbiddenMarkup = map[string]*regexp.Regexp{
		"raw markup":                      regexp.MustCompile(`templ\.(Raw|SafeURL\((?:[^"]|"[^#so]|"s[^m]|"o[^t])|SafeCSS\w*|JS\w+|ComponentScript)`),
		"an inline style":                 regexp.MustCompile(`(?i)[\s"]style\s*=|<style\b|^\s*css\s+\w+\(`),
		"an inline handler":               regexp.MustCompile(`(?i)[\s"]on[a-z]+\s*=\s*["{]`),
		"a script of its own":             regexp.MustCompile(`^\s*script\s+\w+\(`),
		"a script address":                regexp.MustCompile(`(?i)"\s*(javascript|vbscript|data):`),
		"something from a third party":    regexp.MustCompile(`(?i)\b(src|href|action|poster|srcset)\s*=\s*"(https?:)?//`),
		"a frame or a plugin":             regexp.MustCompile(`(?i)<(iframe|object|embed|applet|base)\b`),
		"a token in the address of a GET": regexp.MustCompile(`\?(token|t)=`),
	}
	scriptTag = regexp.MustCompile(`(?is)<script\b.*?>`)
	hxName    = regexp.MustCompile(`\bhx-[a-zA-Z0-9:.-]+`)
	house     = strings.Fields("hx-get hx-post hx-trigger hx-target hx-select hx-select-oob hx-swap hx-sync hx-include hx-disable hx-status:422 hx-sse:connect hx-nonce hx-partial")
)

func TestPagesHoldNothingThatRuns(t *testing.T) {
	t.Parallel()
	looked := 0
	walk(t, ".templ", func(_, file, text string) {
		looked++
		for _, found := range wrongMarkup(text) {
			t.Errorf("%s: %s", file, found)
		}
	})
	if looked < 5 {
		t.Errorf("only %d files were looked at", looked)
	}
	for _, bad := range []string{`<p style="x">`, `<a onclick="x">`, `<a onclick={ f() }>`, "<style>", "<script>", `<script src="x">`, `<p hx-delete="/x" hx-nonce="n">`,
		`<p hx-on:click="x">`, `@templ.Raw(x)`, `<a href={ templ.SafeURL(x) }>`, `<a href="javascript:x">`, `<img src="https://x.test/a.png">`, `<form hx-post="/x">`, "script run() {", `<p hx-swap="innerHTML" hx-nonce>`} {
		if len(wrongMarkup(bad)) == 0 {
			t.Errorf("%s is not found to be wrong", bad)
		}
	}
}

func wrongMarkup(text string) (found []string) {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(strings.TrimSpace(line), "//") {
			continue
		}
		for _, what := range slices.Sorted(maps.Keys(forbiddenMarkup)) {
			if m := forbiddenMarkup[what].FindString(line); m != "" {
				found = append(found, what+": "+m)
			}
		}
		for _, a := range hxName.FindAllString(line, -1) {
			if !slices.Contains(house, a) && a != "hx-csp" {
				found = append(found, "not of the house: "+a)
			}
		}
		if m := hxSwap.FindStringSubmatch(line); m != nil && !slices.Contains([]string{"outerMorph", "beforeend", "delete"}, m[1]) {
			found = append(found, "not of the house: "+m[0])
		}
	}
	for _, tag := range scriptTag.FindAllString(text, -1) {
		if !strings.Contains(tag, "nonce={") {
			found = append(found, "a script without the nonce: "+tag)
		}
	}
	if hxAny.MatchString(text) && !strings.Contains(text, "hx-nonce") && !strings.Contains(text, "templ.GetNonce") {
		found = append(found, "hx- attributes without hx-nonce")
	}
	return found
}

var (
	hxSwap = regexp.MustCompile(`hx-swap="(\w+)`)
	hxAny  = regexp.MustCompile(`\bhx-(get|post|trigger|sse)`)
)

// TestQueriesNameThePractice: each query that touches a table of practices says
// whose rows it means, or is listed with the reason.
func TestQueriesNameThePractice(t *testing.T) {
	t.Parallel()
	tables := practiceTables(t)
	if len(tables) < 6 {
		t.Fatalf("only %d tables belong to practices: %v", len(tables), tables)
	}
	used, looked := map[string]bool{}, 0
	walk(t, "queries.sql", func(pkg, file, text string) {
		for name, query := range queries(text) {
			looked++
			name = path.Base(pkg) + "." + name
			for what, re := range foreignSQL {
				if m := re.FindString(query); m != "" {
					t.Errorf("%s: %s is %s", name, m, what)
				}
			}
			touches := ""
			for _, m := range fromTable.FindAllStringSubmatch(query, -1) {
				if tables[m[1]] {
					touches = m[1]
				}
			}
			if touches == "" || namesPractice.MatchString(query) || strings.Contains(query, "INSERT INTO") && strings.Contains(query, "@practice_id") {
				continue
			}
			used[name] = true
			if anybodys[name] == "" {
				t.Errorf("%s touches %s and does not name the practice", name, touches)
			}
		}
	})
	everyLineUsed(t, "anybodys", anybodys, used)
	if looked < 80 {
		t.Errorf("only %d queries were looked at", looked)
	}
}

var (
	fromTable     = regexp.MustCompile(`(?i)\b(?:FROM|JOIN|UPDATE|INTO)\s+([a-z_]+)`)
	namesPractice = regexp.MustCompile(`\bpractice_id = @practice_id\b`)
	ofAPractice   = regexp.MustCompile(`(?s)CREATE TABLE (\w+) \(\n\s+practice_id TEXT (?:NOT NULL|PRIMARY KEY)`)
	foreignSQL    = map[string]*regexp.Regexp{
		"not in the common subset":                   regexp.MustCompile(`(?i)::|\bILIKE\b|\bANY\s*\(|\bLATERAL\b|\bDISTINCT ON\b|\bnow\(\)|\bCURRENT_TIMESTAMP\b|\bFOR SHARE\b|\bGLOB\b|\bstrftime\b|\bIFNULL\b`),
		"an order or a comparison of what is sealed": regexp.MustCompile(`(?i)ORDER BY (?:\w\.)?(?:name|email|mobile|born|address|note|content)\b`),
		"everything, in SELECT *":                    regexp.MustCompile(`(?i)SELECT \*|RETURNING \*`),
	}
)

func practiceTables(t *testing.T) map[string]bool {
	tables := map[string]bool{}
	walk(t, ".sql", func(pkg, _, text string) {
		if strings.Contains(pkg, "migrations") {
			for _, m := range ofAPractice.FindAllStringSubmatch(text, -1) {
				tables[m[1]] = true
			}
		}
	})
	return tables
}

// queries cuts a file into its queries, without the comments.
func queries(text string) map[string]string {
	all, name := map[string]string{}, ""
	for line := range strings.Lines(text) {
		if rest, ok := strings.CutPrefix(line, "-- name: "); ok {
			name, _, _ = strings.Cut(rest, " ")
			continue
		}
		line, _, _ = strings.Cut(line, "--")
		if name != "" {
			all[name] += line
		}
	}
	return all
}

func everyLineUsed(t *testing.T, list string, lines map[string]string, used map[string]bool) {
	t.Helper()
	for name := range lines {
		if !used[name] {
			t.Errorf("%s lists %s, which needs no exception or is not there", list, name)
		}
	}
}

func takes(fn *ast.FuncDecl, typ string) bool { return typed(fn.Type, typ) }

func typed(ft *ast.FuncType, typ string) bool {
	for _, p := range ft.Params.List {
		if types.ExprString(p.Type) == typ {
			return true
		}
	}
	return false
}

// eachFile shows do every file that a person wrote and that is no test.
func eachFile(t *testing.T, do func(pkg, file string, f *ast.File)) {
	t.Helper()
	walk(t, ".go", func(pkg, file, text string) {
		if strings.HasSuffix(file, "_test.go") || strings.HasSuffix(file, "_templ.go") || generated(pkg) {
			return
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, text, parser.ParseComments)
		if err != nil {
			t.Error(err)
			return
		}
		do(pkg, file, f)
	})
}

func walk(t *testing.T, suffix string, do func(pkg, file, text string)) {
	t.Helper()
	walkTree(t, ".", suffix, do)
}

// walkTree is walk for a tree beside this one.
func walkTree(t *testing.T, tree, suffix string, do func(pkg, file, text string)) {
	t.Helper()
	err := filepath.WalkDir(tree, func(file string, d fs.DirEntry, err error) error {
		file = filepath.ToSlash(file)
		pkg := path.Dir(file)
		if err != nil || d.IsDir() || pkg == "." || !strings.HasSuffix(file, suffix) {
			return err
		}
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		do(pkg, file, string(text))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// generated reports whether pkg is the sqlc output of its parent.
func generated(pkg string) bool { return path.Base(pkg) == path.Base(path.Dir(pkg))+"db" }

func has(list, pkg string) bool {
	for p := range strings.FieldsSeq(list) {
		if p == pkg || (p == "base" || p == "platform") && p == path.Dir(pkg) {
			return true
		}
	}
	return false
}
