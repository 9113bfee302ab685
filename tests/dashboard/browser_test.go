package dashboard

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/chromedp"
)

// chromium is the one browser of all tests. Each test has a context of its own in
// it: storage, theme and size are nobody else's.
var chromium = sync.OnceValues(startBrowser)

// endBrowser is called when all tests have run.
var endBrowser = func() {}

func TestMain(m *testing.M) {
	code := m.Run()
	endBrowser()
	os.Exit(code)
}

const browserVariable = "PENSTOCK_BROWSER"

var errNoBrowser = fmt.Errorf("there is no Chromium: install it, or name it in %s", browserVariable)

func findBrowser() (string, error) {
	named := os.Getenv(browserVariable)
	if named == "required" {
		named = ""
	}
	for _, name := range []string{named, "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(cmp.Or(name, "chromium")); err == nil {
			return path, nil
		}
	}
	return "", errNoBrowser
}

func startBrowser() (context.Context, error) {
	path, err := findBrowser()
	if err != nil {
		return nil, err
	}
	options := []chromedp.ExecAllocatorOption{
		chromedp.ExecPath(path), chromedp.NoSandbox, chromedp.Headless, chromedp.DisableGPU, chromedp.WSURLReadTimeout(time.Minute),
		chromedp.Flag("force-color-profile", "srgb"), chromedp.Flag("disable-background-networking", true),
	}
	parent, cancelParent := chromedp.NewExecAllocator(context.Background(), options...)
	ctx, cancel := chromedp.NewContext(parent)
	endBrowser = func() { cancel(); cancelParent() }
	return ctx, chromedp.Do(ctx)
}

// needBrowser skips the test where there is none.
func needBrowser(t *testing.T) context.Context {
	t.Helper()
	ctx, err := chromium()
	if err != nil && os.Getenv(browserVariable) == "required" {
		t.Fatal(err)
	}
	if err != nil {
		t.Skip(err)
	}
	return ctx
}
