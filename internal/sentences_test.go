package internal

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// A straight apostrophe between letters, in a sentence that a fault tells somebody.
var straight = regexp.MustCompile(`fault\.(New|On|At)\(.*"[^"]*[A-Za-z]'[a-z]`)

// What people read has typographic apostrophes, as the pages have.
func TestFaultsHaveTypographicApostrophes(t *testing.T) {
	t.Parallel()
	if !straight.MatchString(`fault.New(fault.Invalid, "Enter the client's name.")`) || straight.MatchString(`fault.New(fault.Invalid, "Enter the client’s name.")`) {
		t.Fatal("premise: the one is not told from the other")
	}
	faults := 0
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		source, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for i, line := range strings.Split(string(source), "\n") {
			if strings.Contains(line, "fault.New(") || strings.Contains(line, "fault.On(") {
				faults++
			}
			if straight.MatchString(line) {
				t.Errorf("%s:%d has a straight apostrophe: %s", path, i+1, strings.TrimSpace(line))
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if faults < 100 {
		t.Errorf("only %d faults were looked at", faults)
	}
}
