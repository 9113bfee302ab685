// Package origins knows what the dead letters of a run can come from and go to: the last frames of its stages say which
// inputs they read, and which messages of these they have taken.
package origins
