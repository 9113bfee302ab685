package telemetry

import (
	"embed"
	"io/fs"
	"net/http"
)

// web is the page: what a browser gets. Nothing of it comes from elsewhere.
//
//go:embed web
var web embed.FS

func page(w http.ResponseWriter, r *http.Request) {
	http.ServeFileFS(w, r, web, "web/index.html")
}

func assets() http.Handler {
	files, err := fs.Sub(web, "web")
	if err != nil {
		panic(err) // a mistake in the line above
	}
	return http.StripPrefix("/assets/", http.FileServerFS(files))
}
