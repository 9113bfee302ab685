// Package web is the page, and what every request to the server passes: the access that decides who may look and act,
// and bounds for connections and answers. It knows nothing of pipelines.
package web
