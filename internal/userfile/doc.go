// Package userfile opens the files that a user names: outputs, reports, exports,
// and what is read. In a directory where others may write, another user may have
// put a link, a pipe or a file in the place of one. A link of another user is
// followed nowhere on the path, a pipe is never waited for, and what is written
// goes into regular files and the streams of the process only.
//
// All functions are safe for concurrent use.
package userfile
