package e2e

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"testing"

	"github.com/chromedp/chromedp"
)

// update writes the pictures anew.
var update = flag.Bool("update", false, "write the pictures")

// axe is what looks for barriers on a page.
//
//go:embed testdata/axe.min.js
var axe string

// house is what all tests share: the program, built once, and one browser. Each
// visitor has a profile of their own in it.
type house struct {
	dir     string
	program string
	browser context.Context
	quit    func()
}

var theHouse = sync.OnceValues(openHouse)

func TestMain(m *testing.M) {
	// Journeys wait for letters and pages more than they work: two for each core.
	if err := flag.Set("test.parallel", strconv.Itoa(2*runtime.GOMAXPROCS(0))); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	flag.Parse()
	if os.Getenv("E2E") == "off" {
		fmt.Println("e2e: not run, because E2E=off")
		return
	}
	h, err := theHouse()
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		os.Exit(1)
	}
	code := m.Run()
	h.quit()
	os.Exit(code)
}

func openHouse() (_ *house, err error) {
	chromium, err := findChromium()
	if err != nil {
		return nil, err
	}
	h := &house{}
	if h.dir, err = os.MkdirTemp("", "icouch-e2e-"); err != nil {
		return nil, err
	}
	h.program = filepath.Join(h.dir, "icouch")
	if out, err := exec.Command("go", "build", "-tags", "nodynamic", "-o", h.program, "icouch/cmd/icouch").CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the program: %w\n%s", err, out)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox, chromedp.DisableGPU,
		chromedp.UserDataDir(filepath.Join(h.dir, "profile")), chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true),
		chromedp.Flag("use-fake-device-for-media-stream", true)) // a microphone that beeps
	allocator, stop := chromedp.NewExecAllocator(context.Background(), options...)
	browser, leave := chromedp.NewContext(allocator)
	h.browser, h.quit = browser, func() { leave(); stop(); _ = os.RemoveAll(h.dir) }
	if err := chromedp.Do(browser); err != nil { // starts it, before any visitor comes
		h.quit()
		return nil, fmt.Errorf("start the browser: %w", err)
	}
	return h, nil
}

// errNoChromium is a failure and no reason to skip: pages that nobody looked at
// are not known to work.
var errNoChromium = errors.New("no Chromium was found: install it, or set E2E=off to go without these tests")

func findChromium() (string, error) {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "google-chrome-stable"} {
		if name == "" {
			continue
		}
		if path, err := exec.LookPath(name); err == nil {
			return path, nil
		}
	}
	return "", errNoChromium
}
