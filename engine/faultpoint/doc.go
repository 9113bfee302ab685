// Package faultpoint names the places where a crash is hardest for the commit protocol. A test can make the process die
// exactly there and check what the next start does.
//
// The engine calls [Hit] as it passes each place. Unless a point is armed, that costs one predictable branch and
// nothing else.
//
// A test arms one point in a child process through the environment:
//
//	PENSTOCK_FAULT_POINT=before-ack            die at the first passage, in any stage
//	PENSTOCK_FAULT_POINT=before-ack:3          die at the third passage
//	PENSTOCK_FAULT_POINT=before-ack@worker:3   die at the third passage of the stage worker
//
// The variable is read once, when the process starts. A value that names no point, or cannot be read, ends the process
// at once with status 2: a crash test that never crashes would prove nothing.
//
// The process dies by SIGKILL, so no deferred call, signal handler or buffer flush softens the crash.
package faultpoint
