// Package socket is the control socket of a data directory: the server in the process that runs the pipeline, and the
// client of the verbs. Only the user who runs the pipeline can connect. The client trusts no answer: each is bounded
// and escaped.
package socket
