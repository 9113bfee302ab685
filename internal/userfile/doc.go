// Package userfile opens the files that a user names: outputs, reports, exports, and files that are read. In a
// directory where others may write, another user may have put a link, a pipe or a file in the place of one. So a link
// of another user is not followed anywhere on the path, a pipe is never waited for, and only regular files and the
// streams of the process are written to.
//
// All functions are safe for concurrent use.
package userfile
