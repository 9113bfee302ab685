package web

import (
	"embed"
	"net/http"
)

// files are what a browser gets. Nothing of it comes from elsewhere.
//
//go:embed app icon.svg index.html style.css vendor
var files embed.FS

// Page answers with the page.
func Page(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, files, "index.html")
}

// Assets are the files of the page, below /assets/.
func Assets() http.Handler {
	return http.StripPrefix("/assets/", http.FileServerFS(files))
}
