package web

import (
	"io/fs"
	"regexp"
	"testing"
)

// The page makes no markup of text, has nothing inline, and loads nothing from elsewhere.
func TestThePageIsStrict(t *testing.T) {
	t.Parallel()
	for file, forbidden := range map[string]string{
		"index.html": `(?i)<script(>| [^>]*>[^<])|<style|\sstyle\s*=|\son[a-z]+\s*=|(src|href)="(https?:)?//|javascript:`,
		"app/*.js":   `innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|setAttribute\("(style|on)|setTimeout\("|(https?:)?//[a-z]+\.[a-z]+/`,
		"style.css":  `@import|url\((?:["']?)(https?:)?//`,
	} {
		names, err := fs.Glob(files, file)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v", file, err)
		}
		for _, name := range names {
			data, err := files.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if found := regexp.MustCompile(forbidden).FindAll(data, 3); found != nil {
				t.Errorf("%s has %q", name, found)
			}
		}
	}
}
