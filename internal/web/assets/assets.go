// Package assets is the look of the pages: type, colour, icons and the few
// scripts. They arrive once, stay in the browser, and never come from anybody
// else's machine, so that nobody else learns who is looking.
//
// The files are part of the program. They are put together at start: style
// sheets are joined by name, icons become one sprite, and each gets the
// fingerprint of its content into its address (/a/app.1f2e3d4c5b6a.css), so
// that browsers may keep it for ever. Compression happens when an asset is
// first asked for.
package assets

import (
	"bytes"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"strconv"
	"strings"
	"sync"
)

//go:embed css/*.css js/*.js fonts/*.woff2 icons/*.svg vendor/*.js brand/*
var files embed.FS

// Prefix begins the address of every asset.
const Prefix = "/a/"

// Set is everything that a page may load. It does not change after it was made.
type Set struct {
	byName  map[string]*asset
	byURL   map[string]*asset
	icons   map[string]string // their addresses
	modules map[string]string
}

// Load gives the set; it is the same one every time.
//
// The embedded files are a constant of the program, so a fault in them is the
// program's and it does not start.
func Load() *Set { return loaded() }

var loaded = sync.OnceValue(func() *Set {
	s, err := build(files)
	if err != nil {
		panic(err)
	}
	return s
})

// build puts the set together. Style sheets come last: they name the others.
func build(fsys fs.FS) (*Set, error) {
	s := &Set{
		byName: map[string]*asset{}, byURL: map[string]*asset{},
		icons: map[string]string{}, modules: map[string]string{},
	}
	for _, dir := range []string{"fonts", "brand"} {
		if err := s.addDir(fsys, dir); err != nil {
			return nil, err
		}
	}
	for _, dir := range []string{"js", "vendor"} {
		if err := s.addModules(fsys, dir); err != nil {
			return nil, err
		}
	}
	if err := s.addSprite(fsys); err != nil {
		return nil, err
	}
	return s, s.addStyles(fsys)
}

// URL is the address of an asset by its name: "app.css", "js/app.js",
// "icons.svg", "brand/mark.svg". A name that does not exist is a mistake in the
// program and panics.
func (s *Set) URL(name string) string {
	a, ok := s.byName[name]
	if !ok {
		panic("no asset " + strconv.Quote(name))
	}
	return a.url
}

// Icons are the addresses of the icons in the sprite, by name.
func (s *Set) Icons() map[string]string { return s.icons }

// ImportMap tells the browser where the modules are that import each other by
// "#name".
func (s *Set) ImportMap() map[string]any {
	return map[string]any{"imports": s.modules}
}

// ServeHTTP answers for everything below Prefix.
func (s *Set) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "Method not allowed", http.StatusMethodNotAllowed)
		return
	}
	a, ok := s.byURL[r.URL.Path]
	if !ok {
		w.Header().Set("Cache-Control", "no-store")
		http.Error(w, "Not found", http.StatusNotFound)
		return
	}
	a.serve(w, r)
}

func (s *Set) addDir(fsys fs.FS, dir string) error {
	names, err := fs.Glob(fsys, dir+"/*")
	if err != nil {
		return fmt.Errorf("list %s: %w", dir, err)
	}
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		s.add(name, b)
	}
	return nil
}

// addModules adds a folder of modules and enters them in the import map.
func (s *Set) addModules(fsys fs.FS, dir string) error {
	if err := s.addDir(fsys, dir); err != nil {
		return err
	}
	for name, a := range s.byName {
		if path.Dir(name) == dir {
			s.modules["#"+strings.TrimSuffix(path.Base(name), ".js")] = a.url
		}
	}
	return nil
}

var (
	drawing = regexp.MustCompile(`(?s)<svg[^>]*>(.*)</svg>`)
	spaces  = regexp.MustCompile(`\s+`)
	address = regexp.MustCompile(`url\("\.\./([^"]+)"\)`)
)

// addSprite makes one file of all icons; the file name is the symbol's id.
func (s *Set) addSprite(fsys fs.FS) error {
	names, err := fs.Glob(fsys, "icons/*.svg")
	if err != nil {
		return fmt.Errorf("list icons: %w", err)
	}
	var out bytes.Buffer
	out.WriteString(`<svg xmlns="http://www.w3.org/2000/svg">`)
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		m := drawing.FindSubmatch(b)
		if m == nil {
			return fmt.Errorf("read %s: no drawing in it", name)
		}
		id := strings.TrimSuffix(path.Base(name), ".svg")
		s.icons[id] = ""
		fmt.Fprintf(&out, `<symbol id="%s" viewBox="0 0 24 24">%s</symbol>`, id, bytes.TrimSpace(spaces.ReplaceAll(m[1], []byte(" "))))
	}
	out.WriteString(`</svg>`)
	s.add("icons.svg", out.Bytes())
	for id := range s.icons {
		s.icons[id] = s.byName["icons.svg"].url + "#" + id
	}
	return nil
}

// addStyles joins the sheets in the order of their names and writes
// fingerprints where they name another asset.
func (s *Set) addStyles(fsys fs.FS) error {
	names, err := fs.Glob(fsys, "css/*.css")
	if err != nil {
		return fmt.Errorf("list style sheets: %w", err)
	}
	var css bytes.Buffer
	for _, name := range names {
		b, err := fs.ReadFile(fsys, name)
		if err != nil {
			return fmt.Errorf("read %s: %w", name, err)
		}
		css.Write(b)
	}
	var missing []string
	out := address.ReplaceAllStringFunc(css.String(), func(m string) string {
		name := address.FindStringSubmatch(m)[1]
		a, ok := s.byName[name]
		if !ok {
			missing = append(missing, name)
			return m
		}
		return `url("` + a.url + `")`
	})
	if missing != nil {
		return fmt.Errorf("style sheets name what is not there: %s", strings.Join(missing, ", "))
	}
	s.add("app.css", []byte(out))
	return nil
}

func (s *Set) add(name string, b []byte) {
	sum := sha256.Sum256(b)
	mark := hex.EncodeToString(sum[:6])
	ext := path.Ext(name)
	a := &asset{
		url:  Prefix + strings.TrimSuffix(name, ext) + "." + mark + ext,
		etag: mark, kind: kinds[ext], raw: b,
	}
	s.byName[name], s.byURL[a.url] = a, a
}
